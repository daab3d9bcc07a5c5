"""Roles are made, renamed, ordered and deleted in the product, and users always have one."""

import pytest
from userdirectory.v1 import notice_pb2, role_pb2
from userdirectory.v1.user_directory_pb2 import GetRoleRequest, ListRolesRequest
from userdirectory.v1.workspace_admin_pb2 import (
    CreateRoleRequest,
    DeleteRoleRequest,
    GetWorkspaceRequest,
    ReorderRolesRequest,
    UpdateRoleRequest,
    UpdateWorkspaceRequest,
)

from tests.scim import PATCH_OP, WORKPLACE, person

ADMIN, REGULAR, GUEST = (
    role_pb2.ROLE_KIND_ADMIN,
    role_pb2.ROLE_KIND_REGULAR,
    role_pb2.ROLE_KIND_GUEST,
)
DAY = 24 * 3600 * 1_000_000


def rename(role_id, name, etag=""):
    """Return the request that renames a role."""
    return UpdateRoleRequest(role=role_pb2.Role(id=role_id, name=name, etag=etag))


def turn(role_id, kind):
    """Return the request that changes the kind of a role."""
    return UpdateRoleRequest(role=role_pb2.Role(id=role_id, kind=kind))


async def ranks(admin, place):
    """Return the names of the roles in order, as long as their ranks count from 1."""
    roles = (await admin.ask(place, ListRolesRequest())).roles
    assert [role.rank for role in roles] == list(range(1, len(roles) + 1))
    return [role.name for role in roles]


@pytest.mark.rule("R-143", "D-24")
async def test_roles_are_made_in_the_product_alone(admin):
    """SCIM cannot create, rename or delete one; a role made in the product is a group at once."""
    place = await admin.world.place()
    role_id = place.roles["Manager"]
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"displayName": "x"}}]}
    answers = [
        await admin.scim(place.token, "POST", "/Groups", {"displayName": "Lead"}),
        await admin.scim(place.token, "PATCH", f"/Groups/{role_id}", body),
        await admin.scim(place.token, "DELETE", f"/Groups/{role_id}"),
    ]
    made = (await admin.ask(place, CreateRoleRequest(role=role_pb2.Role(name="Lead")))).role
    group = await admin.scim(place.token, "GET", f"/Groups/{made.id}")

    assert [answer.status for answer in answers] == [403] * 3
    assert all("Settings > Permissions" in answer.body["detail"] for answer in answers)
    assert (group.status, group.body["displayName"]) == (200, "Lead")


async def test_a_role_is_made_at_its_rank(admin):
    """The others move down; without a rank it is the last, and then the default."""
    place = await admin.world.place()
    await admin.ask(place, CreateRoleRequest(role=role_pb2.Role(name=" Lead ", rank=2)))
    await admin.ask(place, CreateRoleRequest(role=role_pb2.Role(name="Reader")))
    user = await admin.user(place, "grace")

    assert await ranks(admin, place) == ["Admin", "Lead", "Manager", "Member", "Guest", "Reader"]
    assert user.workplace.user_role == "Reader"


@pytest.mark.parametrize(
    "role", [{"name": ""}, {"name": " Member "}, {"name": "x", "rank": -1}, {"name": "x" * 257}]
)
async def test_a_role_that_cannot_be_is_refused(admin, role):
    """Without a name, with a name there already, or with a rank before the first."""
    place = await admin.world.place()
    error = await admin.refused(place, CreateRoleRequest(role=role_pb2.Role(**role)))

    assert error.reason == "FIELD_INVALID"
    assert await ranks(admin, place) == ["Admin", "Manager", "Member", "Guest"]


@pytest.mark.rule("R-149")
async def test_a_renamed_role_is_the_same_role(admin):
    """Id, members and creation stay; its version and that of its users change."""
    place = await admin.world.place()
    role_id = place.roles["Manager"]
    user = await admin.user(place, "grace", "Manager")
    before = (await admin.scim(place.token, "GET", f"/Groups/{role_id}")).body
    answer = await admin.ask(place, rename(role_id, "Head"))
    after = (await admin.scim(place.token, "GET", f"/Groups/{role_id}")).body
    found = await admin.get(place, user.id)

    assert (after["id"], after["members"]) == (before["id"], before["members"])
    assert after["meta"]["created"] == before["meta"]["created"]
    assert after["meta"]["version"] != before["meta"]["version"]
    assert (after["displayName"], answer.role.name) == ("Head", "Head")
    assert (found.workplace.user_role, found.etag != user.etag) == ("Head", True)
    assert list(answer.notices) == []


@pytest.mark.rule("R-149")
@pytest.mark.parametrize("door", ["userRole", "roles"])
@pytest.mark.parametrize(("days", "warned"), [(0, True), (29, True), (31, False)])
async def test_renaming_warns_of_names_that_were_sent(admin, door, days, warned):
    """An integration that named the role by value within 30 days is told of."""
    place = await admin.world.place()
    role = {
        "userRole": {WORKPLACE: {"userRole": "Manager"}},
        "roles": {"roles": [{"value": "Manager"}]},
    }
    user = person(f"g@{place.workspace_id}.example", **role[door])
    made = await admin.scim(place.token, "POST", "/Users", user)
    admin.world.clock.micros += days * DAY
    answer = await admin.ask(place, rename(place.roles["Manager"], "Head"))
    integration = (await admin.integrations(place))[0]
    codes = [notice.code for notice in answer.notices]

    assert made.status == 201
    assert codes == ([notice_pb2.NOTICE_CODE_ROLE_NAME_IN_USE] if warned else [])
    assert all(integration.id in notice.message for notice in answer.notices)


@pytest.mark.rule("R-149")
async def test_a_name_that_is_sent_again_is_seen_again(admin):
    """Also when the user has the role already: a mapping sends it with every update."""
    place = await admin.world.place()
    extension = {WORKPLACE: {"userRole": "Manager"}}
    user = person(f"g@{place.workspace_id}.example", **extension)
    made = await admin.scim(place.token, "POST", "/Users", user)
    admin.world.clock.micros += 29 * DAY
    await admin.scim(place.token, "PUT", f"/Users/{made.body['id']}", user)
    admin.world.clock.micros += 29 * DAY
    answer = await admin.ask(place, rename(place.roles["Manager"], "Head"))

    assert len(answer.notices) == 1


async def test_a_stale_etag_and_an_unknown_role_are_refused(admin):
    """For each way to write a role."""
    place = await admin.world.place()
    stale = await admin.refused(place, rename(place.roles["Member"], "x", 'W/"0"'))
    unknown = [
        await admin.refused(place, each)
        for each in (
            rename("nobody", "x"),
            DeleteRoleRequest(id="nobody"),
            GetRoleRequest(id="nobody"),
            DeleteRoleRequest(id=place.roles["Manager"], replacement_id="nobody"),
        )
    ]

    assert stale.reason == "ETAG_MISMATCH"
    assert {error.reason for error in unknown} == {"ROLE_NOT_FOUND"}


@pytest.mark.rule("R-150", "D-16")
async def test_the_last_admin_keeps_an_admin_role(admin):
    """Neither another kind of the role nor its deletion takes the last active admin."""
    place = await admin.world.place()
    other = CreateRoleRequest(role=role_pb2.Role(name="Owner", kind=ADMIN))
    await admin.ask(place, other)
    role_id, member = place.roles["Admin"], place.roles["Member"]
    errors = [
        await admin.refused(place, turn(role_id, REGULAR)),
        await admin.refused(place, DeleteRoleRequest(id=role_id, replacement_id=member)),
    ]
    await admin.user(place, "olga", "Owner")
    await admin.ask(place, DeleteRoleRequest(id=role_id, replacement_id=member))
    found = await admin.get(place, place.admin_id)

    assert {error.reason for error in errors} == {"LAST_ADMIN"}
    assert found.workplace.user_role == "Member"


async def test_the_last_role_of_a_kind_stays(admin):
    """A workspace has a role for admins and one neither for admins nor for guests."""
    place = await admin.world.place()
    only = DeleteRoleRequest(id=place.roles["Manager"])
    await admin.ask(place, only)
    errors = [
        await admin.refused(place, DeleteRoleRequest(id=place.roles["Member"])),
        await admin.refused(place, turn(place.roles["Member"], GUEST)),
        await admin.refused(place, turn(place.roles["Admin"], REGULAR)),
        await admin.refused(place, DeleteRoleRequest(id=place.roles["Admin"])),
    ]

    assert {error.reason for error in errors} == {"FIELD_INVALID"}
    assert {error.metadata["field"] for error in errors} == {"roles.kind"}


@pytest.mark.rule("R-044", "R-045")
async def test_guests_who_become_members_take_seats(admin):
    """By another kind of their role or by its deletion; without a free seat nothing happens."""
    place = await admin.world.place(seats=2)
    guest, member = place.roles["Guest"], place.roles["Member"]
    for name in ("a", "b"):
        await admin.user(place, name, "Guest")
    errors = [
        await admin.refused(place, turn(guest, REGULAR)),
        await admin.refused(place, DeleteRoleRequest(id=guest, replacement_id=member)),
    ]
    workspace = (await admin.ask(place, GetWorkspaceRequest())).workspace
    workspace.seat_plan.total = 3
    await admin.ask(place, UpdateWorkspaceRequest(workspace=workspace))
    await admin.ask(place, turn(guest, REGULAR))

    assert {error.reason for error in errors} == {"NO_SEAT"}
    user = person(f"c@{place.workspace_id}.example")
    full = await admin.scim(place.token, "POST", "/Users", user)
    assert full.status == 403


async def test_users_of_a_deleted_role_get_another(admin):
    """The one named, those who are away too; without one named it is refused."""
    place = await admin.world.place()
    user = await admin.user(place, "grace", "Manager")
    manager, member = place.roles["Manager"], place.roles["Member"]
    await admin.ask(place, UpdateWorkspaceRequest(workspace={"default_role_id": manager}))
    error = await admin.refused(place, DeleteRoleRequest(id=manager))
    await admin.ask(place, DeleteRoleRequest(id=manager, replacement_id=member))
    found = await admin.get(place, user.id)
    workspace = (await admin.ask(place, GetWorkspaceRequest())).workspace

    assert error.metadata["field"] == "replacement_id"
    assert (found.role_id, found.etag != user.etag) == (member, True)
    assert workspace.default_role_id == ""
    assert await ranks(admin, place) == ["Admin", "Member", "Guest"]


@pytest.mark.rule("R-148")
async def test_a_deleted_role_asks_for_a_new_sync(admin):
    """Its id is 404 with that advice; ids that never were, and guest roles, have none."""
    place = await admin.world.place()
    await admin.ask(place, DeleteRoleRequest(id=place.roles["Manager"]))
    await admin.ask(place, DeleteRoleRequest(id=place.roles["Guest"]))
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": []}]}
    gone = [
        await admin.scim(place.token, "GET", f"/Groups/{place.roles['Manager']}"),
        await admin.scim(place.token, "PATCH", f"/Groups/{place.roles['Manager']}", body),
    ]
    never = [
        await admin.scim(place.token, "GET", f"/Groups/{id_}")
        for id_ in ("0" * 32, place.roles["Guest"])
    ]

    assert [answer.status for answer in gone + never] == [404] * 4
    assert all("Re-sync" in answer.body["detail"] for answer in gone)
    assert not any("Re-sync" in answer.body["detail"] for answer in never)


@pytest.mark.rule("R-170")
async def test_a_deleted_group_is_told_from_one_that_never_was(admin):
    """A tombstone keeps its id, which nothing gets again."""
    place = await admin.world.place("GROUP_MIRROR")
    made = await admin.scim(place.token, "POST", "/Groups", {"displayName": "Crew"})
    path = f"/Groups/{made.body['id']}"
    await admin.scim(place.token, "DELETE", path)
    again = await admin.scim(place.token, "DELETE", path)

    assert again.status == 404
    assert "was deleted" in again.body["detail"]


async def test_roles_are_put_in_another_order(admin):
    """With every id, once; anything else is refused."""
    place = await admin.world.place()
    ids = [place.roles[name] for name in ("Admin", "Member", "Manager", "Guest")]
    errors = [
        await admin.refused(place, ReorderRolesRequest(role_ids=each))
        for each in (ids[1:], [*ids, ids[0]], [*ids[1:], "nobody"])
    ]
    answer = await admin.ask(place, ReorderRolesRequest(role_ids=ids))
    user = await admin.user(place, "grace")

    assert {error.metadata["field"] for error in errors} == {"role_ids"}
    assert [role.id for role in answer.roles] == ids
    assert await ranks(admin, place) == ["Admin", "Member", "Manager", "Guest"]
    assert user.workplace.user_role == "Manager"
