"""
Attributes that a workspace declares, as SCIM clients send and see them (RFC 7643 section 3.3).

A URN that the attribute table does not have may be one that the workspace declared. The gateway
reads its names and values as they stand; the core knows what they mean, and whether they are known.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from userdirectory.attributes import USER, Resource
from userdirectory.v1.change_pb2 import UserChange
from userdirectory.v1.custom_pb2 import CustomElement, CustomValue
from userdirectory.v1.filter_pb2 import Comparison, CustomFilter, FieldPresence, Filter, FilterList

from scim_gateway import names, quirks
from scim_gateway.errors import invalid_filter
from scim_gateway.filters import TESTS, And, Compare, Element, Node, Not, Number, Or, Present
from scim_gateway.values import has_value

FIELD = "custom"

_NAME = re.compile(r"urn:[\w.-]+(?::[\w.-]+)+", re.ASCII | re.IGNORECASE)
_INT64 = range(-(2**63), 2**63)
_NEVER = Filter(any_of=FilterList())


def find(resource: Resource, name: str) -> CustomFilter | None:
    """
    Return the custom attribute that *name* may be, None if it can be none.

    Where the URN ends cannot be seen: the last part is the attribute, or belongs to the URN of an
    extension as a whole. The core knows both.
    """
    if resource is not USER or not _NAME.fullmatch(name):
        return None
    urn, path = names.split(resource, name)
    if path or urn == resource.urn or resource.extension(urn) is not None:
        return None
    urn, _, last = urn.rpartition(":")
    return CustomFilter(urn=urn, name=last)


def read(asked: CustomFilter, value: Any) -> list[CustomValue]:
    """
    Return what a document says of a name that `find` found: an extension or one attribute.

    An extension is replaced as a whole: what its object does not name has no value.
    """
    if isinstance(value, dict) or value is None:
        urn = _whole(asked)
        inner = (value or {}).items()
        return [CustomValue(urn=urn), *(_value(urn, name, each) for name, each in inner)]
    return [_value(asked.urn, asked.name, value)]


def changes(kind: str, asked: CustomFilter, value: Any) -> Iterator[UserChange]:
    """
    Yield the changes of an `add` or `replace` of a name that `find` found.

    Args:
        kind: `add` or `replace`.
        asked: With `where`, for the values that pass it.
    """
    if isinstance(value, dict) and asked.HasField("where"):
        value = quirks.member(value, "value")
    if not has_value(value):
        if kind == "replace":
            yield removal(asked)
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from changes(kind, CustomFilter(urn=_whole(asked), name=name), inner)
        return
    change = UserChange()
    step = change.add if kind == "add" else change.set
    step.field = FIELD
    step.value.custom.append(_value(asked.urn, asked.name, value))
    if asked.HasField("where"):
        step.where.custom.CopyFrom(asked)
    yield change


def removal(asked: CustomFilter, value: Any = None) -> UserChange:
    """Return the change of a `remove`; of the listed values only, if *value* lists some."""
    change = UserChange()
    change.remove.field = FIELD
    change.remove.where.custom.CopyFrom(asked)
    if value is not None and not asked.HasField("where"):
        listed = [_equal(element) for element in _value(asked.urn, asked.name, value).elements]
        change.remove.where.custom.where.any_of.CopyFrom(FilterList(filters=listed))
    return change


def write(document: dict[str, Any], custom: Iterable[CustomValue]) -> None:
    """Put the values of a user into its document, each extension under its URN."""
    for stored in custom:
        values = [_plain(element) for element in stored.elements]
        if not values:
            continue
        if stored.urn not in document:
            document["schemas"].append(stored.urn)
            document[stored.urn] = {}
        document[stored.urn][stored.name] = values if stored.multi_valued else values[0]


def condition(node: Compare | Present | Element, asked: CustomFilter) -> Filter:
    """
    Return the filter of the contract for a test of the name *asked*.

    `ne` holds when no value is equal, so that users without the attribute pass.

    Raises:
        ScimError: 400 invalidFilter.
    """
    if isinstance(node, Present) or (isinstance(node, Compare) and node.value is None):
        present = Filter(custom=asked)
        operator = node.operator if isinstance(node, Compare) else "ne"
        return present if _is_not_null(operator, asked) else Filter(negate=present)
    negated = isinstance(node, Compare) and node.operator == "ne"
    if isinstance(node, Element):
        where = value_condition(node.inner)
    else:
        where = _test(Compare("value", "eq", node.value) if negated else node)
    test = CustomFilter()
    test.CopyFrom(asked)
    test.where.CopyFrom(where)
    return Filter(negate=Filter(custom=test)) if negated else Filter(custom=test)


def value_condition(node: Node) -> Filter:
    """
    Return the filter for single values, `[value eq "x"]`.

    Raises:
        ScimError: 400 invalidFilter if it names another part than `value`.
    """
    match node:
        case And(parts):
            return Filter(all_of=FilterList(filters=[value_condition(part) for part in parts]))
        case Or(parts):
            return Filter(any_of=FilterList(filters=[value_condition(part) for part in parts]))
        case Not(inner):
            return Filter(negate=value_condition(inner))
        case Compare(name, _, _) | Present(name) if name.lower() == "value":
            return _test(node)
        case Compare(name, _, _) | Present(name) | Element(name, _):
            raise invalid_filter(f"The values have no {name[:128]}. Name `value`.")


def holds_schema(urn: str) -> Filter:
    """Return the filter of the users who have something of the extension *urn*."""
    return Filter(custom=CustomFilter(urn=urn)) if _NAME.fullmatch(urn) else _NEVER


def _test(node: Compare | Present) -> Filter:
    present = Filter(present=FieldPresence(field="value"))
    if isinstance(node, Present):
        return present
    if node.value is None:
        return present if _is_not_null(node.operator, node) else Filter(negate=present)
    filter_ = Filter()
    comparison: Comparison = getattr(filter_, TESTS[node.operator])
    comparison.field = "value"
    value = node.value.text if isinstance(node.value, Number) else node.value
    comparison.text = str(value).lower() if isinstance(value, bool) else value
    return filter_


def _is_not_null(operator: str, asked: object) -> bool:
    if operator not in ("eq", "ne"):
        name = getattr(asked, "name", "")
        raise invalid_filter(f"null has no order. Compare {name} by eq, ne or pr.")
    return operator == "ne"


def _whole(asked: CustomFilter) -> str:
    return f"{asked.urn}:{asked.name}"


def _value(urn: str, name: str, value: Any) -> CustomValue:
    elements = value if isinstance(value, list) else [value] if has_value(value) else []
    return CustomValue(urn=urn, name=name, elements=[_element(e) for e in elements if has_value(e)])


def _element(value: Any) -> CustomElement:
    """Return a JSON value; without one, which no type takes, for what is neither text nor flag."""
    if isinstance(value, dict):
        value = quirks.member(value, "value")
    if isinstance(value, bool):
        return CustomElement(flag=value)
    if isinstance(value, int) and value in _INT64:
        return CustomElement(number=value)
    return CustomElement(text=value) if isinstance(value, str) else CustomElement()


def _equal(element: CustomElement) -> Filter:
    kind = element.WhichOneof("value")
    comparison = Comparison(field="value")
    if kind:
        setattr(comparison, kind, getattr(element, kind))
    return Filter(equal=comparison) if kind else _NEVER


def _plain(element: CustomElement) -> Any:
    kind = element.WhichOneof("value")
    return element.time.ToJsonString() if kind == "time" else getattr(element, kind or "text")
