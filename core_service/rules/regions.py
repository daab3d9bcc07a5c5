"""Which absence region a user is in, by name."""

from collections.abc import Iterable, Mapping, Sequence

from userdirectory.errors import DirectoryError
from userdirectory.text import name_key

from core_service.rules.teams import add_name
from core_service.rules.wording import unknown_name

FIELD = "workplace.absence_region"


def normalize(name: str, known: Sequence[str]) -> str:
    """
    Return the absence region called *name*, compared exactly but for blanks around it.

    Raises:
        DirectoryError: NAME_UNKNOWN with the nearest name.

    Source: R-120, R-124, R-125, D-12.
    """
    wanted = name_key(name)
    for region in known:
        if name_key(region) == wanted:
            return region
    raise unknown_name(FIELD, "absence region", name, known)


def guard_removal(before: str, user_id: str) -> None:
    """
    Refuse to take the absence region from a user.

    Args:
        before: The region the user is in. Empty, nothing is removed: clients push empty values
            for attributes that they do not use.

    Raises:
        DirectoryError: REGION_NOT_REMOVABLE.

    Source: R-121, D-13.
    """
    if before:
        raise DirectoryError(
            "REGION_NOT_REMOVABLE",
            f"The absence region of user {user_id} can be changed but not removed. Send the name "
            "of another region, or leave the attribute out.",
            user_id=user_id,
        )


def catalogue(names: Iterable[str]) -> list[str]:
    """
    Return the names of a workspace's absence regions as they are kept: trimmed and NFC.

    Raises:
        DirectoryError: FIELD_INVALID if one is blank, longer than 256 characters, or there twice.
    """
    kept: dict[str, None] = {}
    for name in names:
        add_name(kept, name_key(name), "absence_regions", "region")
    return list(kept)


def verify(known: Iterable[str], region_of: Mapping[str, str]) -> list[str]:
    """
    Return which users are in regions that do not exist, one sentence each.

    Args:
        known: The workspace's absence regions.
        region_of: `{user_id: name}` of the users who have one.
    """
    names = set(known)
    return [
        f"User {user_id} is in the absence region {region!r}, which does not exist."
        for user_id, region in region_of.items()
        if region not in names
    ]
