"""
A consumer as a product would write one: `python -m tests.watching.consumer SERVER WORKSPACE FILE`.

Every change is a row of its own at once, the place is written down at every tenth; so that a kill
makes some changes come twice. The token is in the environment.
"""

import contextlib
import os
import sqlite3
import sys

from clients.directory import Directory


def main(server: str, workspace_id: str, file: str) -> None:
    """Note every change of a workspace from its beginning on, until killed."""
    with (
        contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database,
        Directory(server, os.environ["TOKEN"], workspace_id=workspace_id) as directory,
    ):
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE TABLE IF NOT EXISTS seen (sequence INTEGER, target TEXT)")
        database.execute("CREATE TABLE IF NOT EXISTS place (token TEXT)")
        row = database.execute("SELECT token FROM place ORDER BY rowid DESC LIMIT 1").fetchone()
        changes = directory.watch_changes(row[0] if row else "", from_beginning=True)
        for number, (entry, _, token) in enumerate(changes):
            if entry is not None:
                seen = (entry.sequence, entry.target_id)
                database.execute("INSERT INTO seen VALUES (?, ?)", seen)
            if number % 10 == 0:
                database.execute("INSERT INTO place VALUES (?)", (token,))


if __name__ == "__main__":
    main(*sys.argv[1:])
