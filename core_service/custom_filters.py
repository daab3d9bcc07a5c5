"""Whether the values of custom attributes pass a filter, and whether it can be asked (pure)."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.custom import Declaration, Declared, Value, key
from userdirectory.v1.custom_pb2 import CustomElement
from userdirectory.v1.filter_pb2 import Comparison, CustomFilter, Filter
from userdirectory.v1.user_pb2 import User

from core_service.comparisons import COMPARE, MAX_DEPTH, OPERATORS, invalid, is_instant, too_much
from core_service.fields import microseconds, shown

_VALUE = "value"


def check(asked: CustomFilter, depth: int, declared: Declared) -> int:
    """
    Return how many comparisons a filter on a custom attribute has.

    Args:
        depth: How many levels deep its `where` is.

    Raises:
        DirectoryError: FILTER_INVALID (`field`) if the attribute is not declared, or `where` names
            another field than `value`, has a test or an operand of another type, or asks for
            several attributes.
    """
    named = declared.named(asked.urn, asked.name)
    path = shown(f"{asked.urn}:{asked.name}" if asked.name else asked.urn)
    if not asked.HasField("where"):
        if named or not asked.name:
            return max(1, len(named))
        raise invalid(path, f"Users have no attribute {path}. See the schemas for the names.")
    if len(named) != 1 or not asked.name:
        raise invalid(path, f"Users have no attribute {path} to compare. Correct its name.")
    return _check(asked.where, named[0], depth)


def holds(user: User, asked: CustomFilter, declared: Declared) -> bool:
    """Return whether *user* passes a filter that `check` accepts."""
    for attribute in declared.named(asked.urn, asked.name):
        wanted = key(attribute.urn, attribute.name)
        for stored in user.custom:
            if key(stored.urn, stored.name) != wanted:
                continue
            values = [read(attribute, element) for element in stored.elements]
            if any(_passes_if_asked(value, asked, attribute) for value in values):
                return True
    return False


def passes(value: Value | None, where: Filter, attribute: Declaration) -> bool:
    """Return whether a value of *attribute* passes *where*, the filter of one value."""
    match where.WhichOneof("test"):
        case "all_of":
            return all(passes(value, each, attribute) for each in where.all_of.filters)
        case "any_of":
            return any(passes(value, each, attribute) for each in where.any_of.filters)
        case "negate":
            return not passes(value, where.negate, attribute)
        case "present":
            return value is not None
        case test:
            assert test is not None
            compared = None if value is None else attribute.comparable(value)
            return COMPARE[test](compared, operand(attribute, getattr(where, test)))


def operand(attribute: Declaration, comparison: Comparison) -> Value | None:
    """Return what values of *attribute* are compared with, None if it is of another type."""
    value = _value(attribute, comparison, comparison.WhichOneof("operand"))
    return None if value is None else attribute.comparable(value)


def read(attribute: Declaration, element: CustomElement) -> Value | None:
    """Return the value that an element is, None if it is none of the attribute's type."""
    return _value(attribute, element, element.WhichOneof("value"))


def _value(attribute: Declaration, holder: Any, kind: str | None) -> Value | None:
    if kind == "text" and attribute.type != "string":
        return attribute.read(holder.text)
    if kind != attribute.operand:
        return None
    value: Any = getattr(holder, kind)
    if isinstance(value, Timestamp):
        return microseconds(value) if is_instant(value) else None
    read_value: Value = value
    return read_value


def _passes_if_asked(value: Value | None, asked: CustomFilter, attribute: Declaration) -> bool:
    return not asked.HasField("where") or passes(value, asked.where, attribute)


def _check(where: Filter, attribute: Declaration, depth: int) -> int:
    path = attribute.path
    if depth > MAX_DEPTH:
        raise too_much(f"{MAX_DEPTH} levels", path, MAX_DEPTH)
    match where.WhichOneof("test"):
        case None | "element" | "custom":
            raise invalid(path, f"The values of {path} have no parts. Compare `value`.")
        case "all_of" | "any_of" as test:
            filters = getattr(where, test).filters
            return sum(_check(each, attribute, depth + 1) for each in filters) or 1
        case "negate":
            return _check(where.negate, attribute, depth + 1)
        case "present":
            _check_field(where.present.field, path)
        case test:
            comparison: Comparison = getattr(where, test)
            _check_field(comparison.field, path)
            if test not in OPERATORS[attribute.type]:
                raise invalid(path, f"{path} is {attribute.type}; {test} is not for it. Use equal.")
            if operand(attribute, comparison) is None or "\0" in comparison.text:
                raise invalid(path, f"{path} is {attribute.type}. Compare it with a value of that.")
    return 1


def _check_field(field: str, path: str) -> None:
    if field != _VALUE:
        raise invalid(path, f"The values of {path} have the one field `value`. Name that.")
