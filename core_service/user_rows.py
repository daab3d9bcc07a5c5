"""How a user's row is made: its document, its states, its version, and what else shows it."""

from dataclasses import replace

from userdirectory.v1 import policy_pb2, user_pb2

from core_service.rules import deletion
from core_service.rules import emails as email_rules
from core_service.rules.deletion import Presence
from core_service.storage import store
from core_service.writing import Write

_DERIVED = (
    "id",
    "etag",
    "create_time",
    "update_time",
    "password",
    "groups",
    "role_id",
    "account_id",
    "managed_by",
    "last_sync_time",
    "last_trace_id",
    "delete_time",
    "unlink_time",
    "contact_email",
    "profile_phone",
    "source",
)


def document_of(wanted: user_pb2.User, user_name: str, active: bool) -> bytes:
    """Return the user as it is stored: without what is derived from elsewhere."""
    document = user_pb2.User()
    document.CopyFrom(wanted)
    for field in _DERIVED:
        document.ClearField(field)
    document.user_name = user_name
    document.active = active
    return document.SerializeToString(deterministic=True)


def email_keys_of(wanted: user_pb2.User) -> list[str]:
    """Return the e-mail addresses of a user as they are compared."""
    return sorted({email_rules.key(email.value) for email in wanted.emails if email.value})


async def put(
    write: Write, row: store.UserRow, new: store.UserRow, wanted: user_pb2.User | None
) -> store.UserRow:
    """Store *new*; a change that no reader sees, such as a first link, keeps the version."""
    seen = new._replace(integration_id=row.integration_id) != row
    if seen:
        new = new._replace(version=row.version + 1, update_time=write.now)
    if write.caller.provisions and new.unlink_time is None:
        new = new._replace(last_sync_time=write.now, last_trace_id=write.caller.trace_id)
    email_keys = None
    if wanted is not None and new.document != row.document:
        new = new._replace(search=store.search_text(wanted))
        email_keys = email_keys_of(wanted)
    await store.update_user(write.tx, new, email_keys)
    return new


def with_states(
    write: Write, row: store.UserRow, *, active: bool, back: bool, recycles: bool
) -> store.UserRow:
    """Return *row* as activating, deactivating and coming back leave it (D-20, D-21)."""
    before = presence_of(row)
    if back:
        after = deletion.come_back(before, active)
    else:
        after = deletion.with_active(before, active, recycles=recycles)
    if write.caller.provisions:
        row = row._replace(integration_id=write.caller.integration_id)
    elif after.active:
        after = replace(after, unlinked=False)
    return with_presence(write, row, after)


def presence_of(row: store.UserRow) -> Presence:
    """Return whether the user of *row* is there, and for whom."""
    return Presence(
        active=bool(row.active),
        recycled=row.delete_time is not None,
        unlinked=row.unlink_time is not None,
    )


def with_presence(write: Write, row: store.UserRow, presence: Presence) -> store.UserRow:
    """Return *row* with this presence; a time that is set already stays."""
    return row._replace(
        active=presence.active,
        delete_time=(row.delete_time or write.now) if presence.recycled else None,
        unlink_time=(row.unlink_time or write.now) if presence.unlinked else None,
    )


def recycles_now(write: Write) -> bool:
    """Return whether deactivating moves a user to the deleted users in this write."""
    recycle = write.context.policy.on_deactivate == policy_pb2.ON_DEACTIVATE_RECYCLE
    return recycle and write.caller.provisions


async def touch(write: Write, row: store.UserRow, new: store.UserRow) -> None:
    """Raise the version of what shows something of the user that changed."""
    tx, workspace_id = write.tx, write.workspace_id
    if new.display_name != row.display_name:
        await store.touch_groups_of_user(tx, workspace_id, row.id, write.now)
        await store.touch_reports_of(tx, workspace_id, row.id, write.now)
    if new.role_id != row.role_id:
        await touch_roles(write, row.role_id, new.role_id)
    elif new.display_name != row.display_name or new.unlink_time != row.unlink_time:
        await touch_roles(write, row.role_id)


async def touch_roles(write: Write, *role_ids: str) -> None:
    """Raise the version of roles, where SCIM clients see who has them."""
    if write.context.roles_as_groups:
        await store.touch_roles(write.tx, write.workspace_id, list(role_ids), write.now)
