"""
Keep the users of a workspace in a table of one's own: `python -m clients.examples.mirror --help`.

The table and the place up to which it is right are written in the same transactions. So the program
can be killed at any point: it goes on where the table is, and what comes twice does no harm.
"""

import argparse
import contextlib
import json
import logging
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import grpc
from userdirectory.errors import DirectoryError
from userdirectory.v1.log_pb2 import LogEntry
from userdirectory.v1.user_pb2 import User

from clients.directory import Change, Directory
from clients.examples.connection import add_options, connect, sentence

log = logging.getLogger("mirror")

_TABLES = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    user_name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    active INTEGER NOT NULL,
    role_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT NOT NULL);
"""


class Mirror:
    """
    The users of a workspace as they are in a local database, and the place in its changes.

    Args:
        database: The local database, which no other mirror uses.
        directory: The workspace; its credential has `log.read`, `users.read`, `groups.read`.
    """

    def __init__(self, database: sqlite3.Connection, directory: Directory) -> None:
        """Make the tables if they are not there."""
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(_TABLES)
        self._database = database
        self._directory = directory

    def run(self) -> None:
        """
        Follow the workspace for ever.

        Raises:
            DirectoryError: CREDENTIAL_INVALID, SCOPE_MISSING and the like.
        """
        while True:
            if not self._token():
                self._begin()
            try:
                for change in self._directory.watch_changes(self._token(), include_resources=True):
                    self._take(change)
            except DirectoryError as error:
                if error.reason != "PAGE_TOKEN_INVALID":
                    raise
                log.warning("The place is no longer kept; beginning anew.")
                with self._database:
                    self._database.execute("DELETE FROM place")

    def _token(self) -> str:
        row = self._database.execute("SELECT token FROM place").fetchone()
        return str(row[0]) if row else ""

    @contextlib.contextmanager
    def _transaction(self, token: str) -> Iterator[None]:
        """Keep what is written meanwhile and the place behind it, both or neither."""
        with self._database:
            yield
            self._database.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (token,))

    def _begin(self) -> None:
        """Learn the place first, and then list: what changes during the listing comes again."""
        with contextlib.closing(self._directory.watch_changes()) as changes:
            token = next(changes).resume_token
        with self._transaction(token):
            self._list()
        log.info("Listed.")

    def _take(self, change: Change) -> None:
        with self._transaction(change.resume_token):
            entry = change.entry
            if entry is None:
                return
            if entry.operation == "DeleteRole":
                # Its users have another role now, and no entry of their own.
                self._list()
            elif isinstance(change.resource, User):
                self._put(change.resource)
            else:
                self._remove(entry.target_id)
                self._read_again(_members(entry))

    def _list(self) -> None:
        self._database.execute("DELETE FROM users")
        for user in self._directory.list_users(page_size=1000):
            self._put(user)

    def _read_again(self, user_ids: Iterable[str]) -> None:
        """Read users whose group changed: it may be a role, and the role is a field of theirs."""
        for user_id in user_ids:
            try:
                self._put(self._directory.get_user(user_id))
            except DirectoryError as error:
                if error.reason != "USER_NOT_FOUND":
                    raise
                self._remove(user_id)

    def _put(self, user: User) -> None:
        if user.HasField("unlink_time"):
            self._remove(user.id)
            return
        row = (user.id, user.user_name, user.display_name, user.active, user.role_id)
        self._database.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?)", row)

    def _remove(self, user_id: str) -> None:
        self._database.execute("DELETE FROM users WHERE id = ?", (user_id,))


def _members(entry: LogEntry) -> set[str]:
    """Return the ids of who came to a group or went from it."""
    return {
        member
        for change in entry.changes
        if change.field == "members"
        for text in (change.before, change.after)
        if text
        for member in json.loads(text)
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Mirror until Ctrl-C; return the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        with (
            connect(parser, chosen) as directory,
            contextlib.closing(sqlite3.connect(chosen.database)) as database,
        ):
            Mirror(database, directory).run()
    except (DirectoryError, grpc.RpcError) as error:
        print(sentence(error), file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m clients.examples.mirror",
        description="Keep the users of a workspace in a local SQLite table.",
        epilog="The credential needs the scopes log.read, users.read and groups.read.",
    )
    add_options(made)
    made.add_argument(
        "--database", type=Path, default=Path("mirror.db"), help="Default: %(default)s."
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
