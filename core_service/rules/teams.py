"""Which teams a user is in, by name."""

from collections.abc import Iterable, Mapping, Sequence

from userdirectory.text import name_key

from core_service.rules.wording import invalid, shown, unknown_name

FIELD = "workplace.teams"
NAME_LIMIT = 256


def wanted(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """
    Return the teams a user shall be in, in the order sent; the others are left.

    Args:
        names: Names as sent; blanks around them, empty ones and repetitions are dropped.
        known: The workspace's teams.

    Raises:
        DirectoryError: NAME_UNKNOWN for the first name that no team has; FIELD_INVALID for one
            with a comma, which cannot be told from two names.

    Source: R-124, R-125, D-12, D-14.
    """
    by_key = {name_key(name): name for name in known}
    teams: dict[str, None] = {}
    for name in names:
        key = name_key(name)
        if not key:
            continue
        if "," in key:
            raise _comma(FIELD, key)
        if key not in by_key:
            raise unknown_name(FIELD, "team", name, known)
        teams[by_key[key]] = None
    return list(teams)


def catalogue(names: Iterable[str]) -> list[str]:
    """
    Return the names of a workspace's teams as they are kept: trimmed and NFC.

    Raises:
        DirectoryError: FIELD_INVALID if one is blank, longer than 256 characters, there twice, or
            has a comma.

    Source: D-14.
    """
    kept: dict[str, None] = {}
    for name in names:
        key = name_key(name)
        if "," in key:
            raise _comma("teams", key)
        add_name(kept, key, "teams", "team")
    return list(kept)


def add_name(kept: dict[str, None], key: str, field: str, what: str) -> None:
    """
    Add a name to the names *kept* of a workspace's teams or regions.

    Raises:
        DirectoryError: FIELD_INVALID if it is blank, longer than 256 characters, or there already.
    """
    if not 1 <= len(key) <= NAME_LIMIT:
        raise invalid(
            field,
            f"A {what} needs a name of 1 to {NAME_LIMIT} characters. Name it.",
            limit=NAME_LIMIT,
        )
    if not key.isprintable():
        raise invalid(field, f"The name {shown(key)} has control characters. Remove them.")
    if key in kept:
        raise invalid(
            field, f"Two of the {field} are called {shown(key)}. Send it once.", value=shown(key)
        )
    kept[key] = None


def verify(known: Iterable[str], teams_of: Mapping[str, Sequence[str]]) -> list[str]:
    """
    Return which users are in teams that do not exist, or twice in one, one sentence each.

    Args:
        known: The workspace's teams.
        teams_of: `{user_id: names}`.
    """
    names = set(known)
    wrong = []
    for user_id, teams in teams_of.items():
        unknown = [team for team in teams if team not in names]
        wrong += [
            f"User {user_id} is in the team {team!r}, which does not exist." for team in unknown
        ]
        if len(set(teams)) != len(teams):
            wrong.append(f"User {user_id} is in a team twice.")
    return wrong


def _comma(field: str, name: str) -> Exception:
    return invalid(
        field,
        f"{shown(name)} has a comma, and names of teams have none. Send one name per element.",
        value=shown(name),
    )
