"""SQLite's one writer: those who wait together share a transaction, a commit and an fsync."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from core_service.measures import Measures
from core_service.storage.database import Transaction
from core_service.storage.failures import Conflict, conflict, unavailable
from core_service.storage.sqlite_transaction import BUSY_MILLISECONDS, SqliteTransaction, translated
from core_service.storage.store_workspaces import workspace

T = TypeVar("T")
_MOST_TOGETHER = 64


@dataclass(slots=True)
class _Waiting:
    """A caller who waits for its write: for its turn, then for the commit."""

    workspace_id: str
    work: Callable[[Transaction], Awaitable[Any]]
    answer: asyncio.Future[Any]
    since: float
    log_entries: int = 0
    result: Any = None
    error: BaseException | None = None


class Writer:
    """
    The only connection that writes.

    Writes run one after another, each in its own SAVEPOINT, so that one that fails rolls back
    alone. Nobody is answered before the COMMIT that holds the write is on disk. Whoever comes while
    a commit is under way takes part in the next. A caller who is cancelled before its turn leaves;
    after that its write happens and nobody hears of it.
    """

    def __init__(self, connection: sqlite3.Connection, measures: Measures) -> None:
        """Write to *connection*, which belongs to the writer from now on."""
        self._measures = measures
        connection.execute("PRAGMA busy_timeout = 0")
        self._connection = connection
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._task: asyncio.Task[None] | None = None

    async def write(self, workspace_id: str, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what *work* makes, once it is on disk."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(workspace_id, work, loop.create_future(), time.perf_counter())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._serve())
        answer: T = await waiting.answer
        return answer

    async def close(self) -> None:
        """Finish the writes that wait and close the connection."""
        if self._task is not None:
            await self._task
        # Closing the last connection moves the log into the database file.
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    async def _serve(self) -> None:
        together: list[_Waiting] = []
        try:
            while self._waiting:
                together = []
                try:
                    await self._begin()
                except sqlite3.Error as error:
                    together = self._take_all()
                    self._fail(together, error)
                else:
                    await self._run(together)
                    await self._commit(together)
                self._answer(together)
        finally:
            # Reached with someone waiting only when the loop is shutting down.
            together += self._take_all()
            self._fail(together, None)
            self._answer(together)
            self._roll_back()

    async def _begin(self) -> None:
        """Take the write lock: at once if it is free, else wait for it in the thread."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._in_thread(self._begin_patiently)

    def _begin_patiently(self) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._connection.execute("PRAGMA busy_timeout = 0")

    async def _run(self, together: list[_Waiting]) -> None:
        """Run what waits, and put who had a turn into *together*."""
        while self._waiting and len(together) < _MOST_TOGETHER:
            waiting = self._waiting.popleft()
            if waiting.answer.done():
                continue
            together.append(waiting)
            self._measures.waited("writer", time.perf_counter() - waiting.since)
            try:
                self._connection.execute("SAVEPOINT work")
                tx = SqliteTransaction(self._connection, self._thread)
                if waiting.workspace_id:
                    tx.workspace = await workspace(tx, waiting.workspace_id)
                waiting.result = await waiting.work(tx)
                waiting.log_entries = tx.log_entries
                self._connection.execute("RELEASE work")
            except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it
                waiting.error = error
                if not self._connection.in_transaction:
                    # A full disk and the like take the whole transaction back.
                    return
                self._connection.execute("ROLLBACK TO work")
                self._connection.execute("RELEASE work")

    async def _commit(self, together: list[_Waiting]) -> None:
        if not self._connection.in_transaction:
            self._fail(together, None)
            return
        try:
            await self._in_thread(self._connection.execute, "COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            self._fail(together, error)

    def _fail(self, together: list[_Waiting], error: sqlite3.Error | None) -> None:
        """Tell all who do not know of an error of their own that nothing was written."""
        for waiting in together:
            if waiting.error is None:
                waiting.error = unavailable() if error is None else translated(error)

    def _take_all(self) -> list[_Waiting]:
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, function, *arguments)

    def _answer(self, together: list[_Waiting]) -> None:
        for waiting in together:
            if waiting.error is None:
                seconds = time.perf_counter() - waiting.since
                self._measures.written(seconds, waiting.log_entries)
            if not waiting.answer.done():
                _tell(waiting)
        together.clear()


def _tell(waiting: _Waiting) -> None:
    if waiting.error is None:
        waiting.answer.set_result(waiting.result)
    elif isinstance(waiting.error, Conflict):
        waiting.answer.set_exception(conflict())
    elif isinstance(waiting.error, sqlite3.Error):
        waiting.answer.set_exception(translated(waiting.error))
    else:
        waiting.answer.set_exception(waiting.error)
