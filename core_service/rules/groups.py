"""Groups of their own and groups that are roles: names, groups in groups, who may write what."""

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum

from userdirectory.errors import DirectoryError
from userdirectory.text import fold

from core_service.rules.wording import invalid, shown


class Nested(Enum):
    """
    What becomes of a group as member of a group.

    Attributes:
        SKIP: It is left out, and the caller gets a notice.
        REFUSE: The request is refused.
        STORE: It is kept as a member; its users do not become members.
    """

    SKIP = "skip"
    REFUSE = "refuse"
    STORE = "store"


def keeps_nested(nested: Nested, group_id: str, member_id: str) -> bool:
    """
    Return whether the group *member_id* is kept as a member of the group *group_id*.

    Args:
        group_id: The group; empty for one to be created.

    Raises:
        DirectoryError: FIELD_INVALID if the workspace refuses groups in groups, or if a group
            would be its own member.

    Source: R-177, D-26.
    """
    if nested is Nested.SKIP:
        return False
    if nested is Nested.REFUSE:
        raise invalid(
            "members.member_id",
            f"{shown(member_id)} is a group, and groups have only users as members here. Send its "
            "users instead.",
            value=shown(member_id),
        )
    if member_id == group_id:
        raise invalid(
            "members.member_id",
            f"Group {shown(group_id)} cannot be its own member. Send another member.",
            value=shown(member_id),
        )
    return True


def key(display_name: str) -> str:
    """Return what equal display names of groups have in common (D-27)."""
    return fold(display_name.strip())


def name_taken(display_name: str) -> DirectoryError:
    """Return the error for a display name that another group has (R-176, D-27)."""
    return DirectoryError(
        "VALUE_TAKEN",
        f"Another group has the display_name {shown(display_name)}. Use another name.",
        field="display_name",
        value=shown(display_name),
    )


def guard_catalogue(roles_are_groups: bool, operation: str) -> None:
    """
    Refuse to create, rename or delete a group that is a role; roles are managed in the product.

    Args:
        roles_are_groups: Whether the workspace's groups are its roles.
        operation: `create`, `rename`, `delete`. Writing the name a group has is no rename.

    Raises:
        DirectoryError: ROLE_CATALOGUE.

    Source: R-085, R-143, D-24.
    """
    if roles_are_groups:
        raise DirectoryError(
            "ROLE_CATALOGUE",
            f"Groups are roles here, so provisioning cannot {operation} them. Use Menu > Settings "
            "> Permissions in the product, and turn off group provisioning in the identity "
            "provider if it only assigns users.",
            operation=operation,
        )


def wants_known(nested: Nested) -> bool:
    """
    Return whether provisioning may name only members who are here.

    Who leaves groups in groups out, or keeps them, mirrors the groups of an identity provider:
    these have members of other kinds too, such as devices, and people who are not provisioned.
    Nothing of them could be kept, and one of them must not keep all others out.

    Source: D-26.
    """
    return nested is Nested.REFUSE


def verify(names: Iterable[tuple[str, str]], unique: bool) -> list[str]:
    """
    Return which groups of a workspace share a name that must be unique, one sentence each.

    Args:
        names: `(group_id, display name)`.
        unique: Whether the workspace asks for unique names.
    """
    holders: dict[str, list[str]] = defaultdict(list)
    for group_id, name in names:
        holders[key(name)].append(group_id)
    return [
        f"Groups {', '.join(ids)} have the same name."
        for ids in holders.values()
        if unique and len(ids) > 1
    ]


def verify_members(
    members: Iterable[tuple[str, str]], group_ids: Iterable[str], user_ids: Iterable[str]
) -> list[str]:
    """
    Return which memberships of a workspace lead nowhere, one sentence each.

    Args:
        members: `(group_id, member_id)`; a member is a user or a group.
    """
    groups = set(group_ids)
    known = groups | set(user_ids)
    wrong = []
    for group_id, member_id in members:
        if group_id not in groups:
            wrong.append(f"{member_id} is a member of the group {group_id}, which does not exist.")
        if member_id not in known:
            wrong.append(f"Group {group_id} has the member {member_id}, who does not exist.")
        if group_id == member_id:
            wrong.append(f"Group {group_id} is its own member.")
    return wrong
