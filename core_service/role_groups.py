"""The workspace's roles as the groups that SCIM clients see (R-024, R-025, R-126 to R-128)."""

from collections.abc import Iterable, Sequence

from userdirectory.attributes import GROUP
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1 import filter_pb2, group_pb2
from userdirectory.v1.change_pb2 import GroupChange

from core_service import journal, matching, views
from core_service.context import Context
from core_service.group_members import all_members, named_ids, unknown_member
from core_service.journal import Members
from core_service.rules import roles as rules
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.writing import Write


async def by_ids(
    tx: Transaction, context: Context, ids: Iterable[str]
) -> dict[str, group_pb2.Group]:
    """Return the role groups of these ids that there are, by id; never the guest role (R-076)."""
    wanted = set(ids)
    found = {}
    for row in await store.roles(tx, context.id):
        if row.id in wanted and context.roles[row.id].kind != "guest":
            count = await store.count_users_of_role(tx, context.id, row.id, include_unlinked=False)
            found[row.id] = views.role_group(row, count)
    return found


async def matching_groups(
    tx: Transaction, context: Context, filter_: filter_pb2.Filter | None
) -> list[group_pb2.Group]:
    """Return the role groups that pass a filter, by rank, without members."""
    groups = await by_ids(tx, context, context.roles)
    found = []
    for role_id in context.roles:
        if role_id not in groups:
            continue
        group = groups[role_id]
        if filter_ is not None and "members" in _fields(filter_):
            group.members.extend(await all_members(tx, context, role_id))
        if filter_ is None or matching.matches(group, filter_, GROUP):
            group.ClearField("members")
            found.append(group)
    return found


async def page(
    tx: Transaction, context: Context, query: pages.PageQuery
) -> tuple[list[group_pb2.Group], int, list[int] | None]:
    """
    Return a page of the role groups.

    Returns:
        The groups, how many pass the filter, and where the next page begins, None after the last.
    """
    found = await matching_groups(tx, context, query.filter)
    if query.order_by:
        found.sort(key=lambda group: _sort_key(group, query.order_by))
        if query.descending:
            found.reverse()
    start = int(query.after[0] or 0) if query.after else query.skip
    end = start + query.limit
    return found[start:end], len(found), [end] if query.limit and end < len(found) else None


async def find(write: Write, role_id: str) -> store.RoleRow | None:
    """Return the role that is the group *role_id*, None if there is none."""
    for row in await store.roles(write.tx, write.workspace_id):
        if row.id == role_id and write.context.roles[row.id].kind != "guest":
            return row
    return None


async def apply(write: Write, row: store.RoleRow, steps: Sequence[GroupChange]) -> None:
    """
    Apply the steps of a patch to a role's members; anything else of a role is the product's.

    Raises:
        DirectoryError: ROLE_CATALOGUE, FIELD_INVALID, LAST_ADMIN, NO_SEAT, ADMIN_ROLE_LOCKED.
    """
    members = Members()
    for step in steps:
        kind = str(step.WhichOneof("step"))
        body = getattr(step, kind)
        if body.field == "members":
            await _change_members(write, row, kind, body, members)
        elif body.field == "external_id":
            write.notice(
                "ATTRIBUTES_IGNORED", "Roles have no external id; it was left out.", "external_id"
            )
        elif kind == "remove" or body.value.display_name.strip() != row.name:
            raise catalogue("rename")
    await journal.role_members(write, row.id, members)


def catalogue(operation: str) -> DirectoryError:
    """Return the error for a write to the roles themselves (R-085, R-143, D-24)."""
    return DirectoryError(
        "ROLE_CATALOGUE",
        f"Groups are the roles of this workspace, and provisioning cannot {operation} one. "
        "Manage roles in the product under Menu > Settings > Permissions, "
        "and switch the group mapping off in the identity provider if it creates groups.",
        operation=operation,
    )


async def _change_members(
    write: Write, row: store.RoleRow, kind: str, body: object, changed: Members
) -> None:
    role = write.context.roles[row.id]
    default = write.context.default_role
    if kind == "remove":
        leaving = await _selected(write, row.id, body)
        return await _leave(write, leaving, row.id, changed)
    listed = list(dict.fromkeys(member.member_id for member in body.value.members))  # type: ignore[attr-defined]
    if kind == "discard":
        return await _leave(write, listed, row.id, changed)
    if kind == "set" and role.id != default.id:
        members = await all_members(write.tx, write.context, row.id)
        keep = set(listed)
        gone = [member.member_id for member in members if member.member_id not in keep]
        _, moved = await _move(write, gone, default.id)
        changed.move(gone=moved)
    found, moved = await _move(write, listed, role.id)
    changed.move(came=moved)
    for user_id in listed:
        if user_id not in found:
            raise unknown_member(user_id)
    return None


async def _leave(write: Write, user_ids: Sequence[str], role_id: str, changed: Members) -> None:
    """Give those of *user_ids* that have the role the default role instead (D-09)."""
    left = write.context.roles[role_id]
    after = rules.role_after_leaving_group(left, left, write.context.default_role)
    _, moved = await _move(write, user_ids, after.id, only_from=role_id)
    changed.move(gone=moved)


async def _move(
    write: Write, user_ids: Sequence[str], role_id: str, *, only_from: str = ""
) -> tuple[set[str], list[str]]:
    """
    Give users a role, under all guards.

    Args:
        only_from: Leave users alone that have another role than this one.

    Returns:
        Which of *user_ids* there are, and those of them that had another role.
    """
    tx, workspace_id = write.tx, write.workspace_id
    rows = [
        row
        for row in await store.users_by_ids(tx, workspace_id, user_ids)
        if row.unlink_time is None
    ]
    moving = [
        row
        for row in rows
        if row.role_id != role_id and (not only_from or row.role_id == only_from)
    ]
    standing = write.context.standing
    await write.stand(
        *(
            (standing(row.role_id, bool(row.active)), standing(role_id, bool(row.active)), row.id)
            for row in moving
        )
    )
    if moving:
        ids = [row.id for row in moving]
        await store.set_user_roles(tx, workspace_id, ids, role_id, write.now)
        touched = sorted({row.role_id for row in moving} | {role_id})
        await store.touch_roles(tx, workspace_id, touched, write.now)
    roles = write.context.roles
    for row in moving:
        journal.tell_promotion(write, row.id, roles[row.role_id], roles[role_id])
    return {row.id for row in rows}, [row.id for row in moving]


async def _selected(write: Write, role_id: str, body: object) -> list[str]:
    if body.HasField("where"):  # type: ignore[attr-defined]
        where = body.where  # type: ignore[attr-defined]
        ids = named_ids(where)
        if ids is not None:
            return ids
    members = await all_members(write.tx, write.context, role_id)
    if not body.HasField("where"):  # type: ignore[attr-defined]
        return [member.member_id for member in members]
    return [
        member.member_id
        for member in members
        if matching.matches(member, where, GROUP, within="members")
    ]


def _sort_key(group: group_pb2.Group, path: str) -> tuple[bool, object]:
    """Return what role groups are ordered by; those without the field come last."""
    value = getattr(group, path)
    if isinstance(value, str):
        return value == "", fold(value)
    return False, (value.seconds, value.nanos)


def _fields(filter_: filter_pb2.Filter) -> set[str]:
    """Return the first segments of the fields that a filter looks at."""
    test = filter_.WhichOneof("test")
    if test in ("all_of", "any_of"):
        parts = getattr(filter_, test).filters
        return {name for part in parts for name in _fields(part)}
    if test == "negate":
        return _fields(filter_.negate)
    return {getattr(filter_, test).field.partition(".")[0]} if test else set()
