"""Statements about what is kept of what is gone."""

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.rows import TombstoneRow
from core_service.storage.statements import insert_unless_there, where
from core_service.storage.tables import tombstones

_INSERT = insert_unless_there(tombstones, *tombstones.primary_key)
_BY_ID = where(sa.select(tombstones), tombstones, "workspace_id", "id")


async def insert_tombstone(tx: Transaction, row: TombstoneRow) -> None:
    """Keep that something with the row's id was here."""
    await tx.run(_INSERT, row._asdict())


async def tombstone(tx: Transaction, workspace_id: str, id: str) -> TombstoneRow | None:
    """Return what is kept of a purged user, a deleted group or role; None if there is nothing."""
    row = await tx.one(_BY_ID, {"workspace_id": workspace_id, "id": id})
    return None if row is None else TombstoneRow._make(row)
