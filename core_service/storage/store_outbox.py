"""Statements about the outbox and the invoice windows."""

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.rows import InvoiceWindowRow, OutboxRow
from core_service.storage.statements import insert_unless_there, param, where
from core_service.storage.tables_history import invoice_windows, outbox

_BIG = sa.BigInteger()

_PUT = insert_unless_there(outbox, outbox.c.workspace_id, outbox.c.port, outbox.c.key)
_GET = where(sa.select(outbox), outbox, "workspace_id", "id")
_WAITING = outbox.c.done_time.is_(None)
_DUE = (
    sa.select(outbox)
    .where(_WAITING, outbox.c.due_time <= param("now", _BIG))
    .order_by(outbox.c.due_time, outbox.c.workspace_id, outbox.c.id)
    .limit(param("limit", _BIG))
)
_NEXT_DUE = sa.select(sa.func.min(outbox.c.due_time)).where(_WAITING)
_CLAIM = (
    where(sa.update(outbox), outbox, "workspace_id", "id")
    .where(_WAITING, outbox.c.due_time <= param("now", _BIG))
    .values(attempts=outbox.c.attempts + 1, due_time=param("lease_time", _BIG))
)
_SETTLE = where(sa.update(outbox), outbox, "workspace_id", "id", "key").where(
    _WAITING, outbox.c.attempts == param("attempts", _BIG)
)
_DONE = _SETTLE.values(done_time=param("now", _BIG), last_error="")
_FAILED = _SETTLE.values(due_time=param("due", _BIG), last_error=param("error"))

_INSERT_WINDOW = sa.insert(invoice_windows)
_WINDOW = where(sa.select(invoice_windows), invoice_windows, "workspace_id", "id")
_NEWEST_UNPAID = (
    where(sa.select(invoice_windows), invoice_windows, "workspace_id")
    .where(invoice_windows.c.invoice_time.is_(None))
    .order_by(invoice_windows.c.open_time.desc(), invoice_windows.c.id)
    .limit(1)
)
# Who delivers may have another clock: a window that was claimed for its invoice is closed.
_CLAIMED = sa.exists().where(
    outbox.c.workspace_id == invoice_windows.c.workspace_id,
    outbox.c.port == "billing",
    outbox.c.key == invoice_windows.c.id,
    outbox.c.attempts > 0,
)
_OPEN_WINDOW = (
    where(sa.select(invoice_windows.c.id), invoice_windows, "workspace_id")
    .where(
        invoice_windows.c.invoice_time.is_(None),
        invoice_windows.c.close_time > param("now", _BIG),
        ~_CLAIMED,
    )
    .order_by(invoice_windows.c.open_time.desc(), invoice_windows.c.id)
    .limit(1)
)
_EXTEND_WINDOW = where(sa.update(invoice_windows), invoice_windows, "workspace_id", "id").values(
    seats=invoice_windows.c.seats + param("more", _BIG)
)
_INVOICED = where(sa.update(invoice_windows), invoice_windows, "workspace_id", "id").values(
    invoice_time=param("now", _BIG)
)


async def put_into_outbox(tx: Transaction, row: OutboxRow) -> bool:
    """Add a delivery; return False if one with the same port and key was ever added."""
    return await tx.run(_PUT, row._asdict()) == 1


async def outbox_row(tx: Transaction, workspace_id: str, id: str) -> OutboxRow | None:
    """Return a delivery, None if there is none with this id."""
    row = await tx.one(_GET, {"workspace_id": workspace_id, "id": id})
    return None if row is None else OutboxRow._make(row)


async def due_in_outbox(tx: Transaction, now: int, limit: int) -> list[OutboxRow]:
    """Return deliveries of all workspaces that are due, the longest due first."""
    return [OutboxRow._make(row) for row in await tx.all(_DUE, {"now": now, "limit": limit})]


async def next_due_time(tx: Transaction) -> int | None:
    """Return when the next delivery is due in any workspace, None if none waits."""
    row = await tx.one(_NEXT_DUE)
    return None if row is None or row[0] is None else int(row[0])


async def claim(tx: Transaction, row: OutboxRow, now: int, lease_time: int) -> bool:
    """Take a delivery until *lease_time*; return False if it is not due any more."""
    values = {
        "workspace_id": row.workspace_id,
        "id": row.id,
        "now": now,
        "lease_time": lease_time,
    }
    return await tx.run(_CLAIM, values) == 1


async def mark_done(tx: Transaction, row: OutboxRow, now: int) -> bool:
    """Note that the attempt *row* succeeded; return False if a later attempt has begun."""
    return await tx.run(_DONE, {**_attempt(row), "now": now}) == 1


async def mark_failed(tx: Transaction, row: OutboxRow, due_time: int, error: str) -> bool:
    """Note why the attempt *row* failed and when to try again; False as in `mark_done`."""
    return await tx.run(_FAILED, {**_attempt(row), "due": due_time, "error": error}) == 1


async def insert_invoice_window(tx: Transaction, row: InvoiceWindowRow) -> None:
    """Add a window."""
    await tx.run(_INSERT_WINDOW, row._asdict())


async def extend_invoice_window(tx: Transaction, workspace_id: str, now: int, seats: int) -> bool:
    """Add seats to the window that is open at *now*; return False if none is."""
    row = await tx.one(_OPEN_WINDOW, {"workspace_id": workspace_id, "now": now})
    if row is None:
        return False
    values = {"workspace_id": workspace_id, "id": row[0], "more": seats}
    return await tx.run(_EXTEND_WINDOW, values) == 1


async def invoice_window(tx: Transaction, workspace_id: str, id: str) -> InvoiceWindowRow | None:
    """Return a window, None if there is none with this id."""
    row = await tx.one(_WINDOW, {"workspace_id": workspace_id, "id": id})
    return None if row is None else InvoiceWindowRow._make(row)


async def newest_window_not_invoiced(tx: Transaction, workspace_id: str) -> InvoiceWindowRow | None:
    """Return the newest window that has no invoice yet, None if all have."""
    row = await tx.one(_NEWEST_UNPAID, {"workspace_id": workspace_id})
    return None if row is None else InvoiceWindowRow._make(row)


async def mark_invoiced(tx: Transaction, workspace_id: str, id: str, now: int) -> None:
    """Note that the invoice of a window was made."""
    await tx.run(_INVOICED, {"workspace_id": workspace_id, "id": id, "now": now})


def _attempt(row: OutboxRow) -> dict[str, object]:
    return {
        "workspace_id": row.workspace_id,
        "id": row.id,
        "key": row.key,
        "attempts": row.attempts,
    }
