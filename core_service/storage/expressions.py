"""The column types and the SQL that SQLite and PostgreSQL spell differently, each written once."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import UserDefinedType

# Text is compared and ordered by code points on both databases; SQLite does so by itself.
TEXT: Any = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


class Json(UserDefinedType[str]):
    """JSON, given and taken as text: JSONB on PostgreSQL, TEXT on SQLite."""

    cache_ok = True


class TextList(UserDefinedType[list[str]]):
    """A parameter that is a list of texts: an array on PostgreSQL, a JSON array on SQLite."""

    cache_ok = True


@compiles(Json, "postgresql")
def _json_postgresql(*_: Any, **__: Any) -> str:
    return "JSONB"


@compiles(Json, "sqlite")
def _json_sqlite(*_: Any, **__: Any) -> str:
    return "TEXT"


@compiles(TextList, "postgresql")
def _list_postgresql(*_: Any, **__: Any) -> str:
    return "TEXT[]"


@compiles(TextList, "sqlite")
def _list_sqlite(*_: Any, **__: Any) -> str:
    return "TEXT"


class one_of(FunctionElement[bool]):
    """Whether a column is in the list that the parameter *name* brings, of any length."""

    inherit_cache = True
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        """Compare *column* with the list *name*."""
        super().__init__(column, sa.bindparam(name, type_=TextList()))


@compiles(one_of, "postgresql")
def _one_of_postgresql(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, names = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} = ANY (CAST({names} AS TEXT[]))"


@compiles(one_of, "sqlite")
def _one_of_sqlite(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, names = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({names}))"  # noqa: S608 - compiled clauses


class _Listed(FunctionElement[str]):
    inherit_cache = True


def listed(name: str) -> sa.TableValuedAlias:
    """Return the list that the parameter *name* brings as rows with the column `value`."""
    rows = _Listed(sa.bindparam(name, type_=TextList()))
    return rows.table_valued(sa.column("value", TEXT), name="listed")


@compiles(_Listed, "postgresql")
def _listed_postgresql(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements_text(to_jsonb({_first(element, compiler, kw)}::text[]))"


@compiles(_Listed, "sqlite")
def _listed_sqlite(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({_first(element, compiler, kw)})"


class _Inside(FunctionElement[Any]):
    """Something inside a JSON value, at a path of names of our own fields."""

    inherit_cache = False

    def __init__(self, document: sa.ColumnElement[Any], *path: str) -> None:
        super().__init__(document)
        self.arrow = "{" + ",".join(path) + "}"
        self.dotted = ".".join(("$", *path))


class json_text(_Inside):
    """The text inside a JSON value; with no path the value itself; NULL if there is none."""

    type = sa.Text()


class json_flag(_Inside):
    """The true or false inside a JSON value, NULL if there is none."""

    type = sa.Boolean()


class json_whole(_Inside):
    """The whole number inside a JSON value, NULL if there is none."""

    type = sa.BigInteger()


class json_has(_Inside):
    """Whether there is something inside a JSON value."""

    type = sa.Boolean()


class json_first(_Inside):
    """Of an array inside a JSON value the primary element, else the first."""

    type = Json()


class _Elements(_Inside):
    pass


def json_elements(document: sa.ColumnElement[Any], *path: str) -> sa.TableValuedAlias:
    """Return the elements of an array inside a JSON value as rows with the column `value`."""
    return _Elements(document, *path).table_valued(sa.column("value", Json()), name="element")


@compiles(json_text, "postgresql")
def _text_postgresql(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    return f"""(({_first(element, compiler, kw)} #>> '{element.arrow}') COLLATE "C")"""


@compiles(json_text, "sqlite")
def _text_sqlite(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    if element.dotted == "$":
        return _first(element, compiler, kw)
    return f"json_extract({_first(element, compiler, kw)}, '{element.dotted}')"


@compiles(json_flag, "postgresql")
def _flag_postgresql(element: json_flag, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({_first(element, compiler, kw)} #>> '{element.arrow}')::boolean"


@compiles(json_flag, "sqlite")
def _flag_sqlite(element: json_flag, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_extract({_first(element, compiler, kw)}, '{element.dotted}')"


@compiles(json_whole, "postgresql")
def _whole_postgresql(element: json_whole, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({_first(element, compiler, kw)} #>> '{element.arrow}')::bigint"


@compiles(json_whole, "sqlite")
def _whole_sqlite(element: json_whole, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_extract({_first(element, compiler, kw)}, '{element.dotted}')"


@compiles(json_has, "postgresql")
def _has_postgresql(element: json_has, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(({_first(element, compiler, kw)} #> '{element.arrow}') IS NOT NULL)"


@compiles(json_has, "sqlite")
def _has_sqlite(element: json_has, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(json_type({_first(element, compiler, kw)}, '{element.dotted}') IS NOT NULL)"


@compiles(json_first, "postgresql")
def _first_postgresql(element: json_first, compiler: SQLCompiler, **kw: Any) -> str:
    array = f"({_first(element, compiler, kw)} #> '{element.arrow}')"
    return f"coalesce(jsonb_path_query_first({array}, '$[*] ? (@.primary == true)'), {array} -> 0)"


@compiles(json_first, "sqlite")
def _first_sqlite(element: json_first, compiler: SQLCompiler, **kw: Any) -> str:
    array = f"json_each({_first(element, compiler, kw)}, '{element.dotted}')"
    order = "coalesce(json_extract(value, '$.primary'), 0) DESC, key"
    return f"(SELECT value FROM {array} ORDER BY {order} LIMIT 1)"  # noqa: S608 - our own names


@compiles(_Elements, "postgresql")
def _elements_postgresql(element: _Elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements({_first(element, compiler, kw)} #> '{element.arrow}')"


@compiles(_Elements, "sqlite")
def _elements_sqlite(element: _Elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({_first(element, compiler, kw)}, '{element.dotted}')"


class text_test(FunctionElement[bool]):
    """Whether a text `contains`, `starts_with` or `ends_with` another; no character is special."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(
        self, test: str, text: sa.ColumnElement[Any], operand: sa.ColumnElement[Any]
    ) -> None:
        """Look for *operand* in *text*."""
        super().__init__(text, operand)
        self.test = test


_TESTS_POSTGRESQL = {
    "contains": "(strpos({0}, {1}) > 0)",
    "starts_with": "starts_with({0}, {1})",
    "ends_with": "(right({0}, length({1})) = {1})",
}
_TESTS_SQLITE = {
    "contains": "(instr({0}, {1}) > 0)",
    "starts_with": "(substr({0}, 1, length({1})) = {1})",
    "ends_with": "(substr({0}, length({0}) - length({1}) + 1) = {1})",
}


@compiles(text_test, "postgresql")
def _test_postgresql(element: text_test, compiler: SQLCompiler, **kw: Any) -> str:
    clauses = (compiler.process(clause, **kw) for clause in element.clauses)
    return _TESTS_POSTGRESQL[element.test].format(*clauses)


@compiles(text_test, "sqlite")
def _test_sqlite(element: text_test, compiler: SQLCompiler, **kw: Any) -> str:
    clauses = (compiler.process(clause, **kw) for clause in element.clauses)
    return _TESTS_SQLITE[element.test].format(*clauses)


def _first(element: FunctionElement[Any], compiler: SQLCompiler, kw: dict[str, Any]) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


class holds_bytes(FunctionElement[bool]):
    """Whether a column of bytes holds the bytes of a parameter somewhere."""

    inherit_cache = True
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[Any], part: sa.BindParameter[Any]) -> None:
        """Look for *part* in *column*."""
        super().__init__(column, part)


@compiles(holds_bytes, "postgresql")
def _holds_bytes_postgresql(element: holds_bytes, compiler: SQLCompiler, **kw: Any) -> str:
    column, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"position({part} IN {column}) > 0"


@compiles(holds_bytes, "sqlite")
def _holds_bytes_sqlite(element: holds_bytes, compiler: SQLCompiler, **kw: Any) -> str:
    column, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"instr({column}, {part}) > 0"
