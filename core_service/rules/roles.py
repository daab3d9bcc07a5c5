"""Every user has exactly one role of the workspace; provisioning assigns roles, makes none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from userdirectory.errors import DirectoryError
from userdirectory.text import name_key

from core_service.rules.wording import invalid, shown, unknown_name

USER_ROLE = "workplace.user_role"
ROLES = "roles.value"
NAME_LIMIT = 256


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """
    What the rules must know of a role.

    Attributes:
        rank: 1 may most. Roles may share a rank.
    """

    id: str
    name: str
    kind: Literal["admin", "regular", "guest"]
    rank: int


@dataclass(frozen=True, slots=True)
class Grant:
    """An element of `roles`, as a provisioning client sent it."""

    value: str
    primary: bool


@dataclass(frozen=True, slots=True)
class GrantReading:
    """
    What the elements of `roles` ask for.

    Attributes:
        role: The role of the workspace that they give; None if they name none.
        role_indexes: Which of them name a role of the workspace, in order; the others are values
            that the directory keeps and draws no conclusion from.
    """

    role: RoleFacts | None
    role_indexes: list[int]


def default_role(roles: Sequence[RoleFacts], named_id: str) -> RoleFacts:
    """
    Return the role of users who are created without one: the least privileged that is no guest's.

    Args:
        roles: The workspace's roles in order of creation; of equal rank the first counts.
        named_id: The role that the workspace names instead; empty, unknown or a guest role names
            none.

    Raises:
        DirectoryError: ROLE_NOT_FOUND if all roles are for guests.

    Source: R-152.
    """
    usable = [role for role in roles if role.kind != "guest"]
    for role in usable:
        if role.id == named_id:
            return role
    if not usable:
        raise DirectoryError(
            "ROLE_NOT_FOUND",
            "The workspace has no role that is not for guests. Add one in the product.",
            id=named_id,
        )
    return max(usable, key=lambda role: role.rank)


def find(name: str, roles: Sequence[RoleFacts], by_provisioning: bool) -> RoleFacts:
    """
    Return the role called *name*, compared exactly but for blanks around it.

    Args:
        by_provisioning: Whether an identity provider asks, for whom guest roles do not exist.

    Raises:
        DirectoryError: NAME_UNKNOWN with the nearest name the caller may learn of.

    Source: R-125, R-158, D-12.
    """
    visible = [role for role in roles if not (by_provisioning and role.kind == "guest")]
    wanted = name_key(name)
    for role in visible:
        if name_key(role.name) == wanted:
            return role
    raise unknown_name(USER_ROLE, "role", name, [role.name for role in visible])


def named(value: str, roles: Iterable[RoleFacts]) -> RoleFacts | None:
    """Return the role that *value* is the name or the id of, None if it is neither."""
    wanted = name_key(value)
    by_id = None
    for role in roles:
        if name_key(role.name) == wanted:
            return role
        if role.id == wanted:
            by_id = role
    return by_id


def names_role(value: str, roles: Iterable[RoleFacts]) -> bool:
    """Whether *value* is the name or the id of a role."""
    return named(value, roles) is not None


def from_grants(
    grants: Sequence[Grant], roles: Sequence[RoleFacts], by_provisioning: bool
) -> GrantReading:
    """
    Return the role that the elements of `roles` give.

    Args:
        grants: The elements in the order sent. Two that name the same role are one wish.
        by_provisioning: Whether an identity provider asks, who may give no guest role.

    Raises:
        DirectoryError: SECOND_ROLE if they name several roles and not exactly one of these is
            primary; NAME_UNKNOWN if provisioning names a guest role.

    Source: R-144, R-145, R-157, D-10.
    """
    found = [
        (index, role) for index, grant in enumerate(grants) if (role := named(grant.value, roles))
    ]
    for index, role in found:
        if by_provisioning and role.kind == "guest":
            visible = [other.name for other in roles if other.kind != "guest"]
            raise unknown_name(ROLES, "role", grants[index].value, visible)
    wishes = {role.id: role for _, role in found}
    if len(wishes) > 1:
        primary = {role.id: role for index, role in found if grants[index].primary}
        if len(primary) != 1:
            raise _second_role(wishes)
        wishes = primary
    return GrantReading(next(iter(wishes.values()), None), [index for index, _ in found])


def role_after_leaving_group(current: RoleFacts, left: RoleFacts, default: RoleFacts) -> RoleFacts:
    """
    Return the role of a user who was removed from the group of the role *left*.

    Leaving the current role's group leads to the default role; leaving any other changes nothing,
    so that joining B and leaving A end in B in either order.

    Source: D-09.
    """
    return default if current.id == left.id else current


def not_removable(user_id: str) -> DirectoryError:
    """Return the error for a write that would leave a user without a role (R-151, D-09)."""
    return DirectoryError(
        "ROLE_NOT_REMOVABLE",
        f"The role of user {user_id} can be changed but not removed. Send the name of another "
        "role, or set a default value for the role in the attribute mapping.",
        user_id=user_id,
    )


def guard_catalogue(roles: Sequence[RoleFacts]) -> None:
    """
    Refuse roles that a workspace cannot work with.

    Raises:
        DirectoryError: FIELD_INVALID if a name is blank, too long or there twice, if a rank is
            less than 1, or if no role is for admins or none is neither for admins nor for guests.
    """
    seen: set[str] = set()
    for role in roles:
        name = name_key(role.name)
        if not name or len(name) > NAME_LIMIT:
            raise invalid(
                "roles.name",
                f"A role needs a name of 1 to {NAME_LIMIT} characters. Name it.",
                limit=NAME_LIMIT,
            )
        if name in seen:
            raise invalid(
                "roles.name",
                f"Two roles are called {shown(name)}. Give each its own name.",
                value=shown(name),
            )
        seen.add(name)
        if role.rank < 1:
            raise invalid(
                "roles.rank", f"The rank of role {shown(name)} is less than 1. Count from 1."
            )
    for kind in ("admin", "regular"):
        if all(role.kind != kind for role in roles):
            raise invalid("roles.kind", f"No role is of the kind {kind}. Add one.", value=kind)


def verify(workspace_id: str, role_ids: Iterable[str], role_of: Mapping[str, str]) -> list[str]:
    """
    Return which users lack a role of their workspace, one sentence each.

    Args:
        role_ids: The workspace's roles.
        role_of: `{user_id: role_id}` of all its users.
    """
    known = set(role_ids)
    return [
        f"User {user_id} of workspace {workspace_id} has no role; {role_id!r} does not exist."
        for user_id, role_id in role_of.items()
        if role_id not in known
    ]


def _second_role(wishes: Mapping[str, RoleFacts]) -> DirectoryError:
    names = shown(", ".join(role.name for role in wishes.values()))
    return DirectoryError(
        "SECOND_ROLE",
        f"A user has one role, and several were given: {names}. Give one, or mark one as primary.",
        roles=names,
    )
