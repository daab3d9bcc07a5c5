"""
The provisioning log: what each write did, in its own transaction, and what was refused.

The use cases say what a row was and what it is; what changed and what follows from it is found out
here. No entry ever holds a password, a token or the hash of one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from google.protobuf.message import Message
from userdirectory.v1 import log_pb2, user_pb2

from core_service import decisions, log_rows, views
from core_service.differences import differences, json_text
from core_service.rules import guests
from core_service.rules.roles import RoleFacts
from core_service.storage import store
from core_service.writing import Write

# A product's changes further back than this are not looked for; see `_changed_in_product`.
_RECENT = 50
_SHOWN_CHARACTERS = 200
# Consequences of a write; nobody sets them.
_CONSEQUENCES = frozenset({"managed_by", "delete_time", "unlink_time", "source"})


@dataclass(slots=True)
class Members:
    """
    Which members came to a group and went from it in one write.

    Attributes:
        came: The ids of those who were none before and are now.
        gone: The ids of those who were members before and are not now.
        touched: The ids of all who came or went in between.
    """

    came: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def move(self, *, gone: Iterable[str] = (), came: Iterable[str] = ()) -> None:
        """Note that some went, and that then some came."""
        going, coming = set(gone), set(came)
        self.gone |= going - self.came
        self.came -= going
        self.came |= coming - self.gone
        self.gone -= coming
        self.touched |= going | coming


async def user(write: Write, row: store.UserRow | None, new: store.UserRow | None) -> None:
    """
    Log a write of a user, with its events.

    Args:
        row: The user before; None for one who did not exist.
        new: The user now, the same as *row* if nothing was written; None for one who is gone for
            good, of whom the log then keeps nothing but when, by whom and in which trace (R-171).
    """
    if new is None:
        assert row is not None
        _forget_name(write)
        _revoke_sessions(write, row, row._replace(active=False))
        await store.forget_log_of(write.tx, write.workspace_id, row.id)
        await record(write, row.id)
        return
    if row is not None:
        gone = row.active and not new.active and "DELETED" not in write.outcomes
        if gone and write.caller.provisions:
            write.decided("DEACTIVATED")
        _revoke_sessions(write, row, new)
    changes = _user_changes(row, new)
    if row is not None and changes:
        _tell_account_email(write, row, new)
        roles = write.context.roles
        tell_promotion(write, new.id, roles[row.role_id], roles[new.role_id])
        await _tell_overwritten(write, row, changes)
    write.changes.extend(changes)
    await record(write, new.id, wrote=new != row)


async def manager_cleared(write: Write, row: store.UserRow, new: store.UserRow) -> None:
    """Log on a user that the manager was purged (D-30)."""
    _forget_name(write)
    write.notice(
        "MANAGER_CLEARED",
        f"User {row.manager_id} is gone and is no longer the manager of user {row.id}.",
        "enterprise.manager.user_id",
    )
    write.changes.extend(_user_changes(row, new))
    await record(write, row.id)


async def group(
    write: Write, row: store.GroupRow | None, new: store.GroupRow | None, members: Members
) -> None:
    """
    Log a write of a group: its names, and the ids of the members that went and came.

    Args:
        row: The group before; None for one that did not exist.
        new: The group now; None for one that is gone.
    """
    for name in ("external_id", "display_name"):
        before = None if row is None else getattr(row, name)
        after = None if new is None else getattr(new, name)
        write.changes.extend(_text_change(name, before, after))
    target = new or row
    assert target is not None
    await role_members(write, target.id, members, wrote=new != row)


async def role_members(
    write: Write, role_id: str, members: Members, *, wrote: bool = False
) -> None:
    """Log which users got a role and which lost it, by a write of the role's group."""
    if members.came or members.gone:
        write.changes.append(
            log_pb2.FieldChange(
                field="members",
                before=json_text(sorted(members.gone)) if members.gone else "",
                after=json_text(sorted(members.came)) if members.came else "",
            )
        )
    await record(write, role_id, wrote=wrote or bool(members.touched))


async def resource(write: Write, target_id: str, before: Message, after: Message) -> None:
    """Log a write of anything that is a message, such as the workspace itself."""
    write.changes.extend(differences(before, after))
    await record(write, target_id)


def tell_promotion(write: Write, user_id: str, before: RoleFacts, after: RoleFacts) -> None:
    """Tell the caller if a guest became more than a guest (D-15)."""
    if guests.promoted(before, after):
        write.notice(
            "GUEST_PROMOTED",
            f"User {user_id} was a guest and has the role {after.name} now.",
            "workplace.user_role",
        )


async def record(write: Write, target_id: str, *, wrote: bool = True) -> None:
    """
    Log what the write did to a target: its changes and notices since the last entry.

    Args:
        target_id: The user, group, role or workspace; empty if there is none.
        wrote: Whether anything was written; a write that changed nothing and has nothing to tell
            leaves no entry.
    """
    notices = write.notices[write.logged :]
    if not wrote and not notices and not write.changes:
        return
    rule, names = decisions.of_deed(write.outcomes, notices)
    entry = log_pb2.LogEntry(
        changes=write.changes,
        notices=notices,
        rule=rule,
        settings=log_rows.settings(write.context, names),
    )
    row = log_rows.row(write.caller, write.workspace_id, write.now, target_id, entry)
    await store.insert_log(write.tx, row)
    write.changes.clear()
    write.logged = len(write.notices)


def _forget_name(write: Write) -> None:
    """Keep no request that names who is purged by another name than the id (R-171)."""
    named = getattr(write.caller.request, "user", None)
    if isinstance(named, user_pb2.UserRef) and not named.id:
        write.caller = replace(write.caller, request=None)


def _user_changes(row: store.UserRow | None, new: store.UserRow) -> list[log_pb2.FieldChange]:
    before = user_pb2.User() if row is None else user_pb2.User.FromString(row.document)
    if row is not None and new.document == row.document:
        changes = []
    else:
        changes = differences(before, user_pb2.User.FromString(new.document))
    for name, column in (("role_id", "role_id"), ("managed_by", "integration_id")):
        was = "" if row is None else getattr(row, column)
        changes.extend(_text_change(name, was, getattr(new, column)))
    for name in ("delete_time", "unlink_time"):
        since = None if row is None else getattr(row, name)
        changes.extend(_text_change(name, _instant(since), _instant(getattr(new, name))))
    return changes


def _text_change(name: str, before: str | None, after: str | None) -> list[log_pb2.FieldChange]:
    if (before or "") == (after or ""):
        return []
    texts = [json_text(text) if text else "" for text in (before, after)]
    return [log_pb2.FieldChange(field=name, before=texts[0], after=texts[1])]


def _instant(micros: int | None) -> str:
    return "" if micros is None else views.timestamp(micros).ToJsonString()


def _revoke_sessions(write: Write, row: store.UserRow, new: store.UserRow) -> None:
    """Tell that a person who could sign in cannot any more, or not with what they had (R-022)."""
    if not row.active:
        return
    if not new.active:
        write.notice(
            "SESSIONS_REVOKED", f"User {row.id} can no longer sign in; sessions must end.", "active"
        )
    elif any(change.field == "password" for change in write.changes):
        write.notice(
            "SESSIONS_REVOKED",
            f"User {row.id} has a new password; sessions must end.",
            "password",
        )


def _tell_account_email(write: Write, row: store.UserRow, new: store.UserRow) -> None:
    if new.user_name_key != row.user_name_key:
        write.notice(
            "ACCOUNT_EMAIL_CHANGED",
            f"User {row.id} signs in as {new.user_name} now and no longer as {row.user_name}.",
            "user_name",
        )


async def _tell_overwritten(
    write: Write, row: store.UserRow, changes: Sequence[log_pb2.FieldChange]
) -> None:
    """Tell which values of a product a provisioning write overwrites (R-003)."""
    if not write.caller.provisions or row.last_sync_time in (None, row.update_time):
        return
    local = await _changed_in_product(write, row.id)
    for change in changes:
        if change.field in local and change.field not in _CONSEQUENCES:
            write.notice(
                "LOCAL_CHANGE_OVERWRITTEN",
                f"{change.field} was changed in the product to {_shown(change.before)} "
                f"and is {_shown(change.after)} now.",
                change.field,
            )


async def _changed_in_product(write: Write, user_id: str) -> set[str]:
    """Return the fields of a user that products changed since provisioning last wrote it."""
    fields: set[str] = set()
    for row in await store.recent_log(write.tx, write.workspace_id, user_id, _RECENT):
        entry = log_pb2.LogEntry.FromString(row.document)
        if row.integration_id and entry.changes:
            break
        fields.update(change.field for change in entry.changes)
    return fields


def _shown(text: str) -> str:
    if len(text) > _SHOWN_CHARACTERS:
        return text[:_SHOWN_CHARACTERS] + "..."
    return text or "nothing"
