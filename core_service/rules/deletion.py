"""What deactivating, reactivating and deleting a user do."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Presence:
    """
    Whether a user is there, and for whom.

    Attributes:
        active: Whether the user can sign in.
        recycled: Whether the user is among the deleted users, from where they can be restored.
        unlinked: Whether the provisioning client deleted the user, who is hidden from it.
    """

    active: bool
    recycled: bool
    unlinked: bool


class Deletion(Enum):
    """
    What deleting a user does.

    Attributes:
        UNLINK: The user is deactivated and hidden from provisioning; history and id are kept.
        PURGE: The user is gone; a tombstone keeps id, time and trace id.
    """

    UNLINK = "unlink"
    PURGE = "purge"


def with_active(before: Presence, active: bool, *, recycles: bool) -> Presence:
    """
    Return the presence of a user whose `active` is written.

    Writing what is already there changes nothing. Activating restores a recycled user.

    Args:
        active: The value written.
        recycles: Whether deactivating moves the user to the deleted users too.

    Source: R-022, R-168, R-169, D-20.
    """
    if active:
        return Presence(active=True, recycled=False, unlinked=before.unlinked)
    recycled = before.recycled or (recycles and before.active)
    return Presence(active=False, recycled=recycled, unlinked=before.unlinked)


def come_back(before: Presence, active: bool) -> Presence:
    """
    Return the presence of a user whom a provisioning client creates again.

    Args:
        active: What the request says; True if it says nothing.

    Source: R-023, D-21.
    """
    return Presence(active=active, recycled=before.recycled and not active, unlinked=False)


def unlinked(before: Presence) -> Presence:
    """Return the presence of a user whom a provisioning client deleted, where history is kept."""
    return Presence(active=False, recycled=before.recycled, unlinked=True)


def on_delete(*, purges: bool, by_provisioning: bool) -> Deletion:
    """
    Return what deleting a user does.

    Args:
        purges: Whether the workspace purges what provisioning deletes.
        by_provisioning: Whether an identity provider asks. The product's own deletion purges
            always: it is how an address becomes free.

    Source: R-163, R-171, D-20.
    """
    return Deletion.PURGE if purges or not by_provisioning else Deletion.UNLINK


def verify(users: dict[str, Presence]) -> list[str]:
    """Return who is deleted and yet can sign in, one sentence each; *users* is by id."""
    return [
        f"User {user_id} is deleted and active."
        for user_id, presence in users.items()
        if presence.active and (presence.recycled or presence.unlinked)
    ]
