"""From settings to a core that works: the data folder, the database, the ports, the worker."""

import asyncio
import contextlib
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from core_service import refused
from core_service.core import Core
from core_service.measures import Measures
from core_service.outbox import Worker
from core_service.ports import Ports, SmtpMail
from core_service.retention import Keeper
from core_service.settings import Settings
from core_service.storage import store
from core_service.storage.database import Storage, Transaction, open_storage
from core_service.storage.traced import TracedStorage

if TYPE_CHECKING:
    from userdirectory.traces import Traces

log = logging.getLogger(__name__)

_PAGE_KEY = "page_key"


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, measures: Measures | None = None, traces: "Traces | None" = None
) -> AsyncIterator[Core]:
    """
    Give a core on the database of *settings*, made and migrated if need be, and close it.

    While it is given, workers deliver its outbox, log what could not be logged at once, and remove
    what is old.

    Args:
        measures: Takes note of what happens; None: nobody does.
        traces: Records spans; None: nobody does.

    Raises:
        OSError: The data folder cannot be made.
        ValueError: The URL names no database.
        DirectoryError: STORAGE_UNAVAILABLE.
    """
    if not settings.database_url:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    measures = measures or Measures()
    storage = await open_storage(settings.storage_url, measures=measures)
    if traces is not None:
        storage = TracedStorage(storage, traces)
    try:
        core = await make_core(storage, _ports(settings), measures, traces)
        async with (
            recording(core, settings.shutdown_seconds),
            tidying(core, settings.log_retention_days),
            delivering(core, settings.shutdown_seconds),
        ):
            yield core
    finally:
        await storage.close()


async def make_core(
    storage: Storage,
    ports: Ports | None = None,
    measures: Measures | None = None,
    traces: "Traces | None" = None,
) -> Core:
    """Return a core on *storage* with the time and ids of this machine; None: default ports."""
    return Core(
        storage=storage,
        now=now,
        new_id=new_id,
        page_key=await _page_key(storage),
        ports=ports or Ports(),
        measures=measures or Measures(),
        traces=traces,
    )


@contextlib.asynccontextmanager
async def delivering(core: Core, grace_seconds: float) -> AsyncIterator[None]:
    """
    Deliver the outbox of *core* meanwhile.

    Args:
        grace_seconds: How long deliveries may finish at the end. What does not finish is tried
            again by another process or after the next start.
    """
    worker = Worker(core)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await asyncio.wait([task], timeout=grace_seconds)
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def recording(core: Core, grace_seconds: float) -> AsyncIterator[None]:
    """
    Log meanwhile what the database did not take at once.

    Args:
        grace_seconds: How long this may take at the end; what is not logged then is lost.
    """
    task = asyncio.create_task(refused.run(core))
    try:
        yield
    finally:
        await _cancelled(task)
        if not await _settled(core, grace_seconds):
            log.error("Refusals are not logged: %d", len(core.owed.waiting))


@contextlib.asynccontextmanager
async def tidying(core: Core, log_days: int) -> AsyncIterator[None]:
    """Remove meanwhile what is old, of the log what is older than so many days; 0: nothing."""
    task = asyncio.create_task(Keeper(core, log_days).run())
    try:
        yield
    finally:
        await _cancelled(task)


async def _settled(core: Core, grace_seconds: float) -> bool:
    try:
        async with asyncio.timeout(grace_seconds):
            return await refused.settle(core)
    except TimeoutError:
        return False


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


def new_id() -> str:
    """Return 32 random hexadecimal digits."""
    return uuid.uuid4().hex


def _ports(settings: Settings) -> Ports:
    if settings.smtp_url is None:
        return Ports()
    return Ports(mail=SmtpMail(settings.smtp_url, settings.mail_from))


async def _page_key(storage: Storage) -> bytes:
    """Return the key of page tokens, the same in every process of the installation."""

    async def work(tx: Transaction) -> str:
        return await store.put_setting_if_absent(tx, _PAGE_KEY, secrets.token_hex(32))

    return bytes.fromhex(await storage.write("", work))
