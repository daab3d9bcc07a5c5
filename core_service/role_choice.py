"""
Which role a write of a user asks for, by whichever door, and how `roles` is kept.

Two doors are on the user: `workplace.user_role` and `roles`; the third is the group of the role.
In the stored user an element of `roles` without a value stands for the role the user has.
"""

from collections.abc import Iterable

from userdirectory.text import name_key
from userdirectory.v1 import change_pb2, user_pb2

from core_service.rules import guests
from core_service.rules import roles as rules
from core_service.rules.roles import Grant, RoleFacts
from core_service.storage import store
from core_service.writing import Write

_DAY = 24 * 3600 * 1_000_000
_REMEMBERED = 30 * _DAY


def choose(
    write: Write, before: user_pb2.User, wanted: user_pb2.User, current: RoleFacts | None
) -> RoleFacts:
    """
    Return the role that the user will have, and bring `wanted.roles` to its stored form.

    Args:
        before: The user as shown; empty for one who did not exist.
        wanted: The user as asked for; changed in place.
        current: The role the user has; None for one who did not exist.

    Raises:
        DirectoryError: NAME_UNKNOWN, SECOND_ROLE, ROLE_NOT_REMOVABLE; FIELD_UNKNOWN if the caller
            has no such field and the policy refuses unknown ones.
    """
    _drop_unknown(write, wanted)
    by_extension = _by_extension(write, before, wanted, current)
    by_grants = _by_grants(write, before, wanted, current)
    chosen = by_extension or by_grants or current or write.context.default_role
    _store_grants(write, wanted, chosen)
    wanted.workplace.ClearField("user_role")
    if not wanted.workplace.ListFields():
        wanted.ClearField("workplace")
    return chosen


def keep(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    """Leave *wanted* the element of `roles` that stands for the role, if it has none (R-151)."""
    if not wanted.roles:
        name = write.context.roles[before.role_id].name
        wanted.roles.extend(grant for grant in before.roles if grant.value == name)


def check_removal(write: Write, steps: Iterable[change_pb2.UserChange]) -> None:
    """
    Refuse or note that the extension's role is removed, for whom it is not there (D-42).

    Raises:
        DirectoryError: FIELD_UNKNOWN.
    """
    if any(step.remove.field == rules.USER_ROLE for step in steps) and not _has_user_role(write):
        write.check_unknown([rules.USER_ROLE])


async def remember(write: Write, *sent: user_pb2.User) -> None:
    """
    Keep which roles an identity provider names by value, so that a rename can warn (R-149).

    A name that the same integration sent within a day is not written again.

    Args:
        sent: The user, or the values of the changes, as they came.
    """
    if not write.caller.provisions:
        return
    values = {user.workplace.user_role for user in sent}
    values.update(grant.value for user in sent for grant in user.roles)
    known = {name_key(role.name) for role in _roles(write)}
    for key in sorted({name_key(value) for value in values} & known):
        row = store.SeenRoleNameRow(write.workspace_id, key, write.caller.integration_id, write.now)
        await store.see_role_name(write.tx, row, before=write.now - _DAY)


async def senders(write: Write, role_name_key: str) -> list[str]:
    """Return the ids of the integrations that sent a name of a role in the last 30 days."""
    return await store.senders_of_role_name(
        write.tx, write.workspace_id, role_name_key, since=write.now - _REMEMBERED
    )


def _drop_unknown(write: Write, wanted: user_pb2.User) -> None:
    """Treat the extension's role as an attribute that is not there, for whom it is not there."""
    if wanted.workplace.user_role and not _has_user_role(write):
        write.check_unknown([rules.USER_ROLE])
        wanted.workplace.ClearField("user_role")


def _has_user_role(write: Write) -> bool:
    return write.context.has_user_role(provisions=write.caller.provisions)


def _by_extension(
    write: Write, before: user_pb2.User, wanted: user_pb2.User, current: RoleFacts | None
) -> RoleFacts | None:
    was, name = before.workplace.user_role, wanted.workplace.user_role
    if name == was:
        return None
    if not name:
        raise rules.not_removable(before.id)
    return _named(write, name, current, before.id)


def _by_grants(
    write: Write, before: user_pb2.User, wanted: user_pb2.User, current: RoleFacts | None
) -> RoleFacts | None:
    if list(wanted.roles) == list(before.roles):
        return None
    had = [grant.value for grant in before.roles]
    if not wanted.roles and current is not None and current.name in had:
        raise rules.not_removable(before.id)
    fresh = [grant for grant in wanted.roles if grant not in list(before.roles)]
    grants = [Grant(value=grant.value, primary=grant.primary) for grant in fresh]
    creating = current is None
    reading = rules.from_grants(
        grants, _roles(write), by_provisioning=write.caller.provisions and not creating
    )
    if reading.role is None:
        _note_foreign(write, fresh)
        return None
    return _named(write, reading.role.name, current, before.id)


def _named(write: Write, name: str, current: RoleFacts | None, user_id: str) -> RoleFacts:
    """Return the role *name*; for a user to be created by provisioning never a guest role."""
    provisions = write.caller.provisions
    if current is None:
        first = guests.role_for_create(
            name, _roles(write), write.context.default_role, by_provisioning=provisions
        )
        if first.guest_ignored:
            write.notice(
                "GUEST_ROLE_IGNORED",
                f"Provisioning makes nobody a guest; the user gets the role {first.role.name}.",
                "workplace.user_role",
            )
        return first.role
    if current.name == name:
        return current
    found = rules.find(name, _roles(write), by_provisioning=provisions)
    guests.guard(current, found, by_provisioning=provisions, user_id=user_id)
    return found


def _store_grants(write: Write, wanted: user_pb2.User, chosen: RoleFacts) -> None:
    """Keep foreign elements as they are, and one element that stands for the role."""
    foreign: list[user_pb2.RoleGrant] = []
    naming: list[user_pb2.RoleGrant] = []
    for grant in wanted.roles:
        (naming if rules.names_role(grant.value, _roles(write)) else foreign).append(grant)
    marks = [grant for grant in naming if grant.value == chosen.name] or naming
    kept = [*foreign, *(_mark(grant) for grant in marks[:1])]
    del wanted.roles[:]
    if foreign or not write.context.roles_as_groups or any(grant.type for grant in kept):
        wanted.roles.extend(kept)


def _mark(grant: user_pb2.RoleGrant) -> user_pb2.RoleGrant:
    mark = user_pb2.RoleGrant()
    mark.CopyFrom(grant)
    mark.ClearField("value")
    mark.ClearField("display")
    return mark


def _note_foreign(write: Write, fresh: list[user_pb2.RoleGrant]) -> None:
    if fresh:
        values = ", ".join(grant.value for grant in fresh)
        write.notice(
            "ROLE_KEPT_AS_VALUE", f"No role of the workspace is called {values}.", "roles.value"
        )


def _roles(write: Write) -> tuple[RoleFacts, ...]:
    return tuple(write.context.roles.values())
