"""Statements about accounts, the logins that workspaces share."""

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.failures import Conflict
from core_service.storage.rows import AccountRow
from core_service.storage.statements import insert_unless_there, param, prefixed, update_by, where
from core_service.storage.tables import accounts

_BY_KEY = where(sa.select(accounts), accounts, "email_key")
_BY_ID = where(sa.select(accounts), accounts, "id")
_INSERT = insert_unless_there(accounts, accounts.c.email_key)
_UPDATE = update_by(accounts, "id")
_ADD_USERS = (
    sa.update(accounts)
    .where(accounts.c.id == param("key"))
    .values(users_count=accounts.c.users_count + param("more", sa.BigInteger()))
    .returning(accounts.c.users_count)
)
_DELETE = where(sa.delete(accounts), accounts, "id").where(accounts.c.users_count <= 0)


async def account_by_key(tx: Transaction, email_key: str) -> AccountRow | None:
    """Return the account of an e-mail as it is compared, None if there is none."""
    row = await tx.one(_BY_KEY, {"email_key": email_key})
    return None if row is None else AccountRow._make(row)


async def account_by_id(tx: Transaction, id: str) -> AccountRow | None:
    """Return an account, None if there is none with this id."""
    row = await tx.one(_BY_ID, {"id": id})
    return None if row is None else AccountRow._make(row)


async def insert_account(tx: Transaction, row: AccountRow) -> AccountRow:
    """
    Return the account of the row's e-mail: *row*, or the one that another workspace made before.

    The lock of a workspace does not keep others from making the same account.
    """
    if await tx.run(_INSERT, row._asdict()) == 1:
        return row
    found = await account_by_key(tx, row.email_key)
    if found is None:
        # Deleted in between: begin again.
        raise Conflict
    return found


async def update_account(tx: Transaction, row: AccountRow) -> None:
    """
    Replace the account that has the row's id.

    Raises:
        DirectoryError: VALUE_TAKEN (`email`).
    """
    await tx.run(_UPDATE, prefixed(row))


async def add_account_users(tx: Transaction, id: str, delta: int) -> int:
    """Return how many users the account has after *delta* more; locks it until the end."""
    row = await tx.one(_ADD_USERS, {"key": id, "more": delta})
    if row is None:
        # Another workspace deleted it since it was read: begin again.
        raise Conflict
    return int(row[0])


async def delete_account(tx: Transaction, id: str) -> bool:
    """Remove an account that has no user left; return whether it had none and is gone."""
    return await tx.run(_DELETE, {"id": id}) == 1
