"""Statements about groups and their members; the cost is that of the change, not of the group."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.expressions import listed, one_of
from core_service.storage.rows import GroupRow, MemberRow
from core_service.storage.statements import (
    insert_unless_there,
    param,
    prefixed,
    touched,
    update_by,
    where,
)
from core_service.storage.tables import groups, memberships, users

USER_MEMBER, GROUP_MEMBER = 1, 2
_WHOLE = sa.BigInteger()

_BY_ID = where(sa.select(groups), groups, "workspace_id", "id")
_BY_IDS = where(sa.select(groups), groups, "workspace_id").where(one_of(groups.c.id, "ids"))
_INSERT = sa.insert(groups)
_UPDATE = update_by(groups, "workspace_id", "id")
_DELETE = where(sa.delete(groups), groups, "workspace_id", "id")
_TOUCH = touched(groups).where(one_of(groups.c.id, "ids"))
_CLASH = (
    where(sa.select(sa.func.min(groups.c.display_name)), groups, "workspace_id")
    .group_by(groups.c.name_key)
    .having(sa.func.count() > sa.literal_column("1"))
    .order_by(groups.c.name_key)
    .limit(1)
)
_of_workspace = groups.c.workspace_id == param("key_workspace_id")
_MAKE_UNIQUE = sa.update(groups).where(_of_workspace).values(unique_key=groups.c.name_key)
_ALLOW_CLASHES = sa.update(groups).where(_of_workspace).values(unique_key=sa.null())
_TOUCH_OF_USER = touched(groups).where(
    groups.c.id.in_(
        sa.select(memberships.c.group_id).where(
            memberships.c.workspace_id == param("key_workspace_id"),
            memberships.c.member_id == param("member"),
        )
    )
)
_OF = (
    where(
        sa.select(memberships.c.member_id, groups.c.id, groups.c.display_name),
        groups,
        "workspace_id",
    )
    .where(
        memberships.c.workspace_id == param("workspace_id"),
        one_of(memberships.c.member_id, "ids"),
        groups.c.id == memberships.c.group_id,
    )
    .order_by(memberships.c.member_id, groups.c.id)
)
_new = listed("ids")
_ADD = (
    insert_unless_there(memberships, *memberships.primary_key)
    .from_select(
        ["workspace_id", "group_id", "member_id", "member_type"],
        sa.select(param("workspace"), param("group"), _new.c.value, param("type", _WHOLE)).where(
            sa.true()
        ),
    )
    .returning(memberships.c.member_id)
)
_CLEAR = where(sa.delete(memberships), memberships, "workspace_id", "group_id").returning(
    memberships.c.member_id
)
_REMOVE = _CLEAR.where(one_of(memberships.c.member_id, "ids"))
_REMOVE_EVERYWHERE = where(
    sa.delete(memberships), memberships, "workspace_id", "member_id"
).returning(memberships.c.group_id)
_SHRINK = (
    touched(groups).where(one_of(groups.c.id, "ids")).values(member_count=groups.c.member_count - 1)
)
_inner = groups.alias("inner_groups")
_PAGE = (
    where(
        sa.select(
            memberships.c.member_id,
            memberships.c.member_type,
            sa.func.coalesce(users.c.display_name, _inner.c.display_name, ""),
        ),
        memberships,
        "workspace_id",
        "group_id",
    )
    .select_from(
        memberships.outerjoin(
            users,
            sa.and_(
                memberships.c.member_type == USER_MEMBER,
                users.c.workspace_id == memberships.c.workspace_id,
                users.c.id == memberships.c.member_id,
            ),
        ).outerjoin(
            _inner,
            sa.and_(
                memberships.c.member_type == GROUP_MEMBER,
                _inner.c.workspace_id == memberships.c.workspace_id,
                _inner.c.id == memberships.c.member_id,
            ),
        )
    )
    .where(memberships.c.member_id > param("after"))
    .order_by(memberships.c.member_id)
    .limit(param("limit", _WHOLE))
)
_EXISTING = sa.union_all(
    where(sa.select(users.c.id, sa.literal_column("1")), users, "workspace_id").where(
        users.c.unlink_time.is_(None), one_of(users.c.id, "ids")
    ),
    where(sa.select(groups.c.id, sa.literal_column("2")), groups, "workspace_id").where(
        one_of(groups.c.id, "ids")
    ),
)
_MEMBERS_OF = where(
    sa.select(memberships.c.member_id, memberships.c.member_type), memberships, "workspace_id"
).where(one_of(memberships.c.group_id, "ids"))


async def group_by_id(tx: Transaction, workspace_id: str, id: str) -> GroupRow | None:
    """Return a group, None if the workspace has none with this id."""
    row = await tx.one(_BY_ID, {"workspace_id": workspace_id, "id": id})
    return None if row is None else GroupRow._make(row)


async def groups_by_ids(tx: Transaction, workspace_id: str, ids: Iterable[str]) -> list[GroupRow]:
    """Return those of *ids* that are groups, in any order."""
    rows = await tx.all(_BY_IDS, {"workspace_id": workspace_id, "ids": list(ids)})
    return [GroupRow._make(row) for row in rows]


async def insert_group(tx: Transaction, row: GroupRow) -> None:
    """
    Add a group without members.

    Raises:
        DirectoryError: VALUE_TAKEN (`display_name`).
    """
    await tx.run(_INSERT, row._asdict())


async def update_group(tx: Transaction, row: GroupRow) -> None:
    """
    Replace the group that has the row's id, its member count too.

    Raises:
        DirectoryError: VALUE_TAKEN (`display_name`).
    """
    await tx.run(_UPDATE, prefixed(row))


async def name_clash(tx: Transaction, workspace_id: str) -> str | None:
    """Return a display name that several groups have, None if all differ (D-27)."""
    row = await tx.one(_CLASH, {"workspace_id": workspace_id})
    return None if row is None else str(row[0])


async def set_names_unique(tx: Transaction, workspace_id: str, *, unique: bool) -> None:
    """Let the database keep the names of a workspace's groups unique, or stop it."""
    statement = _MAKE_UNIQUE if unique else _ALLOW_CLASHES
    await tx.run(statement, {"key_workspace_id": workspace_id})


async def delete_group(tx: Transaction, workspace_id: str, id: str) -> None:
    """Remove a group with its memberships; its own places in groups stay."""
    await tx.run(_DELETE, {"workspace_id": workspace_id, "id": id})


async def touch_groups(tx: Transaction, workspace_id: str, ids: Iterable[str], now: int) -> None:
    """Raise the versions of groups."""
    await tx.run(_TOUCH, {"key_workspace_id": workspace_id, "ids": list(ids), "now": now})


async def touch_groups_of_user(tx: Transaction, workspace_id: str, user_id: str, now: int) -> None:
    """Raise the versions of the groups a user (or group) is in, as when it is renamed."""
    values = {"key_workspace_id": workspace_id, "member": user_id, "now": now}
    await tx.run(_TOUCH_OF_USER, values)


async def groups_of(
    tx: Transaction, workspace_id: str, member_ids: Iterable[str]
) -> dict[str, list[tuple[str, str]]]:
    """Return `{member_id: [(group_id, display_name), ...]}`, without those in no group."""
    found: dict[str, list[tuple[str, str]]] = {}
    values = {"workspace_id": workspace_id, "ids": list(member_ids)}
    for member_id, group_id, display_name in await tx.all(_OF, values):
        found.setdefault(member_id, []).append((group_id, display_name))
    return found


async def members_of_groups(
    tx: Transaction, workspace_id: str, group_ids: Iterable[str]
) -> list[tuple[str, int]]:
    """Return `(member_id, member_type)` of all members of several groups."""
    values = {"workspace_id": workspace_id, "ids": list(group_ids)}
    return [(row[0], row[1]) for row in await tx.all(_MEMBERS_OF, values)]


async def add_members(
    tx: Transaction, workspace_id: str, group_id: str, members: Sequence[tuple[str, int]]
) -> list[str]:
    """
    Add `(member_id, member_type)` to a group and return the ids of those who were not in it.

    The group's count and version are the caller's to raise.
    """
    added = []
    for type_ in (USER_MEMBER, GROUP_MEMBER):
        ids = [id for id, its_type in members if its_type == type_]
        if ids:
            values = {"workspace": workspace_id, "group": group_id, "ids": ids, "type": type_}
            added += [row[0] for row in await tx.all(_ADD, values)]
    return added


async def remove_members(
    tx: Transaction, workspace_id: str, group_id: str, ids: Iterable[str]
) -> list[str]:
    """Remove members from a group and return the ids of those who were in it."""
    values = {"workspace_id": workspace_id, "group_id": group_id, "ids": list(ids)}
    return [row[0] for row in await tx.all(_REMOVE, values)]


async def clear_members(tx: Transaction, workspace_id: str, group_id: str) -> list[str]:
    """Remove all members of a group and return their ids."""
    rows = await tx.all(_CLEAR, {"workspace_id": workspace_id, "group_id": group_id})
    return [row[0] for row in rows]


async def remove_member_everywhere(
    tx: Transaction, workspace_id: str, member_id: str, now: int
) -> list[str]:
    """Remove a member from all groups, count them and raise their versions; return their ids."""
    values = {"workspace_id": workspace_id, "member_id": member_id}
    ids = [row[0] for row in await tx.all(_REMOVE_EVERYWHERE, values)]
    if ids:
        await tx.run(_SHRINK, {"key_workspace_id": workspace_id, "ids": ids, "now": now})
    return ids


async def members_page(
    tx: Transaction, workspace_id: str, group_id: str, after_id: str, limit: int
) -> list[MemberRow]:
    """
    Return members of a group in order of id.

    Args:
        after_id: Begin behind this id; empty for the first.
    """
    values = {
        "workspace_id": workspace_id,
        "group_id": group_id,
        "after": after_id,
        "limit": limit,
    }
    return [MemberRow._make(row) for row in await tx.all(_PAGE, values)]


async def existing_ids(
    tx: Transaction, workspace_id: str, ids: Iterable[str]
) -> tuple[set[str], set[str]]:
    """Return which of *ids* are users that are not unlinked, and which are groups."""
    found: tuple[set[str], set[str]] = (set(), set())
    values = {"workspace_id": workspace_id, "ids": list(ids)}
    for id, kind in await tx.all(_EXISTING, values):
        found[kind - 1].add(id)
    return found
