"""Every RPC of groups, roles and workspaces as a caller sees it."""

import pytest
from userdirectory.v1 import policy_pb2, role_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.notice_pb2 import NOTICE_CODE_MEMBER_SKIPPED
from userdirectory.v1.user_pb2 import User
from userdirectory.v1.workspace_admin_pb2 import CreateWorkspaceRequest, GetWorkspaceRequest

from tests.contract.conftest import refusal
from tests.contract.test_users import created


async def new_group(world, place, name, *members):
    """Return a new group."""
    wanted = Group(display_name=name, members=[Member(member_id=user.id) for user in members])
    return (await world.ask(place.token, api.CreateGroupRequest(group=wanted))).group


def member_change(kind, *users):
    """Return the step `add` or `discard` for members."""
    members = Group(members=[Member(member_id=user.id) for user in users])
    return GroupChange(**{kind: GroupValue(field="members", value=members)})


async def test_a_group_is_created_and_read_back(world):
    """What was created is what is read; members come when they are asked for."""
    place = await world.place("GROUP_MIRROR")
    user = await created(world, place, "grace")
    made = await new_group(world, place, "Sales", user)
    mask = {"paths": ["members", "member_count"]}
    whole = await world.ask(place.token, api.GetGroupRequest(id=made.id, read_mask=mask))
    brief = await world.ask(place.token, api.GetGroupRequest(id=made.id))

    assert [member.member_id for member in whole.group.members] == [user.id]
    assert whole.group.members[0].type == "User"
    assert whole.group.member_count == made.member_count == 1
    assert (made.display_name, made.etag) == ("Sales", 'W/"1"')
    assert brief.group.display_name == "Sales"
    assert not brief.group.members


@pytest.mark.rule("D-26")
@pytest.mark.parametrize("preset", ["GROUP_MIRROR", "STRICT_RFC"])
async def test_a_member_who_is_not_here_is_left_out(world, preset):
    """A device or somebody who is not provisioned keeps nobody else out, and is told of."""
    place = await world.place(preset)
    user = await created(world, place, "grace")
    group = await new_group(world, place, "Sales")
    nobody = User(id="nobody")
    request = api.PatchGroupRequest(id=group.id, changes=[member_change("add", nobody, user)])
    patched = await world.ask(place.token, request)
    request = api.PatchGroupRequest(id=group.id, changes=[member_change("add", nobody)])
    again = await world.ask(place.token, request)

    for answer in (patched, again):
        [notice] = answer.notices
        assert notice.code == NOTICE_CODE_MEMBER_SKIPPED
        assert "nobody" in notice.message
    assert patched.group.member_count == 1
    assert again.group.etag == patched.group.etag


@pytest.mark.rule("D-26")
async def test_a_member_who_is_not_here_is_refused(world):
    """By a policy that takes users alone, and for products under every policy."""
    strict, lenient = await world.place("ORG_CHART"), await world.place("GROUP_MIRROR")
    wanted = Group(display_name="Crew", members=[Member(member_id="nobody")])
    refused = await refusal(world.ask(strict.token, api.CreateGroupRequest(group=wanted)))
    request = api.CreateGroupRequest(group=wanted, workspace_id=lenient.workspace_id)
    product = await refusal(world.ask(await world.service(), request))

    for error in (refused, product):
        assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", "members.member_id")


async def test_groups_are_listed_counted_and_got_together(world):
    """ListGroups, CountGroups and BatchGetGroups agree."""
    place = await world.place("GROUP_MIRROR")
    made = [await new_group(world, place, name) for name in ("B", "A", "C")]
    filter_ = Filter(not_equal=Comparison(field="display_name", text="c"))
    request = api.ListGroupsRequest(filter=filter_, order_by="display_name")
    listed = await world.ask(place.token, request)
    count = await world.ask(place.token, api.CountGroupsRequest(filter=filter_))
    many = await world.ask(place.token, api.BatchGetGroupsRequest(ids=[g.id for g in made]))

    assert [group.display_name for group in listed.groups] == ["A", "B"]
    assert count.count == listed.total_size == 2
    assert [group.display_name for group in many.groups] == ["B", "A", "C"]


async def test_a_group_is_renamed(world):
    """UpdateGroup sets the fields of its mask and leaves the members."""
    place = await world.place("GROUP_MIRROR")
    user = await created(world, place, "grace")
    made = await new_group(world, place, "Sales", user)
    changes = Group(id=made.id, display_name="Marketing")
    answer = await world.ask(place.token, api.UpdateGroupRequest(group=changes))

    assert answer.group.display_name == "Marketing"
    assert answer.group.member_count == 1


async def test_members_join_and_leave(world):
    """PatchGroup adds and discards members; ListGroupMembers pages through them."""
    place = await world.place("GROUP_MIRROR")
    users = [await created(world, place, name) for name in ("a", "b", "c")]
    made = await new_group(world, place, "Sales", users[0])
    changes = [member_change("add", *users[1:]), member_change("discard", users[0])]
    answer = await world.ask(place.token, api.PatchGroupRequest(id=made.id, changes=changes))
    request = api.ListGroupMembersRequest(id=made.id, page_size=1)
    first = await world.ask(place.token, request)
    request.page_token = first.next_page_token
    second = await world.ask(place.token, request)

    found = [member.member_id for page in (first, second) for member in page.members]
    assert found == sorted(user.id for user in users[1:])
    assert answer.group.member_count == 2
    assert not second.next_page_token


@pytest.mark.rule("R-170", "R-172")
async def test_a_deleted_group_is_gone_and_its_members_stay(world):
    """DeleteGroup is for good."""
    place = await world.place("GROUP_MIRROR")
    user = await created(world, place, "grace")
    made = await new_group(world, place, "Sales", user)
    await world.ask(place.token, api.DeleteGroupRequest(id=made.id))
    error = await refusal(world.ask(place.token, api.GetGroupRequest(id=made.id)))
    kept = await world.ask(place.token, api.GetUserRequest(user={"id": user.id}))

    assert error.reason == "GROUP_NOT_FOUND"
    assert error.metadata == {"id": made.id}
    assert not kept.user.groups


@pytest.mark.rule("R-157", "D-15")
async def test_identity_providers_see_no_guest_role(world):
    """Roles come by rank; the guest role is neither listed nor found, for products it is both."""
    place = await world.place()
    service = await world.service("roles.read", place.workspace_id)
    seen = await world.ask(place.token, api.ListRolesRequest())
    known = await world.ask(service, api.ListRolesRequest())
    guest = api.GetRoleRequest(id=place.roles["Guest"])

    assert [role.name for role in seen.roles] == ["Admin", "Manager", "Member"]
    assert [role.name for role in known.roles] == ["Admin", "Manager", "Member", "Guest"]
    assert (await refusal(world.ask(place.token, guest))).reason == "ROLE_NOT_FOUND"
    assert (await world.ask(service, guest)).role.kind == role_pb2.ROLE_KIND_GUEST
    one = await world.ask(place.token, api.GetRoleRequest(id=place.roles["Admin"]))
    assert one.role == seen.roles[0]


async def test_roles_are_groups_where_the_policy_says_so(world):
    """A member who joins a role's group has that role (R-143)."""
    place = await world.place()
    user = await created(world, place, "grace")
    manager = place.roles["Manager"]
    request = api.PatchGroupRequest(id=manager, changes=[member_change("add", user)])
    await world.ask(place.token, request)
    after = await world.ask(place.token, api.GetUserRequest(user={"id": user.id}))

    assert after.user.role_id == manager
    assert after.user.workplace.user_role == "Manager"


async def test_a_workspace_is_created_with_its_roles(world):
    """CreateWorkspace gives the policy with every setting; GetWorkspace gives the same."""
    service = await world.service()
    name = f"w{world.core.new_id()}"
    wanted = workspace_pb2.Workspace(
        id=name,
        display_name="Acme",
        plan=workspace_pb2.PLAN_ENTERPRISE,
        policy=policy_pb2.Policy(preset=policy_pb2.PRESET_GROUP_MIRROR),
        teams=["Design"],
    )
    made = await world.ask(service, CreateWorkspaceRequest(workspace=wanted))
    kept = await world.ask(service, GetWorkspaceRequest(workspace_id=name))
    roles = await world.ask(service, api.ListRolesRequest(workspace_id=name))

    assert made.workspace == kept.workspace
    assert made.workspace.policy.groups == policy_pb2.GROUPS_MODE_GROUPS
    assert made.workspace.policy.max_groups == 10_000
    assert [role.name for role in roles.roles] == ["Admin", "Member", "Guest"]


async def test_a_workspace_is_created_once(world):
    """Its id is unique for ever."""
    place, service = await world.place(), await world.service()
    wanted = workspace_pb2.Workspace(
        id=place.workspace_id, policy=policy_pb2.Policy(preset=policy_pb2.PRESET_STRICT_RFC)
    )
    error = await refusal(world.ask(service, CreateWorkspaceRequest(workspace=wanted)))

    assert error.reason == "VALUE_TAKEN"
    assert error.metadata == {"field": "id", "value": place.workspace_id}
