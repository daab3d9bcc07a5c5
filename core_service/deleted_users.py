"""The use cases of users who are away: listed, restored, purged (R-168, R-169, R-171)."""

from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import user_pb2

from core_service import listing, user_removal, user_writes, views
from core_service.core import Caller, Core
from core_service.logins import Secrets
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.user_lookup import find
from core_service.writing import Write


async def list_(
    core: Core, caller: Caller, request: api.ListDeletedUsersRequest
) -> api.ListDeletedUsersResponse:
    """
    Return a page of the users that were deleted or unlinked, in order of id.

    Raises:
        DirectoryError: PAGE_TOKEN_INVALID, FIELD_INVALID.
    """
    scope = listing.scope(caller.workspace_id, "deleted", None, "")
    after = ""
    if request.page_token:
        after = str(pages.decode_token(core.page_key, scope, request.page_token)[0])
    limit = listing.page_size(request.page_size)

    async def work(tx: Transaction) -> api.ListDeletedUsersResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        rows = await store.deleted_users(tx, context.id, after, limit + 1)
        page = rows[:limit]
        users = await views.users(tx, context, page, provisions=caller.provisions)
        last = [page[-1].id] if len(rows) > limit else None
        return api.ListDeletedUsersResponse(
            users=users, next_page_token=listing.token(core.page_key, scope, last)
        )

    return await core.storage.read(work)


async def restore(
    core: Core, caller: Caller, request: api.RestoreUserRequest
) -> api.RestoreUserResponse:
    """
    Make a user active again who was deactivated, deleted or unlinked.

    Raises:
        DirectoryError: USER_NOT_FOUND, NO_SEAT.
    """

    async def work(tx: Transaction) -> api.RestoreUserResponse:
        write = await Write.begin(core, tx, caller)
        row = await find(tx, caller, user_pb2.UserRef(id=request.id))
        before = await user_writes.shown(write, row)
        wanted = user_pb2.User()
        wanted.CopyFrom(before)
        wanted.active = True
        row = await user_writes.rewrite(
            write, row, before, wanted, Secrets(sent=False, hash=""), back=True
        )
        return api.RestoreUserResponse(
            user=await user_writes.shown(write, row), notices=write.notices
        )

    return await core.write(caller, work)


async def purge(core: Core, caller: Caller, request: api.PurgeUserRequest) -> api.PurgeUserResponse:
    """
    Remove a user for good; the account goes with its last user.

    Raises:
        DirectoryError: USER_NOT_FOUND, LAST_ADMIN.
    """

    async def work(tx: Transaction) -> api.PurgeUserResponse:
        write = await Write.begin(core, tx, caller)
        await user_removal.purge(write, await find(tx, caller, user_pb2.UserRef(id=request.id)))
        return api.PurgeUserResponse()

    return await core.write(caller, work)
