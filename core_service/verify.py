"""
What must hold of the whole database: every rule's own check, and that the rows agree.

`userdir verify` runs it over a database; the tests run it after each of them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from userdirectory.custom import Declaration, Value
from userdirectory.v1 import user_pb2

from core_service import context as contexts
from core_service import custom_values
from core_service.context import Context
from core_service.rules import (
    accounts,
    admins,
    custom,
    deletion,
    emails,
    groups,
    managers,
    regions,
    roles,
    seats,
    teams,
    timezones,
)
from core_service.rules.deletion import Presence
from core_service.storage import store, store_scan
from core_service.storage.database import Storage, Transaction


async def findings(storage: Storage, workspace_ids: Iterable[str] | None = None) -> list[str]:
    """
    Return what is wrong, one sentence each; nothing is wrong with an empty list.

    Args:
        storage: What to look at, in one snapshot.
        workspace_ids: Look at these workspaces only, and not at the accounts; None means all.
    """

    async def work(tx: Transaction) -> list[str]:
        if workspace_ids is not None:
            return [line for id_ in workspace_ids for line in await _workspace(tx, id_, {})]
        account_of: dict[tuple[str, str], str] = {}
        wrong: list[str] = []
        for workspace_id in await store.workspace_ids(tx):
            wrong += await _workspace(tx, workspace_id, account_of)
        return wrong + await _accounts(tx, account_of)

    return await storage.read(work)


@dataclass(slots=True)
class _People:
    """What the checks need of a workspace's users; by user id where it is a mapping."""

    names: list[tuple[str, str, str]] = field(default_factory=list)
    role_of: dict[str, str] = field(default_factory=dict)
    manager_of: dict[str, str] = field(default_factory=dict)
    teams_of: dict[str, list[str]] = field(default_factory=dict)
    region_of: dict[str, str] = field(default_factory=dict)
    zones: list[tuple[str, str]] = field(default_factory=list)
    custom: dict[str, list[tuple[Declaration | None, list[Value | None]]]] = field(
        default_factory=dict
    )
    presence: dict[str, Presence] = field(default_factory=dict)
    email_keys: set[tuple[str, str]] = field(default_factory=set)
    visible: set[str] = field(default_factory=set)
    active_admins: int = 0
    seats: int = 0


async def _workspace(
    tx: Transaction, workspace_id: str, account_of: dict[tuple[str, str], str]
) -> list[str]:
    row = await store.workspace(tx, workspace_id)
    if row is None:
        return [f"Workspace {workspace_id} does not exist."]
    context = contexts.make(row, await store.roles(tx, workspace_id))
    people = _People()
    wrong: list[str] = []
    async for user in store_scan.all_users(tx, workspace_id):
        account_of[workspace_id, user.id] = user.account_id
        wrong += _user(context, user, people)
    wrong += admins.verify(
        workspace_id, row.active_admins > 0, row.active_admins, people.active_admins
    )
    wrong += seats.verify(workspace_id, row.seats_used, people.seats)
    wrong += roles.verify(workspace_id, context.roles, people.role_of)
    wrong += emails.verify(people.names)
    wrong += managers.verify(people.manager_of)
    wrong += teams.verify(context.message.teams, people.teams_of)
    wrong += regions.verify(context.message.absence_regions, people.region_of)
    wrong += timezones.verify(people.zones)
    wrong += custom.verify(people.custom)
    wrong += deletion.verify(people.presence)
    wrong += _count("users", workspace_id, row.users_count, len(people.role_of))
    if people.email_keys != set(await store_scan.all_email_keys(tx, workspace_id)):
        wrong.append(f"The e-mail index of workspace {workspace_id} differs from its users.")
    return wrong + await _groups(tx, context, row, people)


def _user(context: Context, row: store.UserRow, people: _People) -> list[str]:
    """Note what the checks need of a user, and return where its row and document differ."""
    user = user_pb2.User.FromString(row.document)
    people.names.append((row.id, row.user_name, row.user_name_key))
    people.role_of[row.id] = row.role_id
    people.teams_of[row.id] = list(user.workplace.teams)
    people.presence[row.id] = Presence(
        active=bool(row.active),
        recycled=row.delete_time is not None,
        unlinked=row.unlink_time is not None,
    )
    if row.manager_id:
        people.manager_of[row.id] = row.manager_id
    if user.workplace.absence_region:
        people.region_of[row.id] = user.workplace.absence_region
    if user.time_zone:
        people.zones.append((row.id, user.time_zone))
    for each in user.custom:
        found = context.declared.find(each.urn, each.name)
        values = custom_values.stored(found, each) if found else []
        people.custom.setdefault(row.id, []).append((found, values))
    if row.unlink_time is None:
        people.visible.add(row.id)
    people.email_keys |= {(row.id, emails.key(email.value)) for email in user.emails if email.value}
    if row.role_id in context.roles:
        standing = context.standing(row.role_id, bool(row.active))
        people.active_admins += standing.is_active_admin
        people.seats += standing.holds_seat
    stored = (
        user.user_name,
        user.external_id or None,
        user.display_name or None,
        user.active,
        user.enterprise.manager.user_id or None,
    )
    columns = (row.user_name, row.external_id, row.display_name, bool(row.active), row.manager_id)
    wrong = [] if stored == columns else [f"User {row.id} differs from the columns of its row."]
    if user.password or user.workplace.user_role:
        wrong.append(f"User {row.id} has a password or a role in its document.")
    return wrong


async def _groups(
    tx: Transaction, context: Context, row: store.WorkspaceRow, people: _People
) -> list[str]:
    names: list[tuple[str, str]] = []
    counts: dict[str, int] = {}
    wrong: list[str] = []
    async for group in store_scan.all_groups(tx, context.id):
        names.append((group.id, group.display_name))
        counts[group.id] = group.member_count
    members = await store_scan.all_members(tx, context.id)
    actual = Counter(group_id for group_id, _ in members)
    for group_id, count in counts.items():
        if count != actual[group_id]:
            wrong.append(f"Group {group_id} counts {count} members and has {actual[group_id]}.")
    wrong += groups.verify(names, context.policy.group_names_unique)
    wrong += groups.verify_members(members, counts, people.visible)
    return wrong + _count("groups", context.id, row.groups_count, len(counts))


async def _accounts(tx: Transaction, account_of: dict[tuple[str, str], str]) -> list[str]:
    names: list[tuple[str, str, str]] = []
    wrong: list[str] = []
    users = Counter(account_of.values())
    async for account in store_scan.all_accounts(tx):
        names.append((account.id, account.email, account.email_key))
        if account.users_count != users[account.id]:
            wrong.append(
                f"Account {account.id} counts {account.users_count} users "
                f"and has {users[account.id]}."
            )
        if not accounts.is_needed(account.users_count):
            wrong.append(f"Account {account.id} has no user and should be gone.")
    known = [id_ for id_, _, _ in names]
    return wrong + emails.verify(names) + accounts.verify(known, account_of)


def _count(what: str, workspace_id: str, counted: int, actual: int) -> list[str]:
    if counted == actual:
        return []
    return [f"Workspace {workspace_id} counts {counted} {what} and has {actual}."]
