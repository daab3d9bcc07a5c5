"""The use cases of groups, which are rows of their own or the workspace's roles."""

from collections.abc import Sequence

from userdirectory.attributes import GROUP
from userdirectory.v1 import change_pb2, group_pb2
from userdirectory.v1 import user_directory_pb2 as api

from core_service import changes, deviations, group_writes, listing, matching, role_groups, views
from core_service.core import Caller, Core
from core_service.group_lookup import groups_by_ids, missing
from core_service.group_members import MOST_MEMBERS, fill, members_of, wants_members
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.user_lookup import check_ids
from core_service.writing import Write

DEFAULT_MEMBERS = 1000


async def get(core: Core, caller: Caller, request: api.GetGroupRequest) -> api.GetGroupResponse:
    """
    Return one group, with its first members if they are asked for.

    Raises:
        DirectoryError: GROUP_NOT_FOUND, FIELD_UNKNOWN (read mask).
    """

    async def work(tx: Transaction) -> api.GetGroupResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        found = await groups_by_ids(tx, context, [request.id])
        if request.id not in found:
            raise await missing(tx, caller.workspace_id, request.id)
        group = found[request.id]
        after = ""
        if wants_members(request.read_mask):
            after = await fill(tx, context, group, MOST_MEMBERS)
        scope = listing.scope(caller.workspace_id, "members", None, group.id)
        token = listing.token(core.page_key, scope, [after] if after else None)
        return api.GetGroupResponse(
            group=changes.project(group, request.read_mask), next_member_page_token=token
        )

    return await core.storage.read(work)


async def batch_get(
    core: Core, caller: Caller, request: api.BatchGetGroupsRequest
) -> api.BatchGetGroupsResponse:
    """
    Return several groups in the order of their ids.

    Raises:
        DirectoryError: GROUP_NOT_FOUND for the first id that no group has; FIELD_INVALID for more
            than 1000 ids.
    """
    check_ids(request.ids)

    async def work(tx: Transaction) -> api.BatchGetGroupsResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        found = await groups_by_ids(tx, context, request.ids)
        groups = []
        left = MOST_MEMBERS
        for id_ in request.ids:
            if id_ not in found:
                raise await missing(tx, caller.workspace_id, id_)
            if wants_members(request.read_mask):
                await fill(tx, context, found[id_], left)
                left -= len(found[id_].members)
            groups.append(changes.project(found[id_], request.read_mask))
        return api.BatchGetGroupsResponse(groups=groups)

    return await core.storage.read(work)


async def list_(
    core: Core, caller: Caller, request: api.ListGroupsRequest
) -> api.ListGroupsResponse:
    """
    Return a page of the groups that pass a filter, and how many there are.

    Raises:
        DirectoryError: FILTER_INVALID, PAGE_TOKEN_INVALID, FIELD_UNKNOWN, FIELD_INVALID,
            PROTOCOL_DEVIATION.
    """
    scope = listing.scope(caller.workspace_id, "groups", request.filter, request.order_by)
    query = listing.query_of(request, GROUP, core.page_key, scope)

    async def work(tx: Transaction) -> api.ListGroupsResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        deviations.check(context.policy, request)
        after: Sequence[str | int | None] | None
        if context.roles_as_groups:
            groups, total, after = await role_groups.page(tx, context, query)
        else:
            page = await pages.list_groups(tx, context.id, query)
            groups, total, after = [views.group(row) for row in page.rows], page.total, page.after
        left = MOST_MEMBERS
        if wants_members(request.read_mask):
            for group in groups:
                await fill(tx, context, group, left)
                left -= len(group.members)
        return api.ListGroupsResponse(
            groups=[changes.project(group, request.read_mask) for group in groups],
            next_page_token=listing.token(core.page_key, scope, after),
            total_size=total,
        )

    return await core.storage.read(work)


async def count(
    core: Core, caller: Caller, request: api.CountGroupsRequest
) -> api.CountGroupsResponse:
    """
    Return how many groups pass a filter.

    Raises:
        DirectoryError: FILTER_INVALID, PROTOCOL_DEVIATION.
    """
    filter_ = request.filter if request.HasField("filter") else None
    if filter_ is not None:
        matching.check(filter_, GROUP)

    async def work(tx: Transaction) -> api.CountGroupsResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        deviations.check(context.policy, request)
        if context.roles_as_groups:
            found = await role_groups.matching_groups(tx, context, filter_)
            return api.CountGroupsResponse(count=len(found))
        total = await pages.count_groups(tx, context.id, filter_)
        return api.CountGroupsResponse(count=total)

    return await core.storage.read(work)


async def list_members(
    core: Core, caller: Caller, request: api.ListGroupMembersRequest
) -> api.ListGroupMembersResponse:
    """
    Return a page of a group's members, in order of id.

    Raises:
        DirectoryError: GROUP_NOT_FOUND, PAGE_TOKEN_INVALID, FIELD_INVALID.
    """
    scope = listing.scope(caller.workspace_id, "members", None, request.id)
    after = ""
    if request.page_token:
        after = str(pages.decode_token(core.page_key, scope, request.page_token)[0])
    limit = listing.page_size(request.page_size, DEFAULT_MEMBERS, MOST_MEMBERS)

    async def work(tx: Transaction) -> api.ListGroupMembersResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        if request.id not in await groups_by_ids(tx, context, [request.id]):
            raise await missing(tx, caller.workspace_id, request.id)
        members, next_after = await members_of(tx, context, request.id, after, limit)
        token = listing.token(core.page_key, scope, [next_after] if next_after else None)
        return api.ListGroupMembersResponse(members=members, next_page_token=token)

    return await core.storage.read(work)


async def create(
    core: Core, caller: Caller, request: api.CreateGroupRequest
) -> api.CreateGroupResponse:
    """
    Create a group.

    Raises:
        DirectoryError: VALUE_TAKEN, FIELD_INVALID, FIELD_UNKNOWN, PROTOCOL_DEVIATION,
            LIMIT_REACHED, ROLE_CATALOGUE.
    """

    async def work(tx: Transaction) -> api.CreateGroupResponse:
        write = await Write.begin(core, tx, caller)
        if write.context.roles_as_groups:
            raise role_groups.catalogue("create")
        write.check_reading(request)
        group_id = await group_writes.create(write, request.group)
        group = await _shown(write, group_id, request)
        return api.CreateGroupResponse(group=group, notices=write.notices)

    return await core.write(caller, work)


async def update(
    core: Core, caller: Caller, request: api.UpdateGroupRequest
) -> api.UpdateGroupResponse:
    """
    Set the fields of a group that the mask names; `members` replaces them all.

    Raises:
        DirectoryError: GROUP_NOT_FOUND, ETAG_MISMATCH, VALUE_TAKEN, FIELD_INVALID, FIELD_UNKNOWN,
            PROTOCOL_DEVIATION, ROLE_CATALOGUE, and where groups are roles LAST_ADMIN, NO_SEAT,
            ADMIN_ROLE_LOCKED.
    """
    steps = group_writes.steps_of_update(request.group, request.update_mask)

    async def work(tx: Transaction) -> api.UpdateGroupResponse:
        write = await Write.begin(core, tx, caller)
        write.check_reading(request)
        await _apply(write, request.group.id, request.group.etag, steps)
        group = await _shown(write, request.group.id, request)
        return api.UpdateGroupResponse(group=group, notices=write.notices)

    return await core.write(caller, work)


async def patch(
    core: Core, caller: Caller, request: api.PatchGroupRequest
) -> api.PatchGroupResponse:
    """
    Apply changes to a group, in their order and all or none. Members are never loaded.

    Raises:
        DirectoryError: as `update`, and NO_TARGET, FIELD_READ_ONLY, FILTER_INVALID.
    """

    async def work(tx: Transaction) -> api.PatchGroupResponse:
        write = await Write.begin(core, tx, caller)
        write.check_reading(request)
        await _apply(write, request.id, request.etag, list(request.changes))
        group = await _shown(write, request.id, request)
        return api.PatchGroupResponse(group=group, notices=write.notices)

    return await core.write(caller, work)


async def delete(
    core: Core, caller: Caller, request: api.DeleteGroupRequest
) -> api.DeleteGroupResponse:
    """
    Delete a group for good (R-170); its members stay.

    Raises:
        DirectoryError: GROUP_NOT_FOUND, ETAG_MISMATCH, ROLE_CATALOGUE.
    """

    async def work(tx: Transaction) -> api.DeleteGroupResponse:
        write = await Write.begin(core, tx, caller)
        found = await groups_by_ids(tx, write.context, [request.id])
        if request.id not in found:
            raise await missing(tx, caller.workspace_id, request.id)
        if write.context.roles_as_groups:
            raise role_groups.catalogue("delete")
        await group_writes.delete(write, request.id, request.etag)
        return api.DeleteGroupResponse()

    return await core.write(caller, work)


async def _apply(
    write: Write, group_id: str, etag: str, steps: list[change_pb2.GroupChange]
) -> None:
    group_writes.check_steps(steps)
    if write.context.roles_as_groups:
        row = await role_groups.find(write, group_id)
        if row is None:
            raise await missing(write.tx, write.workspace_id, group_id)
        views.check_etag(row.version, etag)
        await role_groups.apply(write, row, steps)
        return
    group = await store.group_by_id(write.tx, write.workspace_id, group_id)
    if group is None:
        raise await missing(write.tx, write.workspace_id, group_id)
    views.check_etag(group.version, etag)
    await group_writes.apply(write, group, steps)


async def _shown(
    write: Write,
    group_id: str,
    request: api.CreateGroupRequest | api.UpdateGroupRequest | api.PatchGroupRequest,
) -> group_pb2.Group:
    found = await groups_by_ids(write.tx, write.context, [group_id])
    group = found[group_id]
    if wants_members(request.read_mask):
        await fill(write.tx, write.context, group, MOST_MEMBERS)
    shown: group_pb2.Group = changes.project(group, request.read_mask)
    return shown
