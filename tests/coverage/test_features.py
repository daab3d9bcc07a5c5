"""Chapter 2: what can be provisioned at all."""

import pytest

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.coverage.product import Product
from tests.scim import WORKPLACE
from tests.system import System


@pytest.mark.rule("R-020", "R-141")
async def test_a_user_is_created_by_post(idp: Idp):
    """POST to the endpoint of users makes one: 201, its address and its version."""
    answer = await idp.post("g")
    meta = answer.body["meta"]

    assert 201 == answer.status
    assert meta["location"] == answer.headers["Location"]
    assert meta["location"].endswith(f"/Users/{answer.body['id']}")
    assert meta["version"]
    assert answer.body == await idp.get(answer.body["id"])


@pytest.mark.rule("R-021")
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_user_is_updated(idp: Idp, verb: str):
    """PUT and PATCH change a user, and its version."""
    user = await idp.create("g")

    if verb == "PUT":
        answer = await idp.send("PUT", f"/Users/{user['id']}", {**user, "title": "Captain"})
    else:
        answer = await idp.set(user["id"], title="Captain")

    assert (200, "Captain") == (answer.status, answer.body["title"])
    assert user["meta"]["version"] != answer.body["meta"]["version"]


@pytest.mark.rule("R-022", "R-088", "R-115")
@pytest.mark.parametrize("value", [False, "False", "false"])
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_a_user_is_deactivated(idp: Idp, verb: str, value: object):
    """`active` false, as a truth value or as text, by PUT and by PATCH."""
    user = await idp.create("g")

    if verb == "PUT":
        await idp.send("PUT", f"/Users/{user['id']}", {**user, "active": value})
    else:
        await idp.set_path(user["id"], "active", value, op="Replace")

    assert (await idp.get(user["id"]))["active"] is False


@pytest.mark.rule("R-023", "D-21")
@pytest.mark.parametrize("way", ["PATCH", "POST"])
async def test_a_deactivated_user_is_assigned_again(idp: Idp, way: str):
    """Both `active: true` and another POST bring back the same user."""
    user = await idp.create("g", externalId="1")
    await idp.set(user["id"], active=False)

    if way == "PATCH":
        answer = await idp.set(user["id"], active=True)
    else:
        answer = await idp.post("g", externalId="1")

    assert answer.status in (200, 201)
    assert (user["id"], True) == (answer.body["id"], answer.body["active"])


@pytest.mark.rule("R-024", "R-127")
async def test_the_roles_are_read_as_groups(idp: Idp):
    """/Groups lists the roles by their names and ids, and who has them; not the guest role."""
    user = await idp.create("g")
    found = {group["displayName"]: group["id"] for group in await idp.find("Groups")}
    roles = idp.place.roles

    assert {name: roles[name] for name in ("Admin", "Manager", "Member")} == found
    assert [user["id"]] == await idp.members(roles["Member"])


@pytest.mark.rule("R-025", "R-128")
async def test_roles_are_assigned_by_groups(idp: Idp):
    """Joining, replacing and leaving the members of a role's group."""
    first, second = await idp.create("g"), await idp.create("h")
    group = f"/Groups/{idp.place.roles['Manager']}"

    await idp.patch(group, {"op": "add", "path": "members", "value": [{"value": first["id"]}]})
    added = await idp.role_names(first["id"])
    body = {"displayName": "Manager", "members": [{"value": second["id"]}]}
    await idp.send("PUT", group, body)
    put = [await idp.role_names(user["id"]) for user in (first, second)]
    await idp.patch(group, {"op": "remove", "path": f'members[value eq "{second["id"]}"]'})

    assert ["Manager"] == added
    assert [["Member"], ["Manager"]] == put
    assert ["Member"] == await idp.role_names(second["id"])


@pytest.mark.rule("R-026", "R-119", "D-14")
async def test_teams_are_assigned_by_the_extension(idp: Idp):
    """The list is the wanted set: who is not in it leaves."""
    user = await idp.create("g", **{WORKPLACE: {"teams": "Design"}})

    await idp.set_path(user["id"], f"{WORKPLACE}:teams", " Support ,, Support")
    moved = (await idp.get(user["id"]))[WORKPLACE]
    await idp.set_path(user["id"], f"{WORKPLACE}:teams", "")

    assert "Support" == moved["teams"]
    assert "teams" not in (await idp.get(user["id"]))[WORKPLACE]


@pytest.mark.rule("R-027", "R-120", "R-121")
async def test_the_absence_region_is_assigned_by_the_extension(idp: Idp):
    """It is set and changed by name, and nothing takes it away."""
    user = await idp.create("g", **{WORKPLACE: {"absenceRegion": "Bayern"}})
    path = f"{WORKPLACE}:absenceRegion"

    await idp.set_path(user["id"], path, "Hessen")
    refused = [
        await idp.patch(f"/Users/{user['id']}", {"op": "remove", "path": path}),
        await idp.set_path(user["id"], path, ""),
        await idp.set_path(user["id"], path, None),
    ]

    for answer in refused:
        assert (400, "mutability") == (answer.status, answer.body["scimType"])
    assert "Hessen" == (await idp.get(user["id"]))[WORKPLACE]["absenceRegion"]


@pytest.mark.rule("R-028", "R-122", "R-146")
async def test_the_role_is_assigned_by_the_extension(idp: Idp):
    """`userRole` names the role; the group of the role follows."""
    user = await idp.create("g", **{WORKPLACE: {"userRole": "Manager"}})
    at_first = await idp.role_names(user["id"])

    await idp.set_path(user["id"], f"{WORKPLACE}:userRole", "Member")

    assert ["Manager"] == at_first
    assert ["Member"] == await idp.role_names(user["id"])
    assert "Member" == (await idp.get(user["id"]))[WORKPLACE]["userRole"]


@pytest.mark.rule("R-029")
async def test_all_users_can_be_imported(new_idp: NewIdp):
    """Pages give everyone once, active and inactive, and say how many there are."""
    idp = await new_idp("ORG_CHART")
    users = [await idp.create(name) for name in "abcdefg"]
    await idp.set(users[0]["id"], active=False)

    pages = [
        (await idp.send("GET", f"/Users?startIndex={start}&count=3")).body for start in (1, 4, 7)
    ]
    read = [user["id"] for page in pages for user in page["Resources"]]

    assert {8} == {page["totalResults"] for page in pages}
    assert len(read) == 8
    assert {idp.place.admin_id, *(user["id"] for user in users)} == set(read)


@pytest.mark.rule("R-030", "D-31")
@pytest.mark.parametrize(("preset", "kept"), [("ORG_CHART", True), ("SINGLE_ROLE", False)])
async def test_a_password_is_taken_and_never_told(new_idp: NewIdp, preset: str, kept: bool):
    """By POST, PUT and PATCH, whether it is kept or not; discovery says which."""
    idp = await new_idp(preset)
    user = await idp.create("g", password="correct horse")
    put = await idp.send("PUT", f"/Users/{user['id']}", {**user, "password": "battery staple"})
    patched = await idp.set_path(user["id"], "password", "another one")
    config = (await idp.send("GET", "/ServiceProviderConfig")).body
    searched = await idp.send("GET", '/Users?filter=password%20eq%20"another%20one"')

    assert (200, 200, 400) == (put.status, patched.status, searched.status)
    for shown in (user, put.body, patched.body, await idp.get(user["id"])):
        assert "password" not in shown
    assert kept is config["changePassword"]["supported"]


@pytest.mark.rule("R-031")
async def test_users_groups_and_memberships_are_mirrored(new_idp: NewIdp):
    """Groups are their own, are made by provisioning, and have the members that it says."""
    idp = await new_idp("GROUP_MIRROR")
    user = await idp.create("g")

    made = await idp.send(
        "POST", "/Groups", {"displayName": "Crew", "members": [{"value": user["id"]}]}
    )
    joined = (await idp.get(user["id"]))["groups"]
    await idp.patch(
        f"/Groups/{made.body['id']}", {"op": "remove", "path": "members", "value": [user["id"]]}
    )

    assert [(made.body["id"], "Crew")] == [(group["value"], group["display"]) for group in joined]
    assert [] == await idp.members(made.body["id"])
    assert "groups" not in await idp.get(user["id"])


@pytest.mark.rule("R-115")
async def test_deactivated_is_the_opposite_of_active(directory: System, idp: Idp):
    """What provisioning writes to `active`, the product reads as deactivated."""
    user = await idp.create("g", active=False)
    product = Product(directory, idp.place)
    before = (await product.get(user["id"])).active
    await idp.set(user["id"], active=True)

    assert (False, True) == (before, (await product.get(user["id"])).active)
