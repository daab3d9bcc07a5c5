"""The attributes that a workspace declares for its users, and the values they may have."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from userdirectory.custom import Declaration, Value
from userdirectory.text import fold

from core_service.rules import names
from core_service.rules.wording import invalid, shown

MOST_ATTRIBUTES = 100
MOST_ELEMENTS = 100
TEXT_LIMIT = 1024
_MOST_CANONICAL = 100
_LONGEST_URN = 256

# RFC 8141, without the characters that end a name in filters, paths and lists of attributes.
_URN = re.compile(r"[uU][rR][nN]:[A-Za-z0-9][A-Za-z0-9-]{0,31}(?::[A-Za-z0-9._-]+)+")
# RFC 7643 section 2.1, without `$`, which only `$ref` has.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# The protocol's own, and those that gateways read as misspellings of the enterprise extension.
_TAKEN = (
    "urn:ietf:params:scim:api",
    "urn:ietf:params:scim:schemas:core",
    "urn:ietf:params:scim:schemas:extension:enterprise",
    "urn:scim:schemas",
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a declaration says to people: no rule depends on it."""

    canonical_values: Sequence[str]
    description: str


def check(declarations: Sequence[tuple[Declaration, Wording]], built_in: Iterable[str]) -> None:
    """
    Refuse declarations that no client could name, or that say two things of one name.

    Args:
        declarations: All that the workspace declares.
        built_in: The URNs of the schemas that every workspace has.

    Raises:
        DirectoryError: FIELD_INVALID (`field`, `value`).

    Source: RFC 7643 sections 2.1 and 3.3, RFC 8141, R-130.
    """
    if len(declarations) > MOST_ATTRIBUTES:
        raise invalid(
            "attributes",
            f"{len(declarations)} attributes are too many. Declare at most {MOST_ATTRIBUTES}.",
            limit=MOST_ATTRIBUTES,
        )
    taken = [*_TAKEN, *(fold(urn) for urn in built_in)]
    paths: set[str] = set()
    spelled: dict[str, str] = {}
    for declaration, wording in declarations:
        _check_names(declaration, taken)
        if spelled.setdefault(fold(declaration.urn), declaration.urn) != declaration.urn:
            raise _bad("urn", declaration.urn, "is spelled in two ways. Spell it the same")
        _check_wording(declaration, wording)
        if fold(declaration.path) in paths:
            raise _bad("name", declaration.name, "is declared twice. Declare it once")
        paths.add(fold(declaration.path))
    for declaration, _ in declarations:
        if fold(declaration.urn) in paths:
            raise _bad("urn", declaration.urn, "is also the name of an attribute. Choose another")


def settle(declaration: Declaration, values: Sequence[Value]) -> list[Value]:
    """
    Return the values of an attribute as they are kept: each once, in their order.

    Args:
        values: Of the attribute's type.

    Raises:
        DirectoryError: FIELD_INVALID (`field`, `limit`) for a text that is too long or has control
            characters, and for more values than the attribute can have.

    Source: RFC 7643 section 2.4, R-130.
    """
    kept: dict[Value, Value] = {}
    for value in values:
        if isinstance(value, str):
            names.text(declaration.path, value, TEXT_LIMIT)
        if value != "":
            kept.setdefault(declaration.comparable(value), value)
    most = MOST_ELEMENTS if declaration.multi_valued else 1
    if len(kept) > most:
        raise invalid(
            declaration.path,
            f"{declaration.path} can have {most} values. Send fewer.",
            limit=most,
        )
    return list(kept.values())


def guard_required(
    required: Iterable[Declaration], before: Iterable[str], after: Iterable[str], *, creating: bool
) -> None:
    """
    Refuse a new user without a value that the workspace requires, and the loss of one.

    Args:
        required: The attributes that are required.
        before: The paths of the attributes that the user had values of.
        after: The paths of those that the user will have values of.
        creating: Whether provisioning brings a new user.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    had, has = set(before), set(after)
    for declaration in required:
        if declaration.path not in has and (creating or declaration.path in had):
            raise invalid(
                declaration.path, f"{declaration.path} must have a value. Map it and send one."
            )


def verify(
    stored: Mapping[str, Sequence[tuple[Declaration | None, Sequence[Value | None]]]],
) -> list[str]:
    """
    Return which users have values that do not keep their declaration, one sentence each.

    Args:
        stored: By user id what the user has: the declaration, None if there is none, and the
            values, None for one of another type.
    """
    wrong = []
    for user_id, attributes in stored.items():
        for declaration, values in attributes:
            if declaration is None:
                wrong.append(f"User {user_id} has a custom attribute that is not declared.")
            elif None in values or not values or len(values) > _most(declaration):
                wrong.append(f"User {user_id} has {declaration.path} not as it is declared.")
    return wrong


def _most(declaration: Declaration) -> int:
    return MOST_ELEMENTS if declaration.multi_valued else 1


def _check_names(declaration: Declaration, taken: Iterable[str]) -> None:
    urn = declaration.urn
    if len(urn) > _LONGEST_URN or not _URN.fullmatch(urn):
        raise _bad("urn", urn, "is no URN to use. Send one like urn:example:hr:2.0:User")
    if any(_overlap(fold(urn), start) for start in taken):
        raise _bad("urn", urn, "is the URN of another schema. Choose one of your own")
    if not _NAME.fullmatch(declaration.name):
        raise _bad(
            "name", declaration.name, "is no name. Use a letter, then letters, digits, - and _"
        )


def _check_wording(declaration: Declaration, wording: Wording) -> None:
    names.text("attributes.description", wording.description, TEXT_LIMIT)
    if len(wording.canonical_values) > _MOST_CANONICAL:
        raise invalid(
            "attributes.canonical_values",
            f"{declaration.name} has more than {_MOST_CANONICAL} canonical values. Send fewer.",
            limit=_MOST_CANONICAL,
        )
    for text in wording.canonical_values:
        names.text("attributes.canonical_values", text, TEXT_LIMIT)
    if wording.canonical_values and declaration.type != "string":
        raise _bad(
            "canonical_values", declaration.name, "is no text. Leave its canonical values out"
        )


def _overlap(urn: str, other: str) -> bool:
    return urn == other or urn.startswith(f"{other}:") or other.startswith(f"{urn}:")


def _bad(field: str, value: str, problem: str) -> Exception:
    return invalid(f"attributes.{field}", f"{shown(value)!r} {problem}.", value=shown(value))
