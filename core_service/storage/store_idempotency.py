"""Statements about writes that their callers named, and what they were answered."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from core_service.storage.database import Transaction
from core_service.storage.expressions import holds_bytes
from core_service.storage.rows import IdempotencyKeyRow
from core_service.storage.statements import param, where
from core_service.storage.tables_history import idempotency_keys

_WHOLE = sa.BigInteger()
_RAW = sa.LargeBinary()
_KEY = ("workspace_id", "credential_id", "key")
_insert = postgresql.insert(idempotency_keys)
_CLAIM = _insert.on_conflict_do_update(
    index_elements=list(idempotency_keys.primary_key),
    set_={name: getattr(_insert.excluded, name) for name in ("digest", "answer", "time")},
    where=idempotency_keys.c.time < param("before", _WHOLE),
)
_BY_KEY = where(sa.select(idempotency_keys), idempotency_keys, *_KEY)
_KEEP = where(sa.update(idempotency_keys), idempotency_keys, *_KEY).values(
    answer=param("new_answer", _RAW)
)
_FORGET = (
    where(sa.update(idempotency_keys), idempotency_keys, "workspace_id")
    .where(holds_bytes(idempotency_keys.c.answer, param("part", _RAW)))
    .values(digest=param("nothing", _RAW), answer=param("nothing", _RAW))
)


async def claim_key(tx: Transaction, row: IdempotencyKeyRow, before: int) -> bool:
    """
    Take a key for this write, and return whether it was free.

    A key is free if nobody took it, or somebody did earlier than *before*, in microseconds. Who
    asks while another transaction has just taken it waits for the end of that one.
    """
    return await tx.run(_CLAIM, {**row._asdict(), "before": before}) > 0


async def key_taken(
    tx: Transaction, workspace_id: str, credential_id: str, key: str
) -> IdempotencyKeyRow | None:
    """Return the write that took a key, None if there is none."""
    values = dict(zip(_KEY, (workspace_id, credential_id, key), strict=True))
    row = await tx.one(_BY_KEY, values)
    return None if row is None else IdempotencyKeyRow._make(row)


async def keep_answer(tx: Transaction, row: IdempotencyKeyRow) -> None:
    """Keep what the write that took the key of *row* is answered."""
    values = {**{name: getattr(row, name) for name in _KEY}, "new_answer": row.answer}
    await tx.run(_KEEP, values)


async def forget_answers_about(tx: Transaction, workspace_id: str, id_: str) -> None:
    """Empty digest and answer of the writes whose answer holds an id; their keys stay taken."""
    values = {"workspace_id": workspace_id, "part": id_.encode(), "nothing": b""}
    await tx.run(_FORGET, values)
