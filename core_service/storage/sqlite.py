"""SQLite: one writer whose transactions share commits, and readers that never wait for it."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from userdirectory.errors import DirectoryError

from core_service.measures import Measures
from core_service.storage import migrate, tables
from core_service.storage.commits import Writer
from core_service.storage.database import Connections, Transaction
from core_service.storage.failures import unavailable
from core_service.storage.sqlite_transaction import SqliteTransaction, connect, translated

T = TypeVar("T")
_READERS = 16
_SCANNERS = 4
_PING = sa.select(tables.settings.c.name).limit(1)


class SqliteStorage:
    """A database in one file; several processes may open it, one writes at a time."""

    def __init__(self, path: Path, measures: Measures) -> None:
        """Be the storage at *path*; `open` also makes the tables."""
        self._path = path
        self._measures = measures
        self._writer = Writer(connect(path), measures)
        self._readers: list[sqlite3.Connection] = []
        self._free = asyncio.Semaphore(_READERS)
        self._reading = 0
        self._scanners = ThreadPoolExecutor(_SCANNERS, thread_name_prefix="scan")
        self._closed = False

    @classmethod
    async def open(cls, path: Path, measures: Measures) -> "SqliteStorage":
        """
        Return the storage in the file at *path*, which is made if it does not exist.

        Raises:
            DirectoryError: STORAGE_UNAVAILABLE if the file cannot be read or written.
        """
        await asyncio.to_thread(_prepare, path)
        return cls(path, measures)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes of one consistent snapshot."""
        began = time.perf_counter()
        async with self._free:
            connection = self._reader()
            self._reading += 1
            self._measures.waited("connection", time.perf_counter() - began)
            try:
                connection.execute("BEGIN")
                answer = await work(SqliteTransaction(connection, self._scanners))
                self._measures.read(time.perf_counter() - began)
                return answer
            finally:
                self._reading -= 1
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                if self._closed:
                    connection.close()
                else:
                    self._readers.append(connection)

    async def write(self, workspace_id: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes in a transaction, after it is on disk."""
        if self._closed:
            raise unavailable()
        return await self._writer.write(workspace_id, work)

    async def ping(self) -> None:
        """Return if the database can be read and takes writes."""

        async def work(tx: Transaction) -> None:
            await tx.one(_PING)

        await self.read(work)
        await self.write("", work)

    def connections(self) -> Connections:
        """Return how many connections read."""
        return Connections(_READERS, len(self._readers) + self._reading, self._reading)

    async def close(self) -> None:
        """Finish the writes that wait and close every connection."""
        self._closed = True
        await self._writer.close()
        self._scanners.shutdown()
        for connection in self._readers:
            connection.close()
        self._readers.clear()

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise unavailable()
        if self._readers:
            return self._readers.pop()
        connection = connect(self._path)
        connection.execute("PRAGMA query_only = ON")
        return connection


def _prepare(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # For the owner alone; the files beside it get the same mode from SQLite.
            path.touch(mode=0o600)
        connection = connect(path)
    except OSError as error:
        raise unavailable() from error
    try:
        connection.execute("BEGIN IMMEDIATE")
        current = migrate.current(connection)
        if current != migrate.HEAD:
            for statement in migrate.script("sqlite", current):
                connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        meaning = translated(error)
        raise unavailable() if isinstance(meaning, DirectoryError) else meaning from error
    finally:
        connection.close()
