"""Teams and absence regions are joined by name."""

import pytest
from userdirectory.errors import DirectoryError

from core_service.rules import regions, teams

TEAMS = ["Design", "Development", "Caf\u00e9"]
REGIONS = ["Hamburg", "Bavaria"]


@pytest.mark.rule("R-119", "R-124", "D-12", "D-14")
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([], []),
        ([""], []),
        (["", " ", "\t"], []),  # only commas
        (["Design"], ["Design"]),
        ([" Development ", "Design"], ["Development", "Design"]),  # awork-extension-basic
        (["Design", "Design ", "Design"], ["Design"]),
        (["Cafe\u0301"], ["Caf\u00e9"]),
    ],
)
def test_the_list_of_teams_is_the_wanted_set(sent, expected):
    """Blanks and repetitions drop out, the order sent stays."""
    assert expected == teams.wanted(sent, TEAMS)


@pytest.mark.rule("R-124", "R-125", "D-12")
@pytest.mark.parametrize(
    ("name", "near"),
    [("design", "Design"), ("Developement", "Development"), ("Cafe", "Caf\u00e9")],
)
def test_an_unknown_team_is_refused_with_the_nearest(refused, name, near):
    """Names compare exactly; nothing is applied."""
    with refused("NAME_UNKNOWN", field="workplace.teams", value=name, near=near):
        teams.wanted(["Design", name], TEAMS)


@pytest.mark.rule("D-14")
def test_a_team_name_has_no_comma(refused):
    """A comma would make two names of one."""
    with refused("FIELD_INVALID", field="workplace.teams", value="Design, Development"):
        teams.wanted(["Design, Development"], TEAMS)


@pytest.mark.rule("D-12")
def test_a_monstrous_name_gets_a_short_answer():
    """64 kB of name: the value is cut, and no nearest is looked for."""
    with pytest.raises(DirectoryError) as caught:
        teams.wanted(["x" * 65_536], TEAMS)

    assert caught.value.reason == "NAME_UNKNOWN"
    assert "near" not in caught.value.metadata
    assert len(caught.value.message) + len(caught.value.metadata["value"]) < 500


@pytest.mark.rule("R-120", "R-124", "R-125", "D-12")
@pytest.mark.parametrize("name", ["Hamburg", "  Hamburg "])
def test_a_region_is_found_by_its_exact_name(name):
    """Blanks around a name do not matter."""
    assert regions.normalize(name, REGIONS) == "Hamburg"


@pytest.mark.rule("R-124", "R-125", "D-12")
def test_an_unknown_region_is_refused_with_the_nearest(refused):
    """Another letter case is another name."""
    with refused("NAME_UNKNOWN", field="workplace.absence_region", value="hamburg", near="Hamburg"):
        regions.normalize("hamburg", REGIONS)


@pytest.mark.rule("R-121", "D-13")
def test_a_region_cannot_be_removed(refused):
    """It can be changed only."""
    with refused("REGION_NOT_REMOVABLE", user_id="u1"):
        regions.guard_removal("Hamburg", "u1")


@pytest.mark.rule("R-121", "D-13")
def test_an_empty_region_for_who_has_none_removes_nothing():
    """Okta pushes empty values for attributes that are mapped and unused."""
    assert regions.guard_removal("", "u1") is None


@pytest.mark.parametrize("catalogue", [teams.catalogue, regions.catalogue])
def test_a_catalogue_is_kept_trimmed_and_composed(catalogue):
    """The names that users are matched with are in one form."""
    assert catalogue([" North ", "Cafe\u0301"]) == ["North", "Caf\u00e9"]
    assert catalogue([]) == []


@pytest.mark.rule("D-14")
@pytest.mark.parametrize(
    ("catalogue", "names", "field"),
    [
        (teams.catalogue, ["North", " North"], "teams"),
        (teams.catalogue, [" "], "teams"),
        (teams.catalogue, ["x" * 257], "teams"),
        (teams.catalogue, ["North, South"], "teams"),
        (teams.catalogue, ["No\x00rth"], "teams"),
        (regions.catalogue, ["North", "North"], "absence_regions"),
        (regions.catalogue, [""], "absence_regions"),
    ],
)
def test_a_catalogue_with_unusable_names_is_refused(catalogue, names, field):
    """Names are there once, not blank, not too long, and teams have no comma."""
    with pytest.raises(DirectoryError) as caught:
        catalogue(names)

    assert (caught.value.reason, caught.value.metadata["field"]) == ("FIELD_INVALID", field)


def test_a_region_may_have_a_comma():
    """Regions are not listed in one text."""
    assert regions.catalogue(["Berlin, Brandenburg"]) == ["Berlin, Brandenburg"]


@pytest.mark.rule("R-124")
def test_verify_finds_unknown_teams_and_regions():
    """Everyone is in teams and regions that there are, and in each once."""
    assert teams.verify(TEAMS, {"u1": ["Design"], "u2": []}) == []
    assert len(teams.verify(TEAMS, {"u1": ["design", "Gone"]})) == 2
    assert len(teams.verify(TEAMS, {"u1": ["Design", "Design"]})) == 1
    assert regions.verify(REGIONS, {"u1": "Bavaria"}) == []
    assert len(regions.verify(REGIONS, {"u1": "Bavaria", "u2": "Gone"})) == 1
