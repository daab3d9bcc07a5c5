"""Statements about workspaces, settings and roles."""

from collections.abc import Iterable

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.expressions import one_of
from core_service.storage.rows import RoleRow, WorkspaceRow
from core_service.storage.statements import (
    insert_unless_there,
    param,
    prefixed,
    touched,
    update_by,
    where,
)
from core_service.storage.tables import roles as roles_table
from core_service.storage.tables import settings, users, workspaces

_WORKSPACE = sa.select(workspaces).where(workspaces.c.id == param("id"))
LOCK_WORKSPACE = _WORKSPACE.with_for_update()
_WORKSPACE_IDS = sa.select(workspaces.c.id).order_by(workspaces.c.id)
_PAGE = (
    sa.select(
        workspaces,
        sa.exists().where(
            users.c.workspace_id == workspaces.c.id,
            roles_table.c.workspace_id == workspaces.c.id,
            roles_table.c.kind == param("kind", sa.BigInteger()),
            users.c.role_id == roles_table.c.id,
            users.c.unlink_time.is_(None),
            users.c.delete_time.is_(None),
        ),
    )
    .where(workspaces.c.id > param("after"))
    .order_by(workspaces.c.id)
    .limit(param("limit", sa.BigInteger()))
)
_INSERT_WORKSPACE = sa.insert(workspaces)
_UPDATE_WORKSPACE = update_by(workspaces, "id")
_ADD_COUNTS = (
    sa.update(workspaces)
    .where(workspaces.c.id == param("key"))
    .values(
        {
            column: column + param(f"more_{column.name}", sa.BigInteger())
            for column in (
                workspaces.c.users_count,
                workspaces.c.active_admins,
                workspaces.c.seats_used,
                workspaces.c.groups_count,
            )
        }
    )
)
_SETTING = sa.select(settings.c.value).where(settings.c.name == param("name"))
_PUT_SETTING = insert_unless_there(settings, settings.c.name)

_ROLES = (
    sa.select(roles_table)
    .where(roles_table.c.workspace_id == param("workspace_id"))
    .order_by(roles_table.c.rank, roles_table.c.id)
)
_INSERT_ROLE = sa.insert(roles_table)
_UPDATE_ROLE = update_by(roles_table, "workspace_id", "id")
_TOUCH_ROLES = touched(roles_table).where(one_of(roles_table.c.id, "ids"))
_TOUCH_ALL_ROLES = touched(roles_table)
_DELETE_ROLE = where(sa.delete(roles_table), roles_table, "workspace_id", "id")
_USER_OF_KIND = (
    where(sa.select(users.c.id), users, "workspace_id")
    .where(
        roles_table.c.workspace_id == param("workspace_id"),
        roles_table.c.kind == param("kind", sa.BigInteger()),
        users.c.role_id == roles_table.c.id,
        users.c.unlink_time.is_(None),
        users.c.delete_time.is_(None),
    )
    .limit(1)
)


async def workspace(tx: Transaction, id: str) -> WorkspaceRow | None:
    """Return a workspace, None if there is none with this id."""
    row = await tx.one(_WORKSPACE, {"id": id})
    return None if row is None else WorkspaceRow._make(row)


async def workspace_ids(tx: Transaction) -> list[str]:
    """Return the ids of all workspaces, in order."""
    return [row[0] for row in await tx.all(_WORKSPACE_IDS)]


async def workspaces_page(
    tx: Transaction, after: str, kind: int, limit: int
) -> list[tuple[WorkspaceRow, bool]]:
    """Return workspaces behind an id, in order, and whether each has a user of a RoleKind."""
    rows = await tx.all(_PAGE, {"after": after, "kind": kind, "limit": limit})
    return [(WorkspaceRow._make(row[:-1]), bool(row[-1])) for row in rows]


async def insert_workspace(tx: Transaction, row: WorkspaceRow) -> None:
    """
    Add a workspace.

    Raises:
        DirectoryError: VALUE_TAKEN (`id`).
    """
    await tx.run(_INSERT_WORKSPACE, row._asdict())


async def update_workspace(tx: Transaction, row: WorkspaceRow) -> None:
    """Replace the workspace that has the row's id; its counts too, so give the current ones."""
    await tx.run(_UPDATE_WORKSPACE, prefixed(row))


async def add_counts(
    tx: Transaction,
    workspace_id: str,
    *,
    users: int = 0,
    active_admins: int = 0,
    seats_used: int = 0,
    groups: int = 0,
) -> None:
    """Add to the counts of a workspace; its version stays."""
    values = {
        "key": workspace_id,
        "more_users_count": users,
        "more_active_admins": active_admins,
        "more_seats_used": seats_used,
        "more_groups_count": groups,
    }
    await tx.run(_ADD_COUNTS, values)


async def setting(tx: Transaction, name: str) -> str | None:
    """Return a setting of the installation, None if it was never put."""
    row = await tx.one(_SETTING, {"name": name})
    return None if row is None else str(row[0])


async def put_setting_if_absent(tx: Transaction, name: str, value: str) -> str:
    """Return the setting *name*, which is *value* unless it was put before."""
    await tx.run(_PUT_SETTING, {"name": name, "value": value})
    return await setting(tx, name) or value


async def roles(tx: Transaction, workspace_id: str) -> list[RoleRow]:
    """Return the roles of a workspace, by rank."""
    rows = await tx.all(_ROLES, {"workspace_id": workspace_id})
    return [RoleRow._make(row) for row in rows]


async def insert_role(tx: Transaction, row: RoleRow) -> None:
    """
    Add a role.

    Raises:
        DirectoryError: VALUE_TAKEN (`name`).
    """
    await tx.run(_INSERT_ROLE, row._asdict())


async def update_role(tx: Transaction, row: RoleRow) -> None:
    """
    Replace the role that has the row's id.

    Raises:
        DirectoryError: VALUE_TAKEN (`name`).
    """
    await tx.run(_UPDATE_ROLE, prefixed(row))


async def touch_roles(tx: Transaction, workspace_id: str, ids: Iterable[str], now: int) -> None:
    """Raise the version of roles whose members change."""
    values = {"key_workspace_id": workspace_id, "ids": list(ids), "now": now}
    await tx.run(_TOUCH_ROLES, values)


async def touch_all_roles(tx: Transaction, workspace_id: str, now: int) -> None:
    """Raise the versions of all roles, as when they become groups."""
    await tx.run(_TOUCH_ALL_ROLES, {"key_workspace_id": workspace_id, "now": now})


async def has_users_of_kind(tx: Transaction, workspace_id: str, kind: int) -> bool:
    """Return whether a user who is neither deleted nor unlinked has a role of a RoleKind."""
    values = {"workspace_id": workspace_id, "kind": kind}
    return await tx.one(_USER_OF_KIND, values) is not None


async def delete_role(tx: Transaction, workspace_id: str, id: str) -> None:
    """Remove a role that no user has."""
    await tx.run(_DELETE_ROLE, {"workspace_id": workspace_id, "id": id})
