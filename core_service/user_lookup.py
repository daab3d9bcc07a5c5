"""How a request names users, and who of them a caller may see."""

from collections.abc import Sequence

from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_pb2

from core_service.core import Caller
from core_service.rules import emails
from core_service.rules.wording import shown
from core_service.storage import store
from core_service.storage.database import Transaction

MOST_IDS = 1000


async def find(tx: Transaction, caller: Caller, ref: user_pb2.UserRef) -> store.UserRow:
    """
    Return the user that *ref* names, as far as *caller* may see it.

    Raises:
        DirectoryError: USER_NOT_FOUND; SUBJECT_MISSING for "me" by a credential of nobody.
    """
    key = ref.WhichOneof("key")
    if key == "me":
        ref = user_pb2.UserRef(user_name=_subject(caller))
        key = "user_name"
    if key == "user_name":
        name_key = emails.key(ref.user_name)
        row = await store.user_by_name(tx, caller.workspace_id, name_key)
    else:
        row = await store.user_by_id(tx, caller.workspace_id, ref.id)
    if row is None or hidden(row, caller):
        raise not_found(key or "id", getattr(ref, key or "id"))
    return row


def not_found(key: str, value: str) -> DirectoryError:
    """Return the error for a user that is not there."""
    return DirectoryError(
        "USER_NOT_FOUND",
        f"No user has the {key} {shown(value)}. List the users to find the right one.",
        key=key,
        value=shown(value),
    )


def check_ids(ids: Sequence[str]) -> None:
    """
    Refuse a batch that is too long.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    if len(ids) > MOST_IDS:
        raise DirectoryError(
            "FIELD_INVALID",
            f"{len(ids)} ids are too many; send at most {MOST_IDS} at once.",
            field="ids",
            limit=MOST_IDS,
        )


def hidden(row: store.UserRow, caller: Caller) -> bool:
    """Return whether a user does not exist for *caller*, who had deleted it (D-20)."""
    return caller.provisions and row.unlink_time is not None


def _subject(caller: Caller) -> str:
    if not caller.subject:
        raise DirectoryError(
            "SUBJECT_MISSING",
            "The credential belongs to no person, so nobody is meant. Name the user, or use a "
            "token that was made with a subject.",
        )
    return caller.subject
