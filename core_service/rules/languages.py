"""Which language the product uses for a person."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core_service.rules.wording import invalid, shown

FIELD = "preferred_language"

# RFC 5646 section 2.1, without the irregular grandfathered tags, which follow.
_TAG = re.compile(
    r"""(?: (?: [a-z]{2,3} (?:-[a-z]{3}){0,3} | [a-z]{4} | [a-z]{5,8} )  # language, extended
        (?: -[a-z]{4} )?                                            # script
        (?: -(?: [a-z]{2} | [0-9]{3} ) )?                           # region
        (?: -(?: [a-z0-9]{5,8} | [0-9][a-z0-9]{3} ) )*              # variants
        (?: -[0-9a-wyz] (?: -[a-z0-9]{2,8} )+ )*                    # extensions
        (?: -x (?: -[a-z0-9]{1,8} )+ )?                             # private use
      | x (?: -[a-z0-9]{1,8} )+ )""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_IRREGULAR_TAGS = """
    en-GB-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao
    i-tay i-tsu sgn-BE-FR sgn-BE-NL sgn-CH-DE
"""
_IRREGULAR = {tag.lower(): tag for tag in _IRREGULAR_TAGS.split()}
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Language:
    """
    A language as it is kept.

    Attributes:
        unsupported: Whether none of the languages asked for is spoken.
    """

    tag: str
    unsupported: bool


def normalize(
    wanted: str, spoken: Sequence[str], *, fallback_default: bool, current: str | None
) -> Language:
    """
    Return the language the product will use for a person.

    Args:
        wanted: A tag or an Accept-Language list: `en_us`, `de-AT, en;q=0.8`.
        spoken: The tags the product speaks, the default first. With none, the best tag that was
            asked for is kept, in the usual case.
        fallback_default: Whether a language spoken in another region only becomes the default
            tag and not the tag of the same language.
        current: The language the person has, kept if none of those asked for is spoken; None if
            the person has none, who then gets the default.

    Raises:
        DirectoryError: FIELD_INVALID if *wanted* has something that is no language tag.

    Source: D-01 to D-03, R-112, R-113; RFC 5646 section 2.1, RFC 4647 section 3.4, RFC 9110
    section 12.5.4.
    """
    asked = _asked(wanted)
    if not spoken:
        named = next((tag for tag in asked if tag != "*"), None)
        if named is None:
            raise _malformed(FIELD, wanted)
        return Language(named, unsupported=False)
    kept = _spoken(current, spoken) or spoken[0]
    for tag in asked:
        if tag == "*":
            return Language(kept, unsupported=False)
        found = _best(tag, spoken, fallback_default)
        if found is not None:
            return Language(found, unsupported=False)
    return Language(kept, unsupported=True)


def canonical(tag: str, field: str = FIELD) -> str:
    """
    Return a language tag with hyphens and in the usual case: `zh_hant_tw` is `zh-Hant-TW`.

    Raises:
        DirectoryError: FIELD_INVALID if it is no language tag.

    Source: RFC 5646 section 2.1.1.
    """
    lowered = tag.strip().replace("_", "-").lower()
    if lowered in _IRREGULAR:
        return _IRREGULAR[lowered]
    if not _TAG.fullmatch(lowered):
        raise _malformed(field, tag)
    parts = lowered.split("-")
    for index, part in enumerate(parts):
        if len(part) == 1:
            break
        if index and len(part) == 2:
            parts[index] = part.upper()
        elif index and len(part) == 4 and part.isalpha():
            parts[index] = part.capitalize()
    return "-".join(parts)


def normalize_locale(tag: str) -> str:
    """
    Return a locale as it was sent, without blanks around it, if it is a language tag.

    It is not rewritten: Entra compares what it reads with what it sent, and would send a value
    that comes back in other letters again in every cycle.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    trimmed = tag.strip()
    canonical(trimmed, "locale")
    return trimmed


def verify(spoken: Sequence[str], language_of: Mapping[str, str]) -> list[str]:
    """
    Return whose language is not spoken, one sentence each.

    Args:
        spoken: The tags the product speaks; with none, every tag is.
        language_of: `{user_id: tag}` of the users who have one.
    """
    return [
        f"User {user_id} has the language {tag}, which is not spoken."
        for user_id, tag in language_of.items()
        if spoken and tag not in spoken
    ]


def _asked(wanted: str) -> list[str]:
    weighted = [_weighted(item, wanted) for item in wanted.split(",") if item.strip()]
    if not weighted:
        raise _malformed(FIELD, wanted)
    weighted.sort(key=lambda entry: -entry[1])
    return [tag for tag, weight in weighted if weight > 0]


def _weighted(item: str, wanted: str) -> tuple[str, float]:
    tag, _, parameter = (part.strip() for part in item.partition(";"))
    weight = _WEIGHT.fullmatch(parameter.replace(" ", "")) if parameter else None
    if parameter and weight is None:
        raise _malformed(FIELD, wanted)
    return (tag if tag == "*" else canonical(tag)), float(weight[1]) if weight else 1.0


def _spoken(tag: str | None, spoken: Iterable[str]) -> str | None:
    return next((known for known in spoken if tag and known.lower() == tag.lower()), None)


def _best(tag: str, spoken: Sequence[str], fallback_default: bool) -> str | None:
    exact = _spoken(tag, spoken)
    if exact is not None:
        return exact
    ranked = [(_likeness(tag, known), -index) for index, known in enumerate(spoken)]
    likeness, place = max(ranked)
    if likeness[0] == 0:
        return None
    return spoken[0] if fallback_default else spoken[-place]


def _likeness(tag: str, known: str) -> tuple[int, bool]:
    """Return how many subtags from the left agree, and whether *known* is all of these."""
    ours, theirs = tag.lower().split("-"), known.lower().split("-")
    agree = 0
    for left, right in zip(ours, theirs, strict=False):
        if left != right:
            break
        agree += 1
    return agree, agree == len(theirs)


def _malformed(field: str, value: str) -> Exception:
    return invalid(
        field,
        f"{field} {shown(value)} is not a language tag. Send one like en-GB.",
        value=shown(value),
    )
