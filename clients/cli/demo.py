"""The demo: four workspaces, one for each preset, with an admin and a token each."""

import json
import os
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, role_pb2, workspace_pb2
from userdirectory.v1.user_directory_pb2 import CreateUserRequest
from userdirectory.v1.user_pb2 import Name, User, Workplace
from userdirectory.v1.workspace_admin_pb2 import (
    CreateIntegrationRequest,
    CreateWorkspaceRequest,
    UpdateIntegrationRequest,
)

from core_service import credentials, integrations, tokens, users, workspaces
from core_service.core import Caller, Core
from core_service.storage import store

_ROLES = (
    role_pb2.Role(name="Admin", kind=role_pb2.ROLE_KIND_ADMIN),
    role_pb2.Role(name="Manager", kind=role_pb2.ROLE_KIND_REGULAR),
    role_pb2.Role(name="Member", kind=role_pb2.ROLE_KIND_REGULAR),
    role_pb2.Role(name="Guest", kind=role_pb2.ROLE_KIND_GUEST),
)

WORKSPACES = (
    workspace_pb2.Workspace(
        id="single-role",
        display_name="Single role",
        plan=workspace_pb2.PLAN_ENTERPRISE,
        sign_on=workspace_pb2.SIGN_ON_OPENID_CONNECT,
        policy=policy_pb2.Policy(preset=policy_pb2.PRESET_SINGLE_ROLE),
        seat_plan=workspace_pb2.SeatPlan(total=1000),
        teams=["Design", "Support"],
        absence_regions=["Bayern", "Hessen"],
    ),
    workspace_pb2.Workspace(
        id="org-chart",
        display_name="Org chart",
        plan=workspace_pb2.PLAN_STANDARD,
        policy=policy_pb2.Policy(preset=policy_pb2.PRESET_ORG_CHART),
    ),
    workspace_pb2.Workspace(
        id="group-mirror",
        display_name="Group mirror",
        plan=workspace_pb2.PLAN_HOSTED,
        policy=policy_pb2.Policy(preset=policy_pb2.PRESET_GROUP_MIRROR),
    ),
    workspace_pb2.Workspace(
        id="strict-rfc",
        display_name="Strict RFC",
        plan=workspace_pb2.PLAN_FREE,
        policy=policy_pb2.Policy(preset=policy_pb2.PRESET_STRICT_RFC),
    ),
)
"""One workspace for each preset, named after it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """
    What it takes to try the directory.

    Attributes:
        service_token: A service credential for everything in all workspaces.
        tokens: The token of each workspace's integration, by the workspace's id.
    """

    service_token: str
    tokens: dict[str, str]


async def ready(core: Core, file: Path) -> Demo:
    """
    Return the demo of this database; what is missing of it is made.

    Args:
        core: The core with the database.
        file: Where the tokens are written, for the owner's eyes only; they are nowhere else. If it
            is lost, new tokens are made and the data stays.
    """
    kept = _read(file)
    if kept is not None and await _is_known(core, kept.service_token):
        return kept
    return Demo(
        service_token=await credentials.issue_service_token(core, "Demo", "*"),
        tokens={wanted.id: await _workspace(core, wanted) for wanted in WORKSPACES},
    )


def write(file: Path, demo: Demo, grpc_address: str, base_url: str) -> None:
    """
    Write what programs need to try the directory, readable by the owner alone.

    Shape: `{"grpc": "127.0.0.1:50051", "service_token": "ud_...", "workspaces":
    {"single-role": {"base_url": "http://...", "token": "ud_..."}}}`.
    """
    content = {
        "grpc": grpc_address,
        "service_token": demo.service_token,
        "workspaces": {
            name: {"base_url": base_url, "token": token} for name, token in demo.tokens.items()
        },
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=2)
        out.write("\n")
    draft.replace(file)


def _read(file: Path) -> Demo | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text())
        named = content["workspaces"]
        return Demo(content["service_token"], {name: named[name]["token"] for name in named})
    except (OSError, ValueError, KeyError, TypeError):
        return None


async def _is_known(core: Core, token: str) -> bool:
    """Whether the token is one of this database and not of another one at the same place."""
    found = tokens.parse(token)
    if found is None:
        return False
    public_id = found[0]
    return await core.storage.read(lambda tx: store.credential(tx, public_id)) is not None


async def _workspace(core: Core, wanted: workspace_pb2.Workspace) -> str:
    """Return a new token of an integration of the workspace, which is made if it is missing."""
    caller = Caller(
        workspace_id=wanted.id,
        integration_id="",
        credential_id="",
        scopes=frozenset("*"),
        trace_id=secrets.token_hex(16),
    )

    def asks(operation: str) -> Caller:
        return replace(caller, operation=operation)

    wanted_with_roles = CreateWorkspaceRequest(workspace=wanted, roles=_ROLES)
    await _unless_taken(workspaces.create(core, asks("CreateWorkspace"), wanted_with_roles))
    admin = User(
        user_name=f"ada.admin@{wanted.id}.example",
        name=Name(given_name="Ada", family_name="Admin"),
        workplace=Workplace(user_role="Admin"),
    )
    await _unless_taken(users.create(core, asks("CreateUser"), CreateUserRequest(user=admin)))
    labelled = CreateIntegrationRequest(label="Demo")
    made = await integrations.create(core, asks("CreateIntegration"), labelled)
    switch = UpdateIntegrationRequest(id=made.integration.id, enabled=True)
    await integrations.update(core, asks("UpdateIntegration"), switch)
    return made.token


async def _unless_taken(made: Awaitable[object]) -> None:
    """Wait for what is made; what was made before is no mistake."""
    try:
        await made
    except DirectoryError as error:
        if error.reason != "VALUE_TAKEN":
            raise
