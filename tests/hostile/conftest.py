"""Two workspaces with their identity providers, callers of the core, and bytes on a socket."""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.contract.conftest import bearer, refusal
from tests.coverage.conftest import NewIdp, idp, new_idp
from tests.coverage.idp import Idp
from tests.fuzz.conftest import served
from tests.fuzz.wire import Wire
from tests.scim import Answer
from tests.system import System

__all__ = ["idp", "new_idp"]

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_PEOPLE = user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"].methods_by_name


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls the core over a socket with any token."""

    channel: grpc.aio.Channel

    async def ask(self, token: str, request: Message) -> Any:
        """Return the answer to a request."""
        name = request.DESCRIPTOR.name.removesuffix("Request")
        stub = (UserDirectoryStub if name in _PEOPLE else WorkspaceAdminStub)(self.channel)
        return await getattr(stub, name)(request, metadata=bearer(token), timeout=20)

    async def refused(self, token: str, request: Message) -> DirectoryError:
        """Return why a request is refused."""
        return await refusal(self.ask(token, request))


@pytest.fixture
async def caller(directory: System) -> AsyncIterator[Caller]:
    """Give a caller of the core."""
    async with grpc.aio.insecure_channel(directory.address) as channel:
        yield Caller(channel)


@pytest.fixture
async def wire(directory: System) -> AsyncIterator[Wire]:
    """Give a connection to a gateway that serves as in production."""
    async with served(directory, by_socket=True) as wire:
        yield wire


@pytest.fixture
async def neighbours(new_idp: NewIdp) -> tuple[Idp, Idp]:
    """Give the identity providers of two workspaces."""
    return await new_idp(), await new_idp()


def assert_refused(answer: Answer, status: int, scim_type: str = "") -> None:
    """Assert that an answer is a SCIM error with a trace id."""
    assert status == answer.status, answer.body
    assert [ERROR] == answer.body["schemas"]
    assert str(status) == answer.body["status"]
    assert scim_type == answer.body.get("scimType", ""), answer.body
    assert answer.headers["trace-id"] in answer.body["detail"]


@contextlib.asynccontextmanager
async def unchanged(idp: Idp, *paths: str) -> AsyncIterator[None]:
    """Assert that what is at *paths* is the same afterwards, `meta.version` included."""
    before = [(await idp.send("GET", path)).body for path in paths]
    yield
    assert before == [(await idp.send("GET", path)).body for path in paths]


async def until(seconds: float, condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as an asynchronous condition holds; AssertionError after *seconds*."""
    ends = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < ends
