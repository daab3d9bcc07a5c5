"""What readers see: messages made from rows, with everything that is derived from other rows."""

from collections.abc import Mapping, Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1 import group_pb2, role_pb2, user_pb2

from core_service import nesting
from core_service.context import Context
from core_service.rules import emails
from core_service.storage import store
from core_service.storage.database import Transaction

MEMBER_TYPES = {1: "User", 2: "Group"}


def etag(version: int) -> str:
    """Return the etag of a version: `W/"7"`."""
    return f'W/"{version}"'


def check_etag(version: int, sent: str) -> None:
    """
    Refuse a write that was meant for another version.

    Args:
        version: The current version.
        sent: The etag that the caller read; empty means any.

    Raises:
        DirectoryError: ETAG_MISMATCH.
    """
    current = etag(version)
    if sent and sent != current:
        raise DirectoryError(
            "ETAG_MISMATCH",
            f"The resource changed since it was read: its etag is now {current}. "
            "Read it again and repeat the change.",
            etag=current,
        )


def timestamp(micros: int) -> Timestamp:
    """Return an instant, given in microseconds since 1970."""
    seconds, rest = divmod(micros, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


async def users(
    tx: Transaction,
    context: Context,
    rows: Sequence[store.UserRow],
    *,
    provisions: bool,
    with_groups: bool = True,
) -> list[user_pb2.User]:
    """
    Return the users of *rows*, in their order.

    Args:
        provisions: Whether a provisioning client reads, who is not told of guest roles.
        with_groups: Whether `groups` is wanted; it costs a query where groups are not roles.
    """
    groups: Mapping[str, Sequence[user_pb2.GroupMembership]] = {}
    if with_groups and rows and not context.roles_as_groups:
        groups = await nesting.memberships(tx, context, [row.id for row in rows])
    managers = {row.manager_id for row in rows if row.manager_id}
    names = await store.display_names(tx, context.id, sorted(managers)) if managers else {}
    found = []
    for row in rows:
        shown = user(context, row, provisions=provisions)
        if row.manager_id and names.get(row.manager_id):
            shown.enterprise.manager.display_name = names[row.manager_id]
        shown.groups.extend(groups.get(row.id, ()))
        if not with_groups:
            shown.ClearField("groups")
        found.append(shown)
    return found


def user(context: Context, row: store.UserRow, *, provisions: bool) -> user_pb2.User:
    """Return the user of *row* without what other rows say: groups and the manager's name."""
    shown = user_pb2.User.FromString(row.document)
    shown.id = row.id
    shown.etag = etag(row.version)
    shown.create_time.CopyFrom(timestamp(row.create_time))
    shown.update_time.CopyFrom(timestamp(row.update_time))
    shown.role_id = row.role_id
    shown.account_id = row.account_id
    shown.managed_by = row.integration_id
    shown.last_trace_id = row.last_trace_id or ""
    shown.source = row.source
    shown.contact_email = emails.contact_email(
        [email.value for email in shown.emails],
        [email.primary for email in shown.emails],
        row.user_name,
    )
    shown.profile_phone = next(
        (phone.value for phone in shown.phone_numbers if fold(phone.type) == "mobile"), ""
    )
    if row.last_sync_time is not None:
        shown.last_sync_time.CopyFrom(timestamp(row.last_sync_time))
    if row.delete_time is not None:
        shown.delete_time.CopyFrom(timestamp(row.delete_time))
    if row.unlink_time is not None:
        shown.unlink_time.CopyFrom(timestamp(row.unlink_time))
    _show_role(context, shown, row.role_id, provisions=provisions)
    return shown


def _show_role(context: Context, user: user_pb2.User, role_id: str, *, provisions: bool) -> None:
    role = context.roles[role_id]
    if role.kind == "guest" and provisions:
        kept = [grant for grant in user.roles if grant.HasField("value")]
        del user.roles[:]
        user.roles.extend(kept)
        return
    if context.has_user_role(provisions=provisions):
        user.workplace.user_role = role.name
    for grant in user.roles:
        if not grant.HasField("value"):
            grant.value = grant.display = role.name
    if context.roles_as_groups and role.kind != "guest":
        user.groups.add(group_id=role.id, display=role.name, type="direct")
        if not user.roles:
            user.roles.add(value=role.name, display=role.name, primary=True)


def group(row: store.GroupRow) -> group_pb2.Group:
    """Return the group of *row* without its members."""
    message = group_pb2.Group(
        id=row.id,
        etag=etag(row.version),
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        display_name=row.display_name,
        member_count=row.member_count,
        source=row.source,
    )
    if row.external_id is not None:
        message.external_id = row.external_id
    return message


def role_group(row: store.RoleRow, member_count: int) -> group_pb2.Group:
    """Return a role as the group that SCIM clients see (R-126, R-127)."""
    return group_pb2.Group(
        id=row.id,
        etag=etag(row.version),
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        display_name=row.name,
        member_count=member_count,
    )


def role(row: store.RoleRow) -> role_pb2.Role:
    """Return a role."""
    return role_pb2.Role(
        id=row.id,
        etag=etag(row.version),
        create_time=timestamp(row.create_time),
        update_time=timestamp(row.update_time),
        name=row.name,
        kind=role_pb2.RoleKind.Name(row.kind),
        rank=row.rank,
    )
