"""What the clients send again, counted where it arrives: at a server that answers what it must."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
import tenacity
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import User

from clients import calls
from clients.directory import AsyncDirectory, Directory
from clients.steps import Call

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
USER = User(user_name="grace@example.com")

# What is called, and how often it is sent while the directory is away.
CALLS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "read": (lambda d: d.get_user("u1"), 3),
    "write": (lambda d: d.create_user(USER), 3),
    "write with a key of one's own": (lambda d: d.create_user(USER, idempotency_key="mine"), 3),
    "write without a key": (lambda d: d.create_user(USER, idempotency_key=None), 1),
}


@dataclass
class Away:
    """
    A server that fails.

    Attributes:
        codes: What the next calls are answered, the last one for ever.
        keys: The key of each call that arrived, None for none.
    """

    address: str = ""
    codes: list[grpc.StatusCode] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    async def answer(self, request: Any, context: grpc.aio.ServicerContext) -> bytes:
        """Note the key and answer the next code."""
        self.keys.append(dict(context.invocation_metadata() or ()).get("idempotency-key"))
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        if code is not grpc.StatusCode.OK:
            await context.abort(code, "no")
        return b""


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Away]:
    away = Away()
    handler = grpc.unary_unary_rpc_method_handler(away.answer)
    service = api.DESCRIPTOR.services_by_name["UserDirectory"]
    methods = dict.fromkeys(service.methods_by_name, handler)
    serving = grpc.aio.server()
    serving.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service.full_name, methods)]
    )
    away.address = f"127.0.0.1:{serving.add_insecure_port('127.0.0.1:0')}"
    await serving.start()
    yield away
    await serving.stop(None)


@pytest.fixture
def away(server: Away) -> Away:
    server.codes, server.keys = [UNAVAILABLE], []
    return server


Client = Callable[[Callable[[Any], Any]], Awaitable[Any]]


@pytest.fixture(params=["asyncio", "threads"])
def client(request: pytest.FixtureRequest, away: Away) -> Client:
    """Give what makes a call with each client, with one that has seen nothing yet."""

    async def awaited(call: Callable[[Any], Any]) -> Any:
        async with AsyncDirectory(away.address, "ud_token", timeout_seconds=5) as directory:
            return await call(directory)

    def blocking(call: Callable[[Any], Any]) -> Any:
        with Directory(away.address, "ud_token", timeout_seconds=5) as directory:
            return call(directory)

    if request.param == "asyncio":
        return awaited
    return lambda call: asyncio.to_thread(blocking, call)


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
@pytest.mark.parametrize("kind", CALLS)
async def test_what_is_sent_again(away, client, kind, code):
    """UNAVAILABLE alone, three tries, and no write that has no key (R03, R05)."""
    call, tries = CALLS[kind]
    away.codes = [code]
    with pytest.raises(grpc.RpcError) as caught:
        await client(call)

    assert caught.value.code() is code
    assert len(away.keys) == (tries if code is UNAVAILABLE else 1)


async def test_every_try_of_a_write_has_the_same_key(away, client):
    """One call is one key, another call another one; reads have none."""
    away.codes = [UNAVAILABLE, UNAVAILABLE, grpc.StatusCode.OK]
    await client(CALLS["write"][0])
    await client(CALLS["write"][0])
    await client(CALLS["read"][0])
    await client(CALLS["write with a key of one's own"][0])
    await client(CALLS["write without a key"][0])

    first, second = away.keys[0], away.keys[3]
    assert first is not None
    assert second is not None
    assert first != second
    assert away.keys == [first, first, first, second, None, "mine", None]


async def test_an_outage_is_not_made_worse(away):
    """Of a hundred writes through one client hardly any is sent again (R04)."""
    async with AsyncDirectory(away.address, "ud_token") as directory:
        for _ in range(100):
            with pytest.raises(grpc.RpcError):
                await directory.create_user(USER)

    assert 100 < len(away.keys) <= 110


def test_no_try_waits_longer_than_the_call_may_take():
    """A pause that would outlast the call's time is not begun; the failure is told (R03)."""
    pauses: list[float] = []
    for _ in range(100):
        client = calls.Client("ud_token", "", timeout_seconds=0.05)
        tries = client.tries(client.prepare(Call(api.GetUserRequest())))
        with pytest.raises(grpc.RpcError):
            tenacity.Retrying(sleep=pauses.append, **tries)(_fail)

    assert pauses
    assert max(pauses) < 0.05


def _fail() -> None:
    raise grpc.aio.AioRpcError(UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())
