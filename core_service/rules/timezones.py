"""Time zones by their IANA names."""

from collections.abc import Iterable
from functools import cache
from importlib import resources

from tzlocal.windows_tz import win_tz

from core_service.rules.wording import invalid, nearest, shown

FIELD = "time_zone"


def normalize(name: str) -> str:
    """
    Return the IANA name of a time zone: `europe/berlin` and `W. Europe Standard Time` are
    `Europe/Berlin`.

    Old names that the tz database keeps as links stay as they are: `Asia/Calcutta`.

    Args:
        name: An IANA name or one of Windows, letters in any case, blanks around it.

    Raises:
        DirectoryError: FIELD_INVALID if neither has the name.

    Source: R-114; RFC 6557, CLDR windowsZones.
    """
    found = _names().get(name.strip().lower())
    if found is None:
        near = nearest(name.strip(), _names().values())
        raise invalid(
            FIELD,
            f"time_zone {shown(name)} is not in the tz database. "
            f"{f'Did you mean {near}?' if near else 'Send a name like Europe/Berlin.'}",
            value=shown(name),
        )
    return found


def verify(zones: Iterable[tuple[str, str]]) -> list[str]:
    """
    Return which time zones are not IANA names, one sentence each.

    Args:
        zones: `(user_id, time zone)` of the users who have one.
    """
    known = set(_names().values())
    return [
        f"User {user_id} has the time zone {zone!r}, which does not exist."
        for user_id, zone in zones
        if zone not in known
    ]


@cache
def _names() -> dict[str, str]:
    """Return every known name in lower case with the IANA name it stands for."""
    # The list of the tzdata package, not the machine's, so that every machine knows the same names.
    zones = resources.files("tzdata").joinpath("zones").read_text("ascii").split()
    iana = {zone.lower(): zone for zone in zones}
    windows = {name.lower(): zone for name, zone in win_tz.items() if zone.lower() in iana}
    return windows | iana
