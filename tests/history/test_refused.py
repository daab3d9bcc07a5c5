"""Refusals that the database does not take at once, that come without end, or of nobody."""

import asyncio

import pytest
import sqlalchemy as sa
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import UserRef
from userdirectory.v1.workspace_admin_pb2 import ExplainTraceRequest

from core_service import refused
from core_service.core import Caller
from core_service.opening import recording
from core_service.owed import Bucket
from core_service.refused import MOST_WAITING, Refused
from core_service.storage import store
from core_service.storage.database import open_storage
from tests.contract.conftest import refusal
from tests.contract.test_access import UNKNOWN
from tests.history.conftest import alone_on, office_in, trace

COUNT = sa.text("SELECT count(*) FROM log WHERE workspace_id = ''")


def stranger(core, *, reason="CREDENTIAL_MISSING", trace_id="", time=None):
    """Return a refusal of nobody."""
    caller = Caller("", "", "", frozenset(), trace_id or trace(), "GetUser")
    return Refused(caller, False, "", DirectoryError(reason, "No."), time or core.now())


async def of_nobody(core) -> int:
    """Return how many rows belong to no workspace."""
    return (await core.storage.read(lambda tx: tx.one(COUNT)))[0]


async def explanations(office, trace_id):
    """Return the explanations of a trace to a product of all workspaces."""
    request = ExplainTraceRequest(trace_id=trace_id)
    return (await office.world.ask(office.product, request)).explanations


async def test_rows_of_nobody_never_meet(database_url):
    """A hundred at the same microsecond, from two cores: each gets a number of its own."""
    storages = [await open_storage(database_url) for _ in range(2)]
    async with alone_on(database_url) as world:
        row = store.LogRow("", 0, world.core.now(), trace(), "", "", "GetUser", "", "x", b"")
        writes = [
            storage.write("", lambda tx: store.insert_log_of_nobody(tx, row))
            for storage in storages * 50
        ]
        await asyncio.gather(*writes)

        assert await of_nobody(world.core) == 100
    for storage in storages:
        await storage.close()


async def test_a_flood_of_strangers_fills_no_database(database_url):
    """Of ten thousand refusals at once a hundred are kept, and twenty more each second."""
    async with alone_on(database_url) as world:
        core, now = world.core, 0.0
        core.owed.bucket = Bucket(per_second=20, burst=100, clock=lambda: now)
        for _ in range(10_000):
            await refused.keep(core, stranger(core))
        first = await of_nobody(core)
        now += 1.0
        for _ in range(100):
            await refused.keep(core, stranger(core))

        assert first == 100
        assert await of_nobody(core) == 120


@pytest.mark.parametrize(
    ("authorization", "kept"),
    [(UNKNOWN, UNKNOWN.split("_")[1]), ("ud_short_secret", ""), ("canary-secret", "")],
    ids=["of our form", "too short", "of another form"],
)
async def test_of_a_bad_credential_only_a_public_id_is_kept(office, authorization, kept):
    """What looks like a token of ours names it; of anything else nothing is kept."""
    id_ = trace()
    metadata = (
        ("authorization", f"Bearer {authorization}"),
        ("traceparent", f"00-{id_}-{'1' * 16}-01"),
    )
    method = office.world.stub("UserDirectory", "GetUser")
    await refusal(method(api.GetUserRequest(user=UserRef(id="u1")), metadata=metadata, timeout=20))
    [found] = await explanations(office, id_)

    assert found.entry.credential_id == kept
    assert authorization not in str(found)


async def test_a_refusal_of_the_moment_is_written_once_it_can_be(database_url):
    """It waits in memory, and is in the log with its own time after the database is back."""
    async with alone_on(database_url) as world:
        office = await office_in(world)
        core = world.core
        error = DirectoryError("STORAGE_UNAVAILABLE", "Away.")
        place = office.place.workspace_id
        caller = Caller(place, "", "c1", frozenset("*"), trace(), "CreateUser")
        await refused.keep(core, Refused(caller, True, "", error, core.now() - 7))
        waiting = len(core.owed.waiting)
        async with recording(core, 5):
            while core.owed.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        [entry] = await office.log(trace_id=caller.trace_id)

    assert waiting == 1
    assert entry.reason == "ERROR_REASON_STORAGE_UNAVAILABLE"
    assert entry.time.ToMicroseconds() < world.clock.micros - 7


async def test_what_waits_is_written_at_a_graceful_stop(database_url):
    """Ending the process writes what waits; what was written before is not there twice (X04)."""
    async with alone_on(database_url) as world:
        core = world.core
        kept = stranger(core, reason="WRITE_CONFLICT")
        async with recording(core, 5):
            await refused.write(core, kept)  # by an attempt of which nobody heard
            await refused.keep(core, kept)
            await refused.keep(core, stranger(core, reason="WRITE_CONFLICT", time=core.now() + 1))

        assert await of_nobody(core) == 2
        assert not core.owed.waiting


async def test_memory_keeps_the_last_thousand(database_url):
    """When more wait than that, the oldest are given up."""
    async with alone_on(database_url) as world:
        core = world.core
        core.owed.bucket = Bucket(per_second=1e9, burst=10**9)
        sent = [stranger(core, reason="STORAGE_UNAVAILABLE") for _ in range(MOST_WAITING + 5)]
        for each in sent:
            await refused.keep(core, each)

        assert list(core.owed.waiting) == sent[5:]


async def test_who_does_not_wait_is_logged_all_the_same(office):
    """A caller that goes away before its refusal is logged leaves the row behind."""
    id_ = trace()
    core, place = office.world.core, office.place.workspace_id
    caller = Caller(place, "", "c1", frozenset("*"), id_, "CreateUser")
    wanted = Refused(caller, True, "", DirectoryError("NO_SEAT", "Full."), core.now())
    keeping = asyncio.create_task(refused.keep(core, wanted))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait([keeping])
    await refused.settle(core)

    assert [entry.reason for entry in await office.log(trace_id=id_)] == ["ERROR_REASON_NO_SEAT"]
