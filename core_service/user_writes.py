"""How a user is created, taken up and rewritten inside a write."""

from collections.abc import Sequence

from userdirectory.v1 import change_pb2, policy_pb2, user_pb2

from core_service import changes, custom_values, journal, logins, mails, role_choice, views
from core_service.logins import Secrets
from core_service.profile import NOBODY, settle
from core_service.rules import emails as email_rules
from core_service.rules import existing, limits, names
from core_service.rules.existing import Existing, Found
from core_service.storage import store
from core_service.user_rows import (
    document_of,
    email_keys_of,
    put,
    recycles_now,
    touch,
    touch_roles,
    with_states,
)
from core_service.writing import Write

_KEPT_ON_REPLACE = ("active", "workplace.absence_region", "workplace.user_role")


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
        None if found is None else await _found(write, found),
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
    if whole and "*" not in paths:
        write.decided("REPLACED")
    if "*" in paths or (whole and replaces):
        wanted = changes.replace_user(before, new, keep=_KEPT_ON_REPLACE)
        if "roles" not in paths:
            role_choice.keep(write, before, wanted)
        return wanted
    return changes.apply_mask(before, new, paths)


def changed(
    write: Write, before: user_pb2.User, steps: Sequence[change_pb2.UserChange]
) -> user_pb2.User:
    """Return *before* with the steps of a patch applied, as the policy says (D-43)."""
    create_missing = write.context.policy.missing_element == policy_pb2.MISSING_ELEMENT_CREATE
    declared = write.context.declared
    write.check_unknown(custom_values.undeclared(steps, declared))
    role_choice.check_removal(write, steps)
    return changes.apply_user_changes(
        before, steps, create_missing=create_missing, declared=declared
    )


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
    recycles = recycles or recycles_now(write)
    new = with_states(write, row, active=active, back=back, recycles=recycles)._replace(
        user_name=spelled,
        user_name_key=email_rules.key(spelled),
        external_id=wanted.external_id if wanted.HasField("external_id") else None,
        display_name=wanted.display_name or None,
        role_id=role.id,
        manager_id=wanted.enterprise.manager.user_id or None,
        document=document_of(wanted, spelled, active),
    )
    if new != row:
        new = await put(write, row, new, wanted)
        await touch(write, row, new)
        await mails.announce_return(write, row, new)
    await journal.user(write, row, new)
    return new


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
    recycle = not active and recycles_now(write)
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
        document=document_of(wanted, user_name, active),
        search=store.search_text(wanted),
        source="" if write.caller.provisions else source,
    )
    await store.insert_user(write.tx, row, email_keys_of(wanted))
    await touch_roles(write, role.id)
    await journal.user(write, None, row)
    return row


def _present(new: user_pb2.User) -> list[str]:
    """Return the fields that *new* has; those of `workplace` one by one (D-13, D-14)."""
    paths = [field.name for field, _ in new.ListFields() if field.name != "workplace"]
    return paths + [f"workplace.{field.name}" for field, _ in new.workplace.ListFields()]


def _check_required(write: Write, wanted: user_pb2.User) -> None:
    missing = []
    for path in write.context.policy.required if write.caller.provisions else ():
        value: object = wanted
        for name in path.split("."):
            value = getattr(value, name)
        if not str(value).strip():
            missing.append(path)
    names.required(missing)


async def _found(write: Write, row: store.UserRow) -> Found:
    linked = row.integration_id != ""
    if linked and row.integration_id != write.caller.integration_id:
        # A process that still knew the token of a deleted integration may have linked the user.
        known = await store.integration(write.tx, write.workspace_id, row.integration_id)
        linked = known is not None
    return Found(
        active=bool(row.active),
        linked=linked,
        visible=row.unlink_time is None,
        external_id=row.external_id or "",
    )
