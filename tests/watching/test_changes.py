"""What a stream of changes says, from where, and how it ends; over both channels and databases."""

import asyncio
import time
from dataclasses import replace

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import UserRef
from userdirectory.v1.workspace_admin_pb2 import (
    ListLogRequest,
    WatchChangesRequest,
    WatchChangesResponse,
)

from core_service import listing, users
from core_service import watching as use_case
from core_service.identity import Identity
from core_service.news import News
from core_service.server import start_server
from core_service.settings import read
from core_service.storage.tokens import encode_token
from tests.contract.conftest import World, refusal
from tests.history.conftest import office_in
from tests.watching.conftest import (
    Stream,
    drop,
    fill,
    heartbeat,
    insert,
    product_of,
    purge,
    revoke,
    row_of,
    watching,
)


async def refused(office, token="", **wanted) -> DirectoryError:
    """Return why a stream is refused before it begins."""
    return await refusal(Stream(office, token, **wanted).response())


async def ended(stream: Stream) -> DirectoryError:
    """Return why a stream ends that had begun."""
    return await refusal(stream.change())


async def test_changes_come_in_order_as_the_log_has_them(office):
    """What is written after the first response comes, entry for entry as ListLog shows it."""
    async with watching(office) as stream:
        made = await office.create("grace")
        await office.set(made.id, title="Admiral")
        told = await stream.entries(2)

    assert told == list(reversed(await office.log(target_id=made.id)))


async def test_from_the_beginning_all_that_is_kept_comes(office):
    """Every entry, the oldest first, over several pages."""
    made = await office.create("grace")
    for number in range(use_case._PAGE + 5):
        await office.set(made.id, title=f"T{number}")
    kept = list(reversed(await office.log(page_size=1000)))
    async with watching(office, from_beginning=True) as stream:
        told = await stream.entries(len(kept))

    assert told == kept


async def test_a_stream_goes_on_behind_any_of_its_responses(office):
    """With the resume token of a response the next stream begins with the entry behind it."""
    async with watching(office) as stream:
        begin = stream.token
        made = await office.create("grace")
        await office.set(made.id, title="Admiral")
        first = await stream.change()
    async with watching(office, first.resume_token) as stream:
        second = await stream.change()
    async with watching(office, begin, from_beginning=True) as stream:
        again = await stream.entries(2)

    assert [first.entry.operation, second.entry.operation] == ["CreateUser", "UpdateUser"]
    assert again == [first.entry, second.entry]


async def test_refusals_come_if_they_are_asked_for(office):
    """Without `include_refusals` they are left out; resuming behind them works."""
    async with watching(office, include_refusals=True) as all_, watching(office) as done:
        await office.refused(api.DeleteUserRequest(user=UserRef(id="nobody")))
        await office.create("grace")
        both, one = await all_.entries(2), await done.entries(1)

    assert [entry.operation for entry in both] == ["DeleteUser", "CreateUser"]
    assert both[0].reason == "ERROR_REASON_USER_NOT_FOUND"
    assert one == both[1:]


async def test_the_resource_comes_as_it_is_when_it_is_sent(office):
    """The user as GetUser shows it now, also with an entry of the past."""
    async with watching(office, include_resources=True) as stream:
        made = await office.create("grace")
        first = await stream.change()
        await office.set(made.id, title="Admiral")
        current = await office.get(made.id)
    async with watching(office, include_resources=True, from_beginning=True) as stream:
        while (past := await stream.change()).entry.target_id != made.id:
            pass

    assert first.user.id == made.id
    assert not first.user.title
    assert past.entry == first.entry
    assert past.user == current


async def test_groups_come_without_their_members(world):
    """A group's entry brings the group; one that is gone brings nothing."""
    office = await office_in(world, "GROUP_MIRROR")
    made = await office.create("grace")
    async with watching(office, include_resources=True) as stream:
        wanted = Group(display_name="Crew", members=[Member(member_id=made.id)])
        group = (await office.ask(api.CreateGroupRequest(group=wanted))).group
        there = await stream.change()
        await office.ask(api.DeleteGroupRequest(id=group.id))
        gone = await stream.change()

    assert (there.group.id, there.group.member_count) == (group.id, 1)
    assert not there.group.members
    assert gone.WhichOneof("resource") is None
    assert gone.entry.target_id == group.id


async def test_of_a_user_who_is_gone_comes_the_entry_alone(world):
    """A purge is told, and nothing of the person."""
    office = await office_in(world, "GROUP_MIRROR")
    made = await office.create("grace")
    async with watching(office, include_resources=True) as stream:
        await office.delete(made.id)
        told = await stream.change()

    assert (told.entry.operation, told.entry.target_id) == ("DeleteUser", made.id)
    assert told.WhichOneof("resource") is None


async def test_no_workspace_hears_of_another(world):
    """A stream has the entries of its own workspace alone."""
    one, other = await office_in(world), await office_in(world)
    async with watching(one) as stream:
        await other.create("theirs")
        mine = await one.create("mine")

        assert [entry.target_id for entry in await stream.entries(1)] == [mine.id]


async def test_silence_is_broken(office):
    """Nothing happens for the time of the heartbeat: a response without an entry, as often."""
    async with watching(office, heartbeat=heartbeat(1)) as stream:
        began = time.monotonic()
        silent = [await stream.response() for _ in range(2)]
        took = time.monotonic() - began

    assert [WatchChangesResponse(resume_token=stream.token)] * 2 == silent
    assert 1.8 < took < 4


async def test_what_is_left_out_still_moves_the_place(office):
    """The token of a heartbeat leads behind the refusals that were not told."""
    async with watching(office, heartbeat=heartbeat(1)) as stream:
        await office.refused(api.DeleteUserRequest(user=UserRef(id="nobody")))
        token = (await stream.response()).resume_token
    await office.create("grace")
    async with watching(office, token, include_refusals=True) as stream:
        assert [entry.operation for entry in await stream.entries(1)] == ["CreateUser"]


async def test_what_this_process_writes_is_told_at_once(office):
    """Nobody waits for the next look at the log, which is once a second: five writes, five told."""
    made = await office.create("grace")
    async with watching(office) as stream:
        began = time.monotonic()
        for number in range(5):
            await office.set(made.id, title=f"T{number}")
            await stream.change()

    assert time.monotonic() - began < 2


async def test_what_another_process_writes_is_found(office):
    """A write that nobody tells this process of comes by looking once a second."""
    elsewhere = replace(office.world.core, news=News())
    request = api.CreateUserRequest(user=office.person("grace"))
    async with watching(office) as stream:
        began = time.monotonic()
        await users.create(elsewhere, product_of(office), request)
        told = await stream.change()

    assert told.entry.operation == product_of(office).operation
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("seconds", [-1, 0, 0.5, 61, 1e9])
async def test_a_heartbeat_is_between_a_second_and_a_minute(office, seconds):
    """Anything else is refused."""
    error = await refused(office, heartbeat=heartbeat(seconds))

    assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", "heartbeat")


@pytest.mark.parametrize("missing", ["users.read", "groups.read"])
async def test_resources_need_the_scopes_of_reading_them(world, missing):
    """The log alone can be watched with `log.read`; resources ask for both other scopes too."""
    office = await office_in(world)
    scopes = {"log.read", "users.read", "groups.read"} - {missing}
    product = await world.service(" ".join(sorted(scopes)))
    error = await refused(office, product=product, include_resources=True)

    assert error.reason == "SCOPE_MISSING"
    assert error.metadata["scope"] == "users.read groups.read"
    async with watching(office, product=product):
        pass


async def test_a_forged_token_is_refused(office):
    """Neither a changed token, nor one with another key, nor another kind of token is taken."""
    async with watching(office) as stream:
        good = stream.token
    created = (await row_of(office)).create_time
    scope = listing.scope(office.place.workspace_id, "changes", None, str(created))
    page = await office.ask(ListLogRequest(page_size=1), product=True)
    forged = [good[:-4] + "AAAA", "x", "ä", encode_token(b"y" * 32, scope, [1])]

    for token in (*forged, page.next_page_token):
        assert token
        assert (await refused(office, token)).reason == "PAGE_TOKEN_INVALID"
    async with watching(office, encode_token(office.world.core.page_key, scope, [1])):
        pass


async def test_a_token_is_good_for_its_workspace_alone(world):
    """Neither for another one, nor for one that is created anew with the same id."""
    one, other = await office_in(world), await office_in(world)
    async with watching(one) as stream:
        token = stream.token

    assert (await refused(other, token)).reason == "PAGE_TOKEN_INVALID"


@pytest.mark.violates
async def test_a_workspace_created_anew_is_another_one(office):
    """A token of the workspace that had the id before is refused, a stream of it ends."""
    row = await row_of(office)
    async with watching(office) as stream:
        await drop(office)
        later = row.update_time + 1
        await insert(office, row._replace(create_time=later, update_time=later))

        assert (await ended(stream)).reason == "PAGE_TOKEN_INVALID"
    assert (await refused(office, stream.token)).reason == "PAGE_TOKEN_INVALID"


async def test_purged_entries_are_not_passed_over(office):
    """Whose next entry is no longer kept is told to begin anew; from the beginning works."""
    async with watching(office) as stream:
        begin = stream.token
        await office.create("one")
        first = (await stream.change()).resume_token
        await office.create("two")
        second = await stream.change()
    await purge(office, second.entry.sequence)
    gap, kept = await refused(office, begin), await _told(office, first)

    assert gap.reason == "PAGE_TOKEN_INVALID"
    assert "Begin anew" in gap.message
    assert kept == [second.entry]
    async with watching(office, from_beginning=True) as stream:
        assert await stream.entries(1) == [second.entry]


async def test_what_retention_left_alone_is_not_the_beginning(office):
    """An entry whose neighbour went before it does not keep anybody from beginning anew."""
    for name in ("one", "two", "three"):
        await office.create(name)
    newest = (await office.log(page_size=1))[0].sequence
    async with watching(office, from_beginning=True) as stream:
        await stream.entries(1)
        left = stream.token
    await purge(office, newest - 1, since=2)

    async with watching(office, left) as stream:
        error = await ended(stream)
    async with watching(office, from_beginning=True) as stream:
        told = await stream.entries(2)

    assert error.reason == "PAGE_TOKEN_INVALID"
    assert [entry.sequence for entry in told] == [newest - 1, newest]


async def _told(office, token):
    async with watching(office, token) as stream:
        return await stream.entries(1)


async def test_a_stream_that_is_overtaken_by_retention_ends(office):
    """What was purged before a slow reader came to it is not passed over either."""
    made = await office.create("grace")
    for number in range(5):
        await office.set(made.id, title=f"T{number}")
    newest = (await office.log(page_size=1))[0].sequence
    request = WatchChangesRequest(from_beginning=True)
    changes = use_case.changes(office.world.core, product_of(office), request)
    read = [await anext(changes) for _ in range(2)]
    await purge(office, newest)
    await asyncio.sleep(use_case._FRESH_SECONDS)
    with pytest.raises(DirectoryError) as caught:
        while (response := await anext(changes)) is None or response.entry.sequence < newest:
            pass

    assert read[1].entry.sequence == 1
    assert caught.value.reason == "PAGE_TOKEN_INVALID"


async def test_a_place_ahead_of_the_log_is_no_place(office):
    """A token from before a database was set back to an older state leads nowhere."""
    async with watching(office) as stream:
        await office.create("grace")
        token = (await stream.change()).resume_token
    await purge(office, 1 << 62)

    assert (await refused(office, token)).reason == "PAGE_TOKEN_INVALID"


async def test_a_revoked_credential_ends_the_stream(world):
    """Within seconds, with the reason that a call would have."""
    office = await office_in(world)
    product = await world.service("log.read")
    async with watching(office, product=product) as stream:
        await revoke(office, product)
        began = time.monotonic()
        error = await ended(stream)

    assert error.reason == "CREDENTIAL_INVALID"
    assert time.monotonic() - began < 5


@pytest.mark.violates
@pytest.mark.parametrize(
    ("bound", "reason"), [(True, "CREDENTIAL_INVALID"), (False, "WORKSPACE_NOT_FOUND")]
)
async def test_with_its_workspace_a_stream_ends(core, world, bound, reason):
    """Who had a credential of the workspace has none any more; others are told it is gone."""
    office = await office_in(world)
    product = await world.service("log.read", office.place.workspace_id if bound else "")
    async with watching(office, product=product) as stream:
        await drop(office)
        began = time.monotonic()
        error = await ended(stream)

    assert error.reason == reason
    assert time.monotonic() - began < 5


async def test_when_the_server_stops_streams_end_at_once(core, clock):
    """UNAVAILABLE well before the grace time, whoever reads; what was told can be resumed."""
    identity = Identity(core, cache_seconds=0)
    server = await start_server(core, identity, read({"grpc_port": "0"}, {}))
    async with grpc.aio.insecure_channel(server.address) as channel:
        office = await office_in(World(core, clock, channel))
        async with watching(office) as stream:
            began = time.monotonic()
            stopping = asyncio.create_task(server.stop(20))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stream.change()
            ended = time.monotonic() - began
            await stopping

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert ended < 0.5
    assert time.monotonic() - began < 3


async def test_who_does_not_read_does_not_hold_up_the_stop(core, clock):
    """A stream whose reader takes nothing more is cut, long before the grace time is over."""
    server = await start_server(core, Identity(core), read({"grpc_port": "0"}, {}))
    async with grpc.aio.insecure_channel(server.address) as channel:
        office = await office_in(World(core, clock, channel))
        await fill(office, 300, 64 * 1024)
        stream = Stream(office, from_beginning=True)
        await stream.response()
        await asyncio.sleep(1)
        began = time.monotonic()
        await server.stop(20)
        took = time.monotonic() - began
        stream.call.cancel()

    assert took < 4


async def test_hanging_up_is_no_failure_of_ours(office, caplog):
    """Readers who go in the middle of a stream leave no error in the log."""
    made = await office.create("grace")
    for number in range(20):
        await office.set(made.id, title=f"T{number}")
    for _ in range(20):
        stream = Stream(office, from_beginning=True)
        await stream.entries(3)
        stream.call.cancel()
    async with watching(office) as stream:
        await office.create("last")
        await stream.change()

    ours = [record for record in caplog.records if record.name.startswith("core_service")]
    assert [record for record in ours if record.levelname == "ERROR"] == []
