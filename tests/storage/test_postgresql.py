"""What only a server can do: let go of connections, hold locks, deadlock, take no writes."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from userdirectory.errors import DirectoryError

from core_service.storage import store
from core_service.storage.database import Storage, Transaction, open_storage
from tests.storage import rows
from tests.storage_fixtures import NewDatabase


@pytest.fixture
async def url(new_database: NewDatabase) -> str:
    """Give the URL of an empty database."""
    return await new_database("postgresql")


@pytest.fixture
async def server(url: str) -> AsyncIterator[Storage]:
    """Give a storage with two connections and the workspace w1."""
    storage = await open_storage(url, pool_size=2)

    async def work(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace("w1"))
        await store.insert_workspace(tx, rows.workspace("w2"))

    await storage.write("", work)
    yield storage
    await storage.close()


async def _add(tx: Transaction) -> None:
    await store.add_counts(tx, "w1", seats_used=1)


async def _admin(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_a_lock_that_another_holds_is_given_up(url: str, server: Storage):
    """A write that cannot have its workspace ends with WRITE_CONFLICT; other workspaces go on."""
    other = await asyncpg.connect(url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT id FROM workspaces WHERE id = 'w1' FOR UPDATE")

    blocked = asyncio.create_task(server.write("w1", _add))
    elsewhere = 0
    while not blocked.done():
        await server.write("w2", store.workspace_ids)
        elsewhere += 1
    await transaction.rollback()
    await other.close()

    with pytest.raises(DirectoryError) as refused:
        await blocked
    assert refused.value.reason == "WRITE_CONFLICT"
    assert elsewhere > 10
    await server.write("w1", _add)


async def test_a_deadlock_is_repeated(url: str, server: Storage):
    """Two writes that take two accounts in opposite order both happen in the end."""

    async def fill(tx: Transaction) -> None:
        await store.insert_account(tx, rows.account("a1"))
        await store.insert_account(tx, rows.account("a2"))

    await server.write("", fill)
    begun = asyncio.Barrier(2)
    tries: list[str] = []

    async def take(workspace_id: str, first: str, second: str) -> None:
        async def work(tx: Transaction) -> None:
            tries.append(workspace_id)
            await store.add_account_users(tx, first, 1)
            if len(tries) <= 2:
                await begun.wait()
            await store.add_account_users(tx, second, 1)

        await server.write(workspace_id, work)

    await asyncio.gather(take("w1", "a1", "a2"), take("w2", "a2", "a1"))

    counts = await server.read(lambda tx: store.account_by_id(tx, "a1"))
    assert counts is not None
    assert counts.users_count == 2
    assert len(tries) > 2  # the server may end either of the two, or both


async def test_connections_that_were_cut_are_replaced(url: str, server: Storage):
    """After the server drops every connection the next calls work without a restart."""

    async def work(tx: Transaction) -> None:
        await _admin(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'user-directory' AND datname = current_database()",
        )
        await _add(tx)

    with pytest.raises(DirectoryError) as refused:
        await server.write("w1", work)
    assert refused.value.reason == "STORAGE_UNAVAILABLE"
    await server.write("w1", _add)
    await server.ping()


async def test_a_database_that_takes_no_writes_is_not_ready(url: str, server: Storage):
    """A read-only database is told by ping and by writes; reads go on."""
    name = url.rpartition("?")[0].rpartition("/")[2]
    await _admin(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    storage = await open_storage(url)

    with pytest.raises(DirectoryError) as not_ready:
        await storage.ping()
    with pytest.raises(DirectoryError) as refused:
        await storage.write("w1", _add)
    ids = await storage.read(store.workspace_ids)
    await storage.close()

    assert not_ready.value.reason == refused.value.reason == "STORAGE_UNAVAILABLE"
    assert ids == ["w1", "w2"]


async def test_too_many_callers_are_told_in_time(server: Storage):
    """When no connection comes free within the wait, callers get STORAGE_UNAVAILABLE."""
    leave, begun = asyncio.Event(), asyncio.Barrier(3)

    async def hold(tx: Transaction) -> None:
        await store.workspace_ids(tx)
        await begun.wait()
        await leave.wait()

    holders = [asyncio.create_task(server.read(hold)) for _ in range(2)]
    await begun.wait()
    with pytest.raises(DirectoryError) as refused:
        await server.read(store.workspace_ids)
    leave.set()
    await asyncio.gather(*holders)

    assert refused.value.reason == "STORAGE_UNAVAILABLE"
    assert await server.read(store.workspace_ids) == ["w1", "w2"]


async def test_a_cancelled_write_is_rolled_back(server: Storage):
    """A caller who leaves before the commit leaves nothing, and its connection is whole."""
    begun = asyncio.Event()

    async def work(tx: Transaction) -> None:
        await _add(tx)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(server.write("w1", work))
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    found = await server.read(lambda tx: store.workspace(tx, "w1"))
    assert found is not None
    assert (task.cancelled(), found.seats_used) == (True, 0)
    await asyncio.gather(*(server.write("w1", _add) for _ in range(4)))
