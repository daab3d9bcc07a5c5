"""How people write times, durations, words and settings, and what they mean."""

from datetime import UTC, datetime

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from userdirectory.v1.integration_pb2 import Token
from userdirectory.v1.policy_pb2 import Policy, Preset
from userdirectory.v1.workspace_pb2 import Plan

from clients.cli import values

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("30s", 30), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("2w", 1_209_600)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int):
    """Seconds, minutes, hours, days and weeks have one letter each; 0 needs none."""
    duration = values.duration(text)

    assert duration is not None
    assert seconds == duration.ToSeconds()


@pytest.mark.parametrize("text", ["1", "h", "1 h", "-1h", "1.5h", "1h30m", "1y", "٣h", "1000000s"])
def test_what_is_no_duration_is_wrong_usage(text: str):
    """Anything else is refused, with what can be written."""
    with pytest.raises(typer.BadParameter, match="Write 30s, 15m, 1h, 7d or 2w"):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2h", "2026-01-31T10:00:00Z"),
        ("1w", "2026-01-24T12:00:00Z"),
        ("2026-01-31T09:30:00+02:00", "2026-01-31T07:30:00Z"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"),
    ],
)
def test_a_time_is_how_long_ago_or_iso_8601(text: str, instant: str):
    """Both forms mean an instant; an offset counts."""
    found = values.instant(text, NOON)

    assert found is not None
    assert instant == found.ToJsonString()


def test_no_text_is_no_time():
    """An option that is not given leaves the choice to the directory."""
    assert (None, None) == (values.instant(""), values.duration(""))


def test_a_time_without_offset_is_that_of_the_wall():
    """What is written as the wall shows it is shown as it was written."""
    token = Token(create_time=values.instant("2026-01-31T09:30:00"))

    assert "2026-01-31 09:30:00" == values.local(token, "create_time")
    assert "2026-01-31" == values.day(token, "create_time", "never")
    assert "never" == values.local(token, "expire_time", "never")


@given(st.sampled_from([Preset.DESCRIPTOR, Plan.DESCRIPTOR]), st.data())
def test_a_word_means_the_value_it_is_made_of(enum, data):
    """Every value of an enum is found by its word, in upper case, and by its full name."""
    value = data.draw(st.sampled_from([each for each in enum.values if each.number]))
    word = values.word(enum, value.number)

    assert word in values.words(enum)
    assert word == word.lower()
    for written in (word, word.upper(), value.name):
        assert value.number == values.number(enum, written)


def test_every_setting_can_be_assigned():
    """Each setting but the preset takes a value, and keeps it."""
    for name in values.setting_names():
        policy = Policy()
        field = Policy.DESCRIPTOR.fields_by_name[name]
        value = values.words(field.enum_type)[-1] if field.enum_type else "1"
        if field.type == field.TYPE_BOOL:
            value = "false"

        assert name == values.assign(policy, f"{name}={value}")
        assert policy.HasField(name) if field.has_presence else getattr(policy, name)


def test_a_list_can_be_set_to_nothing():
    """An empty list is a value: a workspace that speaks any language overrides a preset's list."""
    policy = Policy()

    values.assign(policy, "languages=")

    assert policy.HasField("languages")
    assert [] == policy.languages.tags
