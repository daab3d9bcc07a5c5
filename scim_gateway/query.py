"""What a search asks for, from a query string or a SearchRequest (RFC 7644 section 3.4)."""

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from userdirectory.attributes import Resource

from scim_gateway import names, projection
from scim_gateway.errors import (
    ScimError,
    invalid_cursor,
    invalid_filter,
    invalid_syntax,
    invalid_value,
)
from scim_gateway.projection import Projection

DEFAULT_COUNT = 100
MAX_COUNT = 1000

_CURSOR = re.compile(r"[A-Za-z0-9._~-]{0,4096}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_KNOWN = frozenset(
    {
        "filter",
        "sortBy",
        "sortOrder",
        "startIndex",
        "cursor",
        "count",
        "attributes",
        "excludedAttributes",
    }
)


@dataclass(frozen=True, slots=True)
class Query:
    """
    What a client asks for.

    Attributes:
        filter: The SCIM filter; empty means all.
        sort_by: The attribute to order by; empty means the core's order.
        descending: Whether the order is turned around.
        start_index: The first resource, counted from 1.
        cursor: Where the page begins that is paged to by cursor, empty for the first page; None
            if it is paged by index (RFC 9865).
        count: At most so many resources, 0 to 1000.
        attributes: Names to send; empty means all.
        excluded: Names to leave out.
    """

    filter: str = ""
    sort_by: str = ""
    descending: bool = False
    start_index: int = 1
    cursor: str | None = None
    count: int = DEFAULT_COUNT
    attributes: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    def projection(self, resource: Resource) -> Projection:
        """Return which attributes of *resource* are sent."""
        return projection.read(resource, self.attributes, self.excluded)

    def without(self, name: str) -> "Query":
        """Return the same query with the attribute *name* left out."""
        return replace(self, excluded=[*self.excluded, name])

    def order_by(self, resource: Resource) -> str:
        """
        Return the order as the contract writes it: `user_name desc`.

        Raises:
            ScimError: 400 invalidValue if *resource* has no such attribute with one value.
        """
        if not self.sort_by:
            return ""
        attribute = names.find(resource, self.sort_by)
        if attribute is not None and attribute.type == "complex":
            attribute = names.value_of(attribute)
        if attribute is None or attribute.extension or attribute.returned == "never":
            raise invalid_value(f"Nothing can be sorted by {self.sort_by[:128]}. Correct sortBy.")
        return f"{attribute.path} desc" if self.descending else attribute.path


def read_query(query_string: str) -> Query:
    """
    Return what *query_string* asks for.

    `+` and `%20` are blanks; unknown parameters, empty pairs and names without a value are
    tolerated (onelogin-enable-connection, entra-test-connection).

    Raises:
        ScimError: 400 invalidValue for a parameter that is sent twice or is no integer where one
            belongs; 400 invalidFilter for an empty filter; with a cursor 400 invalidCursor for
            one that has other characters than cursors have or comes with a startIndex, and 400
            invalidCount for a count that is not 0 to 1000.
    """
    if not query_string:
        return Query()
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise invalid_value("The query is not UTF-8. Encode it so.") from error
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in _KNOWN:
            continue
        if name in found:
            raise invalid_value(f"Parameter {name} is sent twice. Send it once.")
        found[name] = value
    return _query(found)


def read_search(document: dict[str, Any]) -> Query:
    """
    Return what a SearchRequest asks for; as `read_query`, names of members in any case.

    Raises:
        ScimError: 400 invalidSyntax if a member is of the wrong type.

    Source: RFC 7644 section 3.4.3.
    """
    known = {name.lower(): name for name in _KNOWN}
    found = {}
    for name, value in document.items():
        wanted = known.get(name.lower())
        if wanted is None or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | list):
            raise invalid_syntax(f"Member {wanted} is of the wrong type. Correct it.")
        if isinstance(value, list):
            if not wanted.lower().endswith("attributes"):
                raise invalid_syntax(f"Member {wanted} is a list. Send one value.")
            value = ",".join(str(element) for element in value)
        found[wanted] = str(value)
    return _query(found)


def _query(found: dict[str, str]) -> Query:
    if "filter" in found and not found["filter"].strip():
        raise invalid_filter("The filter is empty. Leave the parameter out to get all.")
    order = found.get("sortOrder", "").lower()
    if order not in ("", "ascending", "descending"):
        raise invalid_value("sortOrder is neither ascending nor descending. Send one of them.")
    cursor = found.get("cursor")
    if cursor is not None:
        _check_cursor(cursor, found)
    count = _integer(found, "count", DEFAULT_COUNT)
    return Query(
        filter=found.get("filter", ""),
        sort_by=found.get("sortBy", "").strip(),
        descending=order == "descending",
        start_index=max(1, _integer(found, "startIndex", 1)),
        cursor=cursor,
        count=min(MAX_COUNT, max(0, count)),
        attributes=_names(found.get("attributes", "")),
        excluded=_names(found.get("excludedAttributes", "")),
    )


def _check_cursor(cursor: str, found: dict[str, str]) -> None:
    """Refuse what cannot be asked for with a cursor (RFC 9865 section 2)."""
    if not _CURSOR.fullmatch(cursor):
        raise invalid_cursor()
    if "startIndex" in found:
        raise ScimError(400, "invalidCursor", "Pages have a cursor or a startIndex. Send one.")
    count = found.get("count", "").strip(" ")
    if count and not (_INTEGER.fullmatch(count) and 0 <= int(count) <= MAX_COUNT):
        detail = f"Parameter count is not 0 to {MAX_COUNT}. Send such a number, or leave it out."
        raise ScimError(400, "invalidCount", detail)


def _integer(found: dict[str, str], name: str, default: int) -> int:
    text = found.get(name, "").strip(" ")
    if not text:
        return default
    if not _INTEGER.fullmatch(text):
        raise invalid_value(f"Parameter {name} is no integer. Send one of at most 18 digits.")
    return int(text)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
