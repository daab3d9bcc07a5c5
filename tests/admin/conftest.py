"""The administration of workspaces, over a real socket and within the process, and SCIM beside."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1.user_directory_pb2 import CreateUserRequest, GetUserRequest
from userdirectory.v1.user_pb2 import Name, User, UserRef, Workplace
from userdirectory.v1.workspace_admin_pb2 import CreateIntegrationRequest, ListIntegrationsRequest

from core_service.identity import Identity
from tests.contract.conftest import World, clock, core, identity, refusal, storage, world
from tests.scim import Answer, Scim
from tests.system import gateway
from tests.workspaces import Place

__all__ = ["clock", "core", "identity", "storage", "world"]


@dataclass
class Admin:
    """A product that may do everything, and identity providers that speak SCIM."""

    world: World
    identity: Identity
    token: str
    base_url: str

    async def ask(self, place: Place, request: Message) -> Any:
        """Return the answer to *request*, asked for the workspace of *place*."""
        request.workspace_id = place.workspace_id  # type: ignore[attr-defined]
        return await self.world.ask(self.token, request)

    async def refused(self, place: Place, request: Message) -> DirectoryError:
        """Return why *request* is refused."""
        return await refusal(self.ask(place, request))

    async def scim(self, token: str, method: str, path: str, body: Any = None) -> Answer:
        """Return the answer to a SCIM request."""

        def send() -> Answer:
            with Scim(self.base_url, token) as client:
                return client.request(method, path, body)

        return await asyncio.to_thread(send)

    async def user(self, place: Place, name: str, role: str = "", **workplace: Any) -> User:
        """Return a new user, made in the product."""
        workplace |= {"user_role": role} if role else {}
        user = User(
            user_name=f"{name}@{place.workspace_id}.example",
            name=Name(given_name="Grace", family_name="Hopper"),
            workplace=Workplace(**workplace),
        )
        return (await self.ask(place, CreateUserRequest(user=user))).user

    async def get(self, place: Place, user_id: str) -> User:
        """Return a user as the product sees it."""
        return (await self.ask(place, GetUserRequest(user=UserRef(id=user_id)))).user

    async def integration(self, place: Place, **values: Any) -> Any:
        """Return the answer to a new integration."""
        return await self.ask(place, CreateIntegrationRequest(**values))

    async def integrations(self, place: Place) -> list[Any]:
        """Return the integrations of a workspace."""
        answer = await self.ask(place, ListIntegrationsRequest())
        return list(answer.integrations)


@pytest.fixture
async def admin(world: World, identity: Identity) -> AsyncIterator[Admin]:
    """Give a product, and a gateway in front of the same core."""
    async with gateway(world.channel) as base_url:
        yield Admin(world, identity, await world.service(), base_url)
