"""
Print what changes, filters, masks and normal forms cost in one process.

    python bench/changes.py
"""

from collections.abc import Callable
from time import perf_counter

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.attributes import USER
from userdirectory.v1.change_pb2 import UserChange
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.user_pb2 import User

from core_service import changes, matching

WORK = {"equal": {"field": "type", "text": "work"}}

PERSON = User(
    user_name="ada@example.com",
    external_id="00u1",
    display_name="Ada Lovelace",
    title="Analyst",
    active=True,
    preferred_language="en-GB",
    time_zone="Europe/London",
    name={"given_name": "Ada", "family_name": "Lovelace", "formatted": "Ada Lovelace"},
    emails=[
        {"value": "ada@example.com", "type": "work", "primary": True},
        {"value": "ada@example.org", "type": "home"},
    ],
    phone_numbers=[{"value": "+44 1", "type": "work"}, {"value": "+44 2", "type": "mobile"}],
    addresses=[{"street_address": "1 Row", "locality": "London", "type": "work"}],
    enterprise={"department": "Engines", "manager": {"user_id": "u2"}},
    workplace={"teams": ["Blue", "Green"], "absence_region": "England", "user_role": "Member"},
)


def _change(step: str, field: str, value: dict[str, object], selected: bool = False) -> UserChange:
    content: dict[str, object] = {"field": field, "value": value}
    return UserChange(**{step: content | ({"where": WORK} if selected else {})})


# The shape of Entra's incremental sync: one operation an attribute, elements by their type.
PATCH = [
    _change("set", "active", {"active": True}),
    _change("set", "display_name", {"display_name": "Ada King"}),
    _change("set", "name.family_name", {"name": {"family_name": "King"}}),
    _change("set", "name.formatted", {"name": {"formatted": "Ada King"}}),
    _change("add", "title", {"title": "Countess"}),
    _change("set", "emails.value", {"emails": [{"value": "ak@example.com"}]}, True),
    _change("set", "phone_numbers.value", {"phone_numbers": [{"value": "+44 3"}]}, True),
    _change("set", "addresses.locality", {"addresses": [{"locality": "Leeds"}]}, True),
    _change("add", "enterprise.department", {"enterprise": {"department": "Notes"}}),
    _change("set", "enterprise.manager.user_id", {"enterprise": {"manager": {"user_id": "u3"}}}),
]
FILTER = Filter(
    all_of={
        "filters": [
            {"equal": {"field": "active", "flag": True}},
            {"element": {"field": "emails", "where": WORK}},
        ]
    }
)
MASK = FieldMask(paths=["user_name", "active", "name.given_name", "emails.value"])


def main() -> None:
    """Measure and print."""
    subjects: dict[str, Callable[[], object]] = {
        "patch of 10 changes": lambda: changes.apply_user_changes(
            PERSON, PATCH, create_missing=True
        ),
        "check of a filter": lambda: matching.check(FILTER, USER),
        "match of a filter": lambda: matching.matches(PERSON, FILTER, USER),
        "clean": lambda: changes.clean(PERSON),
        "project": lambda: changes.project(PERSON, MASK),
        "apply_mask of 3 paths": lambda: changes.apply_mask(
            PERSON, PERSON, ["title", "name", "emails"]
        ),
    }
    for name, subject in subjects.items():
        print(f"{name:24}{_microseconds(subject):8.1f} us")


def _microseconds(subject: Callable[[], object], rounds: int = 2000) -> float:
    """Return the best of five averages."""
    best = float("inf")
    for _ in range(5):
        start = perf_counter()
        for _ in range(rounds):
            subject()
        best = min(best, perf_counter() - start)
    return best / rounds * 1_000_000


if __name__ == "__main__":
    main()
