"""Conformance suites of others, each run against workspaces of every preset."""
