"""What the statements of the store have in common."""

from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Insert

from core_service.storage.expressions import TEXT

S = TypeVar("S", sa.Select[Any], sa.Update, sa.Delete)


def param(name: str, type_: Any = TEXT) -> sa.BindParameter[Any]:
    """Return the parameter *name*."""
    return sa.bindparam(name, type_=type_)


def where(statement: S, table: sa.Table, *columns: str) -> S:
    """Restrict *statement* to the rows whose *columns* equal the parameters of the same name."""
    return statement.where(*(table.c[column] == param(column) for column in columns))


def update_by(table: sa.Table, *keys: str) -> sa.Update:
    """Return the update of every column of the row with the *keys*; parameters by `prefixed`."""
    others = [column for column in table.c if column.name not in keys]
    return (
        sa.update(table)
        .where(*(table.c[key] == param(f"new_{key}") for key in keys))
        .values({column: param(f"new_{column.name}", column.type) for column in others})
    )


def prefixed(row: Any) -> dict[str, Any]:
    """Return the parameters of `update_by` for a row."""
    return {f"new_{name}": value for name, value in zip(row._fields, row, strict=True)}


def touched(table: sa.Table) -> sa.Update:
    """Return the update that raises the versions in the workspace `key_workspace_id` at `now`."""
    return (
        sa.update(table)
        .where(table.c.workspace_id == param("key_workspace_id"))
        .values(version=table.c.version + 1, update_time=param("now", sa.BigInteger()))
    )


def insert_unless_there(table: sa.Table, *unique: sa.Column[Any]) -> Insert:
    """Return an insert that leaves a row with the same *unique* columns as it is."""
    # SQLite has the same clause, and its compiler understands PostgreSQL's.
    return postgresql.insert(table).on_conflict_do_nothing(index_elements=list(unique))
