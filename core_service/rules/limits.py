"""How many users and groups a workspace may have."""

from typing import Literal

from userdirectory.errors import DirectoryError


def guard(what: Literal["users", "groups"], count: int, limit: int, adding: int = 1) -> None:
    """
    Refuse to add to what a workspace has when it has as many as it may.

    Ask on create and on link only: a workspace over its limit can still be changed.

    Args:
        count: How many there are; recycled users count.
        limit: The most there may be; 0 means no limit.
        adding: How many are added.

    Raises:
        DirectoryError: LIMIT_REACHED.

    Source: R-174, R-175, D-28.
    """
    if limit and count + adding > limit:
        raise DirectoryError(
            "LIMIT_REACHED",
            f"The workspace has {count} {what} and may have {limit}. Delete {what} that are not "
            "needed, or raise the limit.",
            limit=limit,
            what=what,
        )
