"""Where callers meet: a fresh workspace, two gRPC doors into it and one SCIM door."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import grpc
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, UserChange, UserValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import Name, RoleGrant, User, Workplace
from userdirectory.v1.workspace_admin_pb2 import GetSeatsRequest, GetSeatsResponse
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from clients.directory import AsyncDirectory
from core_service.core import Core
from tests.scim import WORKPLACE, Answer, Scim
from tests.workspaces import Place, new_place

ROLE = "workplace.user_role"
SEATS = 11
"""Seats of an arena: one is the admin's, ten are free."""


class Door:
    """A product that calls by gRPC."""

    def __init__(self, channel: grpc.aio.Channel, token: str, workspace_id: str) -> None:
        """Make calls on *channel* in one workspace."""
        self._directory = AsyncDirectory(channel, token, workspace_id=workspace_id)
        self._admin: Any = WorkspaceAdminStub(channel)
        self._token = token
        self._workspace_id = workspace_id

    async def create(self, user_name: str, role: str = "") -> api.CreateUserResponse:
        """Create a user, with the default role if none is named."""
        return await self._directory.create_user(
            User(
                user_name=user_name,
                name=Name(given_name="Grace", family_name="Hopper"),
                workplace=Workplace(user_role=role) if role else None,
            )
        )

    async def create_as(self, user: User, key: str) -> api.CreateUserResponse:
        """Create a user in the name of a key."""
        return await self._directory.create_user(user, idempotency_key=key)

    async def set_role(self, user_id: str, role: str) -> object:
        """Write the role by its name."""
        user = User(id=user_id, workplace=Workplace(user_role=role))
        return await self._directory.update_user(user, ROLE)

    async def demote(self, user_id: str) -> object:
        """Make an admin a member."""
        return await self.set_role(user_id, "Member")

    async def deactivate(self, user_id: str) -> object:
        """Deactivate a user."""
        return await self._directory.update_user(User(id=user_id, active=False), "active")

    async def activate(self, user_id: str) -> object:
        """Make a user active again, with the role that the user has."""
        return await self._directory.update_user(User(id=user_id, active=True), "active")

    async def restore(self, user_id: str) -> object:
        """Make a user an active admin again."""
        user = User(id=user_id, active=True, workplace=Workplace(user_role="Admin"))
        return await self._directory.update_user(user, "active", ROLE)

    async def grant(self, user_id: str, role: str) -> object:
        """Write the role as a value of `roles`, the core attribute."""
        value = User(roles=[RoleGrant(value=role, primary=True)])
        change = UserChange(set=UserValue(field="roles", value=value))
        return await self._directory.patch_user(user_id, [change])

    async def join(self, role_id: str, user_id: str) -> object:
        """Write the role as a member of its group."""
        value = Group(members=[Member(member_id=user_id)])
        change = GroupChange(add=GroupValue(field="members", value=value))
        return await self._directory.patch_group(role_id, [change])

    async def user(self, user_id: str) -> User:
        """Return a user."""
        return await self._directory.get_user(user_id)

    async def users(self) -> list[User]:
        """Return all users of the workspace."""
        return [user async for user in self._directory.list_users(page_size=1000)]

    async def named(self, user_name: str) -> list[User]:
        """Return the users with this name."""
        named = Filter(equal=Comparison(field="user_name", text=user_name))
        return [user async for user in self._directory.list_users(named)]

    async def seats(self) -> GetSeatsResponse:
        """Return the seats of the workspace."""
        request = GetSeatsRequest(workspace_id=self._workspace_id)
        metadata = (("authorization", f"Bearer {self._token}"),)
        answer: GetSeatsResponse = await self._admin.GetSeats(request, metadata=metadata)
        return answer

    async def members(self, role_id: str) -> list[str]:
        """Return the ids of the users who have a role."""
        return [member.member_id async for member in self._directory.list_members(role_id)]


class ScimDoor:
    """An identity provider that calls by SCIM; every call has a connection of its own."""

    def __init__(self, base_url: str, token: str) -> None:
        """Make requests to the gateway at *base_url*."""
        self._base_url = base_url
        self._token = token

    async def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request from a thread, so that others go on meanwhile."""

        def send() -> Answer:
            with Scim(self._base_url, self._token) as client:
                return client.request(method, path, body, headers)

        return await asyncio.to_thread(send)

    async def patch(self, path: str, *operations: dict[str, Any]) -> Answer:
        """PATCH with operations in order."""
        return await self.request("PATCH", path, {"Operations": operations})

    async def set_role(self, user_id: str, role: str) -> Answer:
        """Write the role by its name."""
        return await self.patch(
            f"/Users/{user_id}", {"op": "replace", "path": f"{WORKPLACE}:userRole", "value": role}
        )

    async def demote(self, user_id: str) -> Answer:
        """Make an admin a member."""
        return await self.set_role(user_id, "Member")

    async def deactivate(self, user_id: str) -> Answer:
        """Deactivate a user as Okta does."""
        return await self.patch(f"/Users/{user_id}", {"op": "replace", "value": {"active": False}})

    async def join(self, role_id: str, user_id: str) -> Answer:
        """Write the role as a member of its group."""
        operation = {"op": "add", "path": "members", "value": [{"value": user_id}]}
        return await self.patch(f"/Groups/{role_id}", operation)


@dataclass(frozen=True, slots=True)
class Arena:
    """
    A fresh workspace and the doors into it.

    Attributes:
        doors: Two callers by gRPC: on one channel, on two, or each at a core of its own.
        scim: A caller by SCIM, who reaches the core of the second door.
    """

    place: Place
    doors: tuple[Door, Door]
    scim: ScimDoor

    @property
    def roles(self) -> dict[str, str]:
        """The ids of the roles that provisioning may give, by name."""
        return {name: id_ for name, id_ in self.place.roles.items() if name != "Guest"}

    async def admins(self, count: int) -> list[str]:
        """Return the ids of the active admins of the workspace, which are *count* from now on."""
        made = [
            await self.doors[0].create(f"admin.{number}@example.com", "Admin")
            for number in range(1, count)
        ]
        return [self.place.admin_id, *(each.user.id for each in made)]

    async def active_admins(self) -> list[str]:
        """Return the ids of the active admins."""
        admin = self.roles["Admin"]
        users = await self.doors[0].users()
        return [user.id for user in users if user.active and user.role_id == admin]

    async def restore(self, user_id: str) -> None:
        """Make a user an active admin again."""
        await self.doors[0].restore(user_id)


async def build(
    core: Core,
    channels: tuple[grpc.aio.Channel, grpc.aio.Channel],
    base_url: str,
    service_token: str,
) -> Arena:
    """
    Return a fresh workspace with one admin and the doors into it.

    Args:
        core: A core on the same database, to make the workspace with.
        channels: For the two doors.
        base_url: Where the gateway answers.
        service_token: A credential for everything.
    """
    place = await new_place(core, seats=SEATS)
    first, second = (Door(channel, service_token, place.workspace_id) for channel in channels)
    return Arena(place, (first, second), ScimDoor(base_url, place.token))


async def race(*calls: Awaitable[Any]) -> list[Any]:
    """
    Make all calls at once and return what each came to, in order.

    A refusal is the name of its reason, or the status of the SCIM answer as text; anything else
    that goes wrong is raised.
    """
    return await asyncio.gather(*(_outcome(call) for call in calls))


def refused(results: list[Any]) -> list[str]:
    """Return the refusals among the results of a race."""
    return [each for each in results if isinstance(each, str)]


async def _outcome(call: Awaitable[Any]) -> Any:
    try:
        result = await call
    except DirectoryError as error:
        return error.reason
    if isinstance(result, Answer) and result.status >= 400:
        return str(result.status)
    return result
