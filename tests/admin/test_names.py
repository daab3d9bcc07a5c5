"""Teams and absence regions are names that users have, and keep when they change."""

import pytest
from userdirectory.v1.workspace_admin_pb2 import (
    CreateAbsenceRegionRequest,
    CreateTeamRequest,
    DeleteAbsenceRegionRequest,
    DeleteTeamRequest,
    RenameAbsenceRegionRequest,
    RenameTeamRequest,
)


@pytest.mark.rule("R-119", "D-14")
async def test_a_team_is_added_under_a_name_without_a_comma(admin):
    """Trimmed; blank, there already or with a comma it is refused."""
    place = await admin.world.place()
    added = await admin.ask(place, CreateTeamRequest(name=" Sales "))
    errors = [
        await admin.refused(place, CreateTeamRequest(name=name))
        for name in ("Sales", " ", "a, b", "x" * 257)
    ]
    renamed = await admin.refused(place, RenameTeamRequest(name="Sales", new_name="a,b"))

    assert list(added.teams) == ["Design", "Support", "Sales"]
    assert {error.reason for error in (*errors, renamed)} == {"FIELD_INVALID"}


@pytest.mark.rule("R-124", "R-125")
async def test_users_stay_in_a_renamed_team(admin):
    """Read and found under the new name, under another etag; no one under the old one."""
    place = await admin.world.place()
    user = await admin.user(place, "grace", teams=["Support", "Design"])
    other = await admin.user(place, "ada2", teams=["Support"])
    answer = await admin.ask(place, RenameTeamRequest(name="Design", new_name="Form"))
    found = await admin.get(place, user.id)
    where = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User:teams%20{}%20%22{}%22"
    lists = [
        (await admin.scim(place.token, "GET", f"/Users?filter={where.format('co', name)}")).body
        for name in ("Form", "Design")
    ]

    assert list(answer.teams) == ["Form", "Support"]
    assert list(found.workplace.teams) == ["Support", "Form"]
    assert found.etag != user.etag
    assert [each["totalResults"] for each in lists] == [1, 0]
    assert (await admin.get(place, other.id)).etag == other.etag


async def test_more_users_than_one_page_are_rewritten(admin, monkeypatch):
    """All of them, whatever a page holds."""
    monkeypatch.setattr("core_service.name_catalogues._PAGE", 3)
    place = await admin.world.place()
    users = [await admin.user(place, f"u{n}", teams=["Design"]) for n in range(7)]
    await admin.ask(place, RenameTeamRequest(name="Design", new_name="Form"))
    found = [list((await admin.get(place, user.id)).workplace.teams) for user in users]

    assert found == [["Form"]] * 7


async def test_users_leave_a_deleted_team(admin):
    """And nobody can be put into it."""
    place = await admin.world.place()
    user = await admin.user(place, "grace", teams=["Support"])
    answer = await admin.ask(place, DeleteTeamRequest(name="Support"))
    error = await admin.refused(place, DeleteTeamRequest(name="design"))

    assert list(answer.teams) == ["Design"]
    assert list((await admin.get(place, user.id)).workplace.teams) == []
    assert (error.reason, error.metadata["near"]) == ("NAME_UNKNOWN", "Design")


@pytest.mark.rule("R-120", "R-121", "D-13")
async def test_a_region_that_someone_has_stays(admin):
    """It can be renamed, with its users; deleted only when nobody has it."""
    place = await admin.world.place()
    user = await admin.user(place, "grace", absence_region="Bayern")
    error = await admin.refused(place, DeleteAbsenceRegionRequest(name="Bayern"))
    renamed = await admin.ask(place, RenameAbsenceRegionRequest(name="Bayern", new_name="Bavaria"))
    still = await admin.refused(place, DeleteAbsenceRegionRequest(name="Bavaria"))
    left = await admin.ask(place, DeleteAbsenceRegionRequest(name="Hessen"))
    found = await admin.get(place, user.id)

    assert error.reason == still.reason == "FIELD_INVALID"
    assert list(renamed.absence_regions) == ["Bavaria", "Hessen"]
    assert list(left.absence_regions) == ["Bavaria"]
    assert (found.workplace.absence_region, found.etag != user.etag) == ("Bavaria", True)


async def test_regions_are_added(admin):
    """Exactly once each, with commas if they like."""
    place = await admin.world.place()
    added = await admin.ask(place, CreateAbsenceRegionRequest(name="Wien, Stadt"))
    twice = await admin.refused(place, CreateAbsenceRegionRequest(name="Hessen"))

    assert list(added.absence_regions) == ["Bayern", "Hessen", "Wien, Stadt"]
    assert twice.reason == "FIELD_INVALID"
