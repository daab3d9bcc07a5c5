"""
A user as asked for becomes a user as the workspace has it.

Each function settles one attribute of the wanted message by its rule; only what differs from the
user before is settled, so that a rule never refuses a write for a value it leaves alone.
"""

from collections.abc import Sequence

from google.protobuf.message import Message
from userdirectory.attributes import USER
from userdirectory.v1 import policy_pb2, user_pb2

from core_service import custom_values
from core_service.rules import (
    custom,
    emails,
    languages,
    managers,
    names,
    regions,
    teams,
    timezones,
)
from core_service.storage import store
from core_service.writing import Write

NOBODY = user_pb2.User()


async def settle(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    """
    Bring every attribute of *wanted* but the name, the role and the state to its normal form.

    Args:
        before: The user as it was; empty for one who did not exist.
        wanted: The user as asked for; changed in place.

    Raises:
        DirectoryError: FIELD_INVALID, FIELD_UNKNOWN, NAME_UNKNOWN, REGION_NOT_REMOVABLE.
    """
    _texts(wanted, "")
    _language(write, before, wanted)
    _time_zone(before, wanted)
    _emails(write, before, wanted)
    _display_name(before, wanted)
    _teams(write, before, wanted)
    _region(write, before, wanted)
    _custom(write, before, wanted)
    await _manager(write, before, wanted)


def _texts(message: Message, prefix: str) -> None:
    for field, value in message.ListFields():
        path = prefix + field.name
        attribute = USER.by_path.get(path)
        if attribute is None:
            continue
        if attribute.type == "complex" or attribute.extension:
            for element in value if field.is_repeated else (value,):
                _texts(element, path + ".")
        elif attribute.type in ("string", "reference"):
            for text in value if field.is_repeated else (value,):
                names.text(path, text)


def _language(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    tag = wanted.preferred_language
    if not tag or tag == before.preferred_language:
        return
    policy = write.context.policy
    language = languages.normalize(
        tag,
        policy.languages,
        fallback_default=policy.language_fallback == policy_pb2.LANGUAGE_FALLBACK_DEFAULT_TAG,
        current=before.preferred_language or None,
    )
    wanted.preferred_language = language.tag
    if language.unsupported:
        if before.id and not before.preferred_language:
            wanted.ClearField("preferred_language")
        write.notice(
            "LANGUAGE_UNSUPPORTED",
            f"The language {tag} is not one of the workspace's; "
            f"{wanted.preferred_language or 'none'} is kept.",
            "preferred_language",
        )


def _time_zone(before: user_pb2.User, wanted: user_pb2.User) -> None:
    if wanted.time_zone and wanted.time_zone != before.time_zone:
        wanted.time_zone = timezones.normalize(wanted.time_zone)


def _emails(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    if list(wanted.emails) == list(before.emails):
        return
    index = emails.primary_index(
        [email.type for email in wanted.emails],
        [email.primary for email in wanted.emails],
        work_first=write.context.policy.work_email_primary,
    )
    for position, email in enumerate(wanted.emails):
        if position == index:
            email.primary = True
        elif email.primary:
            email.ClearField("primary")


def _display_name(before: user_pb2.User, wanted: user_pb2.User) -> None:
    if not wanted.display_name and not before.id:
        derived = names.display_name(wanted.name.given_name, wanted.name.family_name)
        if derived:
            wanted.display_name = derived
    elif wanted.display_name == before.display_name:
        was = names.display_name(before.name.given_name, before.name.family_name)
        derived = names.display_name(wanted.name.given_name, wanted.name.family_name)
        if derived and was == before.display_name:
            wanted.display_name = derived


def _teams(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    if list(wanted.workplace.teams) == list(before.workplace.teams):
        return
    settled = teams.wanted(wanted.workplace.teams, write.context.message.teams)
    if sorted(settled) == sorted(before.workplace.teams):
        settled = list(before.workplace.teams)
    wanted.workplace.teams[:] = settled
    _drop_if_empty(wanted, "workplace")


def _region(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    was, now = before.workplace.absence_region, wanted.workplace.absence_region
    if was and not now:
        regions.guard_removal(was, user_id=before.id)
    if now and now != was:
        wanted.workplace.absence_region = regions.normalize(
            now, write.context.message.absence_regions
        )


def _custom(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    declared = write.context.declared
    write.check_unknown(custom_values.strangers(wanted, declared))
    custom_values.merge(wanted, list(wanted.custom))
    settled = [
        (attribute, custom.settle(attribute, values))
        for attribute, values in custom_values.values(wanted, declared)
    ]
    custom_values.put(wanted, settled)
    custom.guard_required(
        [each for each in declared.by_key.values() if each.required],
        [f"{each.urn}:{each.name}" for each in before.custom],
        [f"{each.urn}:{each.name}" for each in wanted.custom],
        creating=write.caller.provisions and not before.id,
    )


async def _manager(write: Write, before: user_pb2.User, wanted: user_pb2.User) -> None:
    manager_id = wanted.enterprise.manager.user_id
    wanted.enterprise.manager.ClearField("display_name")
    if not manager_id:
        wanted.enterprise.ClearField("manager")
        _drop_if_empty(wanted, "enterprise")
        return
    if manager_id == before.enterprise.manager.user_id:
        return
    chain = await _chain(write, manager_id, until=before.id)
    managers.guard(before.id, manager_id, chain)
    if not await store.display_names(write.tx, write.workspace_id, [manager_id]):
        write.notice(
            "MANAGER_PENDING",
            f"No user has the id {manager_id} yet; the reference is kept.",
            "enterprise.manager.user_id",
        )


async def _chain(write: Write, manager_id: str, until: str) -> Sequence[str]:
    """Return the managers above *manager_id*, nearest first, up to the user *until*."""
    chain = [manager_id]
    while chain[-1] != until:
        above = await store.manager_of(write.tx, write.workspace_id, chain[-1])
        if not above or above in chain:
            break
        chain.append(above)
    return chain


def _drop_if_empty(user: user_pb2.User, field: str) -> None:
    if not getattr(user, field).ListFields():
        user.ClearField(field)
