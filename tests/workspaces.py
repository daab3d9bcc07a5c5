"""Workspaces for tests, made as the product makes them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from userdirectory.v1 import integration_pb2, policy_pb2, role_pb2, workspace_pb2
from userdirectory.v1.user_directory_pb2 import CreateUserRequest, ListRolesRequest
from userdirectory.v1.user_pb2 import Name, User, Workplace
from userdirectory.v1.workspace_admin_pb2 import (
    CreateIntegrationRequest,
    CreateWorkspaceRequest,
    UpdateIntegrationRequest,
)

from core_service import integrations, role_catalogue, users, workspaces
from core_service.core import Caller, Core

ROLES = (
    role_pb2.Role(name="Admin", kind=role_pb2.ROLE_KIND_ADMIN),
    role_pb2.Role(name="Manager", kind=role_pb2.ROLE_KIND_REGULAR),
    role_pb2.Role(name="Member", kind=role_pb2.ROLE_KIND_REGULAR),
    role_pb2.Role(name="Guest", kind=role_pb2.ROLE_KIND_GUEST),
)


@dataclass(frozen=True, slots=True)
class Place:
    """
    A workspace that nobody else knows.

    Attributes:
        token: Of its integration, for SCIM.
        admin_id: Its one user, an active admin, made in the product.
        roles: The ids of its roles by name: Admin, Manager, Member, Guest.
    """

    workspace_id: str
    token: str
    admin_id: str
    roles: dict[str, str]


under_test: list[tuple[Core, str]] = []
"""The workspaces that the test under way has made, to be verified when it ends."""


async def new_place(
    core: Core,
    preset: policy_pb2.Preset = policy_pb2.PRESET_SINGLE_ROLE,
    *,
    seats: int = 1_000,
    teams: Sequence[str] = ("Design", "Support"),
    regions: Sequence[str] = ("Bayern", "Hessen"),
) -> Place:
    """Return a fresh workspace that may be provisioned, whatever plan its preset needs."""
    workspace_id = f"w{secrets.token_hex(8)}"
    caller = _product(workspace_id)
    wanted = workspace_pb2.Workspace(
        id=workspace_id,
        plan=workspace_pb2.PLAN_ENTERPRISE,
        sign_on=workspace_pb2.SIGN_ON_OPENID_CONNECT,
        policy=policy_pb2.Policy(
            preset=preset,
            plan_needed=policy_pb2.PLAN_NEEDED_NONE,
            integration_enabled=True,
        ),
        seat_plan=workspace_pb2.SeatPlan(total=seats),
        teams=teams,
        absence_regions=regions,
    )
    await workspaces.create(core, caller, CreateWorkspaceRequest(workspace=wanted, roles=ROLES))
    under_test.append((core, workspace_id))
    admin = User(
        user_name=f"ada@{workspace_id}.example",
        name=Name(given_name="Ada", family_name="Admin"),
        workplace=Workplace(user_role="Admin"),
    )
    made = await users.create(core, caller, CreateUserRequest(user=admin))
    _, token = await connect(core, workspace_id)
    listed = await role_catalogue.list_(core, caller, ListRolesRequest())
    return Place(workspace_id, token, made.user.id, {role.name: role.id for role in listed.roles})


async def connect(core: Core, workspace_id: str, label: str = "Tests") -> tuple[str, str]:
    """Return the id of a new integration of a workspace, and its token."""
    request = CreateIntegrationRequest(provider=integration_pb2.PROVIDER_GENERIC, label=label)
    made = await integrations.create(core, _product(workspace_id), request)
    return made.integration.id, made.token


async def switch(core: Core, workspace_id: str, integration_id: str, *, enabled: bool) -> None:
    """Switch an integration on or off."""
    request = UpdateIntegrationRequest(id=integration_id, enabled=enabled)
    await integrations.update(core, _product(workspace_id), request)


def _product(workspace_id: str) -> Caller:
    return Caller(
        workspace_id=workspace_id,
        integration_id="",
        credential_id="",
        scopes=frozenset("*"),
        trace_id=secrets.token_hex(16),
    )
