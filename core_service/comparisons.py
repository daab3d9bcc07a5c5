"""How values are compared in filters: which operators and operands each type has (pure)."""

from collections.abc import Callable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.errors import DirectoryError

MAX_DEPTH = 16
MAX_COMPARISONS = 200

_EQUALITY = frozenset({"equal", "not_equal"})
_TEXT = frozenset({"contains", "starts_with", "ends_with"})
_ORDER = frozenset({"greater_than", "at_least", "less_than", "at_most"})

# RFC 7644 section 3.4.2.2, table 3: booleans and binaries have no order.
OPERATORS = {
    "string": _EQUALITY | _TEXT | _ORDER,
    "reference": _EQUALITY | _TEXT | _ORDER,
    "binary": _EQUALITY | _TEXT,
    "boolean": _EQUALITY,
    "integer": _EQUALITY | _ORDER,
    "dateTime": _EQUALITY | _ORDER,
}
OPERANDS = {
    "string": "text",
    "reference": "text",
    "binary": "text",
    "boolean": "flag",
    "integer": "number",
    "dateTime": "time",
}
# What a value of a field, None if it has none, and an operand of the same type say.
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equal": lambda value, operand: value == operand,
    "not_equal": lambda value, operand: value != operand,
    "contains": lambda value, operand: value is not None and operand in value,
    "starts_with": lambda value, operand: value is not None and value.startswith(operand),
    "ends_with": lambda value, operand: value is not None and value.endswith(operand),
    "greater_than": lambda value, operand: value is not None and value > operand,
    "at_least": lambda value, operand: value is not None and value >= operand,
    "less_than": lambda value, operand: value is not None and value < operand,
    "at_most": lambda value, operand: value is not None and value <= operand,
}
# The years 1 to 9999: what google.protobuf.Timestamp allows.
_SECONDS = range(-62_135_596_800, 253_402_300_800)
_NANOS = range(1_000_000_000)


def is_instant(time: Timestamp) -> bool:
    """Return whether *time* is an instant of the years 1 to 9999."""
    return time.seconds in _SECONDS and time.nanos in _NANOS


def invalid(field: str, message: str) -> DirectoryError:
    """Return the error for a filter that cannot be asked."""
    return DirectoryError("FILTER_INVALID", message, field=field)


def too_much(what: str, within: str, limit: int) -> DirectoryError:
    """Return the error for a filter with more of something than its *limit*."""
    message = f"The filter has more than {what}. Make it smaller or ask several times."
    return DirectoryError("FILTER_INVALID", message, field=within, limit=limit)
