"""The worker that delivers what writes left in the outbox: invoices and mails."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)
from userdirectory.errors import DirectoryError

from core_service import mails
from core_service.core import Core
from core_service.ports import DeliveryError, Ports
from core_service.storage import store
from core_service.storage.database import Transaction

log = logging.getLogger(__name__)

SECOND = 1_000_000
LEASE = 300 * SECOND
"""How long a delivery belongs to the worker that claimed it, in microseconds."""

_DELIVERY_SECONDS = 150.0
"""Less than the lease, with room for what a port does in a thread that cannot be stopped."""
_SETTLE_SECONDS = 100.0
_TOGETHER = 8
_MOST = 64
_IDLE_SECONDS = 5.0
_FIRST_WAIT = 5 * SECOND
_LONGEST_WAIT = 3600 * SECOND

_NAMES = "port=%(port)s outbox_id=%(outbox_id)s workspace_id=%(workspace_id)s attempts=%(attempts)d"

Delivery = Callable[[Ports], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row whose attempt is ours, and what to do; None if there is nothing left to do."""

    row: store.OutboxRow
    deliver: Delivery | None


class Worker:
    """
    Delivers what is due, in every process of the installation at once.

    A worker claims a row for the length of a lease in a write of its workspace, so that no other
    one delivers it meanwhile; a worker that dies leaves its rows to the others when the leases end.
    What fails is tried again, ever later but at least once an hour.

    Args:
        core: Its storage, its ports, its clock.
        chance: A number from 0 to 1, so that workers do not try again all at once.
    """

    def __init__(self, core: Core, *, chance: Callable[[], float] = random.random) -> None:
        """Deliver nothing yet."""
        self._core = core
        self._chance = chance
        self._stopping = asyncio.Event()
        self._broken = False
        self._turns = asyncio.Semaphore(_TOGETHER)

    async def run(self) -> None:
        """Deliver until `stop` is called; what is under way then is finished first."""
        while not self._stopping.is_set():
            wait_seconds = _IDLE_SECONDS
            try:
                if not await self.deliver_due():
                    wait_seconds = await self._idle_seconds()
                self._broken = False
            except Exception as error:
                if not self._broken:
                    log.error("The outbox is not delivered.", exc_info=error)
                self._broken = True
            await self._pause(wait_seconds)

    def stop(self) -> None:
        """Begin no further delivery."""
        self._stopping.set()

    async def deliver_due(self) -> int:
        """
        Deliver what is due now, a few rows at once.

        Returns:
            How many rows are still due: other workers have them, or their workspace is busy.

        Raises:
            DirectoryError: STORAGE_UNAVAILABLE.
        """
        while True:
            rows = await self._core.storage.read(self._due)
            attempts = [asyncio.ensure_future(self._attempt(row)) for row in rows]
            # All of them end, also if one breaks.
            await asyncio.gather(*attempts, return_exceptions=True)
            if not any(attempt.result() for attempt in attempts) or self._stopping.is_set():
                return len(rows)

    async def _due(self, tx: Transaction) -> list[store.OutboxRow]:
        return await store.due_in_outbox(tx, self._core.now(), _MOST)

    async def _attempt(self, row: store.OutboxRow) -> bool:
        """Try one row; return whether it was there to be tried."""
        async with self._turns:
            if self._stopping.is_set():
                return False
            claimed = await self._claim(row)
            if claimed is None:
                return False
            error = "" if claimed.deliver is None else await self._failure(claimed.deliver)
            await (self._note_failure(claimed.row, error) if error else self._note(claimed.row))
            return True

    async def _claim(self, row: store.OutboxRow) -> _Claimed | None:
        """Take a row; None if another worker has it or its workspace is busy."""

        async def work(tx: Transaction) -> _Claimed | None:
            prepare = _DELIVERIES.get(row.port)
            now = self._core.now()
            # A later version may know ports that this one does not.
            if prepare is None or not await store.claim(tx, row, now, now + LEASE):
                return None
            mine = await store.outbox_row(tx, row.workspace_id, row.id)
            assert mine is not None
            return _Claimed(mine, await prepare(self._core, tx, mine))

        try:
            return await self._core.storage.write(row.workspace_id, work)
        except DirectoryError as error:
            log.info(
                "Not claimed: outbox_id=%(outbox_id)s reason=%(reason)s",
                {"outbox_id": row.id, "reason": error.reason},
            )
            return None

    async def _failure(self, deliver: Delivery) -> str:
        """Deliver; return why it failed, empty if it did not."""
        try:
            async with asyncio.timeout(_DELIVERY_SECONDS):
                await deliver(self._core.ports)
        except DeliveryError as error:
            return str(error) or "DeliveryError"
        except Exception as error:  # noqa: BLE001 - a port is the product's: all it raises is "no"
            # Its text may name people.
            return type(error).__name__
        return ""

    async def _note(self, row: store.OutboxRow) -> None:
        now = self._core.now()

        async def work(tx: Transaction) -> bool:
            if row.port == "billing":
                await store.mark_invoiced(tx, row.workspace_id, row.key, now)
            return await store.mark_done(tx, row, now)

        await self._settle(row, work)
        log.info(f"Delivered: {_NAMES}", _told(row))

    async def _note_failure(self, row: store.OutboxRow, error: str) -> None:
        due_time = self._core.now() + self._wait(row.attempts)
        await self._settle(row, lambda tx: store.mark_failed(tx, row, due_time, error))
        log.warning(f"Not delivered: {_NAMES} error=%(error)s", {**_told(row), "error": error})

    async def _settle(
        self, row: store.OutboxRow, work: Callable[[Transaction], Awaitable[bool]]
    ) -> None:
        """Write down what came of an attempt, also if the database is away for a moment."""
        noted = False
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(DirectoryError),
            stop=stop_after_delay(_SETTLE_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            reraise=True,
        ):
            with attempt:
                noted = await self._core.storage.write(row.workspace_id, work)
        if not noted:
            log.warning(f"Another worker has tried meanwhile: {_NAMES}", _told(row))

    def _wait(self, attempts: int) -> int:
        """Return how long to wait after so many attempts, in microseconds: 5 s to an hour."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT << min(attempts, 20))
        return int(longest * (0.5 + self._chance() / 2))

    async def _idle_seconds(self) -> float:
        due_time = await self._core.storage.read(store.next_due_time)
        if due_time is None:
            return _IDLE_SECONDS
        return min(_IDLE_SECONDS, max(0.0, (due_time - self._core.now()) / SECOND))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


def _told(row: store.OutboxRow) -> dict[str, object]:
    """Return what log lines say of a row."""
    return {
        "port": row.port,
        "outbox_id": row.id,
        "workspace_id": row.workspace_id,
        "attempts": row.attempts,
    }


async def _invoice(_: Core, tx: Transaction, row: store.OutboxRow) -> Delivery | None:
    window = await store.invoice_window(tx, row.workspace_id, row.key)
    if window is None:
        return None

    async def deliver(ports: Ports) -> None:
        await ports.billing.invoice(
            window_id=window.id,
            workspace_id=window.workspace_id,
            seats=window.seats,
            open_time=window.open_time,
            close_time=window.close_time,
        )

    return deliver


async def _mail(core: Core, tx: Transaction, row: store.OutboxRow) -> Delivery | None:
    context, _ = await core.contexts.locked(tx)
    letter = await mails.reactivated(tx, context, json.loads(row.payload)["user_id"])
    if letter is None:
        return None

    async def deliver(ports: Ports) -> None:
        await ports.mail.send(
            message_id=row.id,
            workspace_id=row.workspace_id,
            to=letter.to,
            subject=letter.subject,
            text=letter.text,
            language=letter.language,
        )

    return deliver


_DELIVERIES = {"billing": _invoice, "mail": _mail}
"""What is to be done for a row, by its port; read in the transaction that claims the row."""
