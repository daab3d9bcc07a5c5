"""How a group of its own is created, changed and deleted; its members by set operations."""

from collections.abc import Iterable, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.attributes import GROUP
from userdirectory.errors import DirectoryError
from userdirectory.v1 import group_pb2, policy_pb2
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, Removal

from core_service import journal, matching, nesting, views
from core_service.group_members import MOST_MEMBERS, all_members, named_ids, unknown_member
from core_service.journal import Members
from core_service.rules import groups as rules
from core_service.rules import limits, names
from core_service.rules.groups import Nested
from core_service.rules.wording import shown
from core_service.storage import store
from core_service.writing import Write

MOST_STEPS = 1000
USER, NESTED = 1, nesting.NESTED
_NESTED = {
    policy_pb2.NESTED_GROUPS_SKIP: Nested.SKIP,
    policy_pb2.NESTED_GROUPS_REFUSE: Nested.REFUSE,
    policy_pb2.NESTED_GROUPS_STORE: Nested.STORE,
}


def steps_of_update(group: group_pb2.Group, mask: FieldMask) -> list[GroupChange]:
    """
    Return an update as the steps of a patch.

    Raises:
        DirectoryError: FIELD_UNKNOWN.
    """
    writable = ("external_id", "display_name", "members")
    paths = list(mask.paths)
    if "*" in paths:
        paths = list(writable)
    steps = []
    for path in paths or [field.name for field, _ in group.ListFields() if field.name in writable]:
        if path in writable:
            steps.append(GroupChange(set=GroupValue(field=path, value=group)))
        elif path not in group.DESCRIPTOR.fields_by_name:
            raise DirectoryError(
                "FIELD_UNKNOWN", f"A group has no field {path!r}. See the contract.", field=path
            )
    return steps


def check_steps(steps: Sequence[GroupChange]) -> None:
    """
    Refuse steps that are too many or malformed.

    Raises:
        DirectoryError: FIELD_INVALID, FIELD_UNKNOWN, FIELD_READ_ONLY, FILTER_INVALID.
    """
    members = 0
    for step in steps:
        kind = step.WhichOneof("step")
        if kind is None:
            raise DirectoryError(
                "FIELD_INVALID", "A change has no step. Say what to do.", field="changes"
            )
        body = getattr(step, kind)
        _check_field(body)
        if isinstance(body, GroupValue):
            members += len(body.value.members)
    for count, most, what in (
        (len(steps), MOST_STEPS, "changes"),
        (members, MOST_MEMBERS, "members"),
    ):
        if count > most:
            raise DirectoryError(
                "FIELD_INVALID",
                f"{count} {what} are too many for one request; send at most {most}.",
                field=what,
                limit=most,
            )


async def create(write: Write, wanted: group_pb2.Group) -> str:
    """Create a group and return its id."""
    limits.guard("groups", write.row.groups_count, write.context.policy.max_groups)
    name = names.group_name(wanted.display_name)
    row = _named(
        write,
        store.GroupRow(
            workspace_id=write.workspace_id,
            id=write.core.new_id(),
            display_name="",
            name_key="",
            unique_key=None,
            external_id=_external_id(wanted),
            member_count=0,
            version=1,
            create_time=write.now,
            update_time=write.now,
            source="" if write.caller.provisions else wanted.source,
        ),
        name,
    )
    await store.insert_group(write.tx, row)
    await write.count(groups=1)
    change = GroupChange(add=GroupValue(field="members", value=wanted))
    check_steps([change])
    members = Members()
    if wanted.members:
        members = await apply(write, row, [change], fresh=True)
    await journal.group(write, None, row, members)
    return row.id


async def delete(write: Write, group_id: str, etag: str) -> None:
    """Delete a group, its memberships and its place in other groups; a tombstone stays."""
    row = await store.group_by_id(write.tx, write.workspace_id, group_id)
    if row is None:
        raise LookupError(group_id)
    views.check_etag(row.version, etag)
    await nesting.touch_below(write.tx, write.workspace_id, [group_id], write.now)
    await store.remove_member_everywhere(write.tx, write.workspace_id, group_id, write.now)
    await store.delete_group(write.tx, write.workspace_id, group_id)
    await write.bury(group_id)
    await write.count(groups=-1)
    await journal.group(write, row, None, Members())


async def apply(
    write: Write, row: store.GroupRow, steps: Sequence[GroupChange], *, fresh: bool = False
) -> Members:
    """
    Apply the steps of a patch; a group that they leave as it was is not written.

    Args:
        fresh: Whether the group was created in this write: it keeps its version and is not logged.

    Returns:
        Which members came and went.
    """
    new = row
    members = Members()
    for index, step in enumerate(steps):
        kind = step.WhichOneof("step")
        body = getattr(step, str(kind))
        if body.field == "members":
            gone, came = await _change_members(write, new, str(kind), body, index)
            new = new._replace(member_count=new.member_count - len(gone) + len(came))
            members.move(gone=gone, came=came)
        else:
            new = _change_field(write, new, str(kind), body)
    if new != row or members.touched:
        if not fresh:
            new = new._replace(version=row.version + 1, update_time=write.now)
        await store.update_group(write.tx, new)
        touched = sorted(members.touched)
        await store.touch_users(write.tx, write.workspace_id, touched, write.now)
        await _touch_through(write, row, new, touched)
    if not fresh:
        await journal.group(write, row, new, members)
    return members


async def _touch_through(
    write: Write, row: store.GroupRow, new: store.GroupRow, touched: list[str]
) -> None:
    """Raise the versions of users who see the group's name, or are in it through others."""
    renamed = new.display_name != row.display_name
    if nesting.nests(write.context):
        around = [*touched, row.id] if renamed else touched
        await nesting.touch_below(write.tx, write.workspace_id, around, write.now)
    elif renamed:
        await store.touch_members_of(write.tx, write.workspace_id, row.id, write.now)


def _check_field(body: GroupValue | Removal) -> None:
    head = body.field.partition(".")[0]
    attribute = GROUP.by_path.get(body.field)
    if attribute is None:
        raise DirectoryError(
            "FIELD_UNKNOWN",
            f"A group has no field {body.field!r}. See the contract for the fields.",
            field=body.field,
        )
    if attribute.mutability == "readOnly" or (head == "members" and body.field != "members"):
        raise DirectoryError(
            "FIELD_READ_ONLY",
            f"The field {body.field} cannot be written. Leave it out.",
            field=body.field,
        )
    if body.HasField("where"):
        matching.check(body.where, GROUP, within=body.field)


def _change_field(
    write: Write, row: store.GroupRow, kind: str, body: GroupValue | Removal
) -> store.GroupRow:
    value = body.value if isinstance(body, GroupValue) and kind != "discard" else group_pb2.Group()
    if body.field == "external_id":
        return row._replace(external_id=_external_id(value))
    return _named(write, row, names.group_name(value.display_name))


async def _change_members(
    write: Write, row: store.GroupRow, kind: str, body: GroupValue | Removal, index: int
) -> tuple[list[str], list[str]]:
    """Change the members and return the ids that went, and those that came."""
    tx, workspace_id = write.tx, write.workspace_id
    if isinstance(body, Removal):
        return await _remove(write, row, body, index), []
    listed = [member.member_id for member in body.value.members]
    if kind == "discard":
        return list(await store.remove_members(tx, workspace_id, row.id, listed)), []
    wanted = await _resolve(write, body.value.members, row.id)
    gone: list[str] = []
    if kind == "set":
        kept = {id_ for id_, _ in wanted}
        gone = await _all_but(write, row, kept)
        await store.remove_members(tx, workspace_id, row.id, gone)
    came = await store.add_members(tx, workspace_id, row.id, wanted)
    return gone, list(came)


async def _remove(write: Write, row: store.GroupRow, body: Removal, index: int) -> list[str]:
    if not body.HasField("where"):
        return list(await store.clear_members(write.tx, write.workspace_id, row.id))
    ids = named_ids(body.where)
    if ids is None:
        ids = [
            member.member_id
            for member in await all_members(write.tx, write.context, row.id)
            if matching.matches(member, body.where, GROUP, within="members")
        ]
    gone = list(await store.remove_members(write.tx, write.workspace_id, row.id, ids))
    refuses = write.context.policy.missing_element == policy_pb2.MISSING_ELEMENT_REFUSE
    if not gone and refuses:
        raise DirectoryError(
            "NO_TARGET",
            "The change selects no member of the group. Read the members first.",
            field="members",
            index=index,
        )
    return gone


async def _resolve(
    write: Write, members: Iterable[group_pb2.Member], group_id: str
) -> list[tuple[str, int]]:
    """Return the members to add as id and kind; groups as the policy says (D-26)."""
    sent = {member.member_id: member for member in members}
    users, groups = await store.existing_ids(write.tx, write.workspace_id, list(sent))
    found = []
    for id_, member in sent.items():
        if id_ in users and member.type != "Group":
            found.append((id_, USER))
        elif id_ in groups and member.type != "User":
            if _nests(write, group_id, id_):
                found.append((id_, NESTED))
        else:
            _leave_out(write, id_)
    return found


def _leave_out(write: Write, member_id: str) -> None:
    """Refuse who is no member that there can be, or leave it out, as the policy says (D-26)."""
    if not write.caller.provisions or rules.wants_known(_nested(write)):
        raise unknown_member(member_id)
    write.notice("MEMBER_SKIPPED", f"Nobody has the id {shown(member_id)!r}.", "members.member_id")


def _nests(write: Write, group_id: str, member_id: str) -> bool:
    if rules.keeps_nested(_nested(write), group_id, member_id):
        return True
    write.notice(
        "NESTED_MEMBER_SKIPPED", f"The group {member_id} was left out.", "members.member_id"
    )
    return False


def _nested(write: Write) -> rules.Nested:
    return _NESTED[write.context.policy.nested_groups]


async def _all_but(write: Write, row: store.GroupRow, kept: set[str]) -> list[str]:
    members = await all_members(write.tx, write.context, row.id)
    return [member.member_id for member in members if member.member_id not in kept]


def _named(write: Write, row: store.GroupRow, name: str) -> store.GroupRow:
    unique = write.context.policy.group_names_unique
    key = rules.key(name)
    return row._replace(display_name=name, name_key=key, unique_key=key if unique else None)


def _external_id(group: group_pb2.Group) -> str | None:
    if not group.external_id:
        return None
    names.text("external_id", group.external_id)
    return group.external_id
