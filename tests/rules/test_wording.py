"""How values from outside appear in messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_service.rules import wording


@given(st.text(st.characters(), max_size=500))
def test_what_is_shown_is_one_short_printable_line(value):
    """Whatever a client sends can be logged, put in a trailer and read."""
    shown = wording.shown(value)

    assert shown.isprintable()
    assert len(shown) <= 10 * wording.SHOWN
    assert shown.encode() or not value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ada@example.com", "ada@example.com"),
        ("a\nb", "a\\nb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ud800b", "a\\ud800b"),
        ("x" * 81, "x" * 77 + "..."),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(value, expected):
    """A hidden character is visible in the message."""
    assert expected == wording.shown(value)


@pytest.mark.rule("R-125")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HAMBURG", "Hamburg"),
        ("Hamberg", "Hamburg"),
        ("Paris", None),
        ("", None),
        ("Hamburg" * 100, None),
    ],
)
def test_the_nearest_name_is_one_that_looks_alike(name, expected):
    """Letter case is no distance; what is far is not offered."""
    assert expected == wording.nearest(name, ["Hamburg", "hamburg", "Bavaria"])


@pytest.mark.rule("R-125")
def test_another_letter_case_is_found_among_any_number_of_names():
    """Only the search for less alike names is bounded."""
    names = [f"Team {number}" for number in range(5000)]

    assert wording.nearest("TEAM 4999", names) == "Team 4999"
    assert wording.nearest("Toam 4999", names) != "Team 4999"
