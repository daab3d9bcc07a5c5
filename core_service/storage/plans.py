"""Statements as the drivers run them: compiled once for each database and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

from core_service.storage.expressions import TextList

SCAN = "scan"
"""The execution option of statements that may read or write many rows."""

_SQLITE = sqlite.dialect(paramstyle="named")
_POSTGRESQL = asyncpg.dialect()  # type: ignore[no-untyped-call]
_PLANS = 2048


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A compiled statement.

    Attributes:
        text: What the driver is given.
        names: The parameters in the order of `$1`, `$2`, ... (PostgreSQL).
        constants: The values that the statement itself has.
        lists: The parameters that are lists.
        scans: Whether it may read or write many rows.
    """

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    lists: tuple[str, ...]
    scans: bool

    def named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parameters for SQLite, which takes them by name and lists as JSON."""
        if not self.constants and not self.lists:
            return values
        named = {**self.constants, **values}
        for name in self.lists:
            named[name] = orjson.dumps(named[name]).decode()
        return named

    def numbered(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters for PostgreSQL, in their order."""
        if self.constants:
            values = {**self.constants, **values}
        return [values[name] for name in self.names]


@lru_cache(maxsize=_PLANS)
def for_sqlite(statement: Executable) -> Plan:
    """Return the plan of *statement* for SQLite."""
    return _plan(statement, _SQLITE)


@lru_cache(maxsize=_PLANS)
def for_postgresql(statement: Executable) -> Plan:
    """Return the plan of *statement* for PostgreSQL."""
    return _plan(statement, _POSTGRESQL)


def _plan(statement: Executable, dialect: Any) -> Plan:
    assert isinstance(statement, ClauseElement)
    compiled: Any = statement.compile(dialect=dialect)
    constants = {k: v for k, v in compiled.params.items() if v is not None}
    return Plan(
        text=compiled.string,
        names=tuple(compiled.positiontup or ()),
        constants=constants,
        # A parameter that occurs twice is one value all the same.
        lists=tuple(
            {name for bind, name in compiled.bind_names.items() if isinstance(bind.type, TextList)}
        ),
        scans=bool(statement.get_execution_options().get(SCAN)),
    )
