"""
The attributes that a workspace declares, as values: found by URN and name, their texts read.

Source: RFC 7643 section 3.3 (schema extensions), R-130.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from userdirectory.text import fold
from userdirectory.v1.custom_pb2 import CustomAttribute

Value = str | bool | int
"""A value of a custom attribute; a time is microseconds since 1970."""

# The types as RFC 7643 section 2.3 calls them, by CustomType.
TYPES = ("string", "string", "boolean", "integer", "dateTime")
# The field of a Comparison and a CustomElement that has a value of the type.
OPERANDS = {"string": "text", "boolean": "flag", "integer": "number", "dateTime": "time"}

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_INT64 = range(-(2**63), 2**63)
# The years 1 to 9999 in UTC: what google.protobuf.Timestamp allows.
_INSTANTS = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Declaration:
    """
    One attribute that a workspace declares.

    Attributes:
        type: `string`, `boolean`, `integer` or `dateTime`.
    """

    urn: str
    name: str
    type: str
    multi_valued: bool
    case_exact: bool
    required: bool

    @property
    def path(self) -> str:
        """The attribute as SCIM clients name it: `urn:example:hr:2.0:User:badge`."""
        return f"{self.urn}:{self.name}"

    @property
    def operand(self) -> str:
        """The field that has its values, in comparisons and elements: `text`."""
        return OPERANDS[self.type]

    @property
    def folded(self) -> bool:
        """Whether its values are text compared without regard to case."""
        return self.type == "string" and not self.case_exact

    def comparable(self, value: Value) -> Value:
        """Return *value* as it is compared."""
        return fold(value) if self.folded and isinstance(value, str) else value

    def read(self, text: str) -> Value | None:
        """Return the value that *text* writes as JSON does, None if it is of another type."""
        return _READ[self.type](text)


@dataclass(frozen=True, slots=True)
class Declared:
    """
    All the attributes that a workspace declares.

    Attributes:
        by_key: The attributes by `key`.
        by_urn: The attributes of each schema extension, by its folded URN.
    """

    by_key: dict[str, Declaration] = field(default_factory=dict)
    by_urn: dict[str, tuple[Declaration, ...]] = field(default_factory=dict)

    def find(self, urn: str, name: str) -> Declaration | None:
        """Return the attribute *name* of the extension *urn*, None if it is not declared."""
        return self.by_key.get(key(urn, name))

    def named(self, urn: str, name: str) -> tuple[Declaration, ...]:
        """
        Return the attributes that a client means, none if it means none that is declared.

        With an empty *name* all of the extension. Where a path ends cannot be seen from it, so
        `urn:example:hr:2.0` and `User` may also be the extension `urn:example:hr:2.0:User`.
        """
        found = self.find(urn, name) if name else None
        return (found,) if found else self.by_urn.get(fold(f"{urn}:{name}" if name else urn), ())


def key(urn: str, name: str) -> str:
    """Return what names an attribute, the same for every spelling; no name has a colon."""
    return fold(f"{urn}:{name}")


def declared(attributes: Iterable[CustomAttribute]) -> Declared:
    """Return the declarations of a workspace, to look them up."""
    found = Declared()
    for each in attributes:
        declaration = Declaration(
            each.urn,
            each.name,
            TYPES[each.type],
            each.multi_valued,
            each.case_exact,
            each.required,
        )
        urn = fold(each.urn)
        found.by_key[key(each.urn, each.name)] = declaration
        found.by_urn[urn] = (*found.by_urn.get(urn, ()), declaration)
    return found


NOTHING = Declared()
"""What a workspace declares that declares no attributes."""


def _text(text: str) -> str:
    return text


def _flag(text: str) -> bool | None:
    # Witness: entra-user-updates-default (`"False"`).
    return {"true": True, "false": False}.get(text.lower())


def _number(text: str) -> int | None:
    number = int(text) if _WHOLE.fullmatch(text) else None
    return number if number is None or number in _INT64 else None


def _time(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
        # Without a zone it is UTC, as for the other times.
        zoned = time.replace(tzinfo=UTC) if time.tzinfo is None else time
        micros = (zoned - _EPOCH) // _MICROSECOND
        return micros if micros in _INSTANTS else None
    except (ValueError, OverflowError):
        return None


_READ = {"string": _text, "boolean": _flag, "integer": _number, "dateTime": _time}
