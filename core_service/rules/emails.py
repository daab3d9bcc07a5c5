"""Which e-mail addresses and principal names there are, and when two of them are the same."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from userdirectory.errors import DirectoryError
from userdirectory.text import fold

from core_service.rules.wording import invalid, shown

FIELD = "user_name"
LIMIT = 320  # RFC 5321 section 4.5.3.1: 64 for the local part, 255 for the domain, one @

# Characters without a picture of their own that Unicode does not file under "other" or
# "separator" (DerivedCoreProperties, Default_Ignorable_Code_Point), and the blank braille pattern.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_DELETION_PREFIX = re.compile(r"[0-9a-fA-F]{32}")


def canonical_email(text: str) -> str:
    """
    Return an e-mail address as it is kept: trimmed and NFC, in the letters it was written in.

    Raises:
        DirectoryError: FIELD_INVALID unless it is at most 320 characters with exactly one @ between
            two parts, and without control, white, invisible, bidirectional, unassigned and
            private-use characters.

    Source: R-067, D-07.
    """
    value = _canonical(text)
    local, at, domain = value.partition("@")
    if not (local and at and domain) or "@" in domain:
        raise invalid(
            FIELD,
            f"user_name {shown(value)} is not an e-mail address. Send name@domain with one @.",
            value=shown(value),
        )
    if " " in value:
        raise _bad_character(value)
    return value


def canonical_principal(text: str) -> str:
    """
    Return a principal name as it is kept: trimmed and NFC, in the letters it was written in.

    Like an e-mail address, but it needs no @ and may have blanks inside: `CORP\\ada`, `Ada L`.

    Raises:
        DirectoryError: FIELD_INVALID.

    Source: D-06, D-07.
    """
    value = _canonical(text)
    if value.count("@") > 1:
        raise invalid(
            FIELD,
            f"user_name {shown(value)} has more than one @. Send at most one.",
            value=shown(value),
        )
    return value


def key(text: str) -> str:
    """Return what equal addresses and equal principal names have in common (D-07)."""
    return fold(text.strip())


def guard_free(holder: str | None, own: str, email: str) -> None:
    """
    Refuse an address that another account has. Who that is stays unsaid: it may be elsewhere.

    Args:
        holder: The account that has the address; None if no account has.
        own: The account that wants it; empty for one to be made.

    Raises:
        DirectoryError: VALUE_TAKEN.

    Source: R-162.
    """
    if holder is not None and holder != own:
        raise DirectoryError(
            "VALUE_TAKEN",
            f"user_name {shown(email)} belongs to another account. Use another address, or delete "
            "the user of that account first.",
            field=FIELD,
            value=shown(email),
        )


def strip_deletion_prefix(user_name: str, known_key: str) -> str:
    """
    Return the user name that Entra put an object id before when it deleted the user softly.

    Args:
        user_name: `0123456789abcdef0123456789abcdefjane@example.com`
        known_key: The key of the name that the user has: `jane@example.com`.

    Returns:
        The name without the 32 hexadecimal digits if the rest is the known name, else *user_name*.
    """
    trimmed = user_name.strip()
    if _DELETION_PREFIX.match(trimmed) and key(trimmed[32:]) == known_key:
        return trimmed[32:]
    return user_name


def primary_index(
    types: Sequence[str], primaries: Sequence[bool], *, work_first: bool
) -> int | None:
    """
    Return which address is primary: the first for work, else the one that was marked.

    Args:
        types: The type of each address, letters in any case.
        primaries: Whether each was marked as primary.
        work_first: Whether the first for work is primary; if not, only the mark counts.

    Returns:
        None if none is for work and none is marked.

    Source: R-116; RFC 7643 section 2.4.
    """
    if work_first:
        for index, type_ in enumerate(types):
            if fold(type_.strip()) == "work":
                return index
    return next((index for index, marked in enumerate(primaries) if marked), None)


def contact_email(values: Sequence[str], primaries: Sequence[bool], user_name: str) -> str:
    """Return the address to write to: the primary, else the first, else the user name (R-131)."""
    written = [(value, marked) for value, marked in zip(values, primaries, strict=True) if value]
    marked_values = (value for value, marked in written if marked)
    return next(marked_values, written[0][0] if written else user_name)


def verify(names: Iterable[tuple[str, str, str]]) -> list[str]:
    """
    Return what is wrong with the keys of accounts or of a workspace's users, one sentence each.

    Args:
        names: `(id, user name, key)` of each; all of one kind and, if users, of one workspace.
    """
    wrong = []
    holders: dict[str, list[str]] = defaultdict(list)
    for id_, name, kept in names:
        holders[kept].append(id_)
        if key(name) != kept:
            wrong.append(f"{id_} is kept under another key than that of its name.")
    wrong += [f"{', '.join(ids)} have the same name." for ids in holders.values() if len(ids) > 1]
    return wrong


def _canonical(text: str) -> str:
    value = unicodedata.normalize("NFC", text.strip())
    if not value:
        raise invalid(FIELD, "user_name is empty. Send the name the user signs in with.")
    if len(value) > LIMIT:
        raise invalid(
            FIELD, f"user_name is longer than {LIMIT} characters. Shorten it.", limit=LIMIT
        )
    if not value.isprintable() or _INVISIBLE.search(value):
        raise _bad_character(value)
    return value


def _bad_character(value: str) -> DirectoryError:
    return invalid(
        FIELD,
        f"user_name {shown(value)} contains blanks, control or invisible characters. Remove them.",
        value=shown(value),
    )
