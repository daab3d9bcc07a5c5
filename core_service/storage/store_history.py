"""Statements about what is kept of what is gone, and of what was sent."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from core_service.storage.database import Transaction
from core_service.storage.rows import SeenRoleNameRow, TombstoneRow
from core_service.storage.statements import insert_unless_there, param, where
from core_service.storage.tables_history import seen_role_names, tombstones

_INSERT = insert_unless_there(tombstones, *tombstones.primary_key)
_BY_ID = where(sa.select(tombstones), tombstones, "workspace_id", "id")
_WHOLE = sa.BigInteger()
_insert_seen = postgresql.insert(seen_role_names)
_SEE = _insert_seen.on_conflict_do_update(
    index_elements=list(seen_role_names.primary_key),
    set_={"last_time": _insert_seen.excluded.last_time},
    where=seen_role_names.c.last_time < param("before", _WHOLE),
)
_SEEN = (
    where(sa.select(seen_role_names.c.integration_id), seen_role_names, "workspace_id", "name_key")
    .where(seen_role_names.c.last_time >= param("since", _WHOLE))
    .order_by(seen_role_names.c.integration_id)
)
_FORGET = where(sa.delete(seen_role_names), seen_role_names, "workspace_id", "integration_id")


async def insert_tombstone(tx: Transaction, row: TombstoneRow) -> None:
    """Keep that something with the row's id was here."""
    await tx.run(_INSERT, row._asdict())


async def tombstone(tx: Transaction, workspace_id: str, id: str) -> TombstoneRow | None:
    """Return what is kept of a purged user, a deleted group or role; None if there is nothing."""
    row = await tx.one(_BY_ID, {"workspace_id": workspace_id, "id": id})
    return None if row is None else TombstoneRow._make(row)


async def see_role_name(tx: Transaction, row: SeenRoleNameRow, before: int) -> None:
    """Keep when an integration sent the name of a role, unless it did so after *before*."""
    await tx.run(_SEE, {**row._asdict(), "before": before})


async def senders_of_role_name(
    tx: Transaction, workspace_id: str, name_key: str, since: int
) -> list[str]:
    """Return the ids of the integrations that sent a name of a role since a time, in order."""
    values = {"workspace_id": workspace_id, "name_key": name_key, "since": since}
    return [row[0] for row in await tx.all(_SEEN, values)]


async def forget_sender(tx: Transaction, workspace_id: str, integration_id: str) -> None:
    """Forget which names of roles an integration sent."""
    await tx.run(_FORGET, {"workspace_id": workspace_id, "integration_id": integration_id})
