"""A directory to call, over a real socket and within the process: every test runs over both."""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from userdirectory import status
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, workspace_pb2

from core_service import credentials, settings
from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.identity import Identity
from core_service.opening import new_id, now
from core_service.server import start_server
from core_service.service import add_services
from core_service.storage import store
from core_service.storage.database import Storage, Transaction, open_storage
from tests.workspaces import Place, new_place


def _contract() -> tuple[dict[str, ServiceDescriptor], dict[str, Any]]:
    """Return every service of the contract, and its stub, by name."""
    services, stubs = {}, {}
    written = resources.files("userdirectory.v1").joinpath("contract.binpb").read_bytes()
    for file in FileDescriptorSet.FromString(written).file:
        module = file.name.removesuffix(".proto").replace("/", ".")
        for name in (service.name for service in file.service):
            found = importlib.import_module(f"{module}_pb2").DESCRIPTOR.services_by_name[name]
            services[name] = found
            stubs[name] = getattr(importlib.import_module(f"{module}_pb2_grpc"), f"{name}Stub")
    return services, stubs


CONTRACT, STUBS = _contract()


@dataclass
class Clock:
    """The time, which passes only when a test says so, in microseconds."""

    micros: int = field(default_factory=now)

    def __call__(self) -> int:
        return self.micros


@dataclass
class World:
    """A core with its services, and the ways to call them."""

    core: Core
    clock: Clock
    channel: grpc.aio.Channel

    async def place(self, preset: str = "SINGLE_ROLE", **settings_: Any) -> Place:
        """Return a new workspace with one admin and an integration."""
        return await new_place(self.core, policy_pb2.Preset.Value(f"PRESET_{preset}"), **settings_)

    async def service(self, scopes: str = "*", workspace_id: str = "") -> str:
        """Return the token of a product."""
        return await credentials.issue_service_token(self.core, "Tests", scopes, workspace_id)

    def stub(self, service: str, method: str) -> Callable[..., Any]:
        """Return a method of a service by name; of a stream it returns the first answer."""
        called: Callable[..., Any] = getattr(STUBS[service](self.channel), method)
        streams = CONTRACT[service].methods_by_name[method].server_streaming
        return _first_of(called) if streams else called

    async def call(self, method: Callable[..., Any], request: Message, token: str) -> Any:
        """Return the answer to *request*, asked with *token*."""
        return await method(request, metadata=bearer(token), timeout=20)

    async def ask(self, token: str, request: Message) -> Any:
        """Return the answer to *request* of the one RPC that takes it."""
        name = request.DESCRIPTOR.name.removesuffix("Request")
        service = next(each for each in CONTRACT if name in CONTRACT[each].methods_by_name)
        return await self.call(self.stub(service, name), request, token)


def _first_of(method: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def first(request: Message, **terms: Any) -> Any:
        call = method(request, **terms)
        try:
            return await call.read()
        finally:
            call.cancel()

    return first


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)


async def refusal(call: Awaitable[Any]) -> DirectoryError:
    """
    Return why the directory refuses a call.

    Everything that a refusal must have is asserted: the code of its reason, ErrorInfo, a trace id.
    """
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = status.error_of_call(caught.value)
    assert error is not None, caught.value
    assert caught.value.code() is error.code
    assert caught.value.details() == error.message
    trailing = dict(caught.value.trailing_metadata())
    assert len(trailing[status.TRACE_KEY]) == 32
    return error


async def set_workspace(core: Core, workspace_id: str, values: workspace_pb2.Workspace) -> None:
    """Merge *values* into a workspace, as its administration would."""

    async def work(tx: Transaction) -> None:
        row = tx.workspace
        message = workspace_pb2.Workspace.FromString(row.document)
        message.MergeFrom(values)
        kept = row._replace(document=message.SerializeToString(), version=row.version + 1)
        await store.update_workspace(tx, kept)

    await core.storage.write(workspace_id, work)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def storage(request, new_database) -> AsyncIterator[Storage]:
    """Give one database of each kind to all these tests, each of which makes its own workspaces."""
    opened = await open_storage(await new_database(request.param))
    yield opened
    await opened.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def core(storage, clock):
    return Core(storage=storage, now=clock, new_id=new_id, page_key=b"k" * 32)


@pytest.fixture
def identity(core):
    """Believes no answer twice, so that a test sees what it changed."""
    return Identity(core, cache_seconds=0)


@pytest.fixture(params=["socket", "process"])
async def world(request, core, identity, clock) -> AsyncIterator[World]:
    if request.param == "process":
        async with InProcessChannel() as channel:
            add_services(core, identity, channel)
            yield World(core, clock, channel)
        return
    server = await start_server(core, identity, settings.read({"grpc_port": "0"}, {}))
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield World(core, clock, channel)
    await server.stop(0)
