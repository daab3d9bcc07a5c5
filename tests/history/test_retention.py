"""What is old goes: entries of the log, idempotency keys, access tokens; and nothing else."""

import asyncio

import pytest
import sqlalchemy as sa

from core_service import credentials
from core_service.history import DAY
from core_service.opening import tidying
from core_service.retention import MOST_ROWS, Keeper
from core_service.storage import store
from core_service.storage.database import open_storage
from core_service.storage.tables_history import idempotency_keys
from tests.history.conftest import alone_on, office_in

KEYS = sa.select(idempotency_keys.c.key).order_by(idempotency_keys.c.key)


async def put_log(core, workspace_id: str, time: int, count: int = 1) -> None:
    """Add entries of a time."""
    row = store.LogRow(workspace_id, 0, time, "t", "", "c", "CreateUser", "u", "", b"")
    insert = store.insert_log if workspace_id else store.insert_log_of_nobody

    async def work(tx):
        for _ in range(count):
            await insert(tx, row)

    await core.storage.write(workspace_id, work)


async def log_of(core, workspace_id: str) -> list[store.LogRow]:
    """Return all entries, newest first."""
    return await core.storage.read(
        lambda tx: store.log_page(tx, workspace_id, store.LogFilter(), before=None, limit=10_000)
    )


async def test_entries_older_than_the_retention_go(database_url):
    """Of every workspace and of nobody, more than one batch of them; younger ones stay."""
    async with alone_on(database_url) as world:
        core, office = world.core, await office_in(world)
        now, place = world.clock.micros, office.place.workspace_id
        young = await log_of(core, place)
        for id_ in (place, ""):
            await put_log(core, id_, now - 91 * DAY, MOST_ROWS + 1)
            await put_log(core, id_, now - 89 * DAY)
        removed = await Keeper(core, 90).remove()
        kept = [row.time for row in await log_of(core, place)]

        assert removed == 2 * (MOST_ROWS + 1)
        assert kept == [now - 89 * DAY, *(row.time for row in young)]
        assert [row.time for row in await log_of(core, "")] == [now - 89 * DAY]
        assert await Keeper(core, 90).remove() == 0


async def test_the_newest_entry_stays_so_that_no_number_is_given_twice(database_url):
    """A workspace whose entries are all old keeps the last; the next entry has the next number."""
    async with alone_on(database_url) as world:
        office = await office_in(world)
        place = office.place.workspace_id
        last = (await log_of(world.core, place))[0]
        world.clock.micros += 91 * DAY
        await Keeper(world.core, 90).remove()
        kept = await log_of(world.core, place)
        await office.create("grace")
        newest = (await log_of(world.core, place))[0]

        assert kept == [last]
        assert newest.sequence == last.sequence + 1


async def test_a_log_without_retention_is_kept_for_ever(database_url):
    """0 days remove no entry."""
    async with alone_on(database_url) as world:
        await put_log(world.core, "", 1)
        await put_log(world.core, "", 2)
        await Keeper(world.core, 0).remove()

        assert len(await log_of(world.core, "")) == 2


async def test_two_processes_may_remove_at_once(database_url):
    """Between them they remove each row once, while others write."""
    other = await open_storage(database_url)
    async with alone_on(database_url) as world:
        core, office = world.core, await office_in(world)
        place = office.place.workspace_id
        await put_log(core, place, 1, 2 * MOST_ROWS)
        beside = type(core)(storage=other, now=core.now, new_id=core.new_id, page_key=b"k" * 32)
        await asyncio.gather(
            Keeper(core, 1).remove(),
            Keeper(beside, 1).remove(),
            *(office.create(f"p{number}") for number in range(10)),
        )
        at_once = await log_of(core, place)
        await Keeper(core, 1).remove()
        rows = await log_of(core, place)

        # One was the newest of all for a while.
        assert sum(row.time == 1 for row in at_once) <= 1
        assert all(row.time > 1 for row in rows)
        assert len({row.sequence for row in rows}) == len(rows)
    await other.close()


async def test_idempotency_keys_of_yesterday_go(database_url):
    """After a day a key may be used again; those of today stay, in every workspace."""
    async with alone_on(database_url) as world:
        now = world.clock.micros

        async def work(tx):
            for place in ("a", "b"):
                for name, age in (("old", DAY + 1), ("young", DAY - 1)):
                    values = ("c", f"{place}-{name}", b"", b"", now - age)
                    names = ("credential_id", "key", "digest", "answer", "time")
                    row = {"workspace_id": place, **dict(zip(names, values, strict=True))}
                    await tx.run(sa.insert(idempotency_keys), row)

        await world.core.storage.write("", work)
        removed = await Keeper(world.core, 0).remove()
        kept = await world.core.storage.read(lambda tx: tx.all(KEYS))

        assert removed == 2
        assert kept == [("a-young",), ("b-young",)]


@pytest.mark.rule("D-44")
async def test_expired_access_tokens_go(database_url):
    """Of credentials only access tokens whose time is over; the tokens of people stay, expired."""
    async with alone_on(database_url) as world:
        now = world.clock.micros
        made = {
            "over": ("parent", now - 1),
            "good": ("parent", now + 1),
            "own": ("", now - 1),
        }

        async def work(tx):
            for id_, (parent, expire_time) in made.items():
                row = credentials.credential(id_, b"", "Tests", "w", "i", now)
                await store.insert_credential(
                    tx, row._replace(parent_id=parent, expire_time=expire_time)
                )

        await world.core.storage.write("", work)
        removed = await Keeper(world.core, 0).remove()

        async def find(tx):
            return {id_ for id_ in made if await store.credential(tx, id_) is not None}

        assert removed == 1
        assert await world.core.storage.read(find) == {"good", "own"}


async def test_it_removes_while_the_core_is_open(database_url):
    """A process begins with it when it starts."""
    async with alone_on(database_url) as world:
        await put_log(world.core, "", 1)
        await put_log(world.core, "", 2)
        async with tidying(world.core, 90), asyncio.timeout(10):
            while len(await log_of(world.core, "")) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert [row.time for row in await log_of(world.core, "")] == [2]
