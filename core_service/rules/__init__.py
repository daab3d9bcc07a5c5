"""
The identity rules: plain values in, a normalised value or DirectoryError out.

A rule never sees a transaction, a message, a clock or the name of a product. What must hold of the
whole database is what a rule's `verify` finds nothing against.
"""
