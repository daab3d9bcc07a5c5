"""The use case of deleting a workspace, with all that is in it and for good."""

from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import views
from core_service.core import Caller, Core
from core_service.rules.wording import invalid
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write


async def delete(
    core: Core, caller: Caller, request: api.DeleteWorkspaceRequest
) -> api.DeleteWorkspaceResponse:
    """
    Delete a workspace, its users, groups, roles, integrations, tokens and its log.

    Seats that were booked must be invoiced first: what a customer used is owed, and an invoice that
    came from here at once would end a window before its time, or be lost with the workspace if
    billing does not answer. So there is one way to an invoice, and the books are closed before.

    Raises:
        DirectoryError: FIELD_INVALID if workspace or etag are not named; WORKSPACE_NOT_FOUND,
            ETAG_MISMATCH, INVOICE_PENDING.

    Source: R-049, R-163.
    """
    _check_named(request)

    async def work(tx: Transaction) -> api.DeleteWorkspaceResponse:
        write = await Write.begin(core, tx, caller)
        views.check_etag(write.row.version, request.etag)
        await _guard_invoiced(tx, write.workspace_id)
        removed = await store.delete_workspace(tx, write.workspace_id)
        return api.DeleteWorkspaceResponse(user_count=removed.users, group_count=removed.groups)

    answer = await core.write(caller, work)
    core.contexts.forget(caller.workspace_id)
    return answer


def _check_named(request: api.DeleteWorkspaceRequest) -> None:
    if not request.workspace_id:
        raise invalid("workspace_id", "No workspace is named. Name the one to delete.")
    if not request.etag:
        raise invalid("etag", "No etag is sent. Read the workspace and send the etag it has now.")


async def _guard_invoiced(tx: Transaction, workspace_id: str) -> None:
    """Refuse while seats are booked that are on no invoice yet."""
    window = await store.newest_window_not_invoiced(tx, workspace_id)
    if window is None:
        return
    close_time = views.timestamp(window.close_time).ToJsonString()
    raise DirectoryError(
        "INVOICE_PENDING",
        f"Booked seats are on no invoice yet: {window.seats}, due at {close_time}. "
        "Delete the workspace when they are invoiced.",
        seats=window.seats,
        close_time=close_time,
    )
