"""Time zones by their IANA names."""

import zoneinfo
from importlib import resources

import pytest
from tzlocal.windows_tz import win_tz
from userdirectory.errors import DirectoryError

from core_service.rules import timezones


@pytest.mark.rule("R-114")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Africa/Nairobi", "Africa/Nairobi"),  # entra-validator-users
        ("europe/berlin", "Europe/Berlin"),
        (" EUROPE/BERLIN ", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Calcutta"),  # a link stays what was sent
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("W. Europe Standard Time", "Europe/Berlin"),  # CLDR windowsZones, territory 001
        ("pacific standard time", "America/Los_Angeles"),
        ("India Standard Time", "Asia/Calcutta"),
    ],
)
def test_a_time_zone_gets_its_iana_name(sent, kept):
    """Links stay, Windows names are translated, letters may be in any case."""
    assert kept == timezones.normalize(sent)


@pytest.mark.rule("R-114")
@pytest.mark.parametrize(
    "sent",
    ["", "Mars/Olympus", "+02:00", "CEST/x", "../etc/passwd", "Europe/Berlin\x00", "x" * 5000],
)
def test_an_unknown_time_zone_is_refused(sent):
    """No name of the tz database, no time zone; the answer stays short."""
    with pytest.raises(DirectoryError) as caught:
        timezones.normalize(sent)

    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.metadata["field"] == "time_zone"
    assert len(caught.value.message) < 300


@pytest.mark.rule("R-114")
def test_the_refusal_names_the_nearest_zone(refused):
    """A slip of the pen is easy to correct."""
    with refused("FIELD_INVALID", field="time_zone", value="Europe/Berlim") as _:
        timezones.normalize("Europe/Berlim")
    with pytest.raises(DirectoryError, match="Did you mean Europe/Berlin"):
        timezones.normalize("Europe/Berlim")


@pytest.mark.rule("R-114")
def test_every_name_leads_to_a_zone_that_can_be_loaded():
    """All of the tz database, and every Windows name, become a zone."""
    zones = resources.files("tzdata").joinpath("zones").read_text("ascii").split()

    for name in [*zones, *win_tz]:
        assert zoneinfo.ZoneInfo(timezones.normalize(name))
    assert zones == [timezones.normalize(name.upper()) for name in zones]


@pytest.mark.rule("R-114")
def test_verify_finds_zones_that_are_none():
    """What is stored is an IANA name."""
    assert timezones.verify([("u1", "Europe/Berlin")]) == []
    assert len(timezones.verify([("u1", "europe/berlin"), ("u2", "UTC")])) == 1
