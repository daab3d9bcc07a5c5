"""Masks and normal forms of users: what they keep, what they refuse."""

import re
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from userdirectory.attributes import USER
from userdirectory.errors import DirectoryError
from userdirectory.v1.user_pb2 import User

from core_service import changes
from core_service.elements import LIMITS
from tests.unit import people

WORK = {"type": "work", "value": "w"}
HOME = {"type": "home", "value": "h"}


def test_clean_leaves_what_was_said():
    """Empty values, elements without a value, repetitions and derived values go."""
    sent = User(
        id="x",
        etag="x",
        role_id="x",
        create_time=Timestamp(seconds=1),
        user_name="ada",
        title="",
        active=False,
        name={"given_name": ""},
        emails=[WORK, {"type": "home"}, {**WORK, "display": ""}, {"value": "", "type": "x"}],
        addresses=[{"type": "work", "primary": True}, {"country": "DE"}],
        groups=[{"group_id": "g"}],
        enterprise={"manager": {"user_id": "", "display_name": "M"}},
        workplace={"teams": ["A", "", "A"]},
    )

    result = changes.clean(sent)

    assert result == User(
        user_name="ada",
        active=False,
        emails=[WORK],
        addresses=[{"country": "DE"}],
        workplace={"teams": ["A"]},
    )


def test_clean_refuses_two_primaries():
    """RFC 7643 section 2.4: one element at most is primary."""
    with pytest.raises(DirectoryError) as caught:
        changes.clean(
            User(roles=[{"value": "a", "primary": True}, {"value": "b", "primary": True}])
        )

    assert (caught.value.reason, caught.value.metadata) == ("FIELD_INVALID", {"field": "roles"})


@pytest.mark.parametrize(("field", "limit"), LIMITS.items())
def test_the_number_of_elements_is_limited(field: str, limit: int):
    """As many as the contract says are accepted, one more is not."""
    element = {"country": "DE"} if field == "addresses" else {"type": "t"}
    changes.element_limits(User(**{field: [element] * limit}))
    with pytest.raises(DirectoryError) as caught:
        changes.element_limits(User(**{field: [element] * (limit + 1)}))

    assert caught.value.metadata == {"field": field, "limit": str(limit)}


def test_limits_are_those_of_the_contract():
    """The comments of the contract and the table say the same."""
    said = {
        a.path: int(found[1])
        for a in USER.attributes
        if a.multi_valued and (found := re.search(r"at most (\d+)", a.description))
    }

    assert said == LIMITS


@given(people.CLEAN_USERS)
def test_clean_is_final(user: User):
    """What is clean stays as it is."""
    assert changes.clean(user) == user


@pytest.mark.rule("R-005", "D-25")
@pytest.mark.parametrize(
    ("paths", "after"),
    [
        ([], {"title": "a", "name": {"given_name": "A", "family_name": "B"}, "emails": [WORK]}),
        (
            ["title", "emails"],
            {"name": {"given_name": "A", "family_name": "B"}, "emails": [HOME]},
        ),
        (
            ["name"],
            {"title": "a", "name": {"given_name": "C"}, "emails": [WORK]},
        ),
        (
            ["name.given_name", "name.middle_name"],
            {"title": "a", "name": {"given_name": "C", "family_name": "B"}, "emails": [WORK]},
        ),
        (
            ["enterprise.manager.user_id", "workplace.teams", "name.family_name"],
            {
                "title": "a",
                "name": {"given_name": "A"},
                "emails": [WORK],
                "workplace": {"teams": ["T"]},
            },
        ),
        (
            ["id", "create_time", "role_id", "groups"],  # AIP-203: passed over
            {"title": "a", "name": {"given_name": "A", "family_name": "B"}, "emails": [WORK]},
        ),
    ],
)
def test_a_mask_says_what_is_set(paths: list[str], after: dict[str, Any]):
    """Fields in the mask become those of the new user, others stay."""
    user = User(
        id="u1",
        user_name="ada",
        title="a",
        name={"given_name": "A", "family_name": "B"},
        emails=[WORK],
    )
    new = User(
        user_name="eve",
        name={"given_name": "C"},
        emails=[HOME],
        workplace={"teams": ["T"]},
        role_id="r",
    )

    assert changes.apply_mask(user, new, paths) == User(id="u1", user_name="ada", **after)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nope", "FIELD_UNKNOWN"),
        ("*", "FIELD_UNKNOWN"),
        ("emails.value", "FIELD_INVALID"),
        ("user_name", "FIELD_INVALID"),  # required
    ],
)
def test_a_mask_is_refused(path: str, reason: str):
    """What a mask cannot say is refused with the path."""
    with pytest.raises(DirectoryError) as caught:
        changes.apply_mask(User(user_name="ada"), User(), [path])

    assert (caught.value.reason, caught.value.metadata) == (reason, {"field": path})


def test_a_replaced_user_keeps_what_is_the_directorys():
    """Replacing leaves identity, derived values and what may not be removed."""
    user = User(
        id="u1",
        user_name="ada",
        title="a",
        active=False,
        role_id="r",
        create_time=Timestamp(seconds=1),
        groups=[{"group_id": "g"}],
        workplace={"user_role": "R", "absence_region": "X", "teams": ["T"]},
    )
    new = User(id="x", user_name="eve", workplace={"absence_region": "Y"})

    result = changes.replace_user(
        user, new, ["active", "workplace.user_role", "workplace.absence_region"]
    )

    assert result == User(
        id="u1",
        user_name="eve",
        active=False,
        role_id="r",
        create_time=Timestamp(seconds=1),
        groups=[{"group_id": "g"}],
        workplace={"user_role": "R", "absence_region": "Y"},
    )


def test_a_replaced_user_has_a_name():
    """A required field cannot be left out."""
    with pytest.raises(DirectoryError) as caught:
        changes.replace_user(User(user_name="ada"), User(title="x"))

    assert caught.value.metadata == {"field": "user_name"}


SHOWN = User(
    id="u1",
    etag="e",
    create_time=Timestamp(seconds=1),
    user_name="ada",
    title="t",
    active=False,
    name={"given_name": "A", "family_name": "B"},
    emails=[WORK, {"display": "d"}],
    role_id="r",
    enterprise={"manager": {"user_id": "m"}, "department": "D"},
    workplace={"user_role": "R"},
)


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["title", "active"], {"title": "t", "active": False}),
        (["name"], {"name": {"given_name": "A", "family_name": "B"}}),
        (["name.given_name"], {"name": {"given_name": "A"}}),
        (["name.given_name", "name"], {"name": {"given_name": "A", "family_name": "B"}}),
        (["name", "name.given_name"], {"name": {"given_name": "A", "family_name": "B"}}),
        (["emails.value"], {"emails": [{"value": "w"}]}),
        (["emails"], {"emails": [WORK, {"display": "d"}]}),
        (["role_id", "ims", "workplace.teams"], {"role_id": "r"}),  # no empty workplace
        (["enterprise.manager.user_id"], {"enterprise": {"manager": {"user_id": "m"}}}),
    ],
)
def test_a_projection_keeps_what_is_named(paths: list[str], kept: dict[str, Any]):
    """The mask's fields, identity, version and times remain."""
    result = changes.project(SHOWN, FieldMask(paths=paths))

    assert result == User(id="u1", etag="e", create_time=Timestamp(seconds=1), **kept)


@pytest.mark.parametrize("paths", [[], ["*"], ["title", "*"]])
def test_no_mask_keeps_all(paths: list[str]):
    """Nothing named, or a star: the whole message (AIP-157)."""
    assert changes.project(SHOWN, FieldMask(paths=paths)) == SHOWN


@pytest.mark.parametrize("path", ["", "nope", "name.nope", "title.x", "emails.value.x", "name."])
def test_a_projection_is_refused(path: str):
    """A path that leads nowhere is refused, also behind one that is whole."""
    with pytest.raises(DirectoryError) as caught:
        changes.project(SHOWN, FieldMask(paths=["name", path]))

    assert (caught.value.reason, caught.value.metadata) == ("FIELD_UNKNOWN", {"field": path})


@pytest.mark.parametrize(
    ("paths", "field", "wanted"),
    [
        ([], "groups", True),
        (["*"], "groups", True),
        (["groups"], "groups", True),
        (["groups.display"], "groups", True),
        (["name"], "name.given_name", True),
        (["title"], "groups", False),
        (["groupsies"], "groups", False),
        (["title"], "etag", True),
    ],
)
def test_what_a_mask_wants(paths: list[str], field: str, wanted: bool):
    """A field is wanted if a path names it, a part of it or what it is in."""
    assert changes.wants(FieldMask(paths=paths), field) is wanted
