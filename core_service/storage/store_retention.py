"""Statements that remove what was kept for long enough, in batches."""

from typing import Any

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.statements import param, where
from core_service.storage.tables import credentials
from core_service.storage.tables_history import idempotency_keys, log

_WHOLE = sa.BigInteger()
_BEFORE = param("before", _WHOLE)
_LIMIT = param("limit", _WHOLE)


def _workspace_after(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.func.min(table.c.workspace_id)).where(
        table.c.workspace_id > param("workspace_id")
    )


# The next entry of a workspace gets the number after that of the newest.
_newest = (
    where(sa.select(sa.func.max(log.c.sequence)), log, "workspace_id").correlate(None)
).scalar_subquery()
_old_entries = (
    where(sa.select(log.c.sequence), log, "workspace_id")
    .where(log.c.time < _BEFORE, log.c.sequence < _newest)
    .order_by(log.c.time)
    .limit(_LIMIT)
    .correlate(None)
)
_OLD_LOG = where(sa.delete(log), log, "workspace_id").where(log.c.sequence.in_(_old_entries))
_LOG_AFTER = _workspace_after(log)

_key = (idempotency_keys.c.credential_id, idempotency_keys.c.key)
_old_keys = (
    where(sa.select(*_key), idempotency_keys, "workspace_id")
    .where(idempotency_keys.c.time < _BEFORE)
    .order_by(idempotency_keys.c.time)
    .limit(_LIMIT)
    .correlate(None)
)
_OLD_KEYS = where(sa.delete(idempotency_keys), idempotency_keys, "workspace_id").where(
    sa.tuple_(*_key).in_(_old_keys)
)
_KEYS_AFTER = _workspace_after(idempotency_keys)

_old_tokens = (
    sa.select(credentials.c.id)
    .where(credentials.c.parent_id > "", credentials.c.expire_time < _BEFORE)
    .limit(_LIMIT)
    .correlate(None)
)
_OLD_TOKENS = sa.delete(credentials).where(credentials.c.id.in_(_old_tokens))


async def log_workspace_after(tx: Transaction, workspace_id: str) -> str | None:
    """Return the next workspace by id that has a log, also if it is gone; None after the last."""
    return await _next(tx, _LOG_AFTER, workspace_id)


async def keys_workspace_after(tx: Transaction, workspace_id: str) -> str | None:
    """Return the next workspace by id that has idempotency keys, None after the last."""
    return await _next(tx, _KEYS_AFTER, workspace_id)


async def delete_old_log(tx: Transaction, workspace_id: str, before: int, limit: int) -> int:
    """
    Remove entries of a workspace, the oldest first, but never the one with the highest sequence.

    Args:
        before: Only those from before this time.
        limit: At most so many.

    Returns:
        How many were removed.
    """
    values = {"workspace_id": workspace_id, "before": before, "limit": limit}
    return await tx.run(_OLD_LOG, values)


async def delete_old_keys(tx: Transaction, workspace_id: str, before: int, limit: int) -> int:
    """Remove idempotency keys of a workspace, as `delete_old_log`."""
    return await tx.run(_OLD_KEYS, {"workspace_id": workspace_id, "before": before, "limit": limit})


async def delete_expired_access_tokens(tx: Transaction, before: int, limit: int) -> int:
    """Remove access tokens of all workspaces that expired before a time, as `delete_old_log`."""
    return await tx.run(_OLD_TOKENS, {"before": before, "limit": limit})


async def _next(tx: Transaction, statement: sa.Select[Any], workspace_id: str) -> str | None:
    row = await tx.one(statement, {"workspace_id": workspace_id})
    return None if row is None else row[0]
