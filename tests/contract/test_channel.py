"""The channel within the process behaves as a socket does: the same tests over both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_directory_pb2_grpc import (
    UserDirectoryServicer,
    UserDirectoryStub,
    add_UserDirectoryServicer_to_server,
)
from userdirectory.v1.user_pb2 import User

from core_service.channel import InProcessChannel
from core_service.transport import SERVER_OPTIONS


class Probe(UserDirectoryServicer):
    """Answers as the tests of the channel need it."""

    def __init__(self):
        self.seen = {}
        self.requests = []
        self.answers = []
        self.arrived = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def GetUser(self, request, context):
        self.seen = dict(context.invocation_metadata())
        self.remaining = context.time_remaining()
        self.arrived.set()
        if request.workspace_id == "wait":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if request.workspace_id == "refuse":
            context.set_trailing_metadata((("trace-id", "t"), ("grpc-status-details-bin", b"\0\1")))
            context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
            context.set_details("Nö\n")
            return None
        if request.workspace_id == "abort":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no", (("trace-id", "t"),))
        if request.workspace_id == "broken":
            raise RuntimeError("postgres://u:PASSWORD@h/db")
        context.set_trailing_metadata((("trace-id", "t"),))
        return api.GetUserResponse(user=User(id="u1", display_name="x" * int(request.user.id or 0)))

    async def CreateUser(self, request, context):
        self.requests.append(request)
        request.user.user_name = "changed by the servicer"
        answer = api.CreateUserResponse(user=User(user_name="the servicer's"))
        self.answers.append(answer)
        return answer


@pytest.fixture
def probe():
    return Probe()


@pytest.fixture(params=["socket", "process"])
async def channel(request, probe) -> AsyncIterator[grpc.aio.Channel]:
    if request.param == "process":
        async with InProcessChannel() as made:
            add_UserDirectoryServicer_to_server(probe, made)
            yield made
        return
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add_UserDirectoryServicer_to_server(probe, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as made:
        yield made
    await server.stop(None)


@pytest.fixture
def stub(channel):
    return UserDirectoryStub(channel)


def asking(what, size=""):
    return api.GetUserRequest(workspace_id=what, user={"id": size})


async def failed(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_an_answer_arrives_with_its_trailing_metadata(stub):
    """The answer, OK and the trailing metadata reach the caller."""
    call = stub.GetUser(asking(""))
    answer = await call

    assert answer.user.id == "u1"
    assert await call.code() is grpc.StatusCode.OK
    assert await call.details() == ""
    assert tuple(await call.trailing_metadata()) == (("trace-id", "t"),)
    assert call.done()
    assert not call.cancelled()
    assert not call.cancel()


async def test_an_answer_can_be_awaited_twice(stub):
    """Awaiting a call again gives the same answer."""
    call = stub.GetUser(asking(""))

    assert await call is await call


async def test_a_refusal_arrives_whole(stub):
    """Code, text and binary details are those that the servicer set."""
    error = await failed(stub.GetUser(asking("refuse")))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error.details() == "Nö\n"
    expected = (("trace-id", "t"), ("grpc-status-details-bin", b"\0\1"))
    assert tuple(error.trailing_metadata()) == expected
    assert tuple(error.initial_metadata()) == ()


async def test_a_servicer_can_abort(stub):
    """`abort` ends the call with its status, wherever the servicer is."""
    error = await failed(stub.GetUser(asking("abort")))

    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "no")
    assert tuple(error.trailing_metadata()) == (("trace-id", "t"),)


async def test_metadata_arrives(stub, probe):
    """The servicer reads the metadata that the caller sent, text and binary."""
    sent = (("authorization", "Bearer x"), ("a-bin", b"\0\xff"), ("b", b"text"))

    await stub.GetUser(asking(""), metadata=sent)

    expected = {"authorization": "Bearer x", "a-bin": b"\0\xff", "b": "text"}
    assert {key: probe.seen[key] for key in expected} == expected


@pytest.mark.parametrize(
    "metadata",
    [
        (("authorization", "a\nb"),),
        (("authorization", "ä"),),
        (("Authorization", "a"),),
        (("a-bin", "text"),),
    ],
)
async def test_metadata_that_no_header_carries_is_a_mistake_of_the_program(stub, probe, metadata):
    """A line break, a letter outside ASCII, a capital in a key: not a status, an exception."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - grpc raises a private class
        await stub.GetUser(asking(""), metadata=metadata)

    assert not isinstance(caught.value, grpc.RpcError)
    assert not probe.arrived.is_set()


async def test_too_much_metadata_is_refused(stub, probe):
    """More than 16 KiB of metadata does not reach the servicer."""
    error = await failed(stub.GetUser(asking(""), metadata=(("a", "x" * 20_000),)))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not probe.arrived.is_set()


async def test_a_request_above_four_mebibytes_is_refused(stub, probe):
    """A request of 4 MiB and more does not reach the servicer (G06)."""
    error = await failed(stub.GetUser(asking("x" * 4 * 1024 * 1024)))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == "SERVER: Received message larger than max (4194313 vs. 4194304)"
    assert not probe.arrived.is_set()


async def test_an_answer_above_four_mebibytes_arrives(stub):
    """Answers have no limit: a long list is not an error."""
    answer = await stub.GetUser(asking("", size=str(5 * 1024 * 1024)))

    assert len(answer.user.display_name) == 5 * 1024 * 1024


async def test_an_unknown_method_is_unimplemented(channel):
    """A method that no service has is UNIMPLEMENTED."""
    call = channel.unary_unary("/x.Y/Z", request_serializer=bytes, response_deserializer=bytes)
    error = await failed(call(b""))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert error.details() == "Method not found!"


async def test_the_servicer_sees_the_deadline(stub, probe):
    """A timeout of the caller is the time remaining of the servicer."""
    await stub.GetUser(asking(""), timeout=30)

    # On the wire gRPC rounds a timeout of this length up to a tenth of a second.
    assert 29 < probe.remaining <= 30.1


async def test_without_a_timeout_there_is_no_deadline(stub, probe):
    """No timeout, no deadline."""
    await stub.GetUser(asking(""))

    assert probe.remaining is None


async def test_past_the_deadline_the_call_ends_and_the_work_is_cancelled(stub, probe):
    """The caller gets DEADLINE_EXCEEDED, the servicer is cancelled (R01)."""
    error = await failed(stub.GetUser(asking("wait"), timeout=0.05))
    await asyncio.wait_for(probe.cancelled.wait(), 5)

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert error.details() == "Deadline Exceeded"
    assert tuple(error.trailing_metadata()) == ()


@pytest.mark.parametrize("seconds", [0, -1])
async def test_with_no_time_left_the_call_fails(stub, seconds):
    """A timeout that is over before the call begins is DEADLINE_EXCEEDED."""
    error = await failed(stub.GetUser(asking("wait"), timeout=seconds))

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_cancelled_call_cancels_the_work(stub, probe):
    """`cancel` ends the call for the caller at once and then the work (R02)."""
    call = stub.GetUser(asking("wait"))
    await probe.arrived.wait()

    assert call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED
    assert await call.details() == "Locally cancelled by application!"
    assert call.cancelled()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(probe.cancelled.wait(), 5)


async def test_cancelling_who_waits_cancels_the_work(stub, probe):
    """A task that is cancelled while it awaits a call takes the call with it."""

    async def wait():
        await stub.GetUser(asking("wait"))

    task = asyncio.create_task(wait())
    await probe.arrived.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    await asyncio.wait_for(probe.cancelled.wait(), 5)
    assert task.cancelled()


async def test_a_call_runs_though_nobody_awaits_it(stub, probe):
    """The call begins when it is made, not when it is awaited."""
    call = stub.GetUser(asking(""))

    await asyncio.wait_for(probe.arrived.wait(), 5)
    await call


async def test_neither_side_sees_what_the_other_does_with_its_message(stub, probe):
    """Changing a message after it was sent, or got, changes nothing on the other side."""
    request = api.CreateUserRequest(user=User(user_name="the caller's"))
    call = stub.CreateUser(request)
    request.user.user_name = "changed by the caller too late"
    answer = await call
    answer.user.user_name = "changed by the caller"

    assert request.user.user_name == "changed by the caller too late"
    assert probe.requests[0].user.user_name == "changed by the servicer"
    assert probe.answers[0].user.user_name == "the servicer's"


async def test_done_callbacks_are_called(stub):
    """A callback is called when the call is over, also when it is added later."""
    calls = []
    call = stub.GetUser(asking(""))
    call.add_done_callback(calls.append)
    await call
    call.add_done_callback(calls.append)

    assert calls == [call, call]


async def test_calls_run_beside_each_other(stub):
    """A call that waits does not hold up another."""
    waiting = stub.GetUser(asking("wait"))
    answer = await stub.GetUser(asking(""))
    waiting.cancel()

    assert answer.user.id == "u1"


async def test_a_closed_channel_makes_no_calls(stub, channel):
    """After `close` the channel refuses calls."""
    await channel.close()

    with pytest.raises(Exception, match=r"Channel is closed\."):
        await stub.GetUser(asking(""))
    assert channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_closing_waits_for_calls_within_the_grace_time(probe):
    """`close` with a grace time lets a call finish; without, or later, it is cancelled."""
    channel = InProcessChannel()
    add_UserDirectoryServicer_to_server(probe, channel)
    stub = UserDirectoryStub(channel)
    quick, slow = stub.GetUser(asking("")), stub.GetUser(asking("wait"))
    await channel.close(0.05)

    assert (await quick).user.id == "u1"
    assert (await failed(slow)).code() is grpc.StatusCode.CANCELLED
    assert probe.cancelled.is_set()


async def test_the_text_of_a_failure_stays_here(probe):
    """A handler that fails outside of its door tells the caller nothing of why."""
    async with InProcessChannel() as channel:
        add_UserDirectoryServicer_to_server(probe, channel)
        error = await failed(UserDirectoryStub(channel).GetUser(asking("broken")))

    assert error.code() is grpc.StatusCode.UNKNOWN
    assert error.details() == "Something went wrong."


async def test_health_can_be_asked_within_the_process():
    """The channel takes services with streams too, and their methods can be called."""
    checks = health.aio.HealthServicer()
    async with InProcessChannel() as channel:
        health_pb2_grpc.add_HealthServicer_to_server(checks, channel)
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest())
        error = await failed(stub.Check(health_pb2.HealthCheckRequest(service="x")))
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        before = await watch.read()
        await checks.enter_graceful_shutdown()
        after = await watch.read()

    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert before.status == health_pb2.HealthCheckResponse.SERVING
    assert after.status == health_pb2.HealthCheckResponse.NOT_SERVING
