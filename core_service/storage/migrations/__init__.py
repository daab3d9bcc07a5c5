"""The revisions of the tables. One is written by hand and becomes SQL; see `storage.migrate`."""
