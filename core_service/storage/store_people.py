"""Statements about many users at once: the deleted ones, the chart, those another tool brought."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.expressions import one_of
from core_service.storage.plans import SCAN
from core_service.storage.rows import UserRow
from core_service.storage.statements import param, where
from core_service.storage.tables import groups, users

_WHOLE = sa.BigInteger()
_AWAY = sa.or_(users.c.delete_time.is_not(None), users.c.unlink_time.is_not(None))
_DELETED = (
    where(sa.select(users), users, "workspace_id")
    .where(_AWAY, users.c.id > param("after"))
    .order_by(users.c.id)
    .limit(param("limit", _WHOLE))
    .execution_options(**{SCAN: True})
)
_REPORTS = users.alias("reports")
_MANAGERS = users.alias("managers")
_TOPS = (
    where(sa.select(users.c.id), users, "workspace_id")
    .where(
        users.c.unlink_time.is_(None),
        sa.exists().where(
            _REPORTS.c.workspace_id == users.c.workspace_id,
            _REPORTS.c.manager_id == users.c.id,
            _REPORTS.c.unlink_time.is_(None),
        ),
        ~sa.exists().where(
            _MANAGERS.c.workspace_id == users.c.workspace_id,
            _MANAGERS.c.id == users.c.manager_id,
            _MANAGERS.c.unlink_time.is_(None),
        ),
    )
    .order_by(users.c.id)
    .execution_options(**{SCAN: True})
)
_BELOW = (
    where(sa.select(users.c.id), users, "workspace_id")
    .where(users.c.unlink_time.is_(None), one_of(users.c.manager_id, "ids"))
    .order_by(users.c.id)
    .execution_options(**{SCAN: True})
)
_REPORT_COUNTS = (
    where(sa.select(users.c.manager_id, sa.func.count()), users, "workspace_id")
    .where(users.c.unlink_time.is_(None), one_of(users.c.manager_id, "ids"))
    .group_by(users.c.manager_id)
)
_LEFT_USERS = (
    where(sa.select(users.c.id, users.c.version), users, "workspace_id", "source")
    .where(
        users.c.integration_id == "",
        users.c.delete_time.is_(None),
        users.c.unlink_time.is_(None),
    )
    .order_by(users.c.id)
    .limit(param("limit", _WHOLE))
    .execution_options(**{SCAN: True})
)
_LEFT_GROUPS = (
    where(sa.select(groups.c.id, groups.c.version), groups, "workspace_id", "source")
    .where(groups.c.external_id.is_(None))
    .order_by(groups.c.id)
    .limit(param("limit", _WHOLE))
    .execution_options(**{SCAN: True})
)


async def deleted_users(
    tx: Transaction, workspace_id: str, after_id: str, limit: int
) -> list[UserRow]:
    """Return users that were deleted or unlinked, in order of id, from behind *after_id*."""
    values = {"workspace_id": workspace_id, "after": after_id, "limit": limit}
    return [UserRow._make(row) for row in await tx.all(_DELETED, values)]


async def chart_tops(tx: Transaction, workspace_id: str) -> list[str]:
    """Return who has reports and no manager that is here, in order of id."""
    return _ids(await tx.all(_TOPS, {"workspace_id": workspace_id}))


async def reports_below(tx: Transaction, workspace_id: str, ids: Iterable[str]) -> list[str]:
    """Return who reports to any of *ids*, in order of id."""
    return _ids(await tx.all(_BELOW, {"workspace_id": workspace_id, "ids": list(ids)}))


async def report_counts(tx: Transaction, workspace_id: str, ids: Iterable[str]) -> dict[str, int]:
    """Return how many report to each of *ids*; who has none is left out."""
    rows = await tx.all(_REPORT_COUNTS, {"workspace_id": workspace_id, "ids": list(ids)})
    return {row[0]: row[1] for row in rows}


async def left_of_source(
    tx: Transaction, workspace_id: str, source: str, limit: int
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return id and version of the users and the groups of a source that nobody took up."""
    values = {"workspace_id": workspace_id, "source": source, "limit": limit}
    found_users = [(row[0], row[1]) for row in await tx.all(_LEFT_USERS, values)]
    found_groups = [(row[0], row[1]) for row in await tx.all(_LEFT_GROUPS, values)]
    return found_users, found_groups


def _ids(rows: list[tuple[Any, ...]]) -> list[str]:
    return [row[0] for row in rows]
