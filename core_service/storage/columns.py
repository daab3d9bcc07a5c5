"""What the declarations of tables share: their metadata and the kinds of columns."""

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from core_service.storage.expressions import TEXT

METADATA = sa.MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "fk": "%(table_name)s_%(column_0_name)s_fkey"}
)
NO_ROWID = {"sqlite_with_rowid": False}


def key() -> Any:
    """Return the column of a text that is part of the key."""
    return Field(primary_key=True, sa_type=TEXT)


def text() -> Any:
    """Return the column of a text."""
    return Field(sa_type=TEXT)


def maybe_text() -> Any:
    """Return the column of a text that may be NULL."""
    return Field(default=None, sa_type=TEXT)


def whole() -> Any:
    """Return the column of a whole number; times are microseconds since 1970."""
    return Field(sa_type=sa.BigInteger)


def maybe_whole() -> Any:
    """Return the column of a whole number that may be NULL."""
    return Field(default=None, sa_type=sa.BigInteger)


def raw() -> Any:
    """Return the column of bytes."""
    return Field(sa_type=sa.LargeBinary)


class Table(SQLModel):
    """What the tables share: their metadata."""

    metadata: ClassVar[sa.MetaData] = METADATA
