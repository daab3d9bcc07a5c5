"""Statements that remove a workspace with all that is in it: one for each table, none a row."""

from typing import NamedTuple

import sqlalchemy as sa

from core_service.storage.columns import METADATA
from core_service.storage.database import Transaction
from core_service.storage.plans import SCAN
from core_service.storage.statements import where
from core_service.storage.tables import accounts, groups, users, workspaces

_OWN_ACCOUNTS = accounts.c.id.in_(where(sa.select(users.c.account_id), users, "workspace_id"))
_LEAVE_ACCOUNTS = (
    sa.update(accounts)
    .where(_OWN_ACCOUNTS)
    .values(users_count=accounts.c.users_count - 1)
    .execution_options(**{SCAN: True})
)
_CLOSE_ACCOUNTS = (
    sa.delete(accounts)
    .where(_OWN_ACCOUNTS, accounts.c.users_count <= 0)
    .execution_options(**{SCAN: True})
)
# Every table of workspaces, whatever is added to them, those first that refer to others.
_EMPTY = {
    table.name: where(sa.delete(table), table, "workspace_id").execution_options(**{SCAN: True})
    for table in reversed(METADATA.sorted_tables)
    if "workspace_id" in table.c
}
_DELETE = where(sa.delete(workspaces), workspaces, "id")


class Removed(NamedTuple):
    """How many users and groups there were."""

    users: int
    groups: int


async def delete_workspace(tx: Transaction, id: str) -> Removed:
    """Remove a workspace; each account of its users loses one, and goes with its last (R-163)."""
    key = {"workspace_id": id}
    await tx.run(_LEAVE_ACCOUNTS, key)
    await tx.run(_CLOSE_ACCOUNTS, key)
    removed = {name: await tx.run(statement, key) for name, statement in _EMPTY.items()}
    await tx.run(_DELETE, {"id": id})
    return Removed(removed[users.name], removed[groups.name])
