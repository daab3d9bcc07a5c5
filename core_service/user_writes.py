"""How a user is created, rewritten and deleted inside a write."""

from collections.abc import Sequence
from dataclasses import replace

from userdirectory.v1 import change_pb2, policy_pb2, user_pb2

from core_service import changes, journal, logins, mails, role_choice, views
from core_service.logins import Secrets
from core_service.profile import NOBODY, settle
from core_service.rules import deletion, existing, limits, names
from core_service.rules import emails as email_rules
from core_service.rules.deletion import Deletion, Presence
from core_service.rules.existing import Existing, Found
from core_service.storage import store
from core_service.writing import Write

_KEPT_ON_REPLACE = ("active", "workplace.absence_region", "workplace.user_role")
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


async def create(
    write: Write, wanted: user_pb2.User, secrets: Secrets, source: str
) -> tuple[store.UserRow, bool]:
    """
    Create a user or take up the one who is there (D-21).

    Args:
        source: The tool that a product says brought the user.

    Returns:
        The user's row, and whether it existed before.
    """
    policy = write.context.policy
    user_name = logins.user_name(policy, wanted.user_name)
    found = await store.user_by_name(write.tx, write.workspace_id, email_rules.key(user_name))
    outcome = existing.outcome(
        None if found is None else _found(found),
        refuse=policy.on_existing == policy_pb2.ON_EXISTING_REFUSE,
        sent_external_id=wanted.external_id,
        user_name=user_name,
    )
    if found is None or outcome is Existing.CREATE:
        _check_required(write, wanted)
        limits.guard("users", write.row.users_count, policy.max_users)
        return await _insert(write, wanted, user_name, secrets, source), False
    limits.guard("users", write.row.users_count - 1, policy.max_users)
    before = await shown(write, found)
    taken = masked(write, before, wanted, [], whole=False)
    back = outcome is Existing.COME_BACK
    if back:
        taken.active = wanted.active if wanted.HasField("active") else True
        write.notice("CAME_BACK", f"User {found.id} had been away and is the same user again.")
    else:
        write.notice("LINKED_BY_EMAIL", f"User {found.id} was here before and is linked now.")
    row = await rewrite(write, found, before, taken, secrets, back=back)
    return row, True


async def shown(write: Write, row: store.UserRow) -> user_pb2.User:
    """Return the user of *row* as the caller sees it."""
    provisions = write.caller.provisions
    return (await views.users(write.tx, write.context, [row], provisions=provisions))[0]


def masked(
    write: Write,
    before: user_pb2.User,
    new: user_pb2.User,
    paths: Sequence[str],
    *,
    whole: bool,
) -> user_pb2.User:
    """
    Return *before* with the fields in *paths* as they are in *new*.

    Args:
        paths: A mask; `*` replaces the user, empty means the fields that *new* has.
        whole: Whether *paths* is all that the caller has of the user, so that the policy may say
            that the rest is removed (D-25).
    """
    paths = list(paths) or _present(new)
    replaces = write.context.policy.put == policy_pb2.PUT_MODE_REPLACE
    if "*" in paths or (whole and replaces):
        return changes.replace_user(before, new, keep=_KEPT_ON_REPLACE)
    return changes.apply_mask(before, new, paths)


def changed(
    write: Write, before: user_pb2.User, steps: Sequence[change_pb2.UserChange]
) -> user_pb2.User:
    """Return *before* with the steps of a patch applied, as the policy says (D-43)."""
    create_missing = write.context.policy.missing_element == policy_pb2.MISSING_ELEMENT_CREATE
    return changes.apply_user_changes(before, steps, create_missing=create_missing)


async def rewrite(
    write: Write,
    row: store.UserRow,
    before: user_pb2.User,
    wanted: user_pb2.User,
    secrets: Secrets,
    *,
    back: bool = False,
    recycles: bool = False,
) -> store.UserRow:
    """
    Make the user of *row* what is wanted, under all rules; nothing differs, nothing is written.

    Args:
        before: The user as shown to the caller.
        wanted: The user as asked for.
        back: Whether the person comes back to a user that was away.
        recycles: Whether a user that is deactivated goes to the deleted users in any case.

    Returns:
        The row as it is now.
    """
    wanted = changes.clean(wanted)
    await settle(write, before, wanted)
    role = role_choice.choose(write, before, wanted, write.context.roles[row.role_id])
    active = wanted.active if wanted.HasField("active") else row.active
    standing = write.context.standing
    await write.stand((standing(row.role_id, bool(row.active)), standing(role.id, active), row.id))
    spelled = await logins.change(write, row, wanted, secrets)
    recycles = recycles or _recycles(write)
    new = _states(write, row, active=active, back=back, recycles=recycles)._replace(
        user_name=spelled,
        user_name_key=email_rules.key(spelled),
        external_id=wanted.external_id if wanted.HasField("external_id") else None,
        display_name=wanted.display_name or None,
        role_id=role.id,
        manager_id=wanted.enterprise.manager.user_id or None,
        document=_document(wanted, spelled, active),
    )
    if new != row:
        new = await _write_row(write, row, new, wanted)
        await _touch(write, row, new)
        await mails.announce_return(write, row, new)
    await journal.user(write, row, new)
    return new


async def delete(write: Write, row: store.UserRow) -> None:
    """Unlink or purge the user of *row*, as the policy says (D-20)."""
    standing = write.context.standing
    before = standing(row.role_id, bool(row.active))
    outcome = deletion.on_delete(
        purges=write.context.policy.on_delete == policy_pb2.ON_DELETE_PURGE,
        by_provisioning=write.caller.provisions,
    )
    if outcome is Deletion.PURGE:
        await purge(write, row)
        return
    await write.stand((before, standing(row.role_id, active=False), row.id))
    document = user_pb2.User.FromString(row.document)
    document.active = False
    document.ClearField("external_id")
    new = _with_presence(write, row, deletion.unlinked(_presence(row)))._replace(
        external_id=None,
        integration_id="",
        document=document.SerializeToString(deterministic=True),
    )
    new = await _write_row(write, row, new, None)
    await _leave_groups(write, row)
    await journal.user(write, row, new)


async def _insert(
    write: Write, wanted: user_pb2.User, user_name: str, secrets: Secrets, source: str
) -> store.UserRow:
    wanted = changes.clean(wanted)
    await settle(write, NOBODY, wanted)
    role = role_choice.choose(write, NOBODY, wanted, None)
    active = wanted.active if wanted.HasField("active") else True
    user_id = write.core.new_id()
    await write.stand((None, write.context.standing(role.id, active), user_id))
    account_id = await logins.open_account(write, user_name, wanted, secrets)
    recycle = not active and _recycles(write)
    row = store.UserRow(
        workspace_id=write.workspace_id,
        id=user_id,
        account_id=account_id,
        user_name=user_name,
        user_name_key=email_rules.key(user_name),
        external_id=wanted.external_id if wanted.HasField("external_id") else None,
        display_name=wanted.display_name or None,
        active=active,
        role_id=role.id,
        manager_id=wanted.enterprise.manager.user_id or None,
        integration_id=write.caller.integration_id,
        last_sync_time=write.now if write.caller.provisions else None,
        last_trace_id=write.caller.trace_id if write.caller.provisions else None,
        delete_time=write.now if recycle else None,
        unlink_time=None,
        version=1,
        create_time=write.now,
        update_time=write.now,
        document=_document(wanted, user_name, active),
        search=store.search_text(wanted),
        source="" if write.caller.provisions else source,
    )
    await store.insert_user(write.tx, row, _email_keys(wanted))
    await _touch_roles(write, role.id)
    await journal.user(write, None, row)
    return row


async def _write_row(
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
        email_keys = _email_keys(wanted)
    await store.update_user(write.tx, new, email_keys)
    return new


def _states(
    write: Write, row: store.UserRow, *, active: bool, back: bool, recycles: bool
) -> store.UserRow:
    """Return *row* as activating, deactivating and coming back leave it (D-20, D-21)."""
    before = _presence(row)
    if back:
        after = deletion.come_back(before, active)
    else:
        after = deletion.with_active(before, active, recycles=recycles)
    if write.caller.provisions:
        row = row._replace(integration_id=write.caller.integration_id)
    elif after.active:
        after = replace(after, unlinked=False)
    return _with_presence(write, row, after)


def _presence(row: store.UserRow) -> Presence:
    return Presence(
        active=bool(row.active),
        recycled=row.delete_time is not None,
        unlinked=row.unlink_time is not None,
    )


def _with_presence(write: Write, row: store.UserRow, presence: Presence) -> store.UserRow:
    """Return *row* with this presence; a time that is set already stays."""
    return row._replace(
        active=presence.active,
        delete_time=(row.delete_time or write.now) if presence.recycled else None,
        unlink_time=(row.unlink_time or write.now) if presence.unlinked else None,
    )


def _recycles(write: Write) -> bool:
    recycle = write.context.policy.on_deactivate == policy_pb2.ON_DEACTIVATE_RECYCLE
    return recycle and write.caller.provisions


async def _touch(write: Write, row: store.UserRow, new: store.UserRow) -> None:
    """Raise the version of what shows something of the user that changed."""
    tx, workspace_id = write.tx, write.workspace_id
    if new.display_name != row.display_name:
        await store.touch_groups_of_user(tx, workspace_id, row.id, write.now)
        await store.touch_reports_of(tx, workspace_id, row.id, write.now)
    if new.role_id != row.role_id:
        await _touch_roles(write, row.role_id, new.role_id)
    elif new.display_name != row.display_name or new.unlink_time != row.unlink_time:
        await _touch_roles(write, row.role_id)


async def _touch_roles(write: Write, *role_ids: str) -> None:
    if write.context.roles_as_groups:
        await store.touch_roles(write.tx, write.workspace_id, list(role_ids), write.now)


async def _leave_groups(write: Write, row: store.UserRow) -> None:
    groups = await store.remove_member_everywhere(write.tx, write.workspace_id, row.id, write.now)
    if not groups:
        await _touch_roles(write, row.role_id)


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
    await journal.user(write, row, None)


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


def _document(wanted: user_pb2.User, user_name: str, active: bool) -> bytes:
    """Return the user as it is stored: without what is derived from elsewhere."""
    document = user_pb2.User()
    document.CopyFrom(wanted)
    for field in _DERIVED:
        document.ClearField(field)
    document.user_name = user_name
    document.active = active
    return document.SerializeToString(deterministic=True)


def _present(new: user_pb2.User) -> list[str]:
    """Return the fields that *new* has; those of `workplace` one by one (D-13, D-14)."""
    paths = [field.name for field, _ in new.ListFields() if field.name != "workplace"]
    return paths + [f"workplace.{field.name}" for field, _ in new.workplace.ListFields()]


def _email_keys(wanted: user_pb2.User) -> list[str]:
    return sorted({email_rules.key(email.value) for email in wanted.emails if email.value})


def _check_required(write: Write, wanted: user_pb2.User) -> None:
    missing = []
    for path in write.context.policy.required if write.caller.provisions else ():
        value: object = wanted
        for name in path.split("."):
            value = getattr(value, name)
        if not str(value).strip():
            missing.append(path)
    names.required(missing)


def _found(row: store.UserRow) -> Found:
    return Found(
        active=bool(row.active),
        linked=row.integration_id != "",
        visible=row.unlink_time is None,
        external_id=row.external_id or "",
    )


def user_name_key(text: str) -> str:
    """Return a user name as it is looked up."""
    return email_rules.key(text)
