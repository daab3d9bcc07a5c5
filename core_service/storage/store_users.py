"""Statements about users. Where not said otherwise, unlinked users count as any other."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.expressions import listed, one_of
from core_service.storage.rows import UserRow
from core_service.storage.statements import (
    insert_unless_there,
    param,
    prefixed,
    touched,
    update_by,
    where,
)
from core_service.storage.tables import memberships, user_emails, users

_BY_ID = where(sa.select(users), users, "workspace_id", "id")
_BY_NAME = where(sa.select(users), users, "workspace_id", "user_name_key")
_BY_IDS = where(sa.select(users), users, "workspace_id").where(one_of(users.c.id, "ids"))
_NAMES = where(sa.select(users.c.id, users.c.display_name), users, "workspace_id").where(
    users.c.unlink_time.is_(None), one_of(users.c.id, "ids")
)
_INSERT = sa.insert(users)
_UPDATE = update_by(users, "workspace_id", "id")
_DELETE = where(sa.delete(users), users, "workspace_id", "id")
_emails = listed("keys")
_INSERT_EMAILS = insert_unless_there(user_emails, *user_emails.primary_key).from_select(
    ["workspace_id", "value_key", "user_id"],
    sa.select(param("workspace"), _emails.c.value, param("user")).where(sa.true()),
)
_DELETE_EMAILS = where(sa.delete(user_emails), user_emails, "workspace_id", "user_id")
_SET_ROLE = touched(users).where(one_of(users.c.id, "ids")).values(role_id=param("role"))
_TOUCH = touched(users).where(one_of(users.c.id, "ids"))
_TOUCH_ALL = touched(users)
_TOUCH_OF_ROLE = touched(users).where(users.c.role_id == param("role"))
_MOVE = touched(users).where(users.c.role_id == param("old")).values(role_id=param("role"))
_REDOCUMENT = (
    touched(users)
    .where(users.c.id == param("key_id"))
    .values(
        document=param("new_document", users.c.document.type),
        search=param("new_search", users.c.search.type),
    )
)
_TOUCH_MEMBERS = touched(users).where(
    users.c.id.in_(
        sa.select(memberships.c.member_id).where(
            memberships.c.workspace_id == param("key_workspace_id"),
            memberships.c.group_id == param("group"),
        )
    )
)
_TOUCH_REPORTS = touched(users).where(users.c.manager_id == param("manager"))
_OF_ROLE = (
    where(
        sa.select(users.c.id, users.c.display_name, users.c.user_name),
        users,
        "workspace_id",
        "role_id",
    )
    .where(
        users.c.id > param("after"),
        sa.or_(users.c.unlink_time.is_(None), param("unlinked", sa.Boolean())),
    )
    .order_by(users.c.id)
    .limit(param("limit", sa.BigInteger()))
)
_COUNT_OF_ROLE = where(
    sa.select(sa.func.count()).select_from(users), users, "workspace_id", "role_id"
).where(sa.or_(users.c.unlink_time.is_(None), param("unlinked", sa.Boolean())))
_ACTIVE_OF_ROLE = where(
    sa.select(sa.func.count(), sa.func.coalesce(sa.func.min(users.c.id), "")),
    users,
    "workspace_id",
    "role_id",
).where(users.c.active.is_(sa.true()))
_OF_ACCOUNT = where(sa.select(users.c.id), users, "workspace_id", "account_id")
_REPORTS = where(sa.select(users.c.id), users, "workspace_id", "manager_id").order_by(users.c.id)
_MANAGER = where(sa.select(users.c.manager_id), users, "workspace_id", "id")


async def user_by_id(tx: Transaction, workspace_id: str, id: str) -> UserRow | None:
    """Return a user, None if the workspace has none with this id."""
    row = await tx.one(_BY_ID, {"workspace_id": workspace_id, "id": id})
    return None if row is None else UserRow._make(row)


async def user_by_name(tx: Transaction, workspace_id: str, user_name_key: str) -> UserRow | None:
    """Return the user with a name as it is compared, None if the workspace has none."""
    values = {"workspace_id": workspace_id, "user_name_key": user_name_key}
    row = await tx.one(_BY_NAME, values)
    return None if row is None else UserRow._make(row)


async def users_by_ids(tx: Transaction, workspace_id: str, ids: Iterable[str]) -> list[UserRow]:
    """Return those of *ids* that are users, in any order."""
    rows = await tx.all(_BY_IDS, {"workspace_id": workspace_id, "ids": list(ids)})
    return [UserRow._make(row) for row in rows]


async def display_names(tx: Transaction, workspace_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Return `{user_id: display_name}` for those of *ids* that are users whom nobody deleted.

    A name may be empty.
    """
    rows = await tx.all(_NAMES, {"workspace_id": workspace_id, "ids": list(ids)})
    return {id: name or "" for id, name in rows}


async def insert_user(tx: Transaction, row: UserRow, email_keys: Sequence[str]) -> None:
    """
    Add a user.

    Args:
        email_keys: The user's e-mail addresses as they are compared.

    Raises:
        DirectoryError: VALUE_TAKEN (`user_name`).
    """
    await tx.run(_INSERT, row._asdict())
    await _insert_emails(tx, row, email_keys)


async def update_user(tx: Transaction, row: UserRow, email_keys: Sequence[str] | None) -> None:
    """
    Replace the user that has the row's id.

    Args:
        email_keys: The user's e-mail addresses as they are compared; None if they stay.

    Raises:
        DirectoryError: VALUE_TAKEN (`user_name`).
    """
    await tx.run(_UPDATE, prefixed(row))
    if email_keys is not None:
        await tx.run(_DELETE_EMAILS, {"workspace_id": row.workspace_id, "user_id": row.id})
        await _insert_emails(tx, row, email_keys)


async def delete_user(tx: Transaction, workspace_id: str, id: str) -> None:
    """Remove a user who is in no group any more; see `remove_member_everywhere`."""
    await tx.run(_DELETE, {"workspace_id": workspace_id, "id": id})


async def set_user_roles(
    tx: Transaction, workspace_id: str, user_ids: Iterable[str], role_id: str, now: int
) -> None:
    """Give users a role and raise their versions."""
    values = {"ids": list(user_ids), "role": role_id}
    await tx.run(_SET_ROLE, {"key_workspace_id": workspace_id, "now": now, **values})


async def move_users(
    tx: Transaction, workspace_id: str, old_role_id: str, role_id: str, now: int
) -> None:
    """Give all users of a role, unlinked ones too, another role and raise their versions."""
    values = {"key_workspace_id": workspace_id, "old": old_role_id, "role": role_id, "now": now}
    await tx.run(_MOVE, values)


async def touch_users_of_role(tx: Transaction, workspace_id: str, role_id: str, now: int) -> None:
    """Raise the versions of the users with a role, as when the role is renamed."""
    values = {"key_workspace_id": workspace_id, "role": role_id, "now": now}
    await tx.run(_TOUCH_OF_ROLE, values)


async def touch_all_users(tx: Transaction, workspace_id: str, now: int) -> None:
    """Raise the versions of all users, as when their groups become others."""
    await tx.run(_TOUCH_ALL, {"key_workspace_id": workspace_id, "now": now})


async def update_documents(tx: Transaction, rows: Sequence[UserRow], now: int) -> None:
    """Replace `document` and `search` of users and raise their versions; nothing else changes."""
    values = [
        {
            "key_workspace_id": row.workspace_id,
            "key_id": row.id,
            "new_document": row.document,
            "new_search": row.search,
            "now": now,
        }
        for row in rows
    ]
    await tx.run_many(_REDOCUMENT, values)


async def touch_users(tx: Transaction, workspace_id: str, ids: Iterable[str], now: int) -> None:
    """Raise the versions of users of whom something changes that other rows say."""
    await tx.run(_TOUCH, {"key_workspace_id": workspace_id, "ids": list(ids), "now": now})


async def touch_members_of(tx: Transaction, workspace_id: str, group_id: str, now: int) -> None:
    """Raise the versions of the users in a group, as when the group is renamed."""
    values = {"key_workspace_id": workspace_id, "group": group_id, "now": now}
    await tx.run(_TOUCH_MEMBERS, values)


async def touch_reports_of(tx: Transaction, workspace_id: str, manager_id: str, now: int) -> None:
    """Raise the versions of a manager's reports, as when the manager is renamed."""
    values = {"key_workspace_id": workspace_id, "manager": manager_id, "now": now}
    await tx.run(_TOUCH_REPORTS, values)


async def users_of_role(
    tx: Transaction,
    workspace_id: str,
    role_id: str,
    after_id: str,
    limit: int,
    include_unlinked: bool,
) -> list[tuple[str, str | None, str]]:
    """
    Return `(id, display_name, user_name)` of the users with a role, in order of id.

    Args:
        after_id: Begin behind this id; empty for the first.
    """
    values = {
        "workspace_id": workspace_id,
        "role_id": role_id,
        "after": after_id,
        "limit": limit,
        "unlinked": include_unlinked,
    }
    return [(row[0], row[1], row[2]) for row in await tx.all(_OF_ROLE, values)]


async def count_users_of_role(
    tx: Transaction, workspace_id: str, role_id: str, include_unlinked: bool
) -> int:
    """Return how many users have a role."""
    values = {"workspace_id": workspace_id, "role_id": role_id, "unlinked": include_unlinked}
    row = await tx.one(_COUNT_OF_ROLE, values)
    return 0 if row is None else int(row[0])


async def active_users_of_role(tx: Transaction, workspace_id: str, role_id: str) -> tuple[int, str]:
    """Return how many active users have a role, and the id of one of them; empty if none has."""
    row = await tx.one(_ACTIVE_OF_ROLE, {"workspace_id": workspace_id, "role_id": role_id})
    return (0, "") if row is None else (int(row[0]), str(row[1]))


async def has_account(tx: Transaction, workspace_id: str, account_id: str) -> bool:
    """Return whether a workspace has a user of an account."""
    values = {"workspace_id": workspace_id, "account_id": account_id}
    return await tx.one(_OF_ACCOUNT, values) is not None


async def reports_of(tx: Transaction, workspace_id: str, manager_id: str) -> list[str]:
    """Return the ids of the users whose manager has this id, in order."""
    values = {"workspace_id": workspace_id, "manager_id": manager_id}
    return [row[0] for row in await tx.all(_REPORTS, values)]


async def manager_of(tx: Transaction, workspace_id: str, user_id: str) -> str | None:
    """Return the id of a user's manager, None if the user has none or does not exist."""
    row = await tx.one(_MANAGER, {"workspace_id": workspace_id, "id": user_id})
    return None if row is None else row[0]


async def _insert_emails(tx: Transaction, row: UserRow, email_keys: Sequence[str]) -> None:
    if email_keys:
        values = {"workspace": row.workspace_id, "user": row.id, "keys": list(email_keys)}
        await tx.run(_INSERT_EMAILS, values)
