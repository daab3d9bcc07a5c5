"""One SQLite connection in a transaction: its statements, its pragmas, what its errors mean."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.sql.base import Executable

from core_service.storage import plans
from core_service.storage.columns import METADATA
from core_service.storage.database import NO_VALUES
from core_service.storage.failures import conflict, taken, unavailable
from core_service.storage.rows import WorkspaceRow

T = TypeVar("T")
BUSY_MILLISECONDS = 5_000
_STATEMENTS_KEPT = 512
_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class SqliteTransaction:
    """A transaction on one connection, with the workspace it is about."""

    def __init__(
        self, connection: sqlite3.Connection, scanners: ThreadPoolExecutor | None = None
    ) -> None:
        """Run what touches many rows in *scanners*; None runs it at once."""
        self.workspace: WorkspaceRow | None = None
        self.log_entries = 0
        self._connection = connection
        self._scanners = scanners

    async def one(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> tuple[Any, ...] | None:
        """Return the first row, None if there is none."""
        plan = plans.for_sqlite(statement)
        if plan.scans and self._scanners is not None:
            rows = await self.all(statement, values)
            return rows[0] if rows else None
        cursor = self._execute(plan, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        # A statement with a row left would keep its snapshot, and COMMIT would fail.
        cursor.close()
        return row

    async def all(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> list[tuple[Any, ...]]:
        """Return every row."""
        return await self._in_turn(plans.for_sqlite(statement), values, self._fetch)

    async def run(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> int:
        """Run a write and return how many rows it touched."""
        return await self._in_turn(plans.for_sqlite(statement), values, self._touch)

    async def run_many(self, statement: Executable, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a write once for each of *values*."""
        plan = plans.for_sqlite(statement)
        for each in values:
            self._execute(plan, each)

    async def _in_turn(
        self,
        plan: plans.Plan,
        values: Mapping[str, Any],
        execute: Callable[[plans.Plan, Mapping[str, Any]], T],
    ) -> T:
        """Execute a plan, elsewhere than in the event loop if it takes long."""
        if not plan.scans or self._scanners is None:
            return execute(plan, values)
        loop = asyncio.get_running_loop()
        scan = loop.run_in_executor(self._scanners, execute, plan, values)
        try:
            return await asyncio.shield(scan)
        except asyncio.CancelledError:
            self._connection.interrupt()
            await asyncio.wait([scan])
            scan.exception()
            raise

    def _touch(self, plan: plans.Plan, values: Mapping[str, Any]) -> int:
        return self._execute(plan, values).rowcount

    def _fetch(self, plan: plans.Plan, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._execute(plan, values).fetchall()

    def _execute(self, plan: plans.Plan, values: Mapping[str, Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(plan.text, plan.named(values))
        except sqlite3.Error as error:
            raise translated(error, values) from error


def connect(path: Path) -> sqlite3.Connection:
    """
    Return a connection with our pragmas; transactions are begun by hand.

    Raises:
        DirectoryError: STORAGE_UNAVAILABLE.
    """
    try:
        connection = sqlite3.connect(
            path,
            isolation_level=None,  # we say BEGIN ourselves
            check_same_thread=False,
            cached_statements=_STATEMENTS_KEPT,
        )
        for pragma in (
            f"busy_timeout = {BUSY_MILLISECONDS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "case_sensitive_like = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        raise unavailable() from error
    return connection


def translated(error: sqlite3.Error, values: Mapping[str, Any] = NO_VALUES) -> Exception:
    """
    Return what *error* means, itself if it is a mistake of ours.

    Args:
        values: The parameters of the statement that met it.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.IntegrityError):
        found = taken(_constraint(str(error)), values) if code in _UNIQUE else None
        return found or error
    if code is not None and code & 0xFF in _BUSY:
        return conflict()
    # SQLITE_ERROR is bad SQL; all else (full, read-only, I/O, corrupt, ...) is the file's fault.
    if isinstance(error, sqlite3.DatabaseError) and code not in (None, sqlite3.SQLITE_ERROR):
        return unavailable()
    return error


def _constraint(message: str) -> str:
    """Return the name of the constraint in `UNIQUE constraint failed: roles.a, roles.b`."""
    columns = frozenset(message.partition(": ")[2].split(", "))
    return _CONSTRAINTS.get(columns, "")


_CONSTRAINTS = {
    frozenset(f"{table.name}.{column.name}" for column in constraint.columns): str(constraint.name)
    for table in METADATA.tables.values()
    for constraint in table.constraints
    if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
}
