"""What one workspace's identity provider may change of an account that others may share."""

from collections.abc import Iterable, Mapping
from enum import Enum

from userdirectory.errors import DirectoryError
from userdirectory.text import fold


class EmailChange(Enum):
    """
    What becomes of a user name that was sent.

    Attributes:
        SAME: It is the one the user has.
        RESPELL: The same name in other letters. The user takes it; the account takes it only if
            it is not shared.
        CHANGE: User and account take it, if no other account has it.
        KEEP: The old one stays, and the caller gets a notice.
    """

    SAME = "same"
    RESPELL = "respell"
    CHANGE = "change"
    KEEP = "keep"


def email_change(
    before: str, after: str, workspaces: int, policy_allows: bool, linked: bool, user_id: str
) -> EmailChange:
    """
    Return what becomes of a user name that was sent for an existing user.

    Args:
        before: The user name the user has, canonical.
        after: The one that was sent, canonical.
        workspaces: How many workspaces have a user of the account, this one included.
        policy_allows: Whether provisioning may change the account's e-mail.
        linked: Whether an integration had the user before this request. On the first contact the
            profile may change and the login may not.

    Raises:
        DirectoryError: ACCOUNT_SHARED, which names no other workspace.

    Source: R-159 to R-164, D-04, D-05.
    """
    if before == after:
        return EmailChange.SAME
    if fold(before) == fold(after):
        return EmailChange.RESPELL
    if not policy_allows or not linked:
        return EmailChange.KEEP
    if workspaces > 1:
        raise DirectoryError(
            "ACCOUNT_SHARED",
            f"The account of user {user_id} is used elsewhere too, so its user_name cannot be "
            "changed here. Ask the person to change it in their profile.",
            user_id=user_id,
            field="user_name",
        )
    return EmailChange.CHANGE


def is_shared(workspaces: int) -> bool:
    """Whether only the person may change an account with users in so many workspaces (D-05)."""
    return workspaces > 1


def takes_names(workspaces: int) -> bool:
    """Whether the account gets the user's given and family name too (R-108, D-05)."""
    return not is_shared(workspaces)


def is_needed(workspaces: int) -> bool:
    """Whether the account stays; without a user it goes and its address is free (R-163)."""
    return workspaces > 0


def verify(account_ids: Iterable[str], account_of: Mapping[tuple[str, str], str]) -> list[str]:
    """
    Return what is wrong between accounts and users, one sentence each.

    Args:
        account_ids: All accounts.
        account_of: `{(workspace_id, user_id): account_id}` of all users.
    """
    accounts = set(account_ids)
    wrong = []
    seen: dict[tuple[str, str], str] = {}
    for (workspace_id, user_id), account_id in account_of.items():
        if account_id not in accounts:
            wrong.append(f"User {user_id} has the account {account_id!r}, which does not exist.")
        other = seen.setdefault((workspace_id, account_id), user_id)
        if other != user_id:
            wrong.append(f"Users {other} and {user_id} of {workspace_id} have the same account.")
    used = set(account_of.values())
    wrong += [f"Account {id_} has no user." for id_ in sorted(accounts - used)]
    return wrong
