"""Chapters 6 to 9: what Okta, OneLogin and Microsoft Entra ID send."""

import pytest
from userdirectory.attributes import USER as TABLE

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import ENTERPRISE, Idp
from tests.scim import USER, WORKPLACE
from tests.system import System


@pytest.mark.rule("R-059", "R-060", "R-065")
async def test_the_connection_test_tells_a_right_token_from_a_wrong_one(
    directory: System, idp: Idp
):
    """Okta's and Entra's tests pass with the token, and fail as RFC 6750 says without."""
    wrong = Idp(directory.base_url, idp.place, idp.place.token[:-1] + "!")
    missing = Idp(directory.base_url, idp.place, "")

    for path in (
        "/Users?startIndex=1&count=2",
        '/Users?filter=userName%20eq%20"0a5b"',
        "/ServiceProviderConfig",
    ):
        assert 200 == (await idp.send("GET", path)).status
    for stranger in (wrong, missing):
        answer = await stranger.send("GET", "/Users?startIndex=1&count=2")
        stranger.close()
        assert (401, "401") == (answer.status, answer.body["status"])
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.rule("R-067", "R-087", "D-06")
@pytest.mark.parametrize(
    ("preset", "status"), [("SINGLE_ROLE", 400), ("ORG_CHART", 400), ("GROUP_MIRROR", 201)]
)
async def test_the_user_name_is_an_address_or_any_principal_name(
    new_idp: NewIdp, preset: str, status: int
):
    """Where accounts are matched by e-mail nothing else is a user name."""
    idp = await new_idp(preset)
    answer = await idp.post("g", userName=f"{idp.place.workspace_id}\\grace")

    assert status == answer.status
    if status == 400:
        assert "invalidValue" == answer.body["scimType"]
        assert "e-mail address" in answer.body["detail"]


@pytest.mark.rule("R-071")
async def test_onelogins_template_makes_a_user(idp: Idp):
    """The body of the default template, to the letter."""
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": idp.mail("sol"),
        "name": {"givenName": "Sol", "familyName": "Idris"},
        "emails": [{"value": idp.mail("sol"), "primary": True, "type": "work"}],
    }
    answer = await idp.send("POST", "/Users", body)

    assert 201 == answer.status
    assert body["emails"] == answer.body["emails"]
    assert body["name"] == answer.body["name"]


@pytest.mark.rule("R-072", "R-094", "D-42")
async def test_a_longer_template_is_taken_as_far_as_it_is_known(new_idp: NewIdp):
    """Known attributes are kept, unknown ones left out; only the strict preset refuses them."""
    more = {"title": "Captain", "favouriteColour": "green", "urn:acme:2.0:User": {"x": 1}}
    lenient, strict = await new_idp("SINGLE_ROLE"), await new_idp("STRICT_RFC")

    user = await lenient.create("g", **more)
    refused = await strict.post("g", **more)

    assert "Captain" == user["title"]
    assert not {"favouriteColour", "urn:acme:2.0:User"} & user.keys()
    assert 400 == refused.status
    assert "favouriteColour" in refused.body["detail"]
    assert 1 == len(await strict.find("Users"))


@pytest.mark.rule("R-075")
async def test_refreshing_entitlements_reads_all_roles_at_once(idp: Idp):
    """One list with stable ids and the exact number, without members if they are not wanted."""
    await idp.create("g")
    first = (await idp.send("GET", "/Groups?excludedAttributes=members")).body
    second = (await idp.send("GET", "/Groups")).body

    assert (3, 3) == (first["totalResults"], len(first["Resources"]))
    assert [group["id"] for group in first["Resources"]] == [
        group["id"] for group in second["Resources"]
    ]
    assert not any("members" in group for group in first["Resources"])
    assert any("members" in group for group in second["Resources"])


@pytest.mark.rule("R-076")
async def test_the_guest_role_is_never_shown(idp: Idp):
    """Neither in the list, nor by id, nor by a filter."""
    guest = idp.place.roles["Guest"]

    listed = await idp.find("Groups")
    by_name = await idp.find("Groups", 'displayName eq "Guest"')
    by_id = await idp.send("GET", f"/Groups/{guest}")

    assert guest not in {group["id"] for group in listed}
    assert [] == by_name
    assert 404 == by_id.status


@pytest.mark.rule("R-077", "R-085", "R-127", "R-143", "D-24")
async def test_roles_are_managed_in_the_product_alone(idp: Idp):
    """Creating, renaming and deleting a role is refused, and the answer says where to do it."""
    manager = f"/Groups/{idp.place.roles['Manager']}"

    for method, path, body in (
        ("POST", "/Groups", {"displayName": "Boss"}),
        ("PUT", manager, {"displayName": "Boss"}),
        ("DELETE", manager, None),
    ):
        answer = await idp.send(method, path, body)
        assert 403 == answer.status, method
        assert "Menu > Settings > Permissions" in answer.body["detail"]
        assert "group mapping" in answer.body["detail"] or method != "POST"
    assert {"Admin", "Manager", "Member"} == {
        group["displayName"] for group in await idp.find("Groups")
    }


@pytest.mark.rule("R-082")
@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", "application/scim+json"),
        ("application/scim+json", "application/scim+json"),
        ("application/json", "application/json"),  # what OneLogin's manual asks for
        ("text/html", "application/scim+json"),
    ],
)
async def test_no_accept_header_is_invalid(idp: Idp, accept: str, answered: str):
    """JSON by the name that is asked for, and an answer for those who ask for something else."""
    answer = await idp.send("GET", "/Users", headers={"Accept": accept})

    assert 200 == answer.status
    assert answered == answer.headers["Content-Type"].partition(";")[0]


@pytest.mark.rule("R-086", "R-173", "D-20")
async def test_create_update_and_delete_are_all_answered(idp: Idp):
    """Entra switches all three on; a deleted user is gone to it."""
    user = await idp.create("g")
    updated = await idp.set(user["id"], title="Captain")
    deleted = await idp.send("DELETE", f"/Users/{user['id']}")

    assert (200, 204) == (updated.status, deleted.status)
    assert 404 == (await idp.send("GET", f"/Users/{user['id']}")).status
    assert 404 == (await idp.send("DELETE", f"/Users/{user['id']}")).status


@pytest.mark.rule("R-088")
async def test_switch_expressions_yield_text(idp: Idp):
    """ "True" and "False" are truth values in any letters; any other text is refused."""
    user = await idp.create("g", active="True")

    for sent, kept in (("False", False), ("TRUE", True), ("fAlSe", False)):
        await idp.set_path(user["id"], "active", sent, op="Replace")
        assert kept is (await idp.get(user["id"]))["active"]
    refused = await idp.set_path(user["id"], "active", "yes")

    assert (400, "invalidValue") == (refused.status, refused.body["scimType"])


@pytest.mark.rule("R-089", "D-43")
@pytest.mark.parametrize("op", ["add", "replace"])
async def test_a_work_mail_that_is_missing_is_made(new_idp: NewIdp, op: str):
    """Entra's default mapping patches an element it never created; strict refuses to replace."""
    path = 'emails[type eq "work"].value'
    idp, strict = await new_idp("SINGLE_ROLE"), await new_idp("STRICT_RFC")
    user = await idp.create("g", emails=None)
    other = await strict.create("g", emails=None)

    made = await idp.set_path(user["id"], path, "g@work.example", op=op)
    refused = await strict.set_path(other["id"], path, "g@work.example", op=op)

    assert [("g@work.example", "work")] == [(m["value"], m["type"]) for m in made.body["emails"]]
    assert (200 if op == "add" else 400) == refused.status
    assert op == "add" or "noTarget" == refused.body["scimType"]


@pytest.mark.rule("R-090", "R-091", "R-092", "R-093")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("preferredLanguage", "de-DE"),  # preferredLanguage
        ("name.givenName", "Ada"),  # givenName
        ("name.familyName", "Byron"),  # surname
        ("userType", "Countess"),  # jobTitle, shown as position
    ],
)
@pytest.mark.parametrize("op", ["Add", "Replace"])
async def test_entras_mapped_attributes(idp: Idp, op: str, path: str, value: str):
    """One operation for one attribute, and the rest stays."""
    user = await idp.create("g")

    await idp.set_path(user["id"], path, value, op=op)
    after = await idp.get(user["id"])
    name, _, part = path.partition(".")

    assert value == (after[name][part] if part else after[name])
    assert user["emails"] == after["emails"]


@pytest.mark.rule("R-094")
async def test_entras_default_mapping_may_stay(idp: Idp):
    """What it maps besides our attributes stops nothing."""
    user = await idp.create(
        "g", nickName="G", displayName="G H", addresses=[{"type": "work", "formatted": "A 1"}]
    )
    sent = {f"{ENTERPRISE}:department": "R", "mailNickname": "g"}
    answer = await idp.set(user["id"], **sent)

    assert 200 == answer.status
    assert "R" == answer.body[ENTERPRISE]["department"]


@pytest.mark.rule("R-095")
@pytest.mark.parametrize("form", ["path", "flat key", "object"])
async def test_extension_attributes_in_every_form(idp: Idp, form: str):
    """By a path with the URN, by a key with the URN, and inside the extension's object."""
    user = await idp.create("g")

    if form == "path":
        await idp.set_path(user["id"], f"{WORKPLACE}:absenceRegion", "Bayern", op="Add")
    elif form == "flat key":
        await idp.set(user["id"], **{f"{WORKPLACE}:absenceRegion": "Bayern"})
    else:
        await idp.set(user["id"], **{WORKPLACE: {"absenceRegion": "Bayern"}})

    assert "Bayern" == (await idp.get(user["id"]))[WORKPLACE]["absenceRegion"]


@pytest.mark.rule("R-099", "R-105")
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_the_same_update_twice_changes_nothing_the_second_time(idp: Idp, verb: str):
    """Provisioning one user on demand again leaves the version as it is."""
    user = await idp.create("g")

    versions = []
    for _ in range(2):
        if verb == "PUT":
            body = {"userName": user["userName"], "title": "Captain", "timezone": "Europe/Paris"}
            await idp.send("PUT", f"/Users/{user['id']}", body)
        else:
            await idp.set(user["id"], title="Captain", timezone="europe/paris")
        versions.append((await idp.get(user["id"]))["meta"])

    assert user["meta"] != versions[0]
    assert versions[0] == versions[1]


@pytest.mark.rule("R-104", "R-138")
@pytest.mark.parametrize("form", ["text", "object", "list", "value path"])
async def test_the_manager_in_every_form(new_idp: NewIdp, form: str):
    """As text, as an object, as a list of one, and by the path of its value."""
    idp = await new_idp("ORG_CHART")
    boss, user = await idp.create("boss"), await idp.create("g")
    id_ = boss["id"]
    path = f"{ENTERPRISE}:manager" + (".value" if form == "value path" else "")
    value = {"text": id_, "object": {"value": id_}, "list": [{"value": id_}]}.get(form, id_)

    answer = await idp.set_path(user["id"], path, value, op="add")

    assert id_ == answer.body[ENTERPRISE]["manager"]["value"]
    assert "Grace Hopper" == answer.body[ENTERPRISE]["manager"]["displayName"]


@pytest.mark.rule("R-123")
async def test_the_extension_is_announced(idp: Idp):
    """/Schemas has it, and the resource type of users names it as optional."""
    schemas = (await idp.send("GET", "/Schemas")).body["Resources"]
    user = (await idp.send("GET", "/ResourceTypes/User")).body
    attributes = {s["id"]: {a["name"] for a in s["attributes"]} for s in schemas}

    assert {"teams", "absenceRegion", "userRole"} == attributes[WORKPLACE]
    assert {"schema": WORKPLACE, "required": False} in user["schemaExtensions"]
    assert USER == user["schema"]


@pytest.mark.rule("R-140")
async def test_the_predefined_schema_is_served(new_idp: NewIdp):
    """Group name, principal name, first and last name and e-mail are taken as they are mapped."""
    idp = await new_idp("GROUP_MIRROR")
    user = await idp.create("g")
    group = await idp.send("POST", "/Groups", {"displayName": "Crew"})
    schemas = (await idp.send("GET", "/Schemas")).body["Resources"]
    names = {attribute["name"] for schema in schemas for attribute in schema["attributes"]}

    assert {"displayName", "userName", "name", "emails"} <= names
    assert "Crew" == group.body["displayName"]
    assert (idp.mail("g"), "Grace", "Hopper", idp.mail("g")) == (
        user["userName"],
        user["name"]["givenName"],
        user["name"]["familyName"],
        user["emails"][0]["value"],
    )


@pytest.mark.rule("R-165", "R-166", "R-167")
@pytest.mark.parametrize("preset", ["SINGLE_ROLE", "GROUP_MIRROR"])
async def test_pictures_are_not_provisioned(new_idp: NewIdp, preset: str):
    """A photo in a request is left out, and no schema has the attribute."""
    idp = await new_idp(preset)
    user = await idp.create("g", photos=[{"value": "https://example.com/g.jpg", "type": "photo"}])
    answer = await idp.set_path(user["id"], "photos", [{"value": "https://example.com/h.jpg"}])

    assert 200 == answer.status
    assert "photos" not in answer.body
    assert "photos" not in user
    assert TABLE.named("photos", TABLE.urn) is None
