"""A workspace keeps an active admin, and the product may keep the admin role to itself."""

from userdirectory.errors import DirectoryError

from core_service.rules.standing import Facts, Standing


def guard(before: Standing | None, after: Standing | None, facts: Facts, user_id: str) -> None:
    """
    Refuse a write that takes the last active admin from a workspace.

    Args:
        before: The user's standing now; None for one to be created.
        after: The user's standing then; None for one who will be gone.
        facts: Counts before the write; *before* is counted in them.

    Raises:
        DirectoryError: LAST_ADMIN.

    Source: R-150, D-16.
    """
    losing = int(before is not None and before.is_active_admin)
    gaining = int(after is not None and after.is_active_admin)
    guard_many(losing, gaining, facts, user_id)


def guard_many(losing: int, gaining: int, facts: Facts, user_id: str) -> None:
    """
    Refuse a write of many users that takes the last active admin from a workspace.

    Args:
        losing: How many users the write makes less than an active admin.
        gaining: How many users the write makes an active admin.
        facts: Counts before the write. A workspace without an active admin loses none.
        user_id: One of the losing users, for the message.

    Raises:
        DirectoryError: LAST_ADMIN.

    Source: R-150, D-16.
    """
    if losing and facts.active_admins - losing + gaining <= 0:
        raise DirectoryError(
            "LAST_ADMIN",
            f"User {user_id} is the last active admin. Make someone else admin first.",
            user_id=user_id,
        )


def guard_lock(
    before: Standing | None,
    after: Standing | None,
    product_only: bool,
    by_provisioning: bool,
    user_id: str,
) -> None:
    """
    Refuse that provisioning gives or takes the admin role where only the product may.

    Deactivating and deleting an admin takes no role; there `guard` decides alone.

    Args:
        before: The user's standing now; None for one to be created.
        after: The user's standing then; None for one who will be gone.
        product_only: Whether only the product gives and takes the admin role.
        by_provisioning: Whether an identity provider asks.
        user_id: The user; empty for one to be created.

    Raises:
        DirectoryError: ADMIN_ROLE_LOCKED.

    Source: R-154.
    """
    if not (product_only and by_provisioning) or after is None:
        return
    had = before is not None and before.admin
    if had != after.admin:
        raise DirectoryError(
            "ADMIN_ROLE_LOCKED",
            f"Provisioning cannot {'take the admin role from' if had else 'give the admin role to'}"
            f" {f'user {user_id}' if user_id else 'a new user'}. Change the role in the product.",
            user_id=user_id,
        )


def verify(workspace_id: str, had_admin: bool, counted: int, actual: int) -> list[str]:
    """
    Return what is wrong with a workspace's admins, one sentence each.

    Args:
        had_admin: Whether the workspace ever had an active admin.
        counted: Active admins as the workspace's row counts them.
        actual: Active admins as the rows of its users say.
    """
    wrong = []
    if had_admin and actual == 0:
        wrong.append(f"Workspace {workspace_id} has no active admin.")
    if counted != actual:
        wrong.append(f"Workspace {workspace_id} counts {counted} active admins and has {actual}.")
    return wrong
