"""Both clients watch: they go on by themselves, behind what they handed out, and skip nothing."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.log_pb2 import LogEntry
from userdirectory.v1.user_pb2 import Name, User
from userdirectory.v1.workspace_admin_pb2 import WatchChangesResponse
from userdirectory.v1.workspace_admin_pb2_grpc import (
    WorkspaceAdminServicer,
    add_WorkspaceAdminServicer_to_server,
)

from clients.directory import AsyncDirectory, Change, Directory
from core_service import users
from tests.watching.serving import Serving, serving

SECONDS = 30.0
CLIENTS = ["asyncio", "blocking"]


@contextlib.asynccontextmanager
async def changes(kind, address, token, *arguments, **wanted) -> AsyncIterator:
    """Give a function that returns the next change that a client of a kind hands out."""
    if kind == "asyncio":
        async with AsyncDirectory(address, token) as directory:
            told = directory.watch_changes(*arguments, **wanted)
            async with contextlib.aclosing(told):
                yield lambda: asyncio.wait_for(anext(told), SECONDS)
        return
    with Directory(address, token) as directory:
        blocking = directory.watch_changes(*arguments, **wanted)
        yield lambda: asyncio.wait_for(asyncio.to_thread(next, blocking), SECONDS)
        blocking.close()


async def create(at: Serving, name: str) -> User:
    """Return a new user."""
    user_name = f"{name}@{at.place.workspace_id}.example"
    user = User(user_name=user_name, name=Name(given_name=name, family_name="Tester"))
    return (await users.create(at.core, at.caller, api.CreateUserRequest(user=user))).user


async def next_entry(read) -> Change:
    """Return the next change that has an entry."""
    while (change := await read()).entry is None:
        pass
    return change


@pytest.fixture
async def at(new_database):
    async with serving(await new_database("sqlite")) as made:
        yield made


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_tells_what_happens_and_where_to_go_on(at, kind):
    """First where it begins, then entries with what they are about; a token leads on behind."""
    async with changes(kind, at.address, at.token, include_resources=True) as read:
        begin = await read()
        made = await create(at, "grace")
        first = await next_entry(read)
    await create(at, "alan")
    async with changes(kind, at.address, at.token, first.resume_token) as read:
        second = await next_entry(read)

    assert (begin.entry, begin.resource) == (None, None)
    assert (first.entry.target_id, first.resource) == (made.id, made)
    assert second.entry.sequence == first.entry.sequence + 1
    assert second.resource is None


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_waits_for_a_server_that_comes_back(at, kind):
    """What was written while no server was there comes too, in order."""
    async with changes(kind, at.address, at.token) as read:
        await read()
        await create(at, "before")
        told = [await next_entry(read)]
        await at.stop()
        waiting = asyncio.create_task(next_entry(read))
        for name in ("during1", "during2"):
            await create(at, name)
        await at.start()
        told += [await waiting, await next_entry(read)]

    sequences = [change.entry.sequence for change in told]
    assert sequences == list(range(sequences[0], sequences[0] + 3))


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_refusal_is_raised(at, kind):
    """With its reason; no other connection is tried."""
    async with changes(kind, at.address, at.token, "forged") as read:
        with pytest.raises(DirectoryError) as caught:
            await read()
    async with changes(kind, at.address, at.place.token) as read:
        with pytest.raises(DirectoryError) as other:
            await read()

    assert (caught.value.reason, other.value.reason) == ("PAGE_TOKEN_INVALID", "SCOPE_MISSING")


class Script(WorkspaceAdminServicer):
    """Answers each connection as it is told, and remembers where each wanted to begin."""

    def __init__(self, *connections):
        self.connections = list(connections)
        self.tokens = []

    async def WatchChanges(self, request, context):
        self.tokens.append(request.resume_token)
        sequences, code = self.connections.pop(0)
        for sequence in sequences:
            await context.write(
                WatchChangesResponse(resume_token=f"t{sequence}", entry=LogEntry(sequence=sequence))
            )
        if code is not grpc.StatusCode.OK:
            await context.abort(code, "no")


@contextlib.asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[str]:
    """Give the address of a server that follows a script."""
    server = grpc.aio.server()
    add_WorkspaceAdminServicer_to_server(script, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_goes_on_behind_what_it_handed_out(kind):
    """After UNAVAILABLE and after an end without a word; any other end is the consumer's."""
    code = grpc.StatusCode
    script = Script(
        ([], code.UNAVAILABLE),
        ([1, 2], code.UNAVAILABLE),
        ([3], code.OK),
        ([], code.UNAVAILABLE),
        ([4], code.INTERNAL),
    )
    async with scripted(script) as address, changes(kind, address, "ud_x") as read:
        told = [(await read()).entry.sequence for _ in range(4)]
        with pytest.raises(grpc.RpcError) as caught:
            await read()

    assert told == [1, 2, 3, 4]
    assert script.tokens == ["", "", "t2", "t3", "t3"]
    assert caught.value.code() is code.INTERNAL


async def test_who_stops_watching_hangs_up(at, caplog):
    """Closing the iterator ends the stream at the server too."""
    with caplog.at_level(logging.INFO, logger="core_service.service"):
        async with AsyncDirectory(at.address, at.token) as directory:
            told = directory.watch_changes()
            await anext(told)
            before = list(caplog.messages)
            await told.aclose()
            for _ in range(500):
                if caplog.messages:
                    break
                await asyncio.sleep(0.01)

    assert before == []
    assert [line.split()[:2] for line in caplog.messages] == [
        ["userdirectory.v1.WorkspaceAdmin/WatchChanges", "code=CANCELLED"]
    ]
