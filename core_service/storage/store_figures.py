"""Statements about the whole installation, for who watches it."""

from typing import NamedTuple

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.plans import SCAN
from core_service.storage.rows import WorkspaceRow
from core_service.storage.tables import workspaces
from core_service.storage.tables_history import outbox

_OUTBOX = sa.select(
    sa.func.count(),
    sa.func.count(sa.case((outbox.c.last_error != "", 1))),
    sa.func.min(outbox.c.due_time),
).where(outbox.c.done_time.is_(None))
_WORKSPACES = sa.select(workspaces).order_by(workspaces.c.id).execution_options(**{SCAN: True})


class Figures(NamedTuple):
    """
    What there is in the database.

    Attributes:
        waiting: Rows of the outbox that are not delivered.
        failing: Those of them whose last try failed.
        due_time: When the oldest of them is due, in microseconds since 1970; None for no rows.
    """

    waiting: int
    failing: int
    due_time: int | None
    workspaces: list[WorkspaceRow]


async def figures(tx: Transaction) -> Figures:
    """Return what there is now."""
    row = await tx.one(_OUTBOX)
    assert row is not None
    rows = [WorkspaceRow._make(each) for each in await tx.all(_WORKSPACES)]
    return Figures(row[0], row[1], row[2], rows)
