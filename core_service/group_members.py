"""The members of groups: how they are read, and how a request names them."""

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.errors import DirectoryError
from userdirectory.v1 import filter_pb2, group_pb2

from core_service.context import Context
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.views import MEMBER_TYPES

MOST_MEMBERS = 10_000


def wants_members(read_mask: FieldMask) -> bool:
    """Return whether the members are asked for by name; an empty mask does not ask."""
    return any(path.partition(".")[0] in ("members", "*") for path in read_mask.paths)


async def fill(tx: Transaction, context: Context, group: group_pb2.Group, most: int) -> str:
    """
    Give *group* its first members.

    Returns:
        The id of the last of them if there are more, else nothing.
    """
    if most <= 0:
        return ""
    members, after = await members_of(tx, context, group.id, "", most)
    group.members.extend(members)
    return after


async def members_of(
    tx: Transaction, context: Context, group_id: str, after: str, limit: int
) -> tuple[list[group_pb2.Member], str]:
    """
    Return members of a group in order of id, from behind *after*.

    Returns:
        At most *limit* members, and the id of the last of them if there are more.
    """
    if context.roles_as_groups:
        found = await store.users_of_role(
            tx, context.id, group_id, after, limit + 1, include_unlinked=False
        )
        rows = [(user_id, 1, display or "") for user_id, display, _ in found]
    else:
        page = await store.members_page(tx, context.id, group_id, after, limit + 1)
        rows = [(row.member_id, row.member_type, row.display_name) for row in page]
    members = [
        group_pb2.Member(member_id=id_, type=MEMBER_TYPES[kind], display_name=display)
        for id_, kind, display in rows[:limit]
    ]
    return members, members[-1].member_id if len(rows) > limit else ""


async def all_members(tx: Transaction, context: Context, group_id: str) -> list[group_pb2.Member]:
    """Return every member of a group; for the few requests that cannot be a set operation."""
    found: list[group_pb2.Member] = []
    after = ""
    while True:
        members, after = await members_of(tx, context, group_id, after, MOST_MEMBERS)
        found.extend(members)
        if not after:
            return found


def named_ids(where: filter_pb2.Filter) -> list[str] | None:
    """Return the ids that a filter on members names one by one, None if it does anything else."""
    test = where.WhichOneof("test")
    if test == "equal" and where.equal.field == "member_id":
        return [where.equal.text]
    if test == "any_of":
        parts = [named_ids(part) for part in where.any_of.filters]
        if all(part is not None for part in parts):
            return [id_ for part in parts for id_ in part or ()]
    return None


def unknown_member(member_id: str) -> DirectoryError:
    """Return the error for a member that does not exist."""
    return DirectoryError(
        "FIELD_INVALID",
        f"No user or group has the id {member_id!r}. Create it first, or leave it out.",
        field="members.member_id",
        value=member_id,
    )
