"""Groups in groups: who is in a group through another (RFC 7643 section 4.1.2)."""

from collections.abc import Iterable, Mapping, Sequence

from userdirectory.v1 import policy_pb2, user_pb2

from core_service.context import Context
from core_service.storage import store
from core_service.storage.database import Transaction

NESTED = 2
"""The kind of a member that is a group."""


def nests(context: Context) -> bool:
    """Return whether the workspace keeps groups as members of groups."""
    return context.policy.nested_groups == policy_pb2.NESTED_GROUPS_STORE


async def memberships(
    tx: Transaction, context: Context, user_ids: Sequence[str]
) -> dict[str, list[user_pb2.GroupMembership]]:
    """
    Return the groups of each user, direct ones first; a user in no group is left out.

    A group that a user is in directly and through another is direct.
    """
    direct = await store.groups_of(tx, context.id, user_ids)
    above = await _above(tx, context, direct.values()) if nests(context) else {}
    found = {}
    for user_id, groups in direct.items():
        names = dict(groups)
        seen = [
            user_pb2.GroupMembership(group_id=id_, display=name, type="direct")
            for id_, name in groups
        ]
        frontier = list(names)
        while frontier:
            for id_, name in above.get(frontier.pop(), ()):
                if id_ not in names:
                    names[id_] = name
                    frontier.append(id_)
                    seen.append(
                        user_pb2.GroupMembership(group_id=id_, display=name, type="indirect")
                    )
        found[user_id] = seen
    return found


async def touch_below(
    tx: Transaction, workspace_id: str, group_ids: Iterable[str], now: int
) -> None:
    """Raise the versions of the users in groups, also of those who are through other groups."""
    users: set[str] = set()
    seen = set(group_ids)
    frontier = sorted(seen)
    while frontier:
        members = await store.members_of_groups(tx, workspace_id, frontier)
        users.update(id_ for id_, kind in members if kind != NESTED)
        frontier = sorted({id_ for id_, kind in members if kind == NESTED} - seen)
        seen.update(frontier)
    await store.touch_users(tx, workspace_id, sorted(users), now)


async def _above(
    tx: Transaction, context: Context, groups: Iterable[Sequence[tuple[str, str]]]
) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return which groups each group is in, for *groups* and all that are around them."""
    above: dict[str, Sequence[tuple[str, str]]] = {}
    frontier = {id_ for found in groups for id_, _ in found}
    while frontier:
        around = await store.groups_of(tx, context.id, sorted(frontier))
        above |= {id_: around.get(id_, ()) for id_ in frontier}
        frontier = {id_ for found in around.values() for id_, _ in found} - above.keys()
    return above
