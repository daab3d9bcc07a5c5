"""
Filters on users and groups as conditions of SQL, with the semantics of `core_service.matching`.

Conditions are true or false and never NULL, so that `negate` is always the complement. What lies in
columns is compared there; the rest in the `search` JSON beside them. Elements that other rows say
(groups, members, the role) are found by sub-selects of the workspace `workspace_id`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from userdirectory.attributes import USER, Attribute
from userdirectory.v1.role_pb2 import ROLE_KIND_GUEST

from core_service.storage.expressions import (
    TEXT,
    json_elements,
    json_flag,
    json_has,
    json_text,
    json_whole,
)
from core_service.storage.shapes import (
    ALWAYS,
    Fields,
    Shape,
    condition,
    element_attribute,
    required_value,
)
from core_service.storage.statements import param
from core_service.storage.tables import groups, memberships, roles, user_emails, users

_NONE: sa.ColumnElement[Any] = sa.cast(sa.null(), TEXT)
_YES: sa.ColumnElement[bool] = sa.literal_column("(1 = 1)", sa.Boolean())
_DIRECT: sa.ColumnElement[str] = sa.literal_column("'direct'", TEXT)


def etag(version: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """Return the etag of a version: `W/"7"`."""
    begin, end = sa.literal_column("'W/\"'", TEXT), sa.literal_column("'\"'", TEXT)
    return begin.concat(sa.cast(version, sa.Text())).concat(end)


def json_value(document: sa.ColumnElement[Any], attribute: Attribute, path: str) -> Any:
    """Return the value of *attribute*, at *path* in a JSON value; NULL if there is none."""
    names = path.split(".") if path else []
    return (json_flag if attribute.type == "boolean" else json_text)(document, *names)


@dataclass(frozen=True, slots=True)
class Columns(Fields):
    """Fields that are expressions."""

    columns: Mapping[str, sa.ColumnElement[Any]]

    def value(self, path: str) -> sa.ColumnElement[Any]:
        """Return the expression."""
        return self.columns[path]


@dataclass(frozen=True, slots=True)
class _Element(Fields):
    """The fields of an element of the array *within* in the `search` JSON."""

    within: str
    element: sa.ColumnElement[Any]

    def value(self, path: str) -> sa.ColumnElement[Any]:
        attribute = element_attribute(USER, self.within, path)
        of_text = attribute.path == self.within
        value: sa.ColumnElement[Any] = json_value(self.element, attribute, "" if of_text else path)
        return value


@dataclass(frozen=True, slots=True)
class _Grant(_Element):
    """An element of `roles`; one without `value` stands for the user's role."""

    def value(self, path: str) -> sa.ColumnElement[Any]:
        stored = _Element.value(self, path)
        if path not in ("value", "display"):
            return stored
        name = _of_role(roles.c.name_fold)
        return sa.case((json_has(self.element, "value"), stored), else_=name)


@dataclass(frozen=True, slots=True)
class UserFields(Fields):
    """
    The fields of `users`.

    Attributes:
        roles_as_groups: Whether the user's role is a group of the user and shown in `roles`.
        hide_guests: Whether nothing may tell that a user's role is for guests.
    """

    roles_as_groups: bool
    hide_guests: bool = False

    def value(self, path: str) -> sa.ColumnElement[Any]:
        """Return the column, or the value in `search`."""
        if path in _USER_COLUMNS:
            return _USER_COLUMNS[path]
        if path == "workplace.user_role":
            if self.hide_guests and not self.roles_as_groups:
                return _NONE  # provisioning has no such attribute here
            shown = [roles.c.kind != ROLE_KIND_GUEST] if self.hide_guests else []
            return _of_role(roles.c.name, *shown)
        value: sa.ColumnElement[Any] = json_value(users.c.search, USER.by_path[path], path)
        return value

    def present(self, path: str) -> sa.ColumnElement[bool]:
        """Return whether the user has the field, given by itself or by other rows."""
        attribute = USER.by_path[path]
        if path in ("roles", "groups"):
            return self.elements(path, ALWAYS)
        if path == "workplace":
            return sa.or_(json_has(users.c.search, path), self.present("workplace.user_role"))
        if attribute.type == "complex" or attribute.field.is_repeated:
            return json_has(users.c.search, *path.split("."))
        return self.value(path).is_not(None)

    def elements(self, path: str, where: Shape) -> sa.ColumnElement[bool]:
        """Return whether an element of the user's array passes."""
        if path == "groups":
            return self._groups(where)
        if path == "roles":
            return self._roles(where)
        element = json_elements(users.c.search, *path.split("."))
        found = _any(element, condition(where, _Element(path, element.c.value)))
        address = required_value(where) if path == "emails" else None
        return found if address is None else sa.and_(_has_email(address), found)

    def custom(self, name: str, kind: str, where: Shape) -> sa.ColumnElement[bool]:
        """Return whether a value of the user's passes; `search.custom` has them all."""
        element = json_elements(users.c.search, "custom")
        found = _CUSTOM.get(kind, json_text)(element.c.value, kind)
        is_asked_for = json_text(element.c.value, "key") == param(name)
        passes = condition(where, Columns({"value": found}))
        return _any(element, sa.and_(is_asked_for, passes))

    def _groups(self, where: Shape) -> sa.ColumnElement[bool]:
        if self.roles_as_groups:
            columns = {"group_id": roles.c.id, "display": roles.c.name_fold, "type": _DIRECT}
            return _role_passes(roles.c.kind != ROLE_KIND_GUEST, where, columns)
        columns = {"group_id": groups.c.id, "display": groups.c.name_key, "type": _DIRECT}
        members = sa.select(memberships.c.member_id).where(
            memberships.c.workspace_id == param("workspace_id"),
            groups.c.workspace_id == memberships.c.workspace_id,
            groups.c.id == memberships.c.group_id,
            condition(where, Columns(columns)),
        )
        return users.c.id.in_(members)

    def _roles(self, where: Shape) -> sa.ColumnElement[bool]:
        element = json_elements(users.c.search, "roles")
        passes = condition(where, _Grant("roles", element.c.value))
        if self.hide_guests:
            is_guest = _role_passes(roles.c.kind == ROLE_KIND_GUEST, ALWAYS, {})
            shown = sa.or_(json_has(element.c.value, "value"), sa.not_(is_guest))
            passes = sa.and_(shown, passes)
        found = _any(element, passes)
        if not self.roles_as_groups:
            return found
        name = roles.c.name_fold
        columns = {"value": name, "display": name, "type": _NONE, "primary": _YES}
        by_role = _role_passes(roles.c.kind != ROLE_KIND_GUEST, where, columns)
        return sa.or_(found, sa.and_(sa.not_(json_has(users.c.search, "roles")), by_role))


@dataclass(frozen=True, slots=True)
class GroupFields(Fields):
    """The fields of `groups`."""

    def value(self, path: str) -> sa.ColumnElement[Any]:
        """Return the column."""
        return _GROUP_COLUMNS[path]

    def present(self, path: str) -> sa.ColumnElement[bool]:
        """Return whether the group has the field."""
        return self.elements(path, ALWAYS) if path == "members" else self.value(path).is_not(None)

    def elements(self, path: str, where: Shape) -> sa.ColumnElement[bool]:
        """Return whether a member passes: `members` is all that is repeated."""
        assert path == "members"
        of_group = sa.select(memberships.c.group_id).where(
            memberships.c.workspace_id == param("workspace_id"),
            condition(where, Columns(_MEMBER_COLUMNS)),
        )
        return groups.c.id.in_(of_group)


def _any(element: sa.TableValuedAlias, passes: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    one: sa.ColumnElement[int] = sa.literal_column("1")
    rows = sa.select(one).select_from(element).where(passes)
    return rows.correlate(users).exists()


def _of_role(column: sa.Column[Any], *shown: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    """Return a column of the user's role; NULL if it is not *shown*."""
    mine = (roles.c.workspace_id == users.c.workspace_id, roles.c.id == users.c.role_id)
    return sa.select(column).where(*mine, *shown).correlate(users).scalar_subquery()


def _role_passes(
    kind: sa.ColumnElement[bool], where: Shape, columns: Mapping[str, sa.ColumnElement[Any]]
) -> sa.ColumnElement[bool]:
    passing = sa.select(roles.c.id).where(
        roles.c.workspace_id == param("workspace_id"), kind, condition(where, Columns(columns))
    )
    return users.c.role_id.in_(passing)


def _has_email(name: str) -> sa.ColumnElement[bool]:
    """Return whether a user has the address *name*, which the index knows."""
    having = sa.select(user_emails.c.user_id).where(
        user_emails.c.workspace_id == param("workspace_id"), user_emails.c.value_key == param(name)
    )
    return users.c.id.in_(having)


# What gets a value of a custom attribute, where it is not text.
_CUSTOM: dict[str, Any] = {"flag": json_flag, "number": json_whole, "time": json_whole}

_manager = users.alias("manager")
_member = users.alias("member")
_inner = groups.alias("inner_group")

_USER_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "id": users.c.id,
    "user_name": users.c.user_name_key,
    "external_id": users.c.external_id,
    "active": users.c.active,
    "create_time": users.c.create_time,
    "update_time": users.c.update_time,
    "etag": etag(users.c.version),
    "enterprise.manager.user_id": users.c.manager_id,
    "enterprise.manager.display_name": sa.select(json_text(_manager.c.search, "display_name"))
    .where(_manager.c.workspace_id == users.c.workspace_id, _manager.c.id == users.c.manager_id)
    .correlate(users)
    .scalar_subquery(),
}
_GROUP_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "id": groups.c.id,
    "display_name": groups.c.name_key,
    "external_id": groups.c.external_id,
    "create_time": groups.c.create_time,
    "update_time": groups.c.update_time,
    "etag": etag(groups.c.version),
}
_MEMBER_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "member_id": memberships.c.member_id,
    "type": sa.case(
        (memberships.c.member_type == sa.literal_column("1"), sa.literal_column("'user'", TEXT)),
        else_=sa.literal_column("'group'", TEXT),
    ),
    "display_name": sa.case(
        (
            memberships.c.member_type == sa.literal_column("1"),
            sa.select(json_text(_member.c.search, "display_name"))
            .where(
                _member.c.workspace_id == memberships.c.workspace_id,
                _member.c.id == memberships.c.member_id,
            )
            .correlate(memberships)
            .scalar_subquery(),
        ),
        else_=sa.select(_inner.c.name_key)
        .where(
            _inner.c.workspace_id == memberships.c.workspace_id,
            _inner.c.id == memberships.c.member_id,
        )
        .correlate(memberships)
        .scalar_subquery(),
    ),
}
