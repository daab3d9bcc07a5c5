"""The use cases of workspaces: reading and listing them, creating one, setting its own values."""

import re
from urllib.parse import urlsplit

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.errors import DirectoryError
from userdirectory.v1 import role_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import custom_attributes, listing, policy, role_rows, views
from core_service.core import Caller, Core
from core_service.rules import names, regions
from core_service.rules import teams as team_rules
from core_service.rules.wording import invalid, shown
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.workspace_writes import change
from core_service.writing import Write

_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_LINK_LIMIT = 2048
_OWN = ("display_name", "link", "plan", "sign_on", "seat_plan", "default_role_id")
_OWN_PARTS = ("seat_plan.total", "seat_plan.automatic_booking")
_DERIVED = (
    "id",
    "etag",
    "create_time",
    "update_time",
    "default_role_id",
    "has_external_users",
)


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
        return api.GetWorkspaceResponse(workspace=await _shown(tx, row))

    return await core.storage.read(work)


async def list_(
    core: Core, caller: Caller, request: api.ListWorkspacesRequest
) -> api.ListWorkspacesResponse:
    """
    Return a page of all workspaces, by id; its own alone to a caller that is bound to one.

    Raises:
        DirectoryError: PAGE_TOKEN_INVALID, FIELD_INVALID (page size).
    """
    scope = listing.scope(caller.workspace_id, "workspaces", None, "")
    after = ""
    if request.page_token:
        after = str(pages.decode_token(core.page_key, scope, request.page_token)[0])
    limit = listing.page_size(request.page_size)

    async def work(tx: Transaction) -> api.ListWorkspacesResponse:
        if caller.workspace_id:
            row = await store.workspace(tx, caller.workspace_id)
            own = [] if row is None else [await _shown(tx, row)]
            return api.ListWorkspacesResponse(workspaces=own)
        rows = await store.workspaces_page(tx, after, role_pb2.ROLE_KIND_GUEST, limit + 1)
        last = [rows[limit - 1][0].id] if len(rows) > limit else None
        return api.ListWorkspacesResponse(
            workspaces=[_message(row, external) for row, external in rows[:limit]],
            next_page_token=listing.token(core.page_key, scope, last),
        )

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
    roles = role_rows.checked(request.roles)
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
            await store.insert_role(tx, role_rows.new_row(core, row.id, role, rank, now))
        return api.CreateWorkspaceResponse(workspace=await _shown(tx, kept))

    return await core.write(caller, work)


async def update(
    core: Core, caller: Caller, request: api.UpdateWorkspaceRequest
) -> api.UpdateWorkspaceResponse:
    """
    Set what the mask names of the workspace's own values, and nothing else.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND, ETAG_MISMATCH, FIELD_UNKNOWN (mask), FIELD_READ_ONLY
            for a field that another RPC writes, FIELD_INVALID.
    """
    sent = request.workspace
    paths = _paths(sent, request.update_mask)
    _check_values(sent)

    async def work(tx: Transaction) -> api.UpdateWorkspaceResponse:
        write = await Write.begin(core, tx, caller)
        views.check_etag(write.row.version, sent.etag)
        if "default_role_id" in paths:
            _check_default_role(write, sent.default_role_id)
        wanted = workspace_pb2.Workspace()
        wanted.CopyFrom(write.context.message)
        FieldMask(paths=paths).MergeMessage(sent, wanted, replace_message_field=True)
        row = write.row
        if wanted != write.context.message:
            row = await change(write, lambda message: message.CopyFrom(wanted))
        return api.UpdateWorkspaceResponse(workspace=await _shown(tx, row))

    return await core.write(caller, work)


async def _shown(tx: Transaction, row: store.WorkspaceRow) -> workspace_pb2.Workspace:
    return _message(row, await store.has_users_of_kind(tx, row.id, role_pb2.ROLE_KIND_GUEST))


def _message(row: store.WorkspaceRow, has_external_users: bool) -> workspace_pb2.Workspace:
    message = workspace_pb2.Workspace.FromString(row.document)
    message.id = row.id
    message.etag = views.etag(row.version)
    message.create_time.CopyFrom(views.timestamp(row.create_time))
    message.update_time.CopyFrom(views.timestamp(row.update_time))
    message.policy.CopyFrom(policy.to_message(policy.of(message.policy)))
    # Whether another way to sign in than the single sign-on must stay is all that the directory
    # says of it; switching one off is the product's.
    message.has_external_users = has_external_users
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
    _check_values(sent)
    wanted = workspace_pb2.Workspace()
    wanted.CopyFrom(sent)
    for field in _DERIVED:
        wanted.ClearField(field)
    wanted.teams[:] = team_rules.catalogue(sent.teams)
    wanted.absence_regions[:] = regions.catalogue(sent.absence_regions)
    declared = custom_attributes.checked(sent.custom_attributes)
    del wanted.custom_attributes[:]
    wanted.custom_attributes.extend(declared)
    return wanted


def _check_values(sent: workspace_pb2.Workspace) -> None:
    """Refuse values that no workspace can have."""
    names.text("display_name", sent.display_name)
    names.text("link", sent.link, _LINK_LIMIT)
    if sent.link and urlsplit(sent.link).scheme not in ("http", "https"):
        raise invalid("link", "The link is not an address of the web. Send https://...")
    for field, known in (("plan", workspace_pb2.Plan), ("sign_on", workspace_pb2.SignOn)):
        value = getattr(sent, field)
        if value not in known.values():
            raise invalid(field, f"{value} is no {field}. Choose another.", value=value)
    if sent.seat_plan.total < 0:
        raise invalid(
            "seat_plan.total",
            f"There cannot be {sent.seat_plan.total} seats. Send 0 or more.",
            value=sent.seat_plan.total,
        )


def _check_default_role(write: Write, role_id: str) -> None:
    role = write.context.roles.get(role_id)
    if role_id and (role is None or role.kind == "guest"):
        raise invalid(
            "default_role_id",
            f"{shown(role_id)!r} is not the id of a role that is not for guests. "
            "List the roles to find one.",
            value=shown(role_id),
        )


def _paths(sent: workspace_pb2.Workspace, mask: FieldMask) -> list[str]:
    """Return the fields that an update sets."""
    paths = list(mask.paths)
    if "*" in paths:
        return list(_OWN)
    for path in paths:
        if path in _OWN or path in _OWN_PARTS:
            continue
        known = path.partition(".")[0] in sent.DESCRIPTOR.fields_by_name
        raise DirectoryError(
            "FIELD_READ_ONLY" if known else "FIELD_UNKNOWN",
            f"{shown(path)!r} is nothing that this sets. Name {', '.join(_OWN)}.",
            field="update_mask",
        )
    return paths or [field.name for field, _ in sent.ListFields() if field.name in _OWN]
