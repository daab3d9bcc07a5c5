"""
Statements about the provisioning log.

`document` of a row is a serialised LogEntry of what has no column: message, changes,
notices, rule, settings and request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.expressions import one_of
from core_service.storage.rows import LogRow
from core_service.storage.statements import insert_unless_there, param, where
from core_service.storage.tables_history import log

MOST_MICROS = 2**63 - 1
"""A time and a sequence that none is later than."""

_EQUAL = ("trace_id", "target_id", "integration_id", "operation", "reason")
_WHOLE = sa.BigInteger()
_NEXT = (
    sa.select(sa.func.coalesce(sa.func.max(log.c.sequence), 0) + 1)
    .where(log.c.workspace_id == param("workspace_id"))
    .scalar_subquery()
)
_COLUMNS: dict[Any, Any] = {
    column: param(column.name, column.type) for column in log.c if column.name != "sequence"
}
# The lock of the workspace keeps two entries from getting the same number.
_INSERT = sa.insert(log).values(_COLUMNS | {log.c.sequence: _NEXT})
_FORGET = (
    where(sa.update(log), log, "workspace_id")
    .where(log.c.target_id == param("target"))
    .values(document=param("nothing", sa.LargeBinary()))
)
_RECENT = (
    where(sa.select(log), log, "workspace_id", "target_id")
    .where(log.c.reason == "")
    .order_by(log.c.sequence.desc())
    .limit(param("limit", _WHOLE))
)
_REFUSED = where(sa.select(log.c.reason), log, "workspace_id").where(
    log.c.reason != "", log.c.time >= param("since", _WHOLE), log.c.integration_id != ""
)
_REASONS = _REFUSED.add_columns(sa.func.count(), sa.func.max(log.c.sequence)).group_by(log.c.reason)
_REASONS_OF_ONE = where(_REASONS, log, "integration_id")
_CONCERNED = (
    where(sa.select(log.c.target_id), log, "workspace_id", "reason")
    .where(
        log.c.time >= param("since", _WHOLE),
        log.c.integration_id != "",
        log.c.target_id != "",
        sa.or_(param("every", sa.Boolean()), one_of(log.c.operation, "operations")),
    )
    .group_by(log.c.target_id)
    .order_by(sa.func.max(log.c.sequence).desc())
    .limit(param("limit", _WHOLE))
)
# Each end is a look into the index; asked for together, SQLite would read all between them.
_ENDS = sa.select(
    *(
        where(sa.select(end(log.c.sequence)), log, "workspace_id").scalar_subquery()
        for end in (sa.func.min, sa.func.max)
    )
)
_AFTER = (
    where(sa.select(log), log, "workspace_id")
    .where(log.c.sequence > param("sequence", _WHOLE))
    .order_by(log.c.sequence)
    .limit(param("limit", _WHOLE))
)
_ONE = where(sa.select(log), log, "workspace_id").where(log.c.sequence == param("sequence", _WHOLE))


_later = sa.case((param("time", _WHOLE) < _NEXT, _NEXT), else_=param("time", _WHOLE))
# No lock keeps two of these from choosing the same number: the later one chooses again.
_INSERT_OF_NOBODY = (
    insert_unless_there(log, log.c.workspace_id, log.c.sequence)
    .values(_COLUMNS | {log.c.sequence: _later})
    .inline()  # without RETURNING, which would hide from SQLite's driver how many rows there are
)
_SAME = where(
    sa.select(log.c.sequence), log, "workspace_id", "trace_id", "operation", "target_id", "reason"
).where(log.c.time == param("time", _WHOLE))
_OF_TRACE = (
    where(sa.select(log), log, "trace_id")
    .order_by(log.c.time, log.c.workspace_id, log.c.sequence)
    .limit(param("limit", _WHOLE))
)
_OF_TRACE_IN = where(_OF_TRACE, log, "workspace_id")


class Refusals(NamedTuple):
    """How often a reason was given, and the sequence of the last time."""

    reason: str
    times: int
    last: int


async def insert_log(tx: Transaction, row: LogRow) -> None:
    """Add an entry at the end of its workspace's log; `sequence` of *row* is not looked at."""
    values = row._asdict()
    del values["sequence"]
    await tx.run(_INSERT, values)
    tx.log_entries += 1


async def insert_log_of_nobody(tx: Transaction, row: LogRow) -> None:
    """
    Add an entry that belongs to no workspace, whose number is its time or the next that is free.

    Others may do the same at the same time.
    """
    values = row._replace(workspace_id="")._asdict()
    del values["sequence"]
    while await tx.run(_INSERT_OF_NOBODY, values) == 0:
        pass


async def has_log(tx: Transaction, row: LogRow) -> bool:
    """Return whether the same was logged before."""
    return await tx.one(_SAME, row._asdict()) is not None


async def log_of_trace(
    tx: Transaction, trace_id: str, workspace_id: str | None, limit: int
) -> list[LogRow]:
    """
    Return what belongs to a trace, in the order it happened.

    Args:
        workspace_id: Only what belongs to this workspace; None for all of them and for none.
    """
    values = {"trace_id": trace_id, "limit": limit}
    if workspace_id is None:
        rows = await tx.all(_OF_TRACE, values)
    else:
        rows = await tx.all(_OF_TRACE_IN, {**values, "workspace_id": workspace_id})
    return [LogRow._make(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """
    Which entries to list; an empty text means all.

    Attributes:
        refused: Only refusals, or only what was done; None for both.
        since: Only from this time on, in microseconds since 1970.
        until: Only before this time.
    """

    trace_id: str = ""
    target_id: str = ""
    integration_id: str = ""
    operation: str = ""
    reason: str = ""
    refused: bool | None = None
    since: int = 0
    until: int = MOST_MICROS


async def log_page(
    tx: Transaction, workspace_id: str, wanted: LogFilter, *, before: int | None, limit: int
) -> list[LogRow]:
    """
    Return entries, newest first.

    Args:
        before: Only those with a smaller sequence; None begins with the newest.
    """
    names = tuple(name for name in _EQUAL if getattr(wanted, name))
    values: dict[str, Any] = {name: getattr(wanted, name) for name in names}
    values |= {
        "workspace_id": workspace_id,
        "since": wanted.since,
        "until": wanted.until,
        "before": MOST_MICROS if before is None else before,
        "limit": limit,
    }
    rows = await tx.all(_page(names, wanted.refused), values)
    return [LogRow._make(row) for row in rows]


async def log_after(tx: Transaction, workspace_id: str, sequence: int, limit: int) -> list[LogRow]:
    """Return the entries behind a sequence, oldest first."""
    values = {"workspace_id": workspace_id, "sequence": sequence, "limit": limit}
    return [LogRow._make(row) for row in await tx.all(_AFTER, values)]


async def log_ends(tx: Transaction, workspace_id: str) -> tuple[int, int]:
    """Return the sequences of the oldest and the newest entry; (1, 0) if there is none."""
    row = await tx.one(_ENDS, {"workspace_id": workspace_id})
    return (1, 0) if row is None or row[0] is None else (row[0], row[1])


async def recent_log(
    tx: Transaction, workspace_id: str, target_id: str, limit: int
) -> list[LogRow]:
    """Return the last things done to a target, newest first; nothing that was refused."""
    values = {"workspace_id": workspace_id, "target_id": target_id, "limit": limit}
    return [LogRow._make(row) for row in await tx.all(_RECENT, values)]


async def log_entry(tx: Transaction, workspace_id: str, sequence: int) -> LogRow | None:
    """Return one entry, None if there is none."""
    row = await tx.one(_ONE, {"workspace_id": workspace_id, "sequence": sequence})
    return None if row is None else LogRow._make(row)


async def refusals(
    tx: Transaction, workspace_id: str, since: int, integration_id: str = ""
) -> list[Refusals]:
    """
    Return the reasons that integrations were given, the most frequent first.

    Args:
        since: From this time on, in microseconds.
        integration_id: Only those of this integration; empty for those of all.
    """
    values = {"workspace_id": workspace_id, "since": since}
    if integration_id:
        rows = await tx.all(_REASONS_OF_ONE, values | {"integration_id": integration_id})
    else:
        rows = await tx.all(_REASONS, values)
    found = [Refusals._make(row) for row in rows]
    return sorted(found, key=lambda refusal: (-refusal.times, refusal.reason))


async def refused_targets(
    tx: Transaction,
    workspace_id: str,
    reason: str,
    since: int,
    operations: Iterable[str] | None,
    limit: int,
) -> list[str]:
    """
    Return what integrations were refused for a reason, the last first, each once.

    Args:
        operations: Only the targets of these operations; None for those of all.
    """
    values = {
        "workspace_id": workspace_id,
        "reason": reason,
        "since": since,
        "every": operations is None,
        "operations": list(operations or ()),
        "limit": limit,
    }
    return [row[0] for row in await tx.all(_CONCERNED, values)]


async def forget_log_of(tx: Transaction, workspace_id: str, target_id: str) -> None:
    """Empty the entries about a target: when, by whom and in which trace it was stays."""
    values = {"workspace_id": workspace_id, "target": target_id, "nothing": b""}
    await tx.run(_FORGET, values)


@lru_cache(maxsize=128)
def _page(names: tuple[str, ...], refused: bool | None) -> sa.Select[Any]:
    statement = where(sa.select(log), log, "workspace_id", *names).where(
        log.c.time >= param("since", _WHOLE),
        log.c.time < param("until", _WHOLE),
        log.c.sequence < param("before", _WHOLE),
    )
    if refused is not None:
        statement = statement.where(log.c.reason != "" if refused else log.c.reason == "")
    return statement.order_by(log.c.sequence.desc()).limit(param("limit", _WHOLE))
