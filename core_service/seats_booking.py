"""Seats that are booked automatically, the windows in which they are, and the seats there are."""

from userdirectory.v1 import policy_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import views
from core_service.core import Caller, Core
from core_service.storage import store
from core_service.storage.database import Transaction

WINDOW = 30 * 60 * 1_000_000
"""How long a window is open, in microseconds (R-048)."""


async def book(core: Core, tx: Transaction, workspace_id: str, seats: int, now: int) -> None:
    """
    Put booked seats on the invoice of the open window, or open one.

    The window is fixed: a booking at `open_time + 30 min` opens the next one. Opening it puts its
    invoice into the outbox, due when the window closes, so that no restart can lose it.

    Source: R-048, R-049, D-18.
    """
    if await store.extend_invoice_window(tx, workspace_id, now, seats):
        return
    window = store.InvoiceWindowRow(
        workspace_id=workspace_id,
        id=core.new_id(),
        open_time=now,
        close_time=now + WINDOW,
        seats=seats,
        invoice_time=None,
    )
    await store.insert_invoice_window(tx, window)
    await store.put_into_outbox(
        tx,
        store.OutboxRow(
            workspace_id=workspace_id,
            id=core.new_id(),
            port="billing",
            key=window.id,
            payload="{}",
            due_time=window.close_time,
            attempts=0,
            done_time=None,
            last_error="",
        ),
    )


async def get_seats(
    core: Core,
    caller: Caller,
    request: api.GetSeatsRequest,  # noqa: ARG001 - it names the workspace, which the caller has
) -> api.GetSeatsResponse:
    """
    Return how many seats are used, paid for and free, and the newest window without an invoice.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> api.GetSeatsResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        row = await store.workspace(tx, caller.workspace_id)
        assert row is not None
        window = await store.newest_window_not_invoiced(tx, caller.workspace_id)
        total = context.message.seat_plan.total
        return api.GetSeatsResponse(
            used=row.seats_used,
            total=total,
            free=max(0, total - row.seats_used),
            metered=context.policy.seats == policy_pb2.SEATS_METERED,
            open_window=None if window is None else _shown(window),
        )

    return await core.storage.read(work)


def _shown(window: store.InvoiceWindowRow) -> api.InvoiceWindow:
    return api.InvoiceWindow(
        id=window.id,
        open_time=views.timestamp(window.open_time),
        close_time=views.timestamp(window.close_time),
        seats=window.seats,
    )
