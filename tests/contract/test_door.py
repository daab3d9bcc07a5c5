"""What an error becomes, which trace a call has, and what is logged of it."""

import asyncio
import logging

import grpc
import pytest
from userdirectory import status
from userdirectory.errors import CODES, DirectoryError
from userdirectory.v1.user_directory_pb2 import GetUserRequest, GetUserResponse, ListUsersRequest
from userdirectory.v1.user_directory_pb2_grpc import (
    UserDirectoryServicer,
    UserDirectoryStub,
    add_UserDirectoryServicer_to_server,
)

from core_service.channel import InProcessChannel
from core_service.service.access import USER_DIRECTORY
from core_service.service.door import Service, rpc
from core_service.transport import SERVER_OPTIONS
from tests.contract.conftest import bearer, refusal
from tests.workspaces import new_place

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRET = "postgres://u:PASSWORD@h/db"


class Failing(Service, UserDirectoryServicer):
    """A service whose use cases fail as the tests say."""

    name = USER_DIRECTORY

    def __init__(self, core, identity):
        super().__init__(core, identity)
        self.error = None
        self.cancelled = asyncio.Event()

    @rpc
    async def GetUser(self, request, caller):
        if self.error:
            raise self.error
        return GetUserResponse()

    @rpc
    async def ListUsers(self, request, caller):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.fixture
def service(core, identity):
    return Failing(core, identity)


@pytest.fixture(params=["socket", "process"])
async def stub(request, service):
    if request.param == "process":
        async with InProcessChannel() as channel:
            add_UserDirectoryServicer_to_server(service, channel)
            yield UserDirectoryStub(channel)
        return
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add_UserDirectoryServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield UserDirectoryStub(channel)
    await server.stop(None)


@pytest.fixture
async def metadata(core):
    return bearer((await new_place(core)).token)


def lines_of(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the door has logged; gRPC has its own to say of calls that are cancelled."""
    return [record for record in caplog.records if record.name == "core_service.service"]


@pytest.mark.parametrize("reason", CODES)
async def test_every_reason_arrives_whole(stub, service, metadata, reason):
    """Each reason of the contract has its code, its text and its metadata at the caller."""
    service.error = DirectoryError(reason, "What is wrong. What to do.", field="user_name", used=3)
    error = await refusal(stub.GetUser(GetUserRequest(), metadata=metadata))

    assert error.reason == reason
    assert error.message == "What is wrong. What to do."
    assert error.metadata == {"field": "user_name", "used": "3"}


@pytest.mark.parametrize("value", ["x" * 100_000, "ä" * 100_000, "\0\n" * 1000, "💥" * 50_000])
async def test_a_long_value_does_not_break_the_answer(stub, service, metadata, value):
    """However long or strange a value is, its refusal fits into metadata and says which field."""
    service.error = DirectoryError("VALUE_TAKEN", f"{value} is taken.", field="f", value=value)
    error = await refusal(stub.GetUser(GetUserRequest(), metadata=metadata))

    assert error.reason == "VALUE_TAKEN"
    assert error.metadata["field"] == "f"
    assert value.startswith(error.metadata["value"].removesuffix("..."))
    assert error.metadata["value"].endswith("...")


@pytest.mark.parametrize("broken", [RuntimeError(SECRET), TimeoutError(SECRET), KeyError(SECRET)])
async def test_what_breaks_here_is_not_told(stub, service, metadata, caplog, broken):
    """The caller gets INTERNAL and the trace id; the log gets the traceback, once (G05)."""
    service.error = broken
    with caplog.at_level(logging.INFO), pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetUser(GetUserRequest(), metadata=metadata)
    trailing = dict(caught.value.trailing_metadata())
    records = [each for each in lines_of(caplog) if each.levelno == logging.ERROR]

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert set(trailing) == {status.TRACE_KEY}
    assert trailing[status.TRACE_KEY] in caught.value.details()
    assert "PASSWORD" not in repr(caught.value)
    assert [each.exc_info[1] for each in records] == [broken]


@pytest.mark.rule("D-39")
async def test_the_callers_trace_is_kept(stub, metadata):
    """A well-formed `traceparent` names the call, in the answer too."""
    parent = ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")
    call = stub.GetUser(GetUserRequest(), metadata=(*metadata, parent))
    await call

    assert dict(await call.trailing_metadata()) == {status.TRACE_KEY: TRACE}


@pytest.mark.rule("D-39")
@pytest.mark.parametrize(
    "parent",
    [
        "",
        "x",
        f"00-{TRACE}-00f067aa0ba902b7",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
        f"00-{TRACE[:-1]}%-00f067aa0ba902b7-01",
    ],
)
async def test_a_malformed_trace_is_replaced(stub, metadata, parent):
    """Anything else than W3C Trace Context 3.2 makes a new trace."""
    call = stub.GetUser(GetUserRequest(), metadata=(*metadata, ("traceparent", parent)))
    await call
    made = dict(await call.trailing_metadata())[status.TRACE_KEY]

    assert made != TRACE
    assert len(made) == 32
    assert set(made) <= set("0123456789abcdef")


async def test_a_later_version_of_the_trace_header_is_understood(stub, metadata):
    """What follows in a version of the future is ignored."""
    parent = ("traceparent", f"01-{TRACE}-00f067aa0ba902b7-01-more")
    call = stub.GetUser(GetUserRequest(), metadata=(*metadata, parent))
    await call

    assert dict(await call.trailing_metadata()) == {status.TRACE_KEY: TRACE}


async def test_past_the_deadline_the_use_case_is_cancelled(stub, service, metadata, caplog):
    """DEADLINE_EXCEEDED, logged as the caller's, and nothing goes on (R01)."""
    with caplog.at_level(logging.INFO, logger="core_service.service"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ListUsers(ListUsersRequest(), metadata=metadata, timeout=1)
        await asyncio.wait_for(service.cancelled.wait(), 5)

    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert [each.levelno for each in lines_of(caplog)] == [logging.INFO]
    assert "code=DEADLINE_EXCEEDED" in caplog.text


async def test_a_call_is_one_line_of_ids(stub, service, core, caplog):
    """Method, code, reason, duration, trace, workspace, credential; nothing that people typed."""
    place = await new_place(core)
    service.error = DirectoryError("VALUE_TAKEN", "lovelace is taken.", value="lovelace")
    with caplog.at_level(logging.INFO, logger="core_service.service"):
        await refusal(stub.GetUser(GetUserRequest(), metadata=bearer(place.token)))
    (record,) = lines_of(caplog)
    line = record.getMessage()

    assert record.levelno == logging.INFO
    assert line.startswith(
        "userdirectory.v1.UserDirectory/GetUser code=ALREADY_EXISTS reason=VALUE_TAKEN duration_ms="
    )
    assert f" workspace_id={place.workspace_id} credential_id={place.token.split('_')[1]}" in line
    assert "lovelace" not in line
    assert place.token.split("_", 2)[2] not in line


async def test_an_unavailable_database_is_ours(stub, service, metadata, caplog):
    """The caller is told to try again, the log has an error with its cause."""
    service.error = DirectoryError("STORAGE_UNAVAILABLE", "The database does not answer.")
    with caplog.at_level(logging.INFO, logger="core_service.service"):
        await refusal(stub.GetUser(GetUserRequest(), metadata=metadata))

    assert [each.levelno for each in lines_of(caplog)] == [logging.ERROR]
    assert lines_of(caplog)[0].exc_info
