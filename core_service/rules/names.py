"""Text of people and groups: what is derived, what is required, how long it may be."""

import unicodedata
from collections.abc import Iterable

from core_service.rules.wording import invalid

LIMIT = 256
LIMITS: dict[str, int] = {
    "external_id": 1024,
    "user_name": 320,
    "profile_url": 2048,
    "preferred_language": 256,  # may be an Accept-Language list
    "password": 1024,
    "emails.value": 320,
    "emails.display": 320,
    "ims.value": 320,
    "addresses.formatted": 1024,
    "addresses.street_address": 1024,
    "entitlements.value": 1024,
    "roles.value": 1024,  # Entra sends a JSON text for an app role
}
"""Most characters of a text field, by its path, where that is not 256."""

_MANY_LINES = frozenset({"addresses.formatted", "addresses.street_address"})

ELEMENTS: dict[str, int] = {
    "emails": 100,
    "phone_numbers": 100,
    "ims": 100,
    "addresses": 100,
    "entitlements": 100,
    "roles": 100,
    "x509_certificates": 20,
}
"""Most elements of a repeated field of a user."""


def text(field: str, value: str, limit: int | None = None) -> str:
    """
    Return *value* as it is, if it is text that can be kept and shown.

    Args:
        field: Path of the field relative to the resource: `name.given_name`.
        limit: Most characters; None means what `LIMITS` says.

    Raises:
        DirectoryError: FIELD_INVALID if it is too long or has control characters, which no
            attribute needs and PostgreSQL (U+0000) and protobuf (surrogates) cannot keep. Street
            addresses may have line breaks.
    """
    most = LIMITS.get(field, LIMIT) if limit is None else limit
    if len(value) > most:
        raise invalid(field, f"{field} is longer than {most} characters. Shorten it.", limit=most)
    if not value.isprintable() and _has_control(value, field in _MANY_LINES):
        raise invalid(field, f"{field} contains control characters. Remove them.")
    return value


def elements(field: str, count: int) -> None:
    """
    Refuse more elements of a repeated field than a user may have.

    Raises:
        DirectoryError: FIELD_INVALID with the limit.
    """
    most = ELEMENTS.get(field)
    if most is not None and count > most:
        raise invalid(
            field,
            f"{field} has {count} elements; at most {most} are kept. Send fewer.",
            limit=most,
        )


def display_name(given: str, family: str) -> str:
    """Return the name shown of a user who was given none: `Ada Lovelace` (R-134)."""
    return " ".join(part for part in (given.strip(), family.strip()) if part)


def group_name(name: str) -> str:
    """
    Return the display name of a group without blanks around it.

    Raises:
        DirectoryError: FIELD_INVALID unless 1 to 256 characters remain.
    """
    trimmed = unicodedata.normalize("NFC", name.strip())
    if not trimmed:
        raise invalid("display_name", "A group needs a display name. Send display_name.")
    return text("display_name", trimmed)


def required(missing: Iterable[str]) -> None:
    """
    Refuse a new user that lacks what the workspace asks for.

    Args:
        missing: Paths of required fields that have no value or a blank one.

    Raises:
        DirectoryError: FIELD_INVALID for the first of them.

    Source: R-139.
    """
    paths = list(missing)
    if paths:
        raise invalid(
            paths[0],
            f"A new user needs {', '.join(paths)}. Map the missing attributes and send them.",
            missing=", ".join(paths),
        )


def _has_control(value: str, many_lines: bool) -> bool:
    allowed = "\r\n\t" if many_lines else ""
    return any(
        unicodedata.category(character) in ("Cc", "Cs") and character not in allowed
        for character in value
    )
