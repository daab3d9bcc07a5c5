"""The policy is read setting by setting, and a change holds from the next call on."""

import logging

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.v1 import policy_pb2
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.policy_pb2 import SETTING_ORIGIN_OVERRIDE, SETTING_ORIGIN_PRESET
from userdirectory.v1.user_directory_pb2 import CreateGroupRequest, GetGroupRequest
from userdirectory.v1.workspace_admin_pb2 import (
    GetPolicyRequest,
    GetWorkspaceRequest,
    UpdatePolicyRequest,
)

from core_service.policy import SETTINGS
from tests.scim import person


def change(*paths, etag="", **values):
    """Return the request that changes settings."""
    policy = policy_pb2.Policy(**values)
    return UpdatePolicyRequest(policy=policy, update_mask=FieldMask(paths=paths), etag=etag)


async def settings(admin, place):
    """Return value and origin of every setting."""
    answer = await admin.ask(place, GetPolicyRequest())
    return {each.name: (each.value, each.origin) for each in answer.settings}


async def test_every_setting_is_read_with_its_origin(admin):
    """Enums by name, limits as numbers, lists with commas; overrides are told from the preset."""
    place = await admin.world.place()
    found = await settings(admin, place)

    assert tuple(found) == SETTINGS
    assert found["on_existing"] == ("ON_EXISTING_LINK", SETTING_ORIGIN_PRESET)
    assert found["languages"] == ("en-GB, de-DE", SETTING_ORIGIN_PRESET)
    assert found["max_users"] == ("0", SETTING_ORIGIN_PRESET)
    assert found["plan_needed"] == ("PLAN_NEEDED_NONE", SETTING_ORIGIN_OVERRIDE)
    assert found["integration_enabled"] == ("true", SETTING_ORIGIN_OVERRIDE)


async def test_an_identity_provider_may_read_the_policy(admin):
    """Its own workspace's, without a scope."""
    place = await admin.world.place()
    answer = await admin.world.ask(place.token, GetPolicyRequest())

    assert answer.policy.preset == policy_pb2.PRESET_SINGLE_ROLE


async def test_a_setting_of_the_mask_changes_and_goes_back(admin):
    """One without a value leaves the choice to the preset; the others stay."""
    place = await admin.world.place()
    await admin.ask(place, change("max_users", max_users=7))
    set_ = await settings(admin, place)
    await admin.ask(place, change("max_users"))
    back = await settings(admin, place)

    assert set_["max_users"] == ("7", SETTING_ORIGIN_OVERRIDE)
    assert back["max_users"] == ("0", SETTING_ORIGIN_PRESET)
    assert set_["plan_needed"] == back["plan_needed"] == ("PLAN_NEEDED_NONE", 2)


@pytest.mark.parametrize("paths", [[], ["*"], ["preset"]])
async def test_another_preset_keeps_only_the_overrides_sent(admin, paths):
    """What overrode the old one is gone."""
    place = await admin.world.place()
    await admin.ask(place, change("max_users", max_users=7))
    preset = policy_pb2.PRESET_ORG_CHART
    answer = await admin.ask(place, change(*paths, preset=preset, max_groups=3))
    found = {each.name: (each.value, each.origin) for each in answer.settings}

    assert answer.policy.preset == preset
    assert found["max_users"] == ("0", SETTING_ORIGIN_PRESET)
    assert found["max_groups"] == ("3", SETTING_ORIGIN_OVERRIDE)
    assert found["integration_enabled"] == ("false", SETTING_ORIGIN_PRESET)


async def test_a_change_holds_from_the_next_call_on(admin):
    """The very next request is answered by the new policy."""
    place = await admin.world.place()
    user = person(f"g@{place.workspace_id}.example", title="x", shoeSize=44)
    await admin.ask(place, change("unknown_attributes", unknown_attributes=2))
    refused = await admin.scim(place.token, "POST", "/Users", user)
    await admin.ask(place, change("unknown_attributes"))
    made = await admin.scim(place.token, "POST", "/Users", user)

    assert (refused.status, made.status) == (400, 201)


async def test_a_policy_that_cannot_be_is_refused(admin):
    """Numbers that no enum has, names that no setting has, and an etag that is stale."""
    place = await admin.world.place()
    before = await settings(admin, place)
    errors = [
        await admin.refused(place, change("put", put=77)),
        await admin.refused(place, change("colour")),
        await admin.refused(place, change("put", put=2, etag='W/"0"')),
    ]

    assert [each.reason for each in errors] == ["FIELD_INVALID", "FIELD_UNKNOWN", "ETAG_MISMATCH"]
    assert await settings(admin, place) == before


@pytest.mark.rule("D-27", "R-176")
async def test_names_that_clash_keep_names_from_being_unique(admin):
    """One clash is named; solved, the names are unique from then on, and free again after."""
    place = await admin.world.place("STRICT_RFC")
    for name in ("Crew", "crew ", "Staff"):
        await admin.ask(place, CreateGroupRequest(group=Group(display_name=name)))
    error = await admin.refused(place, change("group_names_unique", group_names_unique=True))
    listed = await admin.scim(place.token, "GET", "/Groups?filter=displayName%20eq%20%22crew%22")
    await admin.scim(place.token, "DELETE", f"/Groups/{listed.body['Resources'][0]['id']}")
    await admin.ask(place, change("group_names_unique", group_names_unique=True))
    twice = CreateGroupRequest(group=Group(display_name="STAFF"))
    taken = await admin.refused(place, twice)
    await admin.ask(place, change("group_names_unique"))
    made = await admin.ask(place, twice)

    assert error.reason == "FIELD_INVALID"
    assert error.metadata["value"].strip().lower() == "crew"
    assert taken.reason == "VALUE_TAKEN"
    assert made.group.display_name == "STAFF"


async def test_groups_may_become_roles_and_groups_again(admin):
    """Users are shown with the others at once, under another etag; the rows stay."""
    place = await admin.world.place("STRICT_RFC")
    group = Group(display_name="Crew", members=[{"member_id": place.admin_id}])
    made = (await admin.ask(place, CreateGroupRequest(group=group))).group
    seen = []
    for mode in ("GROUPS_MODE_ROLES", "GROUPS_MODE_GROUPS"):
        await admin.ask(place, change("groups", groups=mode))
        user = await admin.get(place, place.admin_id)
        seen.append(([each.display for each in user.groups], user.etag))
    again = (await admin.ask(place, GetGroupRequest(id=made.id))).group

    assert [names for names, _ in seen] == [["Admin"], ["Crew"]]
    assert len({etag for _, etag in seen}) == 2
    assert again.member_count == 1


async def test_a_change_is_logged_by_the_names_of_settings(admin, caplog):
    """With the workspace and the credential, and no value."""
    place = await admin.world.place()
    with caplog.at_level(logging.INFO, "core_service.policies"):
        await admin.ask(place, change("required", "put", required={"paths": ["title"]}, put=2))
        await admin.ask(place, change("put", put=2))
    lines = [each.getMessage() for each in caplog.records if each.name == "core_service.policies"]

    assert len(lines) == 1
    assert lines[0].startswith(f"policy changed: required,put workspace_id={place.workspace_id} ")
    assert "title" not in lines[0]


async def test_nothing_changed_keeps_the_version(admin):
    """The same policy again is no write."""
    place = await admin.world.place()
    before = (await admin.ask(place, GetWorkspaceRequest())).workspace.etag
    await admin.ask(place, change("plan_needed", plan_needed=1))

    assert (await admin.ask(place, GetWorkspaceRequest())).workspace.etag == before
