"""What becomes of a password that provisioning sends."""

from enum import Enum


class Outcome(Enum):
    """
    What becomes of a password.

    Attributes:
        NONE: None was sent.
        STORE: It becomes the account's.
        IGNORE: It is dropped, and the caller gets a notice.
    """

    NONE = "none"
    STORE = "store"
    IGNORE = "ignore"


def outcome(password: str, *, accepted: bool, workspaces: int, linked: bool) -> Outcome:
    """
    Return what becomes of a password. It never fails a write.

    Okta sends a random placeholder whenever it creates a user, also without password sync. So a
    password is dropped where it would lock someone out of an account they had before: one that
    other workspaces share, and one that the integration meets for the first time.

    Args:
        password: What was sent; empty for nothing.
        accepted: Whether the workspace lets provisioning set passwords.
        workspaces: How many workspaces have a user of the account, this one included.
        linked: Whether the account was made by this request, or an integration of this workspace
            had its user before.

    Source: R-030, D-05, D-31.
    """
    if not password:
        return Outcome.NONE
    if accepted and linked and workspaces <= 1:
        return Outcome.STORE
    return Outcome.IGNORE
