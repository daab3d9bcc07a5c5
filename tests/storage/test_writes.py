"""Writes: one after another in a workspace, all or nothing, on disk before they are answered."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest
from userdirectory.errors import DirectoryError

from core_service.storage import store
from core_service.storage.database import Storage, Transaction, open_storage
from tests.storage import rows
from tests.storage_fixtures import NewDatabase


async def _make_workspace(storage: Storage, id: str = "w1") -> None:
    async def work(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace(id))
        await store.insert_role(tx, rows.role(workspace_id=id))

    await storage.write("", work)


async def _used(storage: Storage, id: str = "w1") -> int:
    async def work(tx: Transaction) -> int:
        row = await store.workspace(tx, id)
        assert row is not None
        return row.seats_used

    return await storage.read(work)


async def test_a_write_has_its_workspace_locked(storage: Storage):
    """The locked row is at hand; unknown and empty workspaces have none."""
    await _make_workspace(storage)

    async def work(tx: Transaction) -> str | None:
        return tx.workspace.id if tx.workspace else None

    assert [await storage.write(id, work) for id in ("w1", "w2", "")] == ["w1", None, None]
    assert await storage.read(work) is None


@pytest.mark.rule("D-16")
async def test_check_and_write_of_many_callers_never_mix(storage: Storage):
    """Of fifty callers who each take a seat if fewer than ten are taken, ten get one."""
    await _make_workspace(storage)

    async def take(tx: Transaction) -> bool:
        assert tx.workspace is not None
        if tx.workspace.seats_used >= 10:
            return False
        await asyncio.sleep(0)
        await store.add_counts(tx, "w1", seats_used=1)
        return True

    taken = await asyncio.gather(*(storage.write("w1", take) for _ in range(50)))

    assert (taken.count(True), await _used(storage)) == (10, 10)


async def test_a_refused_write_leaves_nothing_and_spares_its_neighbours(storage: Storage):
    """Writes that share a commit fail alone: every second one is refused after it wrote."""
    await _make_workspace(storage)

    async def write(number: int) -> int:
        async def work(tx: Transaction) -> int:
            await store.add_counts(tx, "w1", seats_used=1, users=1)
            if number % 2:
                raise DirectoryError("NO_SEAT", "No seat is free. Book one.", number=number)
            return number

        return await storage.write("w1", work)

    done = await asyncio.gather(*(write(n) for n in range(20)), return_exceptions=True)

    assert [n for n in done if not isinstance(n, Exception)] == list(range(0, 20, 2))
    refused = [e.metadata["number"] for e in done if isinstance(e, DirectoryError)]
    assert refused == [str(n) for n in range(1, 20, 2)]
    assert await _used(storage) == 10


async def test_a_mistake_of_ours_reaches_its_caller_as_it_is(storage: Storage):
    """What is no error of the directory is not dressed up as one, and rolls back as well."""
    await _make_workspace(storage)

    async def work(tx: Transaction) -> None:
        await store.add_counts(tx, "w1", seats_used=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await storage.write("w1", work)
    assert await _used(storage) == 0


async def test_a_caller_who_leaves_takes_nobody_along(storage: Storage):
    """Callers cancelled while they wait leave the writes of the others whole."""
    await _make_workspace(storage)

    async def work(tx: Transaction) -> None:
        await asyncio.sleep(0)
        await store.add_counts(tx, "w1", seats_used=1)

    tasks = [asyncio.create_task(storage.write("w1", work)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.wait(tasks)

    assert all(task.exception() is None for task in tasks[1::2])
    assert await _used(storage) >= 10
    await storage.write("w1", work)


async def test_a_read_sees_one_moment(storage: Storage):
    """A read that goes on while others write sees what was there when it began."""
    await _make_workspace(storage)

    async def add(tx: Transaction) -> None:
        await store.add_counts(tx, "w1", seats_used=1)

    async def twice(tx: Transaction) -> tuple[int, int]:
        before = await store.workspace(tx, "w1")
        await storage.write("w1", add)
        after = await store.workspace(tx, "w1")
        assert before is not None
        assert after is not None
        return before.seats_used, after.seats_used

    assert await storage.read(twice) == (0, 0)
    assert await _used(storage) == 1


@pytest.mark.rule("R-176", "R-162")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_name", "ADA@example.com"),
        ("email", "ADA@example.com"),
        ("display_name", "Ops"),
        ("name", "regular"),
        ("id", "w1"),
    ],
)
async def test_a_taken_value_is_named(storage: Storage, field: str, value: str):
    """What must be unique and is not comes back as VALUE_TAKEN with the field of the contract."""
    await _make_workspace(storage)
    ada = rows.user("u1", user_name="ada@example.com", user_name_key="ada@example.com")
    twin = ada._replace(id="u2", account_id="other", user_name=value)

    async def first(tx: Transaction) -> None:
        await store.insert_user(tx, ada, [])
        await store.insert_account(tx, rows.account("a1", "ada@example.com"))
        await store.insert_account(tx, rows.account("a2"))
        await store.insert_group(tx, rows.group("g1", "ops"))
        await store.insert_group(tx, rows.group("g2"))

    async def again(tx: Transaction) -> None:
        match field:
            case "user_name":
                await store.insert_user(tx, twin, [])
            case "email":
                await store.update_account(tx, rows.account("a2", value))
            case "display_name":
                await store.update_group(tx, rows.group("g2", value))
            case "name":
                await store.insert_role(tx, rows.role("another", value))
            case _:
                await store.insert_workspace(tx, rows.workspace(value))

    await storage.write("w1", first)
    with pytest.raises(DirectoryError) as refused:
        await storage.write("w1", again)

    assert refused.value.reason == "VALUE_TAKEN"
    assert refused.value.metadata == {"field": field, "value": value}


@pytest.mark.rule("D-07")
async def test_look_alike_addresses_are_told_apart_alike(storage: Storage):
    """Databases compare the keys that we make and add no opinion of their own."""
    same = [("Ada@example.com", "ada@EXAMPLE.com"), ("é@x.de", "É@x.de"), ("Å@x.de", "å@x.de")]
    apart = [
        ("straße@x.de", "strasse@x.de"),
        ("ﬁn@x.de", "fin@x.de"),
        ("ıda@x.de", "ida@x.de"),
        ("а@x.de", "a@x.de"),
        ("ada+x@x.de", "ada@x.de"),
        ("a.da@x.de", "ada@x.de"),
        ("ａ@x.de", "a@x.de"),
    ]

    async def one_account(first: str, second: str) -> bool:
        async def work(tx: Transaction) -> bool:
            made = await store.insert_account(tx, rows.account(f"1-{first}", first))
            met = await store.insert_account(tx, rows.account(f"2-{second}", second))
            await store.delete_account(tx, made.id)
            await store.delete_account(tx, met.id)
            return made == met

        return await storage.write("", work)

    assert [await one_account(*pair) for pair in same] == [True] * len(same)
    assert [await one_account(*pair) for pair in apart] == [False] * len(apart)


async def test_workspaces_that_make_the_same_account_share_it(storage: Storage):
    """Many workspaces that meet the same new person at once end with one account and its count."""
    ids = [f"w{number}" for number in range(8)]
    for id in ids:
        await _make_workspace(storage, id)

    async def join(workspace_id: str) -> str:
        async def work(tx: Transaction) -> str:
            found = await store.insert_account(tx, rows.account(workspace_id, "ada@example.com"))
            await store.add_account_users(tx, found.id, 1)
            return found.id

        return await storage.write(workspace_id, work)

    async def leave(workspace_id: str, id: str) -> bool:
        async def work(tx: Transaction) -> bool:
            await store.add_account_users(tx, id, -1)
            return await store.delete_account(tx, id)

        return await storage.write(workspace_id, work)

    shared = await asyncio.gather(*(join(id) for id in ids))
    gone = await asyncio.gather(*(leave(id, shared[0]) for id in ids))

    assert len(set(shared)) == 1
    assert gone.count(True) == 1


async def test_a_read_cannot_write(storage: Storage):
    """A write that was begun as a read is refused, not lost."""

    async def work(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace())

    with pytest.raises(DirectoryError) as refused:
        await storage.read(work)
    assert refused.value.reason == "STORAGE_UNAVAILABLE"
    assert await storage.read(store.workspace_ids) == []


async def test_a_locked_file_is_waited_for_and_then_given_up(new_database: NewDatabase):
    """While another process holds SQLite's lock, reads go on and writes end with WRITE_CONFLICT."""
    url = await new_database("sqlite")
    storage = await open_storage(url)
    other = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    write = asyncio.create_task(_make_workspace(storage))
    reads = 0
    while not write.done():
        await storage.read(lambda tx: store.workspace_ids(tx))
        reads += 1
        await asyncio.sleep(0.01)
    other.execute("ROLLBACK")
    other.close()

    with pytest.raises(DirectoryError, match="Nothing was changed") as refused:
        await write
    assert refused.value.reason == "WRITE_CONFLICT"
    assert reads > 100
    await _make_workspace(storage)
    await storage.close()


async def test_a_full_disk_is_told_and_survived(new_database: NewDatabase):
    """A database that cannot grow refuses the write, keeps what it has and goes on later."""
    url = await new_database("sqlite")
    storage = await open_storage(url)
    await _make_workspace(storage)
    writer = storage._writer._connection  # type: ignore[attr-defined]
    writer.execute("PRAGMA max_page_count = 1")

    async def fill(tx: Transaction) -> None:
        big = rows.user("u1")._replace(document=b"x" * 1_000_000)
        await store.insert_user(tx, big, [])

    with pytest.raises(DirectoryError) as refused:
        await storage.write("w1", fill)
    assert refused.value.reason == "STORAGE_UNAVAILABLE"
    assert await storage.read(store.workspace_ids) == ["w1"]

    writer.execute("PRAGMA max_page_count = 1000000")
    await storage.write("w1", fill)
    await storage.close()


_START = """
import asyncio, sys
from core_service.storage.database import open_storage

async def main():
    storage = await open_storage(sys.argv[1])
    await storage.close()

asyncio.run(main())
"""
_WRITER = """
import asyncio, sys
from core_service.storage import store
from core_service.storage.database import open_storage

async def main():
    storage = await open_storage(sys.argv[1])
    async def work(tx):
        await store.add_counts(tx, "w1", seats_used=1)
        return tx.workspace.seats_used
    seen = await asyncio.gather(*(storage.write("w1", work) for _ in range(100)))
    await storage.close()
    print(*seen)

asyncio.run(main())
"""


async def test_two_processes_write_one_database(database_url: str):
    """Three processes start together on an empty database; each sees the others' writes."""
    starters = [await _start(database_url, _START) for _ in range(3)]
    assert [await starter.wait() for starter in starters] == [0, 0, 0]
    storage = await open_storage(database_url)
    await _make_workspace(storage)

    writers = [await _start(database_url, _WRITER) for _ in range(2)]
    seen = [int(n) for w in writers for n in (await w.communicate())[0].split()]

    assert sorted(seen) == list(range(200))
    assert await _used(storage) == 200
    await storage.close()


async def _start(url: str, code: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, url, stdout=asyncio.subprocess.PIPE
    )
