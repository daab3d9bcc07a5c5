"""PostgreSQL: asyncpg's pool, writes under the lock of the workspace's row."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import asyncpg
from sqlalchemy.sql.base import Executable
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from core_service.measures import Measures
from core_service.storage import migrate, plans
from core_service.storage.database import NO_VALUES, Connections, Transaction
from core_service.storage.failures import Conflict, conflict, taken, unavailable
from core_service.storage.rows import WorkspaceRow
from core_service.storage.store_workspaces import LOCK_WORKSPACE

T = TypeVar("T")
# Each is shorter than the next, so that whoever waits is answered by the one it waits for.
_LOCK_TIMEOUT = "2s"
_STATEMENT_TIMEOUT = "5s"
_COMMAND_SECONDS = 8
_IDLE_TIMEOUT = "30s"
_POOL_SECONDS = 3
_CONNECT_SECONDS = 5
_ATTEMPTS = 5
_WRITE_SECONDS = 5
_STATEMENTS_KEPT = 512
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"

_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresSystemError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # A database that is told to accept no connections.
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class PostgresTransaction:
    """A transaction on one connection, with the workspace it is about."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        """Run statements on *connection*."""
        self.workspace: WorkspaceRow | None = None
        self.log_entries = 0
        self._connection = connection

    async def one(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> tuple[Any, ...] | None:
        """Return the first row, None if there is none."""
        plan = plans.for_postgresql(statement)
        try:
            row = await self._connection.fetchrow(plan.text, *plan.numbered(values))
        except asyncpg.UniqueViolationError as error:
            raise _taken(error, values) from error
        return None if row is None else tuple(row)

    async def all(
        self, statement: Executable, values: Mapping[str, Any] = NO_VALUES
    ) -> list[tuple[Any, ...]]:
        """Return every row."""
        plan = plans.for_postgresql(statement)
        try:
            rows = await self._connection.fetch(plan.text, *plan.numbered(values))
        except asyncpg.UniqueViolationError as error:
            raise _taken(error, values) from error
        return [tuple(row) for row in rows]

    async def run(self, statement: Executable, values: Mapping[str, Any] = NO_VALUES) -> int:
        """Run a write and return how many rows it touched."""
        plan = plans.for_postgresql(statement)
        try:
            status: str = await self._connection.execute(plan.text, *plan.numbered(values))
        except asyncpg.UniqueViolationError as error:
            raise _taken(error, values) from error
        return int(status.rpartition(" ")[2])

    async def run_many(self, statement: Executable, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a write once for each of *values*."""
        plan = plans.for_postgresql(statement)
        try:
            await self._connection.executemany(plan.text, [plan.numbered(v) for v in values])
        except asyncpg.UniqueViolationError as error:
            raise _taken(error, {}) from error


class PostgresStorage:
    """A database that several cores share."""

    def __init__(self, pool: asyncpg.Pool, measures: Measures) -> None:
        """Use the connections of *pool*."""
        self._pool = pool
        self._measures = measures
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(Conflict),
            stop=stop_after_attempt(_ATTEMPTS) | stop_before_delay(_WRITE_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            before_sleep=lambda _: measures.repeated(),
            reraise=True,
        )

    @classmethod
    async def open(cls, url: str, pool_size: int, measures: Measures) -> "PostgresStorage":
        """
        Return the storage of the database at *url*.

        Raises:
            DirectoryError: STORAGE_UNAVAILABLE if it does not answer.
        """
        try:
            connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
            try:
                await migrate.migrate_postgresql(connection)
            finally:
                await connection.close()
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=pool_size,
                timeout=_CONNECT_SECONDS,
                command_timeout=_COMMAND_SECONDS,
                statement_cache_size=_STATEMENTS_KEPT,
                reset=_as_it_is,
                server_settings={
                    "application_name": "user-directory",
                    "lock_timeout": _LOCK_TIMEOUT,
                    "statement_timeout": _STATEMENT_TIMEOUT,
                    "idle_in_transaction_session_timeout": _IDLE_TIMEOUT,
                },
            )
        except asyncpg.ClientConfigurationError:
            raise ValueError("The PostgreSQL URL cannot be understood.") from None
        except _AWAY:
            # The driver's text may hold the DSN.
            raise unavailable() from None
        return cls(pool, measures)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes of one consistent snapshot."""
        began = time.perf_counter()
        try:
            async with self._transaction(_READ) as tx:
                answer = await work(tx)
        except Conflict as error:
            raise unavailable() from error
        self._measures.read(time.perf_counter() - began)
        return answer

    async def write(self, workspace_id: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes in a transaction, after it is on disk."""
        began = time.perf_counter()
        async with self._turn(workspace_id):
            try:
                done: tuple[T, int] = await self._retrying(self._attempt, workspace_id, work)
            except Conflict as error:
                raise conflict() from error
        self._measures.written(time.perf_counter() - began, done[1])
        return done[0]

    async def ping(self) -> None:
        """Return if the database can be read and takes writes."""
        async with self._connection() as connection:
            if await connection.fetchval("SELECT current_setting('transaction_read_only')") == "on":
                raise unavailable()

    def connections(self) -> Connections:
        """Return how many connections the pool has."""
        size = self._pool.get_size()
        return Connections(self._pool.get_max_size(), size, size - self._pool.get_idle_size())

    async def close(self) -> None:
        """Finish what is under way and close every connection."""
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _attempt(
        self, workspace_id: str, work: Callable[[Transaction], Awaitable[T]]
    ) -> tuple[T, int]:
        """Return what *work* makes, and how many entries of the log it wrote."""
        async with self._transaction(_WRITE) as tx:
            if workspace_id:
                asked = time.perf_counter()
                row = await tx.one(LOCK_WORKSPACE, {"id": workspace_id})
                self._measures.waited("row", time.perf_counter() - asked)
                tx.workspace = None if row is None else WorkspaceRow._make(row)
            answer = await work(tx)
        return answer, tx.log_entries

    @asynccontextmanager
    async def _turn(self, workspace_id: str) -> AsyncIterator[None]:
        """
        Let this process's writers of a workspace wait here, in order, and not for the row.

        They hold no connection meanwhile, and the server hands the row from one to the next of
        them three times as fast as from one waiting session to another.
        """
        if not workspace_id:
            yield
            return
        turn = self._turns.get(workspace_id)
        if turn is None:
            turn = self._turns[workspace_id] = asyncio.Lock()
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_POOL_SECONDS):
                await turn.acquire()
        except TimeoutError as error:
            raise conflict() from error
        self._measures.waited("workspace", time.perf_counter() - began)
        try:
            yield
        finally:
            turn.release()

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[PostgresTransaction]:
        async with self._connection() as connection:
            try:
                await connection.execute(begin)
                yield PostgresTransaction(connection)
                if await connection.execute("COMMIT") != "COMMIT":
                    raise RuntimeError("A transaction went on after one of its statements failed.")
            except BaseException:
                if not _is_lost(connection) and connection.is_in_transaction():
                    await connection.execute("ROLLBACK")
                raise

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        began = time.perf_counter()
        try:
            async with self._pool.acquire(timeout=_POOL_SECONDS) as connection:
                self._measures.waited("connection", time.perf_counter() - began)
                try:
                    yield connection
                except asyncpg.InterfaceError as error:
                    # It is also what the driver says to mistakes of ours.
                    raise unavailable() if _is_lost(connection) else error from error
                finally:
                    if not _is_lost(connection) and connection.is_in_transaction():
                        connection.terminate()
        except _CONFLICTS as error:
            raise Conflict from error
        except _AWAY as error:
            raise unavailable() from error


async def _as_it_is(_: asyncpg.Connection) -> None:
    """Give a connection back without the round trip of a reset: nothing of it is ever set."""


def _is_lost(connection: asyncpg.Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # The pool took it back the moment that the server hung up.
        return True


def _taken(error: asyncpg.UniqueViolationError, values: Mapping[str, Any]) -> Exception:
    return taken(error.constraint_name or "", values) or error
