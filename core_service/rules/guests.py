"""Provisioning makes nobody a guest; existing guests can be synced and promoted."""

from collections.abc import Sequence
from dataclasses import dataclass

from userdirectory.errors import DirectoryError

from core_service.rules import roles as role_rules
from core_service.rules.roles import RoleFacts


@dataclass(frozen=True, slots=True)
class FirstRole:
    """
    The role of a user to be created.

    Attributes:
        guest_ignored: Whether a guest role was asked for and the default given instead.
    """

    role: RoleFacts
    guest_ignored: bool


def role_for_create(
    asked: str | None, roles: Sequence[RoleFacts], default: RoleFacts, by_provisioning: bool
) -> FirstRole:
    """
    Return the role of a user to be created.

    Args:
        asked: The name of the role asked for; None or blank for none.
        default: The role of users created without one; never a guest role.
        by_provisioning: Whether an identity provider asks; guests are created by others only.

    Raises:
        DirectoryError: NAME_UNKNOWN.

    Source: R-152, R-155, D-15.
    """
    if asked is None or not asked.strip():
        return FirstRole(default, guest_ignored=False)
    named = role_rules.named(asked, [role for role in roles if role.kind == "guest"])
    if by_provisioning and named is not None:
        return FirstRole(default, guest_ignored=True)
    return FirstRole(role_rules.find(asked, roles, by_provisioning), guest_ignored=False)


def guard(
    before: RoleFacts | None, after: RoleFacts, by_provisioning: bool, user_id: str = ""
) -> None:
    """
    Refuse that provisioning makes someone a guest, by whichever door.

    Args:
        before: The role the user has; None for one to be created.
        after: The role the user will have. A guest may stay one, and may be promoted.
        user_id: The user; empty for one to be created.

    Raises:
        DirectoryError: GUEST_RESTRICTED.

    Source: R-155 to R-158, D-15.
    """
    was_guest = before is not None and before.kind == "guest"
    if by_provisioning and after.kind == "guest" and not was_guest:
        raise DirectoryError(
            "GUEST_RESTRICTED",
            "Nobody can be made a guest by provisioning. Choose another role, or invite the guest "
            "in the product.",
            user_id=user_id,
        )


def promoted(before: RoleFacts | None, after: RoleFacts) -> bool:
    """Whether a guest becomes more than a guest, which takes a seat if active (D-15)."""
    return before is not None and before.kind == "guest" and after.kind != "guest"
