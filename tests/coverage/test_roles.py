"""Chapters 11 and 12: one role for everybody, an admin for every workspace, and guests."""

import pytest

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.coverage.product import Product
from tests.scim import WORKPLACE
from tests.system import System

ROLE = f"{WORKPLACE}:userRole"


def _join(user_id: str) -> dict[str, object]:
    return {"op": "add", "path": "members", "value": [{"value": user_id}]}


def _leave(user_id: str) -> dict[str, object]:
    return {"op": "remove", "path": f'members[value eq "{user_id}"]'}


@pytest.mark.rule("R-079", "R-144", "R-145", "R-146", "D-10")
@pytest.mark.parametrize("door", ["group", "extension", "roles"])
async def test_another_role_takes_the_place_of_the_first(idp: Idp, door: str):
    """A user is in one role at a time, whichever door the second comes through."""
    user = await idp.create("g", **{WORKPLACE: {"userRole": "Manager"}})
    id_ = user["id"]

    if door == "group":
        await idp.patch(f"/Groups/{idp.place.roles['Admin']}", _join(id_))
    elif door == "extension":
        await idp.set_path(id_, ROLE, "Admin")
    else:
        await idp.set_path(id_, "roles", [{"value": "Admin"}])
    after = await idp.get(id_)

    assert ["Admin"] == [group["display"] for group in after["groups"]]
    assert ("Admin", ["Admin"]) == (
        after[WORKPLACE]["userRole"],
        [role["value"] for role in after["roles"]],
    )
    assert [] == await idp.members(idp.place.roles["Manager"])


@pytest.mark.rule("R-078", "R-128", "D-09")
@pytest.mark.parametrize("join_first", [True, False])
async def test_moving_between_roles_in_either_order(idp: Idp, join_first: bool):
    """OneLogin's rules remove from one and add to another, in any order: the other it is."""
    user = await idp.create("g", **{WORKPLACE: {"userRole": "Manager"}})
    steps = [("Admin", _join(user["id"])), ("Manager", _leave(user["id"]))]

    for role, operation in steps if join_first else reversed(steps):
        answer = await idp.patch(f"/Groups/{idp.place.roles[role]}", operation)
        assert 200 == answer.status

    assert ["Admin"] == await idp.role_names(user["id"])


@pytest.mark.rule("R-145", "D-10")
async def test_two_roles_at_once_are_one_too_many(idp: Idp):
    """Unless exactly one of them is primary."""
    user = await idp.create("g")
    two = [{"value": "Manager"}, {"value": "Admin"}]

    refused = await idp.set_path(user["id"], "roles", two)
    chosen = await idp.set_path(user["id"], "roles", [two[0], {**two[1], "primary": True}])

    assert (400, "invalidValue") == (refused.status, refused.body["scimType"])
    assert 200 == chosen.status
    assert ["Admin"] == await idp.role_names(user["id"])


@pytest.mark.rule("R-143", "D-24")
async def test_writing_the_name_a_role_has_is_no_rename(idp: Idp):
    """Clients put groups with their names; only another name is refused."""
    manager = f"/Groups/{idp.place.roles['Manager']}"

    same = await idp.send("PUT", manager, {"displayName": "Manager", "members": []})
    other = await idp.patch(manager, {"op": "replace", "path": "displayName", "value": "Boss"})

    assert (200, 403) == (same.status, other.status)


@pytest.mark.rule("R-150", "D-16")
@pytest.mark.parametrize("preset", ["SINGLE_ROLE", "GROUP_MIRROR", "STRICT_RFC"])
async def test_the_last_admin_stays_by_every_door(directory: System, new_idp: NewIdp, preset: str):
    """Nothing that provisioning writes leaves a workspace without an active admin."""
    idp = await new_idp(preset)
    ada = idp.place.admin_id
    attempts = [
        await idp.set_path(ada, "active", False),
        await idp.set_path(ada, "roles", [{"value": "Member"}]),
        await idp.send("DELETE", f"/Users/{ada}"),
        await idp.send("PUT", f"/Users/{ada}", {"userName": idp.mail("ada"), "active": False}),
    ]
    if preset == "SINGLE_ROLE":
        attempts.append(await idp.set_path(ada, ROLE, "Member"))
        group = f"/Groups/{idp.place.roles['Admin']}"
        attempts.append(await idp.patch(group, _leave(ada)))
        attempts.append(await idp.send("PUT", group, {"displayName": "Admin", "members": []}))
        attempts.append(await idp.patch(f"/Groups/{idp.place.roles['Member']}", _join(ada)))

    assert {403} == {answer.status for answer in attempts}
    after = await Product(directory, idp.place).get(ada)
    assert (True, idp.place.roles["Admin"]) == (after.active, after.role_id)


@pytest.mark.rule("R-151", "D-09")
@pytest.mark.parametrize("way", ["remove", "null", "empty", "remove roles"])
async def test_the_role_cannot_be_removed(idp: Idp, way: str):
    """The answer says that a default value helps."""
    user = await idp.create("g", **{WORKPLACE: {"userRole": "Manager"}})

    if way == "remove roles":
        answer = await idp.patch(f"/Users/{user['id']}", {"op": "remove", "path": "roles"})
    elif way == "remove":
        answer = await idp.patch(f"/Users/{user['id']}", {"op": "remove", "path": ROLE})
    else:
        answer = await idp.set_path(user["id"], ROLE, None if way == "null" else "")

    assert (400, "mutability") == (answer.status, answer.body["scimType"])
    assert "default value" in answer.body["detail"]
    assert ["Manager"] == await idp.role_names(user["id"])


@pytest.mark.rule("R-151", "D-25")
async def test_a_put_that_names_no_role_leaves_it(new_idp: NewIdp):
    """Where a PUT replaces the user the other values go; emptying `roles` is refused."""
    idp = await new_idp("STRICT_RFC")
    user = await idp.create("g", roles=[{"value": "Manager"}, {"value": "sales"}])
    body = {"userName": user["userName"]}

    replaced = await idp.send("PUT", f"/Users/{user['id']}", body)
    refused = await idp.send("PUT", f"/Users/{user['id']}", {**body, "roles": []})

    assert ["Manager", "sales"] == sorted(role["value"] for role in user["roles"])
    assert ["Manager"] == [role["value"] for role in replaced.body["roles"]]
    assert (400, "mutability") == (refused.status, refused.body["scimType"])


@pytest.mark.rule("R-122", "D-42")
@pytest.mark.parametrize(("preset", "status"), [("GROUP_MIRROR", 200), ("STRICT_RFC", 400)])
async def test_where_groups_are_no_roles_the_extension_has_none(
    directory: System, new_idp: NewIdp, preset: str, status: int
):
    """Removing it is as writing it; removing the extension is about what is there."""
    idp = await new_idp(preset)
    user = await idp.create("g", **{WORKPLACE: {"teams": "Design"}})
    operation = {"op": "remove", "path": ROLE}

    written = await idp.set_path(user["id"], ROLE, "Manager")
    removed = await idp.patch(f"/Users/{user['id']}", operation)
    emptied = await idp.patch(f"/Users/{user['id']}", {**operation, "path": WORKPLACE})

    assert [status] * 2 == [written.status, removed.status]
    assert 200 == emptied.status
    assert WORKPLACE not in emptied.body
    shown = await Product(directory, idp.place).get(user["id"])
    assert idp.place.roles["Member"] == shown.role_id


@pytest.mark.rule("R-152")
async def test_a_new_user_gets_the_role_that_may_least(idp: Idp):
    """Of those that are not for guests; a role that is sent counts instead."""
    assert ["Member"] == await idp.role_names((await idp.create("g"))["id"])
    sent = await idp.create("h", **{WORKPLACE: {"userRole": "Manager"}})
    assert ["Manager"] == await idp.role_names(sent["id"])


@pytest.mark.rule("R-153")
async def test_no_update_changes_a_role_that_it_does_not_name(directory: System, idp: Idp):
    """A role given in the product stays through PUT, PATCH, deactivation and return."""
    user = await idp.create("g", externalId="1")
    await Product(directory, idp.place).set_role(user["id"], "Manager")

    body = {"userName": user["userName"], "title": "T", WORKPLACE: {"teams": "Design"}}
    await idp.send("PUT", f"/Users/{user['id']}", body)
    await idp.set(user["id"], title="U")
    await idp.set(user["id"], active=False)
    await idp.create("g", externalId="1")

    assert ["Manager"] == await idp.role_names(user["id"])


@pytest.mark.rule("R-154")
@pytest.mark.parametrize("preset", ["ORG_CHART", "GROUP_MIRROR"])
async def test_the_admin_role_is_the_products(directory: System, new_idp: NewIdp, preset: str):
    """Provisioning neither gives nor takes it, and writes an admin's profile all the same."""
    idp = await new_idp(preset)
    product = Product(directory, idp.place)
    user = await idp.create("g")
    await product.create("second", role="Admin")

    given = await idp.set_path(user["id"], "roles", [{"value": "Admin"}])
    created = await idp.post("h", roles=[{"value": "Admin"}])
    taken = await idp.set_path(idp.place.admin_id, "roles", [{"value": "Member"}])
    titled = await idp.set(idp.place.admin_id, title="Head")
    deactivated = await idp.set(idp.place.admin_id, active=False)

    assert [403] * 3 == [given.status, created.status, taken.status]
    assert [200] * 2 == [titled.status, deactivated.status]
    for id_, role in ((user["id"], "Member"), (idp.place.admin_id, "Admin")):
        assert idp.place.roles[role] == (await product.get(id_)).role_id


@pytest.mark.rule("R-155", "R-158", "D-15")
@pytest.mark.parametrize("role", ["userRole", "roles", "id"])
async def test_no_request_makes_a_guest(directory: System, idp: Idp, role: str):
    """A new user gets the default role; an existing one keeps theirs."""
    guest = idp.place.roles["Guest"] if role == "id" else "Guest"
    sent = {WORKPLACE: {"userRole": "Guest"}} if role == "userRole" else {"roles": [guest]}
    created = await idp.create("g", **sent)
    user = await idp.create("h")
    refused = await idp.set(user["id"], **sent)
    product = Product(directory, idp.place)

    assert (400, "invalidValue") == (refused.status, refused.body["scimType"])
    for id_ in (created["id"], user["id"]):
        assert idp.place.roles["Member"] == (await product.get(id_)).role_id


@pytest.mark.rule("R-039", "R-156", "D-15")
async def test_an_existing_guest_is_synced_and_stays_one(directory: System, new_idp: NewIdp):
    """The profile is written, without a seat; the role is kept and not shown."""
    idp = await new_idp(seats=1)  # the admin's
    product = Product(directory, idp.place)
    guest = await product.create("gus", role="Guest")

    linked = await idp.create("gus", title="Auditor")
    await idp.set(guest.id, active=False)
    back = await idp.set(guest.id, active=True)

    assert (guest.id, "Auditor") == (linked["id"], linked["title"])
    assert 200 == back.status
    assert "groups" not in back.body
    assert WORKPLACE not in back.body
    assert idp.place.roles["Guest"] == (await product.get(guest.id)).role_id


@pytest.mark.rule("R-157")
@pytest.mark.parametrize("verb", ["PATCH", "PUT", "DELETE"])
async def test_the_guest_role_is_no_group(idp: Idp, verb: str):
    """By its id it is not there, for reading and for writing."""
    user = await idp.create("g")
    path = f"/Groups/{idp.place.roles['Guest']}"

    if verb == "PATCH":
        answer = await idp.patch(path, _join(user["id"]))
    else:
        body = {"displayName": "Guest", "members": [{"value": user["id"]}]}
        answer = await idp.send(verb, path, body if verb == "PUT" else None)

    assert 404 == answer.status
    assert ["Member"] == await idp.role_names(user["id"])


@pytest.mark.rule("R-044", "R-156", "D-15")
async def test_promoting_a_guest_takes_a_seat(directory: System, new_idp: NewIdp):
    """An explicit role makes a guest more than one, if a seat is free."""
    full, idp = await new_idp(seats=1), await new_idp(seats=2)
    for each, status, role in ((full, 403, "Guest"), (idp, 200, "Member")):
        product = Product(directory, each.place)
        guest = await product.create("gus", role="Guest")
        answer = await each.set_path(guest.id, ROLE, "Member")

        assert status == answer.status
        assert each.place.roles[role] == (await product.get(guest.id)).role_id
