"""How a user goes: unlinked, so that the same person comes back, or purged for good."""

from userdirectory.v1 import policy_pb2, user_pb2

from core_service import journal, logins, once
from core_service.rules import deletion
from core_service.rules.deletion import Deletion
from core_service.storage import store
from core_service.user_rows import presence_of, put, touch_roles, with_presence
from core_service.writing import Write


async def delete(write: Write, row: store.UserRow) -> None:
    """Unlink or purge the user of *row*, as the policy says (D-20)."""
    standing = write.context.standing
    before = standing(row.role_id, bool(row.active))
    outcome = deletion.on_delete(
        purges=write.context.policy.on_delete == policy_pb2.ON_DELETE_PURGE,
        by_provisioning=write.caller.provisions,
    )
    if write.caller.provisions:
        write.decided("DELETED")
    if outcome is Deletion.PURGE:
        await purge(write, row)
        return
    await write.stand((before, standing(row.role_id, active=False), row.id))
    document = user_pb2.User.FromString(row.document)
    document.active = False
    document.ClearField("external_id")
    new = with_presence(write, row, deletion.unlinked(presence_of(row)))._replace(
        external_id=None,
        integration_id="",
        document=document.SerializeToString(deterministic=True),
    )
    new = await put(write, row, new, None)
    await _leave_groups(write, row)
    await journal.user(write, row, new)


async def purge(write: Write, row: store.UserRow) -> None:
    """Remove the user of *row* for good; a tombstone keeps id, time and trace id (R-171)."""
    before = write.context.standing(row.role_id, bool(row.active))
    await write.stand((before, None, row.id))
    await _leave_groups(write, row)
    for report_id in await store.reports_of(write.tx, write.workspace_id, row.id):
        await _forget_manager(write, report_id)
    await store.delete_user(write.tx, write.workspace_id, row.id)
    await write.bury(row.id)
    await logins.close_account(write, row.account_id)
    await once.forget(write.tx, write.workspace_id, row.id)
    await journal.user(write, row, None)


async def _leave_groups(write: Write, row: store.UserRow) -> None:
    groups = await store.remove_member_everywhere(write.tx, write.workspace_id, row.id, write.now)
    if not groups:
        await touch_roles(write, row.role_id)


async def _forget_manager(write: Write, report_id: str) -> None:
    """Clear the manager of a user whose manager is purged (D-30)."""
    row = await store.user_by_id(write.tx, write.workspace_id, report_id)
    if row is None:
        return
    document = user_pb2.User.FromString(row.document)
    document.enterprise.ClearField("manager")
    if not document.enterprise.ListFields():
        document.ClearField("enterprise")
    new = row._replace(
        manager_id=None,
        version=row.version + 1,
        update_time=write.now,
        document=document.SerializeToString(deterministic=True),
        search=store.search_text(document),
    )
    await store.update_user(write.tx, new, None)
    await journal.manager_cleared(write, row, new)
