"""Chapters 13, 15 and 16: the account's address, deletion, and groups of their own."""

import pytest
from userdirectory.v1 import policy_pb2

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.coverage.product import Product
from tests.system import System
from tests.workspaces import new_place


@pytest.mark.rule("R-035", "R-159", "R-160", "D-04")
async def test_the_account_address_follows_the_user_name(idp: Idp):
    """And contact addresses follow `emails`, each alone."""
    user = await idp.create("g")

    await idp.set(user["id"], userName=idp.mail("h"))
    renamed = await idp.get(user["id"])
    await idp.set_path(user["id"], 'emails[type eq "work"].value', "h@work.example")
    after = await idp.get(user["id"])

    assert idp.mail("h") == renamed["userName"]
    assert user["emails"] == renamed["emails"]
    assert (idp.mail("h"), "h@work.example") == (after["userName"], after["emails"][0]["value"])
    assert [user["id"]] == [
        found["id"] for found in await idp.find("Users", f'userName eq "{idp.mail("h")}"')
    ]


@pytest.mark.rule("R-035", "R-108", "R-109", "R-161", "D-04", "D-05")
async def test_a_shared_account_is_the_persons(directory: System, new_idp: NewIdp):
    """With users in two workspaces neither changes the address; nothing of the request is kept."""
    here, there = await new_idp(), await new_idp()
    mail = here.mail("sam")
    ours = await here.create("sam")
    theirs = await there.create("sam", userName=mail)

    refused = await here.set(ours["id"], userName=here.mail("sammy"), title="Captain")
    named = await here.set(ours["id"], name={"givenName": "Samuel"})

    assert (400, "mutability") == (refused.status, refused.body["scimType"])
    assert there.place.workspace_id not in refused.body["detail"]
    assert "title" not in named.body
    assert (mail, "Samuel") == (named.body["userName"], named.body["name"]["givenName"])
    assert theirs == await there.get(theirs["id"])


@pytest.mark.rule("R-162")
async def test_an_address_that_another_account_has(new_idp: NewIdp):
    """It is refused here and wherever it is, and the answer does not say where."""
    here, there = await new_idp(), await new_idp()
    user, other = await here.create("g"), await there.create("h")
    await here.create("i")

    for taken in (other["userName"], here.mail("i").upper()):
        refused = await here.set(user["id"], userName=taken)
        assert (409, "uniqueness") == (refused.status, refused.body["scimType"])
        shown = refused.body["detail"].replace(taken, "")
        assert there.place.workspace_id not in shown
    assert user == await here.get(user["id"])


@pytest.mark.rule("R-163")
async def test_an_address_is_free_when_its_user_is_purged(new_idp: NewIdp):
    """Purging the last user of an account deletes the account."""
    idp = await new_idp("GROUP_MIRROR")
    user, other = await idp.create("g"), await idp.create("h")
    await idp.send("DELETE", f"/Users/{other['id']}")

    answer = await idp.set(user["id"], userName=other["userName"])

    assert (200, other["userName"]) == (answer.status, answer.body["userName"])


@pytest.mark.rule("R-164", "D-04")
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_user_name_may_be_the_products(new_idp: NewIdp, verb: str):
    """Where the policy says IGNORE the name stays, and the rest of the request is done."""
    idp = await new_idp("ORG_CHART")
    user = await idp.create("g")

    if verb == "PUT":
        body = {"userName": idp.mail("h"), "title": "Captain"}
        answer = await idp.send("PUT", f"/Users/{user['id']}", body)
    else:
        answer = await idp.set(user["id"], userName=idp.mail("h"), title="Captain")

    assert 200 == answer.status
    assert (user["userName"], "Captain") == (answer.body["userName"], answer.body["title"])


@pytest.mark.rule("R-168", "R-169", "D-20")
async def test_out_of_scope_and_back(directory: System, new_idp: NewIdp):
    """Deactivated is deleted softly, still to be read; `active: true` brings all of it back."""
    idp = await new_idp("GROUP_MIRROR")
    product = Product(directory, idp.place)
    user = await idp.create("g", title="Captain")
    members = [{"value": user["id"]}]
    await idp.send("POST", "/Groups", {"displayName": "Crew", "members": members})

    away = await idp.set(user["id"], active=False)
    deleted = (await product.get(user["id"])).HasField("delete_time")
    back = await idp.set(user["id"], active=True)

    assert (200, False, True) == (away.status, away.body["active"], deleted)
    assert ("Captain", "Crew") == (back.body["title"], back.body["groups"][0]["display"])
    assert not (await product.get(user["id"])).HasField("delete_time")


@pytest.mark.rule("R-023", "R-171", "R-173", "D-20", "D-21")
@pytest.mark.parametrize(("preset", "same"), [("SINGLE_ROLE", True), ("GROUP_MIRROR", False)])
async def test_what_deleting_means(new_idp: NewIdp, preset: str, same: bool):
    """Unlinked, the same person comes back as the same user; purged, as another."""
    idp = await new_idp(preset)
    user = await idp.create("g", title="Captain")

    deleted = await idp.send("DELETE", f"/Users/{user['id']}")
    gone = await idp.send("GET", f"/Users/{user['id']}")
    again = await idp.create("g")

    assert (204, 404) == (deleted.status, gone.status)
    assert same is (user["id"] == again["id"])
    assert same is ("title" in again)


@pytest.mark.rule("R-170", "R-172")
async def test_a_deleted_group_is_gone(new_idp: NewIdp):
    """With its memberships, for good; its users stay."""
    idp = await new_idp("GROUP_MIRROR")
    user = await idp.create("g")
    body = {"displayName": "Crew", "members": [{"value": user["id"]}]}
    first = (await idp.send("POST", "/Groups", body)).body

    deleted = await idp.send("DELETE", f"/Groups/{first['id']}")
    again = await idp.send("POST", "/Groups", {"displayName": "Crew"})

    assert (204, 201) == (deleted.status, again.status)
    assert 404 == (await idp.send("GET", f"/Groups/{first['id']}")).status
    assert first["id"] != again.body["id"]
    assert "groups" not in await idp.get(user["id"])


@pytest.mark.rule("R-176", "D-27")
@pytest.mark.parametrize(("preset", "refused"), [("GROUP_MIRROR", True), ("STRICT_RFC", False)])
async def test_names_of_groups_are_unique(new_idp: NewIdp, preset: str, refused: bool):
    """Trimmed and in any letters, when a group is made and when it is renamed."""
    idp = await new_idp(preset)
    await idp.send("POST", "/Groups", {"displayName": "Crew"})
    other = (await idp.send("POST", "/Groups", {"displayName": "Fleet"})).body

    made = await idp.send("POST", "/Groups", {"displayName": " CREW "})
    renamed = await idp.patch(
        f"/Groups/{other['id']}", {"op": "replace", "path": "displayName", "value": "crew"}
    )

    assert ((409, 409) if refused else (201, 200)) == (made.status, renamed.status)
    if refused:
        assert {"uniqueness"} == {made.body["scimType"], renamed.body["scimType"]}


@pytest.mark.rule("R-177", "D-26")
@pytest.mark.parametrize(
    ("preset", "status", "kept"),
    [("GROUP_MIRROR", 200, 0), ("ORG_CHART", 400, 0), ("STRICT_RFC", 200, 1)],
)
async def test_a_group_in_a_group(new_idp: NewIdp, preset: str, status: int, kept: int):
    """Left out, refused or stored; its users never become members, but see it around theirs."""
    idp = await new_idp(preset)
    user = await idp.create("g")
    body = {"displayName": "Crew", "members": [{"value": user["id"]}]}
    crew = (await idp.send("POST", "/Groups", body)).body
    fleet = (await idp.send("POST", "/Groups", {"displayName": "Fleet"})).body

    answer = await idp.patch(
        f"/Groups/{fleet['id']}", {"op": "add", "path": "members", "value": [{"value": crew["id"]}]}
    )

    assert status == answer.status
    assert [crew["id"]] * kept == await idp.members(fleet["id"])
    groups = (await idp.get(user["id"]))["groups"]
    around = [("Fleet", "indirect")] * kept
    assert [("Crew", "direct"), *around] == [(each["display"], each["type"]) for each in groups]


@pytest.mark.rule("R-044", "R-046", "D-17")
async def test_no_seat_no_user(new_idp: NewIdp):
    """Refused with the numbers, never with 429; inactive users need none."""
    idp = await new_idp(seats=1)

    refused = await idp.post("g")
    inactive = await idp.create("h", active=False)
    activated = await idp.set(inactive["id"], active=True)

    for answer in (refused, activated):
        assert 403 == answer.status
        assert "1 of 1" in answer.body["detail"]
    assert 2 == len(await idp.find("Users"))


@pytest.mark.rule("R-004", "R-038", "R-039")
async def test_who_is_not_named_is_not_touched(directory: System, idp: Idp):
    """Users of the product and guests are the same to the last byte after others were synced."""
    product = Product(directory, idp.place)
    others = [await product.create("emil"), await product.create("gus", role="Guest")]

    user = await idp.create("g", externalId="1")
    await idp.set(user["id"], userName=idp.mail("h"), active=False)
    await idp.patch(
        f"/Groups/{idp.place.roles['Manager']}",
        {"op": "add", "path": "members", "value": [{"value": user["id"]}]},
    )
    await idp.send("DELETE", f"/Users/{user['id']}")

    for other in others:
        assert other == await product.get(other.id)


@pytest.mark.rule("R-174", "R-175", "D-28")
async def test_the_limits_are_the_policys(directory: System):
    """A workspace of the mirror preset may have 100,000 users and 10,000 groups."""
    place = await new_place(directory.core, policy_pb2.PRESET_GROUP_MIRROR)

    async def read(tx: object) -> tuple[int, int]:
        context = await directory.core.contexts.read(tx, place.workspace_id)  # type: ignore[arg-type]
        return context.policy.max_users, context.policy.max_groups

    assert (100_000, 10_000) == await directory.core.storage.read(read)
