"""A core called over the socket, with the ways to read its log."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1 import log_pb2, notice_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import Email, Name, User, UserRef
from userdirectory.v1.workspace_admin_pb2 import ListFailuresRequest, ListLogRequest

from core_service import verify
from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.identity import Identity
from core_service.opening import new_id
from core_service.service import add_services
from core_service.storage.database import open_storage
from tests import workspaces
from tests.contract.conftest import Clock, World, bearer, refusal
from tests.workspaces import Place

SECOND = 1_000_000
_PEOPLE = api.DESCRIPTOR.services_by_name["UserDirectory"].methods_by_name


@dataclass
class Office:
    """
    A workspace, its identity provider, and a product beside.

    Attributes:
        product: The token of a product.
    """

    world: World
    place: Place
    product: str

    def person(self, name: str, **values: Any) -> User:
        """Return a user as one is created."""
        user_name = f"{name}@{self.place.workspace_id}.example"
        values.setdefault("emails", [Email(value=user_name, type="work")])
        return User(
            user_name=user_name, name=Name(given_name=name.title(), family_name="Tester"), **values
        )

    async def ask(self, request: Message, *, product: bool = False, trace: str = "") -> Any:
        """Return the answer to a request of the identity provider, or of the product."""
        if product:
            request.workspace_id = self.place.workspace_id
        self.world.clock.micros += SECOND
        name = request.DESCRIPTOR.name.removesuffix("Request")
        service = "UserDirectory" if name in _PEOPLE else "WorkspaceAdmin"
        metadata = bearer(self.product if product else self.place.token)
        if trace:
            metadata = (*metadata, ("traceparent", f"00-{trace}-{'1' * 16}-01"))
        return await self.world.stub(service, name)(request, metadata=metadata, timeout=20)

    async def refused(self, request: Message, **how: Any) -> DirectoryError:
        """Return why a request is refused."""
        return await refusal(self.ask(request, **how))

    async def create(self, name: str, *, product: bool = False, **values: Any) -> User:
        """Return a new user."""
        request = api.CreateUserRequest(user=self.person(name, **values))
        return (await self.ask(request, product=product)).user

    async def set(self, user_id: str, *, product: bool = False, **values: Any) -> Any:
        """Return the answer to an update of those fields."""
        request = api.UpdateUserRequest(user=User(id=user_id, **values))
        return await self.ask(request, product=product)

    async def delete(self, user_id: str, *, product: bool = False) -> None:
        """Delete a user."""
        await self.ask(api.DeleteUserRequest(user=UserRef(id=user_id)), product=product)

    async def get(self, user_id: str) -> User:
        """Return a user as the product sees it."""
        request = api.GetUserRequest(user=UserRef(id=user_id))
        return (await self.ask(request, product=True)).user

    async def log(self, **filters: Any) -> list[log_pb2.LogEntry]:
        """Return the log, newest first."""
        return list((await self.ask(ListLogRequest(**filters), product=True)).entries)

    async def failures(self, **filters: Any) -> list[Any]:
        """Return the failures, the most frequent first."""
        return list((await self.ask(ListFailuresRequest(**filters), product=True)).failures)


def codes(notices: Any) -> list[str]:
    """Return the codes of notices by name, without their prefix."""
    names = [notice_pb2.NoticeCode.Name(notice.code) for notice in notices]
    return [name.removeprefix("NOTICE_CODE_") for name in names]


def changes(entry: log_pb2.LogEntry) -> dict[str, tuple[str, str]]:
    """Return the changes of an entry by field: before and after."""
    return {change.field: (change.before, change.after) for change in entry.changes}


@contextlib.asynccontextmanager
async def world_on(url: str) -> AsyncIterator[World]:
    """Give a core on a database, called within the process, whose clock the tests move."""
    storage = await open_storage(url)
    clock = Clock()
    core = Core(storage=storage, now=clock, new_id=new_id, page_key=b"k" * 32)
    try:
        async with InProcessChannel() as channel:
            add_services(core, Identity(core, cache_seconds=0), channel)
            yield World(core, clock, channel)
    finally:
        await storage.close()


@contextlib.asynccontextmanager
async def alone_on(url: str) -> AsyncIterator[World]:
    """Give what `world_on` does, whose workspaces keep the rules to its end."""
    async with world_on(url) as world:
        yield world
        await find_the_rules_kept(world.core)


async def find_the_rules_kept(core: Core) -> None:
    """Verify the workspaces that the test has made, before their storage is closed."""
    made = sorted({id_ for _, id_ in workspaces.under_test})
    workspaces.under_test.clear()
    assert [] == await verify.findings(core.storage, made)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def world(request, new_database) -> AsyncIterator[World]:
    """Give one database of each kind to all these tests, each of which makes its own workspaces."""
    async with world_on(await new_database(request.param)) as made:
        yield made


async def office_in(world: World, preset: str = "SINGLE_ROLE", **settings: Any) -> Office:
    """Return a new workspace with the ways to call it."""
    place = await world.place(preset, **settings)
    return Office(world, place, await world.service())


@pytest.fixture
async def office(world) -> Office:
    """A fresh workspace of the preset single-role."""
    return await office_in(world)


def trace() -> str:
    """Return a trace id that nobody had."""
    return secrets.token_hex(16)
