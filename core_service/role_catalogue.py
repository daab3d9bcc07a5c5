"""The use cases of a workspace's roles: which there are, in which order, under which names."""

from collections.abc import Sequence

from userdirectory.errors import DirectoryError
from userdirectory.v1 import role_pb2, user_directory_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import views
from core_service.context import KINDS, role_facts
from core_service.core import Caller, Core
from core_service.role_choice import senders
from core_service.role_rows import kind_of, named, new_row
from core_service.rules import roles as rules
from core_service.rules.standing import Standing
from core_service.rules.wording import invalid, shown
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.workspace_writes import change
from core_service.writing import Write


async def get(
    core: Core, caller: Caller, request: user_directory_pb2.GetRoleRequest
) -> user_directory_pb2.GetRoleResponse:
    """
    Return one role; provisioning clients find no guest role.

    Raises:
        DirectoryError: ROLE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> user_directory_pb2.GetRoleResponse:
        for row in await _visible(tx, caller):
            if row.id == request.id:
                return user_directory_pb2.GetRoleResponse(role=views.role(row))
        raise not_found(request.id)

    return await core.storage.read(work)


async def list_(
    core: Core,
    caller: Caller,
    request: user_directory_pb2.ListRolesRequest,  # noqa: ARG001 - it names the workspace, which the caller has
) -> user_directory_pb2.ListRolesResponse:
    """Return the roles of a workspace by rank; provisioning clients find no guest role."""

    async def work(tx: Transaction) -> user_directory_pb2.ListRolesResponse:
        rows = await _visible(tx, caller)
        return user_directory_pb2.ListRolesResponse(roles=[views.role(row) for row in rows])

    return await core.storage.read(work)


async def create(
    core: Core, caller: Caller, request: api.CreateRoleRequest
) -> api.CreateRoleResponse:
    """
    Create a role at its rank, behind which the others move down.

    Raises:
        DirectoryError: FIELD_INVALID.
    """

    async def work(tx: Transaction) -> api.CreateRoleResponse:
        write = await Write.begin(core, tx, caller)
        rows = await store.roles(tx, write.workspace_id)
        rank = request.role.rank or len(rows) + 1
        new = new_row(core, write.workspace_id, request.role, rank, write.now)
        rules.guard_catalogue([role_facts(row) for row in (*rows, new)])
        place = min(rank, len(rows) + 1)
        ordered = [*rows[: place - 1], new, *rows[place - 1 :]]
        await store.insert_role(tx, new._replace(rank=place))
        await _rank(write, [row if row is not new else new._replace(rank=place) for row in ordered])
        await change(write)
        return api.CreateRoleResponse(role=views.role(new._replace(rank=place)))

    return await core.write(caller, work)


async def update(
    core: Core, caller: Caller, request: api.UpdateRoleRequest
) -> api.UpdateRoleResponse:
    """
    Rename a role or change its kind; its id and its users stay (R-149).

    The notice ROLE_NAME_IN_USE names the integrations that map roles by value and sent the old
    name in the last 30 days: they keep sending it until their mapping is changed.

    Raises:
        DirectoryError: ROLE_NOT_FOUND, ETAG_MISMATCH, FIELD_INVALID, LAST_ADMIN, NO_SEAT.
    """
    wanted = request.role

    async def work(tx: Transaction) -> api.UpdateRoleResponse:
        write = await Write.begin(core, tx, caller)
        rows = await store.roles(tx, write.workspace_id)
        row = _found(rows, wanted.id)
        views.check_etag(row.version, wanted.etag)
        new = named(row, wanted.name)._replace(
            kind=kind_of(wanted.kind) if wanted.kind else row.kind
        )
        if new == row:
            return api.UpdateRoleResponse(role=views.role(row))
        rules.guard_catalogue([role_facts(new if other.id == row.id else other) for other in rows])
        await _stand(write, row.id, row.kind, new.kind)
        if new.name_key != row.name_key:
            await _warn(write, row)
        new = new._replace(version=row.version + 1, update_time=write.now)
        await store.update_role(tx, new)
        await store.touch_users_of_role(tx, write.workspace_id, row.id, write.now)
        guests = new.kind == role_pb2.ROLE_KIND_GUEST
        await change(write, lambda message: _forget_default(message, row.id if guests else ""))
        return api.UpdateRoleResponse(role=views.role(new), notices=write.notices)

    return await core.write(caller, work)


async def reorder(
    core: Core, caller: Caller, request: api.ReorderRolesRequest
) -> api.ReorderRolesResponse:
    """
    Put all roles in another order of rank.

    Raises:
        DirectoryError: FIELD_INVALID unless every role is named, once.
    """

    async def work(tx: Transaction) -> api.ReorderRolesResponse:
        write = await Write.begin(core, tx, caller)
        rows = {row.id: row for row in await store.roles(tx, write.workspace_id)}
        if sorted(request.role_ids) != sorted(rows):
            raise invalid(
                "role_ids",
                f"The workspace has {len(rows)} roles. Send the id of each, once, "
                "the one that may most first.",
            )
        ranked = await _rank(write, [rows[id_] for id_ in request.role_ids])
        await change(write)
        return api.ReorderRolesResponse(roles=[views.role(row) for row in ranked])

    return await core.write(caller, work)


async def delete(
    core: Core, caller: Caller, request: api.DeleteRoleRequest
) -> api.DeleteRoleResponse:
    """
    Delete a role; its users get another one in the same transaction.

    A tombstone stays, so that an identity provider that names the role is told to read the roles
    anew (R-148); none for a guest role, of which provisioning never knew.

    Raises:
        DirectoryError: ROLE_NOT_FOUND, ETAG_MISMATCH, FIELD_INVALID, LAST_ADMIN, NO_SEAT.
    """

    async def work(tx: Transaction) -> api.DeleteRoleResponse:
        write = await Write.begin(core, tx, caller)
        rows = await store.roles(tx, write.workspace_id)
        row = _found(rows, request.id)
        views.check_etag(row.version, request.etag)
        left = [other for other in rows if other.id != row.id]
        rules.guard_catalogue([role_facts(other) for other in left])
        replacement = await _replacement(write, left, row, request.replacement_id)
        if replacement is not None:
            await _stand(write, row.id, row.kind, replacement.kind)
            await store.move_users(tx, write.workspace_id, row.id, replacement.id, write.now)
            await store.touch_roles(tx, write.workspace_id, [replacement.id], write.now)
        await store.delete_role(tx, write.workspace_id, row.id)
        if row.kind != role_pb2.ROLE_KIND_GUEST:
            await write.bury(row.id)
        await _rank(write, await store.roles(tx, write.workspace_id))
        await change(write, lambda message: _forget_default(message, row.id))
        return api.DeleteRoleResponse()

    return await core.write(caller, work)


def not_found(role_id: str) -> DirectoryError:
    """Return the error for a role that is not there."""
    return DirectoryError(
        "ROLE_NOT_FOUND",
        f"No role has the id {shown(role_id)!r}. List the roles to find the right one.",
        id=role_id,
    )


async def _visible(tx: Transaction, caller: Caller) -> list[store.RoleRow]:
    hidden = role_pb2.ROLE_KIND_GUEST if caller.provisions else None
    rows = await store.roles(tx, caller.workspace_id)
    return [row for row in rows if row.kind != hidden]


def _found(rows: Sequence[store.RoleRow], role_id: str) -> store.RoleRow:
    for row in rows:
        if row.id == role_id:
            return row
    raise not_found(role_id)


async def _replacement(
    write: Write, left: Sequence[store.RoleRow], row: store.RoleRow, named: str
) -> store.RoleRow | None:
    """Return the role that the users of *row* get; None if it has none and none is named."""
    if named:
        return _found(left, named)
    count = await store.count_users_of_role(
        write.tx, write.workspace_id, row.id, include_unlinked=True
    )
    if count:
        raise invalid(
            "replacement_id",
            f"{count} users have the role {shown(row.name)}. Name the role they get instead.",
            count=count,
        )
    return None


async def _stand(write: Write, role_id: str, before: int, after: int) -> None:
    """Guard and count what another kind of role means for the active users of a role."""
    if KINDS[before] == KINDS[after]:
        return
    count, user_id = await store.active_users_of_role(write.tx, write.workspace_id, role_id)
    await write.stand(*[(_active(before), _active(after), user_id)] * count)


def _active(kind: int) -> Standing:
    return Standing(admin=KINDS[kind] == "admin", guest=KINDS[kind] == "guest", active=True)


async def _warn(write: Write, row: store.RoleRow) -> None:
    found = await senders(write, row.name_key)
    if found:
        write.notice(
            "ROLE_NAME_IN_USE",
            f"In the last 30 days the name {shown(row.name)} was sent as a value by "
            f"{', '.join(found)}. Change the mapping there to the new name.",
            "name",
        )


async def _rank(write: Write, rows: Sequence[store.RoleRow]) -> list[store.RoleRow]:
    """Give roles the ranks 1, 2, ... in this order and return them; who has it is not written."""
    ranked = []
    for rank, row in enumerate(rows, start=1):
        if row.rank != rank:
            row = row._replace(rank=rank, version=row.version + 1, update_time=write.now)
            await store.update_role(write.tx, row)
        ranked.append(row)
    return ranked


def _forget_default(message: workspace_pb2.Workspace, role_id: str) -> None:
    if message.default_role_id == role_id:
        message.ClearField("default_role_id")
