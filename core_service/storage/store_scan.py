"""Statements that read whole tables, page by page, for the checks of the database."""

from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.plans import SCAN
from core_service.storage.rows import AccountRow, GroupRow, UserRow
from core_service.storage.statements import param, where
from core_service.storage.tables import accounts, groups, memberships, user_emails, users

PAGE = 1000

_LIMIT = param("limit", sa.BigInteger())
_SCANS = {SCAN: True}
_ACCOUNTS = (
    sa.select(accounts)
    .where(accounts.c.id > param("after"))
    .order_by(accounts.c.id)
    .limit(_LIMIT)
    .execution_options(**_SCANS)
)
_USERS = (
    where(sa.select(users), users, "workspace_id")
    .where(users.c.id > param("after"))
    .order_by(users.c.id)
    .limit(_LIMIT)
    .execution_options(**_SCANS)
)
_GROUPS = (
    where(sa.select(groups), groups, "workspace_id")
    .where(groups.c.id > param("after"))
    .order_by(groups.c.id)
    .limit(_LIMIT)
    .execution_options(**_SCANS)
)
_EMAILS = where(
    sa.select(user_emails.c.user_id, user_emails.c.value_key), user_emails, "workspace_id"
).execution_options(**_SCANS)
_MEMBERS = where(
    sa.select(memberships.c.group_id, memberships.c.member_id), memberships, "workspace_id"
).execution_options(**_SCANS)


async def all_accounts(tx: Transaction) -> AsyncIterator[AccountRow]:
    """Give every account, in order of id."""
    async for row in _paged(tx, _ACCOUNTS, {}, 0):
        yield AccountRow._make(row)


async def all_users(tx: Transaction, workspace_id: str) -> AsyncIterator[UserRow]:
    """Give every user of a workspace, in order of id, those who are away too."""
    async for row in _paged(tx, _USERS, {"workspace_id": workspace_id}, 1):
        yield UserRow._make(row)


async def all_groups(tx: Transaction, workspace_id: str) -> AsyncIterator[GroupRow]:
    """Give every group of a workspace, in order of id."""
    async for row in _paged(tx, _GROUPS, {"workspace_id": workspace_id}, 1):
        yield GroupRow._make(row)


async def all_email_keys(tx: Transaction, workspace_id: str) -> list[tuple[str, str]]:
    """Return `(user_id, key)` of every e-mail address in a workspace."""
    return [(row[0], row[1]) for row in await tx.all(_EMAILS, {"workspace_id": workspace_id})]


async def all_members(tx: Transaction, workspace_id: str) -> list[tuple[str, str]]:
    """Return `(group_id, member_id)` of every membership in a workspace."""
    return [(row[0], row[1]) for row in await tx.all(_MEMBERS, {"workspace_id": workspace_id})]


async def _paged(
    tx: Transaction, statement: sa.Select[Any], values: dict[str, Any], id_column: int
) -> AsyncIterator[tuple[Any, ...]]:
    after = ""
    while True:
        rows = await tx.all(statement, {**values, "after": after, "limit": PAGE})
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        after = rows[-1][id_column]
