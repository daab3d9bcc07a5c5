"""Streams over the channel within the process behave as over a socket: the same tests over both."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.log_pb2 import LogEntry
from userdirectory.v1.workspace_admin_pb2_grpc import (
    WorkspaceAdminServicer,
    WorkspaceAdminStub,
    add_WorkspaceAdminServicer_to_server,
)

from core_service.channel import InProcessChannel
from core_service.transport import SERVER_OPTIONS
from tests.contract.test_channel import failed

KIB = 1024


class Probe(WorkspaceAdminServicer):
    """Streams as the tests need it: what, by `workspace_id`."""

    def __init__(self):
        self.sent = 0
        self.cancelled = asyncio.Event()
        self.remaining = None
        self.seen = {}

    async def WatchChanges(self, request, context):
        self.seen = dict(context.invocation_metadata())
        self.remaining = context.time_remaining()
        context.set_trailing_metadata((("trace-id", "t"),))
        try:
            await getattr(self, request.workspace_id)(context)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def send(self, context, message=""):
        self.sent += 1
        entry = LogEntry(sequence=self.sent, message=message)
        await context.write(api.WatchChangesResponse(entry=entry))

    async def three(self, context):
        for _ in range(3):
            await self.send(context)

    async def none(self, context):
        pass

    async def refused(self, context):
        await self.three(context)
        context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
        context.set_details("Nö\n")

    async def aborted(self, context):
        await self.three(context)
        await context.abort(grpc.StatusCode.NOT_FOUND, "no", (("trace-id", "u"),))

    async def endless(self, context):
        while True:
            await self.send(context, "x" * 100 * KIB)

    async def one_and_wait(self, context):
        await self.send(context)
        await asyncio.Event().wait()


class Yielding(WorkspaceAdminServicer):
    """Streams by yielding, the other way that servicers have."""

    async def WatchChanges(self, request, context):
        for sequence in (1, 2):
            yield api.WatchChangesResponse(entry=LogEntry(sequence=sequence))


@pytest.fixture
def probe():
    return Probe()


async def serving(servicer, kind) -> AsyncIterator[WorkspaceAdminStub]:
    """Give a stub of a servicer, over a socket or within the process."""
    if kind == "process":
        async with InProcessChannel() as channel:
            add_WorkspaceAdminServicer_to_server(servicer, channel)
            yield WorkspaceAdminStub(channel)
        return
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add_WorkspaceAdminServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield WorkspaceAdminStub(channel)
    await server.stop(None)


@pytest.fixture(params=["socket", "process"])
async def stub(request, probe):
    async for made in serving(probe, request.param):
        yield made


def asking(what):
    return api.WatchChangesRequest(workspace_id=what)


async def sequences(call):
    """Return what a call sends, to its end."""
    return [response.entry.sequence async for response in call]


async def test_all_answers_arrive_in_order_and_then_the_end(stub):
    """Every message, OK, the trailing metadata; then EOF as often as one asks."""
    call = stub.WatchChanges(asking("three"))

    assert await sequences(call) == [1, 2, 3]
    assert await call.code() is grpc.StatusCode.OK
    assert tuple(await call.trailing_metadata()) == (("trace-id", "t"),)
    assert call.done()
    assert not call.cancelled()
    assert not call.cancel()


async def test_answers_can_be_read_one_by_one(stub):
    """`read` gives one message, and EOF behind the last."""
    call = stub.WatchChanges(asking("three"))
    read = [(await call.read()).entry.sequence for _ in range(3)]

    assert read == [1, 2, 3]
    assert await call.read() is grpc.aio.EOF
    assert await call.read() is grpc.aio.EOF


async def test_a_stream_may_be_empty(stub):
    """No message, OK."""
    assert await sequences(stub.WatchChanges(asking("none"))) == []


@pytest.mark.parametrize("kind", ["socket", "process"])
async def test_a_servicer_may_yield(kind):
    """A servicer that yields its answers is served too."""
    async for stub in serving(Yielding(), kind):
        assert await sequences(stub.WatchChanges(asking(""))) == [1, 2]


@pytest.mark.parametrize(
    ("what", "code", "details", "trace"),
    [
        ("refused", grpc.StatusCode.FAILED_PRECONDITION, "Nö\n", "t"),
        ("aborted", grpc.StatusCode.NOT_FOUND, "no", "u"),
    ],
)
async def test_a_refusal_comes_behind_what_was_sent_before(stub, what, code, details, trace):
    """What was sent is read first, then the call raises its status, with its metadata."""
    call = stub.WatchChanges(asking(what))
    read = [(await call.read()).entry.sequence for _ in range(3)]
    error = await failed(call.read())

    assert read == [1, 2, 3]
    assert (error.code(), error.details()) == (code, details)
    assert dict(error.trailing_metadata())["trace-id"] == trace


async def test_metadata_and_the_deadline_arrive(stub, probe):
    """The servicer reads both; without a timeout there is no deadline."""
    await sequences(stub.WatchChanges(asking("none"), metadata=(("a", "b"),), timeout=30))
    seen, remaining = probe.seen, probe.remaining
    await sequences(stub.WatchChanges(asking("none")))

    assert seen["a"] == "b"
    assert 29 < remaining < 30.5
    assert probe.remaining is None


async def test_past_the_deadline_the_stream_ends_and_the_work_is_cancelled(stub, probe):
    """The reader gets DEADLINE_EXCEEDED, the servicer is cancelled."""
    call = stub.WatchChanges(asking("one_and_wait"), timeout=0.2)
    await call.read()
    error = await failed(call.read())
    await asyncio.wait_for(probe.cancelled.wait(), 5)

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_cancelled_stream_cancels_the_work(stub, probe):
    """`cancel` ends the stream for its reader at once and then the work."""
    call = stub.WatchChanges(asking("one_and_wait"))
    await call.read()

    assert call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.read()
    assert await call.code() is grpc.StatusCode.CANCELLED
    await asyncio.wait_for(probe.cancelled.wait(), 5)


async def test_cancelling_who_reads_cancels_the_work(stub, probe):
    """A task that is cancelled while it reads takes the stream with it."""
    call = stub.WatchChanges(asking("one_and_wait"))
    await call.read()
    task = asyncio.create_task(call.read())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(probe.cancelled.wait(), 5)


async def test_who_does_not_read_stops_who_sends(stub, probe):
    """What waits to be read is bounded; it goes on when it is read, and nothing is lost."""
    call = stub.WatchChanges(asking("endless"))
    first = (await call.read()).entry.sequence
    before = -1
    while before != probe.sent:
        before = probe.sent
        await asyncio.sleep(0.5)
    rest = [(await call.read()).entry.sequence for _ in range(before)]
    call.cancel()

    # gRPC lets windows grow to 16 MiB where both ends are quick.
    assert before * 100 * KIB < 32 * 1024 * KIB
    assert [first, *rest] == list(range(1, before + 2))
