"""Who manages whom: a tree, or several, but never a circle."""

from collections.abc import Iterable, Mapping

from core_service.rules.wording import invalid, shown

FIELD = "enterprise.manager.user_id"


def guard(user_id: str, manager_id: str, chain: Iterable[str]) -> None:
    """
    Refuse a manager who is the user or is managed by the user.

    Args:
        user_id: The user; empty for one to be created, whom nobody can name yet.
        manager_id: The manager; need not exist.
        chain: The managers above *manager_id*, nearest first; *manager_id* may be the first.

    Raises:
        DirectoryError: FIELD_INVALID.

    Source: R-104, R-138, D-30.
    """
    if not user_id:
        return
    if manager_id == user_id:
        raise invalid(
            FIELD,
            f"User {user_id} cannot be their own manager. Name another user.",
            value=shown(manager_id),
        )
    if user_id in chain:
        raise invalid(
            FIELD,
            f"User {shown(manager_id)} is managed by user {user_id}, who cannot have them as "
            "manager. Change that user's manager first.",
            value=shown(manager_id),
        )


def verify(manager_of: Mapping[str, str]) -> list[str]:
    """
    Return the circles among the users of a workspace, one sentence each.

    Args:
        manager_of: `{user_id: manager_id}`; managers need not exist.
    """
    wrong = []
    settled: set[str] = set()
    for start in manager_of:
        path: dict[str, None] = {}
        user_id = start
        while user_id in manager_of and user_id not in settled and user_id not in path:
            path[user_id] = None
            user_id = manager_of[user_id]
        if user_id in path:
            circle = list(path)
            circle = circle[circle.index(user_id) :]
            wrong.append(f"These users manage each other in a circle: {', '.join(circle)}.")
        settled.update(path)
    return wrong
