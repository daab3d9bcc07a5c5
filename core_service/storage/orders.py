"""What lists can be ordered by, and where it is in the database."""

from typing import Any

import sqlalchemy as sa
from userdirectory.attributes import USER, Attribute, Resource
from userdirectory.errors import DirectoryError

from core_service.fields import shown
from core_service.storage.expressions import json_first
from core_service.storage.queries import GroupFields, UserFields, json_value
from core_service.storage.tables import users

# Their elements are not in the user's row.
_ELSEWHERE = frozenset({"groups", "roles", "members"})


def check(resource: Resource, path: str) -> None:
    """
    Accept a field that a list of *resource* can be ordered by; empty means the id.

    Of repeated fields the parts of their elements can: `emails.value` is that of the primary
    element, else of the first.

    Raises:
        DirectoryError: FIELD_UNKNOWN (`field`: `order_by`).
    """
    attribute = resource.by_path.get(path)
    if path and (attribute is None or not _is_orderable(attribute)):
        raise DirectoryError(
            "FIELD_UNKNOWN",
            f"Nothing is ordered by {shown(path)!r}. Name one field with a single value.",
            field="order_by",
        )


def user_order(path: str, fields: UserFields) -> sa.ColumnElement[Any]:
    """Return what users are ordered by."""
    around = path.rpartition(".")[0]
    if around and USER.by_path[around].field.is_repeated:
        element = json_first(users.c.search, *around.split("."))
        inner = path[len(around) + 1 :]
        return _ordered(json_value(element, USER.by_path[path], inner))
    return _ordered(fields.value(path))


def group_order(path: str) -> sa.ColumnElement[Any]:
    """Return what groups are ordered by."""
    return _ordered(GroupFields().value(path))


def _is_orderable(attribute: Attribute) -> bool:
    if attribute.returned == "never" or attribute.field.name == "ref":
        return False
    if attribute.type == "complex" or attribute.field.is_repeated:
        return False
    around = attribute.path.rpartition(".")[0]
    return around not in _ELSEWHERE


def _ordered(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return *value*, false as 0 and true as 1, which both databases order alike."""
    return sa.cast(value, sa.Integer()) if isinstance(value.type, sa.Boolean) else value
