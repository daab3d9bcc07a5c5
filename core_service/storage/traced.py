"""A storage whose statements are spans of the request that runs them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import Executable

from core_service.storage.database import NO_VALUES, Connections, Storage, Transaction
from core_service.storage.rows import WorkspaceRow

if TYPE_CHECKING:
    from userdirectory.traces import Span, Traces

T = TypeVar("T")
_STATEMENTS = 2048
_OPERATIONS = ((sa.Insert, "INSERT"), (sa.Update, "UPDATE"), (sa.Delete, "DELETE"))


class Described(NamedTuple):
    """What a span says of a statement: never its text, which may hold values."""

    operation: str
    table: str


@lru_cache(maxsize=_STATEMENTS)
def described(statement: Executable) -> Described:
    """Return what *statement* does, and to which table first."""
    assert isinstance(statement, sa.sql.ClauseElement)
    operation = next((name for kind, name in _OPERATIONS if isinstance(statement, kind)), "SELECT")
    target = getattr(statement, "table", None)
    parts = [] if target is not None else visitors.iterate(statement)
    found = (each if isinstance(each, sa.Table) else getattr(each, "table", None) for each in parts)
    table = target if target is not None else next((t for t in found if _is_table(t)), None)
    return Described(operation, table.name if isinstance(table, sa.Table) else "")


def _is_table(found: object) -> bool:
    return isinstance(found, sa.Table)


class TracedStorage:
    """
    The storage that it is given, with a span for each transaction and each of its statements.

    Work that belongs to no request that is recorded, such as the outbox's, leaves no span.
    """

    def __init__(self, storage: Storage, traces: "Traces") -> None:
        """Be *storage*."""
        self._storage = storage
        self._traces = traces

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes of one consistent snapshot."""
        around = self._traces.current()
        if around is None:
            return await self._storage.read(work)
        with self._traces.part("read", around, {}) as span:
            return await self._storage.read(self._traced(work, span))

    async def write(self, workspace_id: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes in a transaction, after it is on disk."""
        around = self._traces.current()
        if around is None:
            return await self._storage.write(workspace_id, work)
        with self._traces.part("write", around, {}) as span:
            return await self._storage.write(workspace_id, self._traced(work, span))

    async def ping(self) -> None:
        """Return if the database can be read and takes writes."""
        await self._storage.ping()

    def connections(self) -> Connections:
        """Return how many connections there are."""
        return self._storage.connections()

    async def close(self) -> None:
        """Finish the writes that wait and let go of every connection."""
        await self._storage.close()

    def _traced(
        self, work: Callable[[Transaction], Awaitable[T]], span: "Span"
    ) -> Callable[[Transaction], Awaitable[T]]:
        # The span is handed on, since SQLite's writer runs the work in a task of its own.
        return lambda tx: work(_TracedTransaction(tx, self._traces, span))


class _TracedTransaction:
    """The transaction that it is given, with a span for each statement."""

    def __init__(self, tx: Transaction, traces: "Traces", span: "Span") -> None:
        self._tx = tx
        self._traces = traces
        self._span = span

    @property
    def workspace(self) -> WorkspaceRow | None:
        return self._tx.workspace

    @property
    def log_entries(self) -> int:
        return self._tx.log_entries

    @log_entries.setter
    def log_entries(self, number: int) -> None:
        self._tx.log_entries = number

    async def one(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> tuple[Any, ...] | None:
        with self._part(statement):
            return await self._tx.one(statement, values)

    async def all(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> list[tuple[Any, ...]]:
        with self._part(statement):
            return await self._tx.all(statement, values)

    async def run(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> int:
        with self._part(statement):
            return await self._tx.run(statement, values)

    async def run_many(self, statement: Executable, values: Sequence[Mapping[str, Any]]) -> None:
        with self._part(statement):
            await self._tx.run_many(statement, values)

    def _part(self, statement: Executable) -> Any:
        told = described(statement)
        return self._traces.part(
            f"{told.operation} {told.table}",
            self._span,
            {"db.operation.name": told.operation, "db.collection.name": told.table},
        )
