"""The use cases of users: normalise, match, guard, store, in that order."""

from userdirectory.attributes import USER
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import user_pb2

from core_service import (
    changes,
    deviations,
    listing,
    matching,
    role_choice,
    user_removal,
    user_writes,
    views,
)
from core_service.core import Caller, Core
from core_service.logins import secrets_of
from core_service.ports import facts_of, sign_on
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.user_lookup import check_ids, find, hidden, not_found
from core_service.writing import Write


async def get(core: Core, caller: Caller, request: api.GetUserRequest) -> api.GetUserResponse:
    """
    Return one user.

    Raises:
        DirectoryError: USER_NOT_FOUND, FIELD_UNKNOWN (read mask).
    """

    async def work(tx: Transaction) -> api.GetUserResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        row = await find(tx, caller, request.user)
        users = await views.users(
            tx,
            context,
            [row],
            provisions=caller.provisions,
            with_groups=changes.wants(request.read_mask, "groups"),
        )
        return api.GetUserResponse(user=changes.project(users[0], request.read_mask))

    return await core.storage.read(work)


async def batch_get(
    core: Core, caller: Caller, request: api.BatchGetUsersRequest
) -> api.BatchGetUsersResponse:
    """
    Return several users in the order of their ids.

    Raises:
        DirectoryError: USER_NOT_FOUND for the first id that no user has; FIELD_INVALID for more
            than 1000 ids.
    """
    check_ids(request.ids)

    async def work(tx: Transaction) -> api.BatchGetUsersResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        rows = {row.id: row for row in await store.users_by_ids(tx, context.id, request.ids)}
        for id_ in request.ids:
            if id_ not in rows or hidden(rows[id_], caller):
                raise not_found("id", id_)
        users = await views.users(
            tx,
            context,
            [rows[id_] for id_ in request.ids],
            provisions=caller.provisions,
            with_groups=changes.wants(request.read_mask, "groups"),
        )
        return api.BatchGetUsersResponse(
            users=[changes.project(user, request.read_mask) for user in users]
        )

    return await core.storage.read(work)


async def list_(core: Core, caller: Caller, request: api.ListUsersRequest) -> api.ListUsersResponse:
    """
    Return a page of the users that pass a filter, and how many there are.

    Raises:
        DirectoryError: FILTER_INVALID, PAGE_TOKEN_INVALID, FIELD_UNKNOWN, FIELD_INVALID,
            PROTOCOL_DEVIATION.
    """
    scope = listing.scope(caller.workspace_id, "users", request.filter, request.order_by)

    async def work(tx: Transaction) -> api.ListUsersResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        deviations.check(context.policy, request)
        query = listing.query_of(request, USER, core.page_key, scope, context.declared)
        page = await pages.list_users(
            tx,
            context.id,
            query,
            roles_as_groups=context.roles_as_groups,
            hide_guests=caller.provisions,
        )
        users = await views.users(
            tx,
            context,
            page.rows,
            provisions=caller.provisions,
            with_groups=changes.wants(request.read_mask, "groups"),
        )
        return api.ListUsersResponse(
            users=[changes.project(user, request.read_mask) for user in users],
            next_page_token=listing.token(core.page_key, scope, page.after),
            total_size=page.total,
        )

    return await core.storage.read(work)


async def count(
    core: Core, caller: Caller, request: api.CountUsersRequest
) -> api.CountUsersResponse:
    """
    Return how many users pass a filter.

    Raises:
        DirectoryError: FILTER_INVALID, PROTOCOL_DEVIATION.
    """
    filter_ = request.filter if request.HasField("filter") else None

    async def work(tx: Transaction) -> api.CountUsersResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        deviations.check(context.policy, request)
        if filter_ is not None:
            matching.check(filter_, USER, declared=context.declared)
        total = await pages.count_users(
            tx,
            context.id,
            filter_,
            roles_as_groups=context.roles_as_groups,
            hide_guests=caller.provisions,
            declared=context.declared,
        )
        return api.CountUsersResponse(count=total)

    return await core.storage.read(work)


async def create(
    core: Core, caller: Caller, request: api.CreateUserRequest
) -> api.CreateUserResponse:
    """
    Create a user, or take up the one whose account has the same e-mail (D-06, D-21).

    Raises:
        DirectoryError: VALUE_TAKEN, FIELD_INVALID, FIELD_UNKNOWN, PROTOCOL_DEVIATION,
            NAME_UNKNOWN, SECOND_ROLE, ADMIN_ROLE_LOCKED, NO_SEAT, LIMIT_REACHED, SIGN_ON_MISSING.
    """
    wanted = changes.clean(request.user)
    secrets = await secrets_of(core, caller, wanted)

    async def work(tx: Transaction) -> api.CreateUserResponse:
        write = await Write.begin(core, tx, caller)
        write.check_reading(request)
        await _guard_sign_on(write)
        await role_choice.remember(write, wanted)
        row, existed = await user_writes.create(write, wanted, secrets, request.user.source)
        return api.CreateUserResponse(
            user=await user_writes.shown(write, row), existed=existed, notices=write.notices
        )

    return await core.write(caller, work)


async def update(
    core: Core, caller: Caller, request: api.UpdateUserRequest
) -> api.UpdateUserResponse:
    """
    Set the fields of a user that the mask names.

    Raises:
        DirectoryError: as `create`, and USER_NOT_FOUND, ETAG_MISMATCH, LAST_ADMIN, ACCOUNT_SHARED,
            ROLE_NOT_REMOVABLE, REGION_NOT_REMOVABLE.
    """
    new = changes.clean(request.user)
    secrets = await secrets_of(core, caller, new)
    paths = list(request.update_mask.paths)

    async def work(tx: Transaction) -> api.UpdateUserResponse:
        write = await Write.begin(core, tx, caller)
        write.check_reading(request)
        row = await find(tx, caller, user_pb2.UserRef(id=request.user.id))
        views.check_etag(row.version, request.user.etag)
        await role_choice.remember(write, new)
        before = await user_writes.shown(write, row)
        wanted = user_writes.masked(write, before, new, paths, whole=request.whole)
        row = await user_writes.rewrite(write, row, before, wanted, secrets)
        return api.UpdateUserResponse(
            user=await user_writes.shown(write, row), notices=write.notices
        )

    return await core.write(caller, work)


async def patch(core: Core, caller: Caller, request: api.PatchUserRequest) -> api.PatchUserResponse:
    """
    Apply changes to a user, in their order and all or none.

    Raises:
        DirectoryError: as `update`, and NO_TARGET, FIELD_READ_ONLY, FILTER_INVALID.
    """
    secrets = await secrets_of(core, caller, *(_value(change) for change in request.changes))

    async def work(tx: Transaction) -> api.PatchUserResponse:
        write = await Write.begin(core, tx, caller)
        write.check_reading(request)
        row = await find(tx, caller, request.user)
        views.check_etag(row.version, request.etag)
        await role_choice.remember(write, *(_value(change) for change in request.changes))
        before = await user_writes.shown(write, row)
        wanted = user_writes.changed(write, before, request.changes)
        row = await user_writes.rewrite(write, row, before, wanted, secrets)
        return api.PatchUserResponse(
            user=await user_writes.shown(write, row), notices=write.notices
        )

    return await core.write(caller, work)


async def delete(
    core: Core, caller: Caller, request: api.DeleteUserRequest
) -> api.DeleteUserResponse:
    """
    Unlink or purge a user, as the policy says (D-20).

    Raises:
        DirectoryError: USER_NOT_FOUND, ETAG_MISMATCH, LAST_ADMIN.
    """

    async def work(tx: Transaction) -> api.DeleteUserResponse:
        write = await Write.begin(core, tx, caller)
        row = await find(tx, caller, request.user)
        views.check_etag(row.version, request.etag)
        await user_removal.delete(write, row)
        return api.DeleteUserResponse()

    return await core.write(caller, work)


async def _guard_sign_on(write: Write) -> None:
    """Refuse that provisioning creates users while the single sign-on is missing (R-013)."""
    if write.caller.provisions:
        facts = facts_of(write.workspace_id, write.context.message)
        await sign_on.guard(write.core.ports.sign_on, facts, write.context.policy)


def _value(change: object) -> user_pb2.User:
    step = getattr(change, change.WhichOneof("step") or "remove")  # type: ignore[attr-defined]
    return getattr(step, "value", user_pb2.User())
