"""The worker that removes what was kept for long enough: the log, idempotency keys, old tokens."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from core_service.core import Core
from core_service.storage import store_retention as store
from core_service.storage.database import Transaction

log = logging.getLogger(__name__)

DAY = 86_400 * 1_000_000
MOST_ROWS = 1000
"""How many rows one write removes, so that others wait for it only a moment."""

_EVERY_SECONDS = 3600.0


class Keeper:
    """
    Removes what is old, every hour, in any number of processes at once.

    Args:
        core: Its storage, its clock.
        log_days: How many days the log is kept; 0 for ever.
    """

    def __init__(self, core: Core, log_days: int) -> None:
        """Remove nothing yet."""
        self._core = core
        self._log_days = log_days
        self._broken = False

    async def run(self) -> None:
        """Remove what is old now and every hour, until cancelled."""
        while True:
            try:
                removed = await self.remove()
                log.info("Removed what is old: rows=%d", removed)
                self._broken = False
            except Exception as error:
                if not self._broken:
                    log.error("What is old is not removed.", exc_info=error)
                self._broken = True
            await asyncio.sleep(_EVERY_SECONDS)

    async def remove(self) -> int:
        """
        Remove what is old now; return how many rows that were.

        Raises:
            DirectoryError: STORAGE_UNAVAILABLE, WRITE_CONFLICT.
        """
        now = self._core.now()
        removed = await self._all(lambda tx: store.delete_expired_access_tokens(tx, now, MOST_ROWS))
        async for id_ in self._workspaces(store.keys_workspace_after):
            removed += await self._of(id_, store.delete_old_keys, now - DAY)
        if self._log_days:
            before = now - self._log_days * DAY
            removed += await self._of("", store.delete_old_log, before)
            async for id_ in self._workspaces(store.log_workspace_after):
                removed += await self._of(id_, store.delete_old_log, before)
        return removed

    async def _of(
        self,
        workspace_id: str,
        delete: Callable[[Transaction, str, int, int], Awaitable[int]],
        before: int,
    ) -> int:
        return await self._all(lambda tx: delete(tx, workspace_id, before, MOST_ROWS))

    async def _all(self, delete: Callable[[Transaction], Awaitable[int]]) -> int:
        """Remove batch after batch, none of which locks a workspace; return how many rows."""
        removed = 0
        while True:
            batch = await self._core.storage.write("", delete)
            removed += batch
            if batch < MOST_ROWS:
                return removed

    async def _workspaces(
        self, after: Callable[[Transaction, str], Awaitable[str | None]]
    ) -> AsyncIterator[str]:
        found: str | None = await self._core.storage.read(lambda tx: after(tx, ""))
        while found is not None:
            last = found
            yield last
            found = await self._core.storage.read(partial(_after, after, last))


async def _after(
    after: Callable[[Transaction, str], Awaitable[str | None]], last: str, tx: Transaction
) -> str | None:
    return await after(tx, last)
