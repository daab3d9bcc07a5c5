"""Pages of users and groups: filtered, ordered, counted; by token or by number."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.custom import NOTHING, Declared
from userdirectory.v1.filter_pb2 import Filter

from core_service.storage import orders
from core_service.storage.database import Transaction
from core_service.storage.plans import SCAN
from core_service.storage.queries import GroupFields, UserFields
from core_service.storage.rows import GroupRow, UserRow
from core_service.storage.shapes import ALWAYS, Fields, Read, Shape, condition, is_point
from core_service.storage.statements import param
from core_service.storage.tables import groups, users
from core_service.storage.tokens import Place, decode_token, encode_token

__all__ = [
    "Page",
    "PageQuery",
    "count_groups",
    "count_users",
    "decode_token",
    "encode_token",
    "list_groups",
    "list_users",
]

R = TypeVar("R", UserRow, GroupRow)
_WHOLE = sa.BigInteger()
_STATEMENTS = 512
_MOST_SKIPPED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PageQuery:
    """
    Which page of a list is wanted.

    Attributes:
        filter: What must hold, accepted by `matching.check`; None or without a test means all.
        order_by: A field with a single value, empty means the id; of a repeated field a part of
            its elements (`emails.value`) means that of the primary one, else of the first. Rows
            with the same value are in order of id, rows without one come last, also when
            *descending*.
        limit: At most this many rows; 0 only counts.
        skip: Leave out this many rows; 0 with *after*.
        after: Where the last page ended; None for the first page.
        declared: The custom attributes that the filter may name.
    """

    filter: Filter | None = None
    order_by: str = ""
    descending: bool = False
    limit: int = 100
    skip: int = 0
    after: Place | None = None
    declared: Declared = NOTHING


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """
    One page of a list.

    Attributes:
        total: How many rows pass the filter.
        after: Where the page ended; None if it is the last.
    """

    rows: list[R]
    total: int
    after: Place | None


async def list_users(
    tx: Transaction,
    workspace_id: str,
    query: PageQuery,
    *,
    roles_as_groups: bool,
    include_unlinked: bool = False,
    hide_guests: bool = False,
) -> Page[UserRow]:
    """
    Return a page of users.

    Args:
        roles_as_groups: Whether the workspace's groups are its roles.
        include_unlinked: Whether users count that are gone for provisioning clients.
        hide_guests: Whether filters must not find out who is a guest.

    Raises:
        DirectoryError: FIELD_UNKNOWN (`field`: `order_by`) for an order that is none.
    """
    kind = _Kind(USER, roles_as_groups, include_unlinked, hide_guests)
    return await _list(tx, workspace_id, query, kind, UserRow)


async def count_users(
    tx: Transaction,
    workspace_id: str,
    filter: Filter | None,
    *,
    roles_as_groups: bool,
    include_unlinked: bool = False,
    hide_guests: bool = False,
    declared: Declared = NOTHING,
) -> int:
    """Return how many users pass a filter; the arguments are those of `list_users`."""
    kind = _Kind(USER, roles_as_groups, include_unlinked, hide_guests)
    return await _count(tx, workspace_id, filter, kind, declared)


async def list_groups(tx: Transaction, workspace_id: str, query: PageQuery) -> Page[GroupRow]:
    """
    Return a page of groups.

    Raises:
        DirectoryError: FIELD_UNKNOWN (`field`: `order_by`) for an order that is none.
    """
    return await _list(tx, workspace_id, query, _Kind(GROUP), GroupRow)


async def count_groups(tx: Transaction, workspace_id: str, filter: Filter | None) -> int:
    """Return how many groups pass a filter."""
    return await _count(tx, workspace_id, filter, _Kind(GROUP))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is listed, and how much of it may be seen."""

    resource: Resource
    roles_as_groups: bool = False
    include_unlinked: bool = False
    hide_guests: bool = False

    def __hash__(self) -> int:
        return hash(
            (self.resource.name, self.roles_as_groups, self.include_unlinked, self.hide_guests)
        )

    @property
    def table(self) -> sa.Table:
        return users if self.resource is USER else groups

    @property
    def fields(self) -> Fields:
        if self.resource is USER:
            return UserFields(self.roles_as_groups, self.hide_guests)
        return GroupFields()

    def order(self, path: str) -> sa.ColumnElement[Any]:
        fields = self.fields
        if isinstance(fields, UserFields):
            return orders.user_order(path, fields)
        return orders.group_order(path)


async def _list(
    tx: Transaction, workspace_id: str, query: PageQuery, kind: _Kind, row_type: type[R]
) -> Page[R]:
    orders.check(kind.resource, query.order_by)
    if query.limit == 0:
        total = await _count(tx, workspace_id, query.filter, kind, query.declared)
        return Page([], total, None)
    read = Read(kind.resource, query.declared)
    shape = _shape(read, query.filter)
    order_by = "" if query.order_by == "id" else query.order_by
    begin = _BEGIN if query.after is None else _GO_ON
    if query.after is not None and order_by and query.after[0] is None:
        begin = _AMONG_MISSING
    statement = _page_statement(kind, shape, order_by, query.descending, begin)
    values = {**read.values, "workspace_id": workspace_id, "limit": query.limit + 1}
    values["skip"] = min(query.skip, _MOST_SKIPPED)
    if query.after is not None:
        values["after_value"], values["after_id"] = query.after[0], query.after[-1]
    found = await tx.all(statement, values)
    ends = len(found) <= query.limit
    rows = [row_type._make(row[: len(row_type._fields)]) for row in found[: query.limit]]
    if query.after is None and ends and (rows or not query.skip):
        return Page(rows, query.skip + len(rows), None)
    last = None if ends else found[query.limit - 1]
    after = None if last is None else ((last[-1], last[1]) if order_by else (last[1],))
    total = await _count(tx, workspace_id, query.filter, kind, query.declared)
    return Page(rows, total, after)


async def _count(
    tx: Transaction,
    workspace_id: str,
    filter: Filter | None,
    kind: _Kind,
    declared: Declared = NOTHING,
) -> int:
    read = Read(kind.resource, declared)
    statement = _count_statement(kind, _shape(read, filter))
    row = await tx.one(statement, {**read.values, "workspace_id": workspace_id})
    return 0 if row is None else int(row[0])


def _shape(read: Read, filter: Filter | None) -> Shape:
    return ALWAYS if filter is None or filter.WhichOneof("test") is None else read.shape(filter)


_BEGIN, _GO_ON, _AMONG_MISSING = range(3)


@lru_cache(maxsize=_STATEMENTS)
def _page_statement(
    kind: _Kind, shape: Shape, order_by: str, descending: bool, begin: int
) -> sa.Select[Any]:
    """
    Return the statement of a page.

    Args:
        begin: With the first row, behind the row with `after_value` and `after_id`, or behind the
            row `after_id` of those that have no value.
    """
    table = kind.table
    id, after_id = table.c.id, param("after_id")
    statement = _restricted(sa.select(table), kind, shape)
    if not order_by:
        if begin != _BEGIN:
            statement = statement.where(id < after_id if descending else id > after_id)
        statement = statement.order_by(id.desc() if descending else id)
    else:
        value = kind.order(order_by)
        sure = isinstance(value, sa.Column) and not value.nullable
        after = sa.bindparam("after_value", type_=value.type)
        if begin == _GO_ON:
            behind = (value < after) if descending else (value > after)
            same = sa.and_(value == after, id > after_id)
            missing = [] if sure else [value.is_(None)]
            statement = statement.where(sa.or_(behind, same, *missing))
        elif begin == _AMONG_MISSING:
            statement = statement.where(value.is_(None), id > after_id)
        ordered = value.desc() if descending else value
        keys = (ordered, id) if sure else (value.is_(None), ordered, id)
        statement = statement.order_by(*keys).add_columns(value.label("ordered_by"))
    limited = statement.limit(param("limit", _WHOLE)).offset(param("skip", _WHOLE))
    return limited.execution_options(**{SCAN: not is_point(shape)})


@lru_cache(maxsize=_STATEMENTS)
def _count_statement(kind: _Kind, shape: Shape) -> sa.Select[Any]:
    counted = sa.select(sa.func.count()).select_from(kind.table)
    options = {SCAN: not is_point(shape)}
    return _restricted(counted, kind, shape).execution_options(**options)


def _restricted(statement: sa.Select[Any], kind: _Kind, shape: Shape) -> sa.Select[Any]:
    table = kind.table
    statement = statement.where(table.c.workspace_id == param("workspace_id"))
    if table is users and not kind.include_unlinked:
        statement = statement.where(users.c.unlink_time.is_(None))
    return statement.where(condition(shape, kind.fields))
