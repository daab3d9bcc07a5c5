"""How values from outside appear in messages, and which known name was probably meant."""

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

from userdirectory.errors import DirectoryError
from userdirectory.text import fold

SHOWN = 80  # messages travel in HTTP/2 trailers, which gRPC keeps under 8 KiB in all
_NAME_LIMIT = 256  # comparing is quadratic, and no known name is longer
_COMPARED = 1000  # a refusal must not hold up other writes: some 25 ms at most


def shown(value: str) -> str:
    """Return *value* fit for a message: one printable line of at most 80 characters."""
    cut = value if len(value) <= SHOWN else value[: SHOWN - 3] + "..."
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in cut
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like *name*, None if none does."""
    if len(name) > _NAME_LIMIT:
        return None
    by_key: dict[str, str] = {}
    for candidate in known:
        by_key.setdefault(fold(candidate), candidate)
    wanted = fold(name)
    if wanted in by_key:
        return by_key[wanted]
    found = difflib.get_close_matches(wanted, islice(by_key, _COMPARED), n=1)
    return by_key[found[0]] if found else None


def unknown_name(field: str, what: str, name: str, known: Sequence[str]) -> DirectoryError:
    """
    Return the error for a name that no team, region or role has.

    Args:
        field: Path of the field relative to User.
        what: What has such names: `team`.
        name: What was sent.
        known: Names that the caller may learn of.

    Source: R-125, D-12.
    """
    near = nearest(name, known)
    advice = f"Did you mean {shown(near)}?" if near else f"Use the exact name of a {what}."
    message = f"No {what} is called {shown(name)}; names compare exactly, with case. {advice}"
    if near:
        return DirectoryError("NAME_UNKNOWN", message, field=field, value=shown(name), near=near)
    return DirectoryError("NAME_UNKNOWN", message, field=field, value=shown(name))


def invalid(field: str, message: str, **metadata: object) -> DirectoryError:
    """Return FIELD_INVALID for *field*, a path relative to the resource."""
    return DirectoryError("FIELD_INVALID", message, field=field, **metadata)
