"""The gateway in front of a core that answers what a test says."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from falcon.testing import ASGIConductor
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from scim_gateway.app import Stubs, create_app
from scim_gateway.settings import Settings
from tests.gateway.standin import Core, handlers

BASE = "https://scim.example.com/scim/v2"
TOKEN = "ud_0123456789abcdef_secret"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is None without one."""

    status: int
    headers: dict[str, str]
    body: Any


class Http:
    """Sends requests to the application, with a credential unless told otherwise."""

    def __init__(self, conductor: ASGIConductor) -> None:
        """Send to the application of *conductor*."""
        self._conductor = conductor

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        prefix: str = "/scim/v2",
    ) -> Answer:
        """Send *body*, as it is if bytes, else as JSON; headers that are empty are left out."""
        sent = {"authorization": f"Bearer {TOKEN}"}
        if body is not None:
            sent["content-type"] = "application/scim+json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name: value for name, value in (sent | (headers or {})).items() if value}
        path, _, query = path.partition("?")
        result = await self._conductor.simulate_request(
            method, prefix + path, query_string=query, headers=sent, body=body
        )
        found = json.loads(result.content) if result.content else None
        return Answer(result.status_code, dict(result.headers), found)

    async def get(self, path: str, **options: Any) -> Answer:
        """GET *path*."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: Any, **options: Any) -> Answer:
        """POST *body* to *path*."""
        return await self.request("POST", path, body, **options)

    async def put(self, path: str, body: Any, **options: Any) -> Answer:
        """PUT *body* to *path*."""
        return await self.request("PUT", path, body, **options)

    async def patch(self, path: str, *operations: Any, **options: Any) -> Answer:
        """PATCH *path* with operations in order."""
        return await self.request("PATCH", path, {"Operations": operations}, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        """DELETE *path*."""
        return await self.request("DELETE", path, **options)


@dataclass(slots=True)
class Standing:
    """The stand-in for the core, and a channel to it."""

    core: Core
    channel: grpc.aio.Channel


@pytest_asyncio.fixture(scope="session")
async def standing() -> AsyncIterator[Standing]:
    """Give a stand-in for the core behind a socket, one for all tests."""
    core = Core()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(core))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Standing(core, channel)
    await server.stop(None)


@pytest.fixture
def core(standing: Standing) -> Core:
    """Give the stand-in, which has forgotten the test before."""
    standing.core.clear()
    return standing.core


@pytest.fixture
def stubs(standing: Standing, core: Core) -> Stubs:
    """Give stubs to the stand-in."""
    return Stubs(UserDirectoryStub(standing.channel), WorkspaceAdminStub(standing.channel))


@pytest_asyncio.fixture
async def http(stubs: Stubs) -> AsyncIterator[Http]:
    """Give a client of a gateway with the usual settings."""
    async with ASGIConductor(create_app(stubs, Settings(public_url=BASE))) as conductor:
        yield Http(conductor)
