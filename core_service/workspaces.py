"""The use cases of workspaces, their roles and what connects them with identity providers."""

import re

from userdirectory.errors import DirectoryError
from userdirectory.text import fold, name_key
from userdirectory.v1 import role_pb2, user_directory_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import policy, tokens, views
from core_service.context import KINDS
from core_service.core import Caller, Core
from core_service.rules import names, regions
from core_service.rules import roles as role_rules
from core_service.rules import teams as team_rules
from core_service.rules.roles import RoleFacts
from core_service.storage import store
from core_service.storage.database import Transaction

_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")


async def get(
    core: Core, caller: Caller, request: api.GetWorkspaceRequest
) -> api.GetWorkspaceResponse:
    """
    Return the workspace of the call.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> api.GetWorkspaceResponse:
        await core.contexts.read(tx, caller.workspace_id)
        row = await store.workspace(tx, caller.workspace_id)
        assert row is not None
        return api.GetWorkspaceResponse(workspace=_shown(row))

    return await core.storage.read(work)


async def create(
    core: Core, caller: Caller, request: api.CreateWorkspaceRequest
) -> api.CreateWorkspaceResponse:
    """
    Create a workspace with its roles.

    Raises:
        DirectoryError: FIELD_INVALID, VALUE_TAKEN.
    """
    wanted = _checked(request.workspace)
    roles = _checked_roles(list(request.roles))
    now = core.now()
    row = store.WorkspaceRow(
        id=request.workspace.id,
        version=1,
        create_time=now,
        update_time=now,
        document=b"",
        users_count=0,
        active_admins=0,
        seats_used=0,
        groups_count=0,
    )

    async def work(tx: Transaction) -> api.CreateWorkspaceResponse:
        if await store.workspace(tx, row.id) is not None:
            raise DirectoryError(
                "VALUE_TAKEN",
                f"A workspace has the id {row.id}. Choose another id.",
                field="id",
                value=row.id,
            )
        kept = row._replace(document=wanted.SerializeToString(deterministic=True))
        await store.insert_workspace(tx, kept)
        for rank, role in enumerate(roles, start=1):
            await store.insert_role(tx, _role_row(core, row.id, role, rank, now))
        return api.CreateWorkspaceResponse(workspace=_shown(kept))

    return await core.storage.write("", work)


async def get_role(
    core: Core, caller: Caller, request: user_directory_pb2.GetRoleRequest
) -> user_directory_pb2.GetRoleResponse:
    """
    Return one role; provisioning clients find no guest role.

    Raises:
        DirectoryError: ROLE_NOT_FOUND.
    """
    listed = await list_roles(core, caller, user_directory_pb2.ListRolesRequest())
    for role in listed.roles:
        if role.id == request.id:
            return user_directory_pb2.GetRoleResponse(role=role)
    raise DirectoryError(
        "ROLE_NOT_FOUND",
        f"No role has the id {request.id!r}. List the roles to find the right one.",
        id=request.id,
    )


async def list_roles(
    core: Core, caller: Caller, request: user_directory_pb2.ListRolesRequest
) -> user_directory_pb2.ListRolesResponse:
    """Return the roles of a workspace by rank; provisioning clients find no guest role."""

    async def work(tx: Transaction) -> user_directory_pb2.ListRolesResponse:
        rows = await store.roles(tx, caller.workspace_id)
        hidden = role_pb2.ROLE_KIND_GUEST if caller.provisions else None
        return user_directory_pb2.ListRolesResponse(
            roles=[views.role(row) for row in rows if row.kind != hidden]
        )

    return await core.storage.read(work)


async def create_integration(
    core: Core, workspace_id: str, provider: int, label: str
) -> tuple[str, str]:
    """
    Connect a workspace with an identity provider.

    Returns:
        The integration's id, and a token that is shown only here (D-23).

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """
    names.text("label", label)
    public_id, token, digest = tokens.new_token()
    integration_id = core.new_id()

    async def work(tx: Transaction) -> None:
        context, _ = await core.contexts.locked(tx)
        await store.insert_integration(
            tx,
            store.IntegrationRow(
                workspace_id=workspace_id,
                id=integration_id,
                provider=provider,
                label=label,
                enabled=context.policy.integration_enabled,
                create_time=core.now(),
            ),
        )
        await store.insert_credential(
            tx, _credential(core, public_id, digest, label, workspace_id, integration_id)
        )

    await core.storage.write(workspace_id, work)
    return integration_id, token


async def enable_integration(
    core: Core, workspace_id: str, integration_id: str, *, enabled: bool
) -> None:
    """Switch an integration on or off; its tokens stay valid either way (D-22)."""

    async def work(tx: Transaction) -> None:
        row = await store.integration(tx, workspace_id, integration_id)
        if row is None:
            raise LookupError(integration_id)
        await store.update_integration(tx, row._replace(enabled=enabled))

    await core.storage.write(workspace_id, work)


async def issue_service_token(core: Core, label: str, scopes: str, workspace_id: str = "") -> str:
    """
    Return a new token for a product.

    Args:
        scopes: What it may do, separated by blanks; `*` is everything.
        workspace_id: The one workspace it is for; empty means all.
    """
    public_id, token, digest = tokens.new_token()

    async def work(tx: Transaction) -> None:
        row = _credential(core, public_id, digest, label, workspace_id, "")
        await store.insert_credential(tx, row._replace(scopes=scopes))

    await core.storage.write(workspace_id, work)
    return token


def _credential(
    core: Core, public_id: str, digest: bytes, label: str, workspace_id: str, integration_id: str
) -> store.CredentialRow:
    return store.CredentialRow(
        id=public_id,
        workspace_id=workspace_id,
        integration_id=integration_id,
        digest=digest,
        scopes="",
        label=label,
        create_time=core.now(),
        expire_time=None,
        revoke_time=None,
        last_use_time=None,
    )


def _shown(row: store.WorkspaceRow) -> workspace_pb2.Workspace:
    message = workspace_pb2.Workspace.FromString(row.document)
    message.id = row.id
    message.etag = views.etag(row.version)
    message.create_time.CopyFrom(views.timestamp(row.create_time))
    message.update_time.CopyFrom(views.timestamp(row.update_time))
    message.policy.CopyFrom(policy.to_message(policy.of(message.policy)))
    return message


def _checked(sent: workspace_pb2.Workspace) -> workspace_pb2.Workspace:
    """Return a workspace as it is stored."""
    if not _ID.fullmatch(sent.id):
        raise DirectoryError(
            "FIELD_INVALID",
            f"The id {sent.id!r} is not a workspace id. Use lower-case letters, digits and "
            "hyphens, a letter first, at most 63.",
            field="id",
            value=sent.id,
        )
    policy.check(sent.policy)
    wanted = workspace_pb2.Workspace()
    wanted.CopyFrom(sent)
    for field in ("id", "etag", "create_time", "update_time", "default_role_id"):
        wanted.ClearField(field)
    names.text("display_name", wanted.display_name)
    wanted.teams[:] = team_rules.catalogue(sent.teams)
    wanted.absence_regions[:] = regions.catalogue(sent.absence_regions)
    return wanted


def _checked_roles(sent: list[role_pb2.Role]) -> list[role_pb2.Role]:
    """Return the roles of a new workspace, by rank."""
    roles = sent or [
        role_pb2.Role(name="Admin", kind=role_pb2.ROLE_KIND_ADMIN),
        role_pb2.Role(name="Member", kind=role_pb2.ROLE_KIND_REGULAR),
        role_pb2.Role(name="Guest", kind=role_pb2.ROLE_KIND_GUEST),
    ]
    role_rules.guard_catalogue(
        [
            RoleFacts(id="", name=role.name, kind=KINDS[role.kind], rank=rank)
            for rank, role in enumerate(roles, start=1)
        ]
    )
    return roles


def _role_row(
    core: Core, workspace_id: str, role: role_pb2.Role, rank: int, now: int
) -> store.RoleRow:
    name = names.group_name(role.name)
    return store.RoleRow(
        workspace_id=workspace_id,
        id=core.new_id(),
        name=name,
        name_key=name_key(name),
        name_fold=fold(name),
        kind=role.kind or role_pb2.ROLE_KIND_REGULAR,
        rank=rank,
        version=1,
        create_time=now,
        update_time=now,
    )
