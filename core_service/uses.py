"""When credentials were last used, kept to the minute and beside the requests that use them."""

import asyncio
import logging

from userdirectory.logs import cause

from core_service.core import Core
from core_service.storage import store
from core_service.storage.database import Transaction

log = logging.getLogger(__name__)

MICROS = 60 * 1_000_000
"""How long after a use of a credential no other is written."""


class Uses:
    """Writes the uses of credentials; nobody waits for these writes, and none fails a request."""

    def __init__(self, core: Core) -> None:
        """Write to the storage of *core*."""
        self._core = core
        self._noting: set[asyncio.Future[None]] = set()

    def note(self, public_id: str, last_use_time: int | None) -> None:
        """
        Keep that a credential is used now.

        Args:
            last_use_time: The use that is known, in microseconds since 1970; None for no use.
        """
        now = self._core.now()
        if last_use_time is not None and now - last_use_time < MICROS:
            return

        async def work(tx: Transaction) -> None:
            await store.note_use(tx, public_id, now, now - MICROS)

        noting = asyncio.ensure_future(self._core.storage.write("", work))
        self._noting.add(noting)
        noting.add_done_callback(self._noted)

    async def settled(self) -> None:
        """Return when the uses that were noted so far are written."""
        if self._noting:
            await asyncio.wait(set(self._noting))

    def _noted(self, noting: asyncio.Future[None]) -> None:
        self._noting.discard(noting)
        error = None if noting.cancelled() else noting.exception()
        if error is not None:
            log.warning("A use was not noted: error=%(error)s", {"error": cause(error)})
