"""
Filters taken apart: a shape, which decides the statement, and the values it is run with.

Filters of one shape differ in their operands alone, so that one compiled statement serves all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import Attribute, Resource
from userdirectory.custom import NOTHING, Declaration, Declared, key
from userdirectory.text import fold
from userdirectory.v1.filter_pb2 import Comparison, CustomFilter, Filter

from core_service import custom_filters
from core_service.fields import joined, microseconds
from core_service.storage.expressions import TEXT, text_test

Shape = tuple[Any, ...]
ALWAYS: Shape = ("all_of",)
_ORDER: dict[str, Callable[[Any, Any], sa.ColumnElement[bool]]] = {
    "greater_than": lambda value, operand: value > operand,
    "at_least": lambda value, operand: value >= operand,
    "less_than": lambda value, operand: value < operand,
    "at_most": lambda value, operand: value <= operand,
}


@dataclass(slots=True)
class Read:
    """
    A filter that `matching.check` accepts, taken apart.

    Attributes:
        declared: The custom attributes of users.
        values: The operands as they are compared, by the names that the shape gives them.
        custom: The custom attribute whose values are filtered; None means none is.
    """

    resource: Resource
    declared: Declared = NOTHING
    values: dict[str, Any] = field(default_factory=dict)
    custom: Declaration | None = None

    def shape(self, filter: Filter, within: str = "") -> Shape:
        """
        Return the shape of *filter* and add its operands to `values`.

        Args:
            within: The repeated field whose elements are filtered; empty means none.

        Returns:
            The test and what it is about: `("not", shape)`, `("all_of", shape, ...)`,
            `("element", "emails", shape)`, `("present", "title")`, `("equal", "title", "f0")`,
            `("custom", "f0", "text", shape)` for the attribute whose key is the value of `f0`.
        """
        test = filter.WhichOneof("test")
        if test in (None, "all_of", "any_of"):
            filters = getattr(filter, test or "all_of").filters
            return (test or "all_of", *(self.shape(each, within) for each in filters))
        if test == "negate":
            return ("not", self.shape(filter.negate, within))
        if test == "present":
            return ("present", filter.present.field)
        if test == "element":
            path = filter.element.field
            return ("element", path, self.shape(filter.element.where, joined(within, path)))
        if test == "custom":
            return self._custom(filter.custom)
        comparison: Comparison = getattr(filter, test)
        name = self._named(self._operand(comparison, within))
        if test == "not_equal":
            return ("not", ("equal", comparison.field, name))
        return (test, comparison.field, name)

    def _named(self, value: Any) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = value
        return name

    def _custom(self, asked: CustomFilter) -> Shape:
        found: list[Shape] = []
        for attribute in self.declared.named(asked.urn, asked.name):
            name = self._named(key(attribute.urn, attribute.name))
            exact = attribute.type == "string" and attribute.case_exact
            kind = "exact" if exact else attribute.operand
            inner = Read(self.resource, values=self.values, custom=attribute)
            where = inner.shape(asked.where) if asked.HasField("where") else ALWAYS
            found.append(("custom", name, kind, where))
        return found[0] if len(found) == 1 else ("any_of", *found)

    def _operand(self, comparison: Comparison, within: str) -> Any:
        if self.custom is not None:
            return custom_filters.operand(self.custom, comparison)
        operand = getattr(comparison, comparison.WhichOneof("operand") or "text")
        if isinstance(operand, Timestamp):
            return microseconds(operand)
        attribute = element_attribute(self.resource, within, comparison.field)
        return fold(operand) if isinstance(operand, str) and is_folded(attribute) else operand


def is_folded(attribute: Attribute) -> bool:
    """Return whether values of *attribute* are text compared without regard to case."""
    return attribute.type in ("string", "reference") and not attribute.case_exact


def element_attribute(resource: Resource, within: str, path: str) -> Attribute:
    """Return the attribute at *path* in an element of *within*; the element itself of a text."""
    return resource.by_path.get(joined(within, path)) or resource.by_path[within]


class Fields:
    """Where the fields of what is filtered are in the database."""

    def value(self, path: str) -> sa.ColumnElement[Any]:
        """Return a single value as it is compared; NULL if there is none."""
        raise NotImplementedError

    def present(self, path: str) -> sa.ColumnElement[bool]:
        """Return whether a field has a value; never NULL."""
        return self.value(path).is_not(None)

    def elements(self, path: str, where: Shape) -> sa.ColumnElement[bool]:
        """Return whether an element of a repeated field passes; never NULL."""
        raise NotImplementedError

    def custom(self, name: str, kind: str, where: Shape) -> sa.ColumnElement[bool]:
        """Return whether a value of the custom attribute of a parameter passes; never NULL."""
        raise NotImplementedError


def condition(shape: Shape, fields: Fields) -> sa.ColumnElement[bool]:
    """Return the condition that *shape* is; true or false, never NULL."""
    match shape:
        case ("all_of", *shapes):
            return sa.and_(sa.true(), *(condition(each, fields) for each in shapes))
        case ("any_of", *shapes):
            return sa.or_(sa.false(), *(condition(each, fields) for each in shapes))
        case ("not", inner):
            return sa.not_(condition(inner, fields))
        case ("present", path):
            return fields.present(path)
        case ("element", path, where):
            return fields.elements(path, where)
        case ("custom", name, kind, where):
            return fields.custom(name, kind, where)
    test, path, name = shape
    value = fields.value(path)
    passes = _comparison(test, value, name)
    if isinstance(value, sa.Column):
        return sa.and_(value.is_not(None), passes) if value.nullable else passes
    return sa.func.coalesce(passes, sa.false(), type_=sa.Boolean())


def _comparison(test: str, value: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    type_: Any = TEXT
    if isinstance(value.type, sa.Boolean | sa.BigInteger):
        type_ = value.type
    operand = sa.bindparam(name, type_=type_)
    if test == "equal":
        return value == operand
    if test in _ORDER:
        return _ORDER[test](value, operand)
    return text_test(test, value, operand)


_POINTS = frozenset({"id", "user_name", "external_id"})


def is_point(shape: Shape) -> bool:
    """Return whether an index leads to the few users or groups that can pass."""
    match shape:
        case ("equal", path, _):
            return path in _POINTS
        case ("all_of", *shapes):
            return any(is_point(each) for each in shapes)
        case ("element", "emails", where):
            return required_value(where) is not None
    return False


def required_value(where: Shape) -> str | None:
    """Return the parameter that an element's `value` must equal to pass, None if it need not."""
    match where:
        case ("equal", "value", name):
            return str(name)
        case ("all_of", *shapes):
            return next((name for each in shapes if (name := required_value(each))), None)
    return None
