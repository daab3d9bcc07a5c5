"""The use case of accounts, the logins that workspaces share."""

from userdirectory.errors import DirectoryError
from userdirectory.v1 import account_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import views
from core_service.core import Caller, Core
from core_service.rules.wording import shown
from core_service.storage import store
from core_service.storage.database import Transaction


async def get(core: Core, caller: Caller, request: api.GetAccountRequest) -> api.GetAccountResponse:
    """
    Return the account behind a user of the workspace.

    That other workspaces have a user of it is told, which ones is not (D-05).

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND; USER_NOT_FOUND if no user of the workspace has it.
    """

    async def work(tx: Transaction) -> api.GetAccountResponse:
        await core.contexts.read(tx, caller.workspace_id)
        row = None
        if await store.has_account(tx, caller.workspace_id, request.id):
            row = await store.account_by_id(tx, request.id)
        if row is None:
            raise DirectoryError(
                "USER_NOT_FOUND",
                f"No user here has the account {shown(request.id)!r}. See `account_id` of a user.",
                key="account_id",
                value=request.id,
            )
        return api.GetAccountResponse(account=_shown(row))

    return await core.storage.read(work)


def _shown(row: store.AccountRow) -> account_pb2.Account:
    return account_pb2.Account(
        id=row.id,
        email=row.email,
        given_name=row.given_name,
        family_name=row.family_name,
        shared=row.users_count > 1,
        create_time=views.timestamp(row.create_time),
    )
