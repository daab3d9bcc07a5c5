"""From settings to a core that works: the data folder, the database, the installation's key."""

import contextlib
import secrets
import time
import uuid
from collections.abc import AsyncIterator

from core_service.core import Core
from core_service.settings import Settings
from core_service.storage import store
from core_service.storage.database import Storage, Transaction, open_storage

_PAGE_KEY = "page_key"


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Core]:
    """
    Give a core on the database of *settings*, made and migrated if need be, and close it.

    Raises:
        OSError: The data folder cannot be made.
        ValueError: The URL names no database.
        DirectoryError: STORAGE_UNAVAILABLE.
    """
    if not settings.database_url:
        settings.data.mkdir(parents=True, exist_ok=True)
    storage = await open_storage(settings.storage_url)
    try:
        yield await make_core(storage)
    finally:
        await storage.close()


async def make_core(storage: Storage) -> Core:
    """Return a core on *storage* with the time and ids of this machine."""
    return Core(storage=storage, now=now, new_id=new_id, page_key=await _page_key(storage))


def now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


def new_id() -> str:
    """Return 32 random hexadecimal digits."""
    return uuid.uuid4().hex


async def _page_key(storage: Storage) -> bytes:
    """Return the key of page tokens, the same in every process of the installation."""

    async def work(tx: Transaction) -> str:
        return await store.put_setting_if_absent(tx, _PAGE_KEY, secrets.token_hex(32))

    return bytes.fromhex(await storage.write("", work))
