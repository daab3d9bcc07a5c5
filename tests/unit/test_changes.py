"""Changes: what they do, what they refuse, what always holds of them."""

from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import assume, given
from hypothesis import strategies as st
from userdirectory.errors import DirectoryError
from userdirectory.v1.change_pb2 import GroupChange, UserChange
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User

from core_service import changes
from tests.unit import people

WORK = {"type": "work", "value": "w"}
HOME = {"type": "home", "value": "h"}


def typed(type_: str) -> dict[str, Any]:
    return {"equal": {"field": "type", "text": type_}}


def both(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"all_of": {"filters": list(filters)}}


PRIMARY = {"equal": {"field": "primary", "flag": True}}


def step(kind: str, field: str, where: dict[str, Any] | None = None, **value: Any) -> UserChange:
    content: dict[str, Any] = {"field": field}
    if kind != "remove":
        content["value"] = value
    if where is not None:
        content["where"] = where
    return UserChange(**{kind: content})


def patched(user: User, *steps: UserChange, create_missing: bool = True) -> User:
    return changes.apply_user_changes(user, steps, create_missing=create_missing)


def refused(*steps: UserChange, create_missing: bool = True, **fields: Any) -> tuple[str, Any]:
    """Return reason and metadata of the error, after seeing that the user stayed as it was."""
    user = User(user_name="ada", **fields)
    before = user.SerializeToString(deterministic=True)
    with pytest.raises(DirectoryError) as caught:
        patched(user, *steps, create_missing=create_missing)
    assert user.SerializeToString(deterministic=True) == before
    return caught.value.reason, caught.value.metadata


@pytest.mark.parametrize(
    ("before", "steps", "after"),
    [
        # RFC 7644 3.5.2.1: add sets a single value; Entra adds what is there already
        ({}, [step("add", "title", title="x")], {"title": "x"}),
        ({"title": "a"}, [step("add", "title", title="x")], {"title": "x"}),
        ({"title": "a"}, [step("add", "title", title="")], {"title": "a"}),
        ({}, [step("set", "active", active=False)], {"active": False}),
        # RFC 7644 3.5.2.3; Entra and Okta clear with "" and null
        ({"title": "a"}, [step("set", "title", title="")], {}),
        ({"title": "a"}, [step("set", "title")], {}),
        ({"title": "a"}, [step("remove", "title")], {}),
        ({"active": True}, [step("remove", "active")], {}),
        ({}, [step("remove", "title")], {}),
        # parts of a message, RFC 7644 3.5.2.3: what is not named stays
        (
            {"name": {"given_name": "A", "family_name": "B"}},
            [step("set", "name", name={"given_name": "C"})],
            {"name": {"given_name": "C", "family_name": "B"}},
        ),
        (
            {"name": {"given_name": "A", "family_name": "B"}},
            [step("set", "name", name={"given_name": ""})],
            {"name": {"family_name": "B"}},
        ),
        (
            {"name": {"given_name": "A", "family_name": "B"}},
            [step("add", "name", name={"given_name": "", "middle_name": "M"})],
            {"name": {"given_name": "A", "middle_name": "M", "family_name": "B"}},
        ),
        ({"name": {"given_name": "A"}}, [step("set", "name", name={})], {}),
        ({"name": {"given_name": "A"}}, [step("remove", "name")], {}),
        ({"name": {"given_name": "A"}}, [step("remove", "name.given_name")], {}),  # no empty name
        (
            {},
            [step("set", "name.given_name", name={"given_name": "A"})],
            {"name": {"given_name": "A"}},
        ),
        ({}, [step("remove", "name.given_name")], {}),
        # the manager, as Entra sends, changes and clears it
        (
            {},
            [step("add", "enterprise.manager.user_id", enterprise={"manager": {"user_id": "m"}})],
            {"enterprise": {"manager": {"user_id": "m"}}},
        ),
        (
            {"enterprise": {"manager": {"user_id": "m"}}},
            [step("set", "enterprise.manager", enterprise={"manager": {"user_id": ""}})],
            {},
        ),
        (
            {"enterprise": {"department": "D", "manager": {"user_id": "m", "display_name": "M"}}},
            [step("remove", "enterprise.manager.user_id")],
            {"enterprise": {"department": "D"}},  # a name alone is no manager
        ),
        (
            {"enterprise": {"department": "D"}},
            [
                step(
                    "set",
                    "enterprise",
                    enterprise={"division": "V", "manager": {"display_name": "Sent anyway"}},
                )
            ],
            {"enterprise": {"department": "D", "division": "V"}},
        ),
        # repeated text
        (
            {"workplace": {"teams": ["A"]}},
            [step("add", "workplace.teams", workplace={"teams": ["B", "A", "B"]})],
            {"workplace": {"teams": ["A", "B"]}},
        ),
        (
            {"workplace": {"teams": ["A"]}},
            [step("set", "workplace.teams", workplace={"teams": ["C", "B", "C", ""]})],
            {"workplace": {"teams": ["C", "B"]}},
        ),
        ({"workplace": {"teams": ["A"]}}, [step("set", "workplace.teams", workplace={})], {}),
        (
            {"workplace": {"teams": ["A", "B"]}},
            [step("remove", "workplace.teams", {"equal": {"field": "value", "text": "A"}})],
            {"workplace": {"teams": ["B"]}},
        ),
        (
            {"workplace": {"teams": ["A"], "absence_region": "R"}},
            [
                step("add", "workplace.teams", workplace={"teams": ["B"]}),
                step("set", "workplace", workplace={"teams": ["C"]}),
            ],
            {"workplace": {"teams": ["C"], "absence_region": "R"}},
        ),
        # changes see what the ones before them did
        (
            {},
            [step("set", "title", title="a"), step("remove", "title")],
            {},
        ),
    ],
)
def test_values_change(before: dict[str, Any], steps: list[UserChange], after: dict[str, Any]):
    """Single values, messages and lists of text change as RFC 7644 says."""
    result = patched(User(user_name="ada", **before), *steps)

    assert result == User(user_name="ada", **after)


@pytest.mark.rule("R-089", "D-43")
@pytest.mark.parametrize(
    ("before", "steps", "after"),
    [
        # add, RFC 7644 3.5.2.1
        ([WORK], [step("add", "emails", emails=[HOME])], [WORK, HOME]),
        ([WORK], [step("add", "emails", emails=[WORK, HOME, HOME])], [WORK, HOME]),
        ([WORK], [step("add", "emails", emails=[{"type": "WORK", "value": "W"}])], [WORK]),
        (
            [WORK],
            [step("add", "emails", emails=[{**WORK, "display": "d"}])],
            [{**WORK, "display": "d"}],
        ),
        ([WORK], [step("add", "emails", emails=[{"type": "home"}])], [WORK]),  # says nothing
        (
            [WORK],
            [step("add", "emails.value", typed("work"), emails=[{"value": "x"}])],
            [{**WORK, "value": "x"}],
        ),
        (
            [WORK],
            [step("add", "emails", typed("work"), emails=[{"display": "d"}])],
            [{**WORK, "display": "d"}],
        ),
        # set, RFC 7644 3.5.2.3
        ([WORK], [step("set", "emails", emails=[HOME])], [HOME]),
        ([WORK, HOME], [step("set", "emails", emails=[])], []),
        (
            [WORK, HOME],
            [step("set", "emails.value", typed("WORK"), emails=[{"value": "x"}])],
            [{**WORK, "value": "x"}, HOME],
        ),
        (
            [{**WORK, "display": "d"}, HOME],
            [step("set", "emails", typed("work"), emails=[{"type": "work", "value": "x"}])],
            [{"type": "work", "value": "x"}, HOME],  # replaced whole, where it was
        ),
        (
            [{**WORK, "display": "d"}],
            [step("set", "emails", typed("work"), emails=[{"value": "x"}])],
            [{"type": "work", "value": "x"}],  # the next sync selects it again
        ),
        (
            [WORK, HOME],
            [step("set", "emails.display", emails=[{"display": "d"}])],
            [{**WORK, "display": "d"}, {**HOME, "display": "d"}],
        ),
        ([], [step("set", "emails.value", emails=[{"value": "x"}])], [{"value": "x"}]),
        ([], [step("add", "emails.value", emails=[{"value": "x"}])], [{"value": "x"}]),
        # the selected element is not there: Entra's default mapping, sourcegraph #49200
        ([], [step("set", "emails.value", typed("work"), emails=[{"value": "w"}])], [WORK]),
        (
            [HOME],
            [step("add", "emails.value", typed("work"), emails=[{"value": "w"}])],
            [HOME, WORK],
        ),
        ([HOME], [step("set", "emails", typed("work"), emails=[{"value": "w"}])], [HOME, WORK]),
        (
            [],
            [
                step(
                    "add",
                    "emails.value",
                    both(
                        typed("work"),
                        both(PRIMARY),
                        {"contains": {"field": "display", "text": "x"}},
                    ),
                    emails=[{"value": "w"}],
                )
            ],
            [{**WORK, "primary": True}],  # only equalities make it
        ),
        (
            [],
            [
                step(
                    "add",
                    "emails.value",
                    {"any_of": {"filters": [typed("work")]}},
                    emails=[{"value": "w"}],
                )
            ],
            [{"value": "w"}],
        ),
        # its parts come one by one, in any order
        (
            [],
            [
                step("add", "emails.display", typed("work"), emails=[{"display": "d"}]),
                step("add", "emails.value", typed("work"), emails=[{"value": "w"}]),
            ],
            [{**WORK, "display": "d"}],
        ),
        ([HOME], [step("add", "emails.display", typed("work"), emails=[{"display": "d"}])], [HOME]),
        # clearing, RFC 7644 3.5.2.2 and Entra's ""
        (
            [WORK, HOME],
            [step("set", "emails.value", typed("work"), emails=[{"value": ""}])],
            [HOME],
        ),
        ([WORK, HOME], [step("set", "emails", typed("work"), emails=[])], [HOME]),
        ([WORK, HOME], [step("remove", "emails.value", typed("work"))], [HOME]),
        ([WORK, HOME], [step("remove", "emails", typed("work"))], [HOME]),
        ([WORK, HOME], [step("remove", "emails")], []),
        ([WORK, HOME], [step("remove", "emails.value")], []),
        ([WORK], [step("remove", "emails.type")], [{"value": "w"}]),
        ([WORK], [step("remove", "emails", typed("home"))], [WORK]),  # nothing to remove
        ([WORK], [step("set", "emails.value", typed("home"), emails=[])], [WORK]),
        ([WORK, {"type": "x", "value": "w"}], [step("remove", "emails.type")], [{"value": "w"}]),
    ],
)
def test_elements_change(
    before: list[dict[str, Any]], steps: list[UserChange], after: list[dict[str, Any]]
):
    """The elements of a repeated field change one by one."""
    result = patched(User(user_name="ada", emails=before), *steps)

    assert result == User(user_name="ada", emails=after)


@pytest.mark.parametrize(
    ("before", "steps", "after"),
    [
        # RFC 7644 3.5.2: a new primary takes the flag from the old one
        (
            [{**WORK, "primary": True}],
            [step("add", "emails", emails=[{**HOME, "primary": True}])],
            [WORK, {**HOME, "primary": True}],
        ),
        (
            [{**WORK, "primary": True}, HOME],
            [step("set", "emails.primary", typed("home"), emails=[{"primary": True}])],
            [WORK, {**HOME, "primary": True}],
        ),
        (
            [{**WORK, "primary": True}, HOME],
            [step("add", "emails", emails=[{**HOME, "primary": True}])],
            [WORK, {**HOME, "primary": True}],
        ),
        (
            [{**WORK, "primary": True}],
            [step("set", "emails.primary", typed("work"), emails=[{"primary": False}])],
            [{**WORK, "primary": False}],
        ),
        # Entra: emails[primary eq "True"].value
        (
            [{**WORK, "primary": True}],
            [step("set", "emails.value", PRIMARY, emails=[{"value": "x"}])],
            [{**WORK, "value": "x", "primary": True}],
        ),
        (
            [],
            [step("set", "emails.value", PRIMARY, emails=[{"value": "x"}])],
            [{"value": "x", "primary": True}],
        ),
        # an element that ends without a value takes nothing from the others
        (
            [{**WORK, "primary": True}],
            [step("set", "emails.primary", typed("home"), emails=[{"primary": True}])],
            [{**WORK, "primary": True}],
        ),
        (
            [{**WORK, "primary": True}],
            [
                step("set", "emails.primary", typed("home"), emails=[{"primary": True}]),
                step("set", "emails.value", typed("home"), emails=[{"value": "h"}]),
            ],
            [WORK, {**HOME, "primary": True}],
        ),
        # a change selects by what the one before left
        (
            [{**WORK, "primary": True}],
            [
                step("add", "emails", emails=[{**HOME, "primary": True}]),
                step("set", "emails.value", PRIMARY, emails=[{"value": "x"}]),
            ],
            [WORK, {**HOME, "value": "x", "primary": True}],
        ),
    ],
)
def test_one_element_is_primary(
    before: list[dict[str, Any]], steps: list[UserChange], after: list[dict[str, Any]]
):
    """The element made primary last is the only one."""
    result = patched(User(user_name="ada", emails=before), *steps)

    assert result == User(user_name="ada", emails=after)


@pytest.mark.parametrize(
    ("before", "steps", "after"),
    [
        # Entra maps each line of an address by itself
        (
            [],
            [
                step("add", "addresses.locality", typed("work"), addresses=[{"locality": "L"}]),
                step("add", "addresses.country", typed("work"), addresses=[{"country": "DE"}]),
            ],
            [{"type": "work", "locality": "L", "country": "DE"}],
        ),
        (
            [{"type": "work", "locality": "L", "country": "DE"}],
            [step("set", "addresses.locality", typed("work"), addresses=[{"locality": ""}])],
            [{"type": "work", "country": "DE"}],
        ),
        (
            [{"type": "work", "primary": True, "locality": "L"}],
            [step("remove", "addresses.locality", typed("work"))],
            [],
        ),
        (
            [{"type": "work", "locality": "L"}],
            [
                step(
                    "add",
                    "addresses",
                    addresses=[{"type": "work", "locality": "L", "primary": True}],
                )
            ],
            [{"type": "work", "locality": "L", "primary": True}],
        ),
    ],
)
def test_an_address_stays_while_it_says_something(
    before: list[dict[str, Any]], steps: list[UserChange], after: list[dict[str, Any]]
):
    """Addresses have no value of their own; type and primary alone are no address."""
    result = patched(User(user_name="ada", addresses=before), *steps)

    assert result == User(user_name="ada", addresses=after)


def test_a_certificate_is_made_from_its_selection():
    """The text in a selection is base64, the value is bytes."""
    where = {"equal": {"field": "value", "text": "YWI="}}

    result = patched(
        User(), step("add", "x509_certificates.type", where, x509_certificates=[{"type": "t"}])
    )

    assert result == User(x509_certificates=[{"value": b"ab", "type": "t"}])


@pytest.mark.rule("D-43")
@pytest.mark.parametrize("create_missing", [True, False])
def test_adding_to_an_element_that_is_not_there_makes_it(create_missing: bool):
    """REFUSE is for replacing alone (RFC 7644 section 3.5.2.3)."""
    change = step("add", "emails.value", typed("home"), emails=[{"value": "x"}])

    result = patched(User(), change, create_missing=create_missing)

    assert User(emails=[{"type": "home", "value": "x"}]) == result


@pytest.mark.rule("D-43")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        (step("set", "emails.value", typed("home"), emails=[{"value": "x"}]), "emails.value"),
        (step("set", "emails", typed("home"), emails=[HOME]), "emails"),
        (step("remove", "emails", typed("home")), "emails"),
    ],
)
def test_a_selection_without_match_has_no_target(change: UserChange, field: str):
    """Without create_missing RFC 7644 section 3.5.2.3 holds to the letter."""
    steps = (step("set", "title", title="x"), change)

    assert refused(*steps, create_missing=False, emails=[WORK]) == (
        "NO_TARGET",
        {"field": field, "index": "1"},
    )


@pytest.mark.parametrize(
    ("change", "reason", "metadata"),
    [
        (step("set", "nope"), "FIELD_UNKNOWN", {"field": "nope"}),
        (step("set", ""), "FIELD_UNKNOWN", {"field": ""}),
        (step("set", "emails.nope"), "FIELD_UNKNOWN", {"field": "emails.nope"}),
        (step("set", "title.x"), "FIELD_UNKNOWN", {"field": "title.x"}),
        (step("remove", "create_time.seconds"), "FIELD_UNKNOWN", {"field": "create_time.seconds"}),
        (step("set", "id", id="x"), "FIELD_READ_ONLY", {"field": "id"}),  # P03
        (step("remove", "groups"), "FIELD_READ_ONLY", {"field": "groups"}),
        (step("remove", "groups.display"), "FIELD_READ_ONLY", {"field": "groups.display"}),
        (step("set", "role_id", role_id="x"), "FIELD_READ_ONLY", {"field": "role_id"}),
        (
            step("remove", "enterprise.manager.display_name"),
            "FIELD_READ_ONLY",
            {"field": "enterprise.manager.display_name"},
        ),
        (step("remove", "user_name"), "FIELD_INVALID", {"field": "user_name"}),  # P07
        (step("set", "user_name", user_name=""), "FIELD_INVALID", {"field": "user_name"}),
        (UserChange(), "FIELD_INVALID", {"field": "changes"}),
        (step("remove", "title", typed("x")), "FILTER_INVALID", {"field": "title"}),
        (step("remove", "name", typed("x")), "FILTER_INVALID", {"field": "name"}),
        (step("remove", "emails", {}), "FILTER_INVALID", {"field": "emails"}),
        (
            step("remove", "emails", {"equal": {"field": "nope", "text": "x"}}),
            "FILTER_INVALID",
            {"field": "emails.nope"},
        ),
        (
            step("set", "emails", emails=[{**WORK, "primary": True}, {**HOME, "primary": True}]),
            "FIELD_INVALID",
            {"field": "emails"},
        ),
        (
            step("set", "emails.value", emails=[WORK, HOME]),
            "FIELD_INVALID",
            {"field": "emails.value"},
        ),
        (
            step("add", "emails", emails=[{"value": str(i)} for i in range(100)]),
            "FIELD_INVALID",
            {"field": "emails", "limit": "100"},
        ),
        (
            step("set", "emails", emails=[WORK] * 101),
            "FIELD_INVALID",
            {"field": "emails", "limit": "100"},
        ),
        (
            step(
                "set",
                "x509_certificates.type",
                {"equal": {"field": "value", "text": "?"}},
                x509_certificates=[{"type": "t"}],
            ),
            "FIELD_INVALID",
            {"field": "x509_certificates.value"},
        ),
    ],
)
def test_a_change_is_refused(change: UserChange, reason: str, metadata: dict[str, str]):
    """A change that cannot be leaves the user as it was, with those before it."""
    assert refused(step("set", "title", title="x"), change, emails=[WORK]) == (reason, metadata)


def test_several_elements_cannot_be_made_primary():
    """A selection of two elements is no way to say which one is primary."""
    change = step("set", "emails.primary", emails=[{"primary": True}])

    assert refused(change, emails=[WORK, HOME]) == ("FIELD_INVALID", {"field": "emails.primary"})


def test_a_patch_has_limits():
    """1000 changes are applied, 1001 are not; selections are limited together."""
    change = step("set", "title", title="x")
    asks = {"any_of": {"filters": [typed("x")] * 200}}

    assert patched(User(), *[change] * 1000) == User(title="x")
    assert refused(*[change] * 1001) == ("FIELD_INVALID", {"field": "changes", "limit": "1000"})
    assert patched(User(), *[step("remove", "emails", asks)] * 20) == User()
    assert refused(*[step("remove", "emails", asks)] * 21) == (
        "FILTER_INVALID",
        {"field": "emails", "limit": "4000"},
    )


def test_derived_values_survive():
    """What the directory has set stays in a patched user."""
    user = User(
        id="u1",
        role_id="r",
        create_time=Timestamp(seconds=1),
        groups=[{"group_id": "g"}],
        enterprise={"department": "D", "manager": {"user_id": "m", "display_name": "M"}},
    )

    result = patched(user, step("remove", "enterprise.department"))

    user.enterprise.ClearField("department")
    assert result == user


def test_fields_the_contract_does_not_have_are_not_taken_over():
    """An element with an unknown field number is kept without it."""
    element = User(emails=[WORK]).emails[0].SerializeToString() + b"\xf8\x3f\x01"
    change = UserChange(set={"field": "emails"})
    change.set.value.emails.add().ParseFromString(element)

    assert patched(User(), change).SerializeToString() == User(emails=[WORK]).SerializeToString()


def test_groups_change_but_for_their_members():
    """Members are rows of their own and changed elsewhere."""
    group = Group(display_name="A", external_id="e", members=[{"member_id": "u1"}])
    steps = [
        GroupChange(set={"field": "display_name", "value": {"display_name": "B"}}),
        GroupChange(remove={"field": "members"}),
        GroupChange(discard={"field": "members", "value": {"members": [{"member_id": "u1"}]}}),
        GroupChange(remove={"field": "external_id"}),
    ]

    result = changes.apply_group_changes(group, steps)

    assert result == Group(display_name="B", members=[{"member_id": "u1"}])


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        (GroupChange(remove={"field": "display_name"}), "FIELD_INVALID", "display_name"),
        (GroupChange(discard={"field": "display_name"}), "FIELD_INVALID", "changes"),
        (GroupChange(), "FIELD_INVALID", "changes"),
        (GroupChange(remove={"field": "member_count"}), "FIELD_READ_ONLY", "member_count"),
        (GroupChange(remove={"field": "title"}), "FIELD_UNKNOWN", "title"),
    ],
)
def test_a_change_of_a_group_is_refused(change: GroupChange, reason: str, field: str):
    """Groups refuse what users refuse."""
    with pytest.raises(DirectoryError) as caught:
        changes.apply_group_changes(Group(display_name="A"), [change])

    assert (caught.value.reason, caught.value.metadata["field"]) == (reason, field)


@given(people.USERS, st.lists(people.changes(), max_size=5), st.booleans())
def test_a_patch_never_touches_its_input(user: User, steps: list[UserChange], create: bool):
    """Whether it succeeds or fails, user and changes stay as they were."""
    before = user.SerializeToString(deterministic=True)
    sent = [change.SerializeToString(deterministic=True) for change in steps]

    with suppress(DirectoryError):
        changes.apply_user_changes(user, steps, create_missing=create)

    assert user.SerializeToString(deterministic=True) == before
    assert [change.SerializeToString(deterministic=True) for change in steps] == sent


def _applied_or_skip(user: User, *steps: UserChange) -> User:
    try:
        return patched(user, *steps)
    except DirectoryError:
        assume(False)
        raise


@given(people.CLEAN_USERS, st.lists(people.changes(), max_size=5))
def test_a_patched_user_is_in_normal_form(user: User, steps: list[UserChange]):
    """Cleaning what a patch of a clean user returns changes nothing; nor does transport."""
    result = _applied_or_skip(user, *steps)

    assert changes.clean(result) == result
    assert User.FromString(result.SerializeToString()) == result


@given(people.CLEAN_USERS, people.changes(steps=("add",), selects=False))
def test_adding_twice_is_adding_once(user: User, change: UserChange):
    """The second of two equal additions changes nothing."""
    once = _applied_or_skip(user, change)

    assert patched(once, change) == once


@given(people.CLEAN_USERS)
def test_adding_what_is_there_changes_nothing(user: User):
    """Every value of a user can be added to that user."""
    steps = [
        UserChange(add={"field": field.name, "value": {field.name: value}})
        for field, value in user.ListFields()
    ]

    assert patched(user, *steps) == user


@given(people.USERS, people.changes(steps=("set",), selects=False))
def test_what_is_set_and_removed_is_absent(user: User, change: UserChange):
    """Removing a field undoes whatever set it."""
    path = change.set.field
    assume(path != "user_name")

    result = _applied_or_skip(user, change, UserChange(remove={"field": path}))

    shown = changes.project(result, FieldMask(paths=[path]))
    assert [field.name for field, _ in shown.ListFields() if field.name not in changes.ALWAYS] == []
