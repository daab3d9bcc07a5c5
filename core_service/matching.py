"""Whether a message passes a filter, and whether a filter can be asked at all (pure)."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.custom import NOTHING, Declared
from userdirectory.text import fold
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.user_pb2 import User

from core_service import custom_filters
from core_service.comparisons import (
    COMPARE,
    MAX_COMPARISONS,
    MAX_DEPTH,
    OPERANDS,
    OPERATORS,
    invalid,
    is_instant,
    too_much,
)
from core_service.fields import has_value, joined, microseconds, shown


def check(
    filter: Filter, resource: Resource, *, within: str = "", declared: Declared = NOTHING
) -> int:
    """
    Return how many comparisons a filter has that `matches` and the storage can answer.

    Args:
        filter: Its fields are relative to the resource, or to the elements of *within*.
        resource: What is filtered.
        within: The repeated field whose elements are filtered: `emails`; empty means none.
        declared: The custom attributes of users.

    Raises:
        DirectoryError: FILTER_INVALID (`field`, the full path) if a test or an operand is missing;
            the field is unknown, may not be read, or is in a repeated field and not asked for
            with `element`; its type does not suit the operator or the operand; the operand has a
            NUL or is no instant of the years 1 to 9999; the filter is more than 16 levels deep or
            has more than 200 comparisons (`limit`).

    Source: RFC 7644 section 3.4.2.2. Lone surrogates cannot be in the text of a message.
    """
    comparisons = _check(filter, resource, within, 1, declared)
    if comparisons <= MAX_COMPARISONS:
        return comparisons
    raise too_much(f"{MAX_COMPARISONS} comparisons", within, MAX_COMPARISONS)


def matches(
    message: Message | str,
    filter: Filter,
    resource: Resource,
    *,
    within: str = "",
    declared: Declared = NOTHING,
) -> bool:
    """
    Return whether *message* passes *filter*.

    Absent values, empty text among them, fail every comparison but `not_equal`. Text is compared
    folded unless the attribute is case exact, and ordered by code points; times are compared by
    microseconds, bytes as base64 text. `all_of` nothing holds, `any_of` nothing does not.

    Args:
        message: A resource, or an element of the repeated field *within*: a message or a text.
        filter: Must have passed `check` with the same *resource* and *within*.
        resource: What *message* is, or is an element of.
        within: The repeated field that *message* is an element of; empty means none.
        declared: The custom attributes of users, as for `check`.
    """
    again = partial(matches, message, resource=resource, within=within, declared=declared)
    match filter.WhichOneof("test"):
        case "all_of":
            return all(again(f) for f in filter.all_of.filters)
        case "any_of":
            return any(again(f) for f in filter.any_of.filters)
        case "negate":
            return not again(filter.negate)
        case "present":
            return _present(message, _FIELDS[resource.name, within, filter.present.field])
        case "element":
            path, where = filter.element.field, filter.element.where
            elements = _FIELDS[resource.name, within, path].reach(message)
            return any(matches(element, where, resource, within=path) for element in elements)
        case "custom":
            assert isinstance(message, User)
            return custom_filters.holds(message, filter.custom, declared)
        case test:
            assert test is not None
            comparison: Comparison = getattr(filter, test)
            field = _FIELDS[resource.name, within, comparison.field]
            return COMPARE[test](_value(message, field), _operand(comparison, field))


@dataclass(frozen=True, slots=True)
class _Field:
    """
    A field to filter by.

    Attributes:
        reach: Gets it from the resource or the element.
        around: Gets the message it is in.
        folded: Whether it is text compared without regard to case.
    """

    attribute: Attribute
    reach: Callable[[Any], Any]
    around: Callable[[Any], Any]
    repeated: bool
    folded: bool


def _itself(message: Any) -> Any:
    return message


def _fields() -> dict[tuple[str, str, str], _Field]:
    """Return every field to filter by, by resource, repeated field around it and relative path."""
    fields = {}
    for resource in (USER, GROUP):
        for path, attribute in resource.by_path.items():
            if attribute.returned == "never" or attribute.field.name == "ref":
                continue
            around = path.rpartition(".")[0]
            while around and not resource.by_path[around].field.is_repeated:
                around = around.rpartition(".")[0]
            relative = path[len(around) + 1 :] if around else path
            holder, repeated = relative.rpartition(".")[0], attribute.field.is_repeated
            reach, holds = attrgetter(relative), attrgetter(holder) if holder else _itself
            folded = attribute.type in ("string", "reference") and not attribute.case_exact
            fields[resource.name, around, relative] = _Field(
                attribute, reach, holds, repeated, folded
            )
            if repeated and attribute.type != "complex":
                fields[resource.name, path, "value"] = _Field(
                    attribute, _itself, _itself, False, folded
                )
    return fields


_FIELDS = _fields()
_INNER = frozenset((resource, joined(around, path)) for resource, around, path in _FIELDS if around)


def _check(filter: Filter, resource: Resource, within: str, depth: int, declared: Declared) -> int:
    """Check *filter* and return how many comparisons it has."""
    if depth > MAX_DEPTH:
        raise too_much(f"{MAX_DEPTH} levels", within, MAX_DEPTH)
    match filter.WhichOneof("test"):
        case None:
            raise invalid(within, "The filter has no test. Set one, or leave the filter out.")
        case "all_of" | "any_of" as test:
            filters = getattr(filter, test).filters
            return sum(_check(f, resource, within, depth + 1, declared) for f in filters) or 1
        case "negate":
            return _check(filter.negate, resource, within, depth + 1, declared)
        case "present":
            _find(resource, within, filter.present.field)
            return 1
        case "element":
            path = filter.element.field
            if not _find(resource, within, path).repeated:
                raise invalid(path, f"Field {path} has no elements. Compare it itself.")
            return _check(filter.element.where, resource, path, depth + 1, declared)
        case "custom":
            if within or resource is not USER:
                raise invalid(within, "Only users have custom attributes. Ask for them outside.")
            return custom_filters.check(filter.custom, depth + 1, declared)
        case test:
            comparison: Comparison = getattr(filter, test)
            field = _find(resource, within, comparison.field)
            _check_comparison(joined(within, comparison.field), field, test, comparison)
            return 1


def _find(resource: Resource, within: str, path: str) -> _Field:
    field = _FIELDS.get((resource.name, within, path))
    if field is not None:
        return field
    full = shown(joined(within, path))
    if (resource.name, full) in _INNER:
        raise invalid(full, f"Field {full} is in a repeated field. Ask for it with `element`.")
    raise invalid(full, f"Field {full} is nothing to filter by. Name a field that can be read.")


def _check_comparison(path: str, field: _Field, test: str, comparison: Comparison) -> None:
    kind = field.attribute.type
    if kind == "complex":
        raise invalid(path, f"Field {path} has parts. Compare one of them.")
    if field.repeated:
        raise invalid(path, f"Field {path} is repeated. Compare its elements with `element`.")
    if test not in OPERATORS[kind]:
        raise invalid(path, f"Field {path} is {kind}; {test} is not for it. Use equal.")
    operand, wanted = comparison.WhichOneof("operand"), OPERANDS[kind]
    if operand != wanted:
        raise invalid(path, f"Field {path} is {kind}. Compare it with {wanted}.")
    if operand == "text" and "\0" in comparison.text:
        raise invalid(path, f"The text to compare {path} with has a NUL. Leave it out.")
    if operand == "time" and not is_instant(comparison.time):
        raise invalid(path, f"The time to compare {path} with is outside the years 1 to 9999.")


def _present(message: Message | str, field: _Field) -> bool:
    if field.repeated:
        return len(field.reach(message)) > 0
    if field.attribute.type == "complex":
        return has_value(field.reach(message))
    return _value(message, field) is not None


def _value(message: Message | str, field: _Field) -> str | bool | int | None:
    """Return a single value as it is compared, None if it has none."""
    value: str | bytes | bool | int | Timestamp = field.reach(message)
    if isinstance(value, str):
        return (fold(value) if field.folded else value) or None
    if isinstance(value, bytes):
        return b64encode(value).decode() or None
    if (not value or isinstance(value, Timestamp)) and not field.around(message).HasField(
        field.attribute.field.name
    ):
        return None
    return microseconds(value) if isinstance(value, Timestamp) else value


def _operand(comparison: Comparison, field: _Field) -> str | bool | int:
    operand = getattr(comparison, comparison.WhichOneof("operand") or "text")
    if isinstance(operand, Timestamp):
        return microseconds(operand)
    return fold(operand) if field.folded else operand
