"""What was done names who, the rule and the settings that decided on it."""

import pytest
from userdirectory.v1 import log_pb2, policy_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.policy_pb2 import SETTING_ORIGIN_OVERRIDE, SETTING_ORIGIN_PRESET
from userdirectory.v1.user_pb2 import User, UserRef
from userdirectory.v1.workspace_admin_pb2 import UpdatePolicyRequest, UpdateWorkspaceRequest

from tests.history.conftest import codes, office_in, trace


def settings(entry):
    """Return the settings of an entry with their values, by name."""
    return {setting.name: setting.value for setting in entry.settings}


async def newest(office):
    return (await office.log())[0]


async def email_ignored(office):
    made = await office.create("grace")
    await office.set(made.id, user_name=f"new@{office.place.workspace_id}.example")


async def password_ignored(office):
    await office.create("grace", password="canary")


async def language_unsupported(office):
    await office.create("grace", preferred_language="fr")


async def attributes_ignored(office):
    user = office.person("grace")
    await office.ask(api.CreateUserRequest(user=user, unknown_attributes=["favouriteColour"]))


async def linked(office):
    await office.create("grace", product=True)
    await office.create("grace")


async def came_back(office):
    made = await office.create("grace")
    await office.delete(made.id)
    await office.create("grace")


async def nested(office):
    group = (await office.ask(api.CreateGroupRequest(group=Group(display_name="Inner")))).group
    members = [Member(member_id=group.id)]
    outer = Group(display_name="Outer", members=members)
    await office.ask(api.CreateGroupRequest(group=outer))


async def seat_booked(office):
    plan = workspace_pb2.SeatPlan(total=1, automatic_booking=True)
    wanted = workspace_pb2.Workspace(seat_plan=plan)
    await office.ask(UpdateWorkspaceRequest(workspace=wanted), product=True)
    await office.create("grace")


async def deactivated(office):
    made = await office.create("grace")
    await office.set(made.id, active=False)


async def deleted(office):
    made = await office.create("grace")
    await office.delete(made.id)


async def replaced(office):
    made = await office.create("grace", title="Admiral")
    whole = User(id=made.id, user_name=made.user_name, title="Captain")
    await office.ask(api.UpdateUserRequest(user=whole, whole=True))


@pytest.mark.parametrize(
    ("preset", "deed", "rule", "decided"),
    [
        ("ORG_CHART", email_ignored, "D-04", {"account_email": "ACCOUNT_EMAIL_IGNORE"}),
        ("SINGLE_ROLE", password_ignored, "D-31", {"password": "PASSWORD_WRITES_IGNORE"}),
        (
            "SINGLE_ROLE",
            language_unsupported,
            "D-02",
            {
                "languages": "en-GB, de-DE",
                "language_fallback": "LANGUAGE_FALLBACK_SAME_LANGUAGE",
            },
        ),
        (
            "SINGLE_ROLE",
            attributes_ignored,
            "D-42",
            {"unknown_attributes": "UNKNOWN_ATTRIBUTES_IGNORE"},
        ),
        ("SINGLE_ROLE", linked, "R-033", {"on_existing": "ON_EXISTING_LINK"}),
        ("SINGLE_ROLE", came_back, "D-21", {"on_existing": "ON_EXISTING_LINK"}),
        ("GROUP_MIRROR", nested, "D-26", {"nested_groups": "NESTED_GROUPS_SKIP"}),
        ("SINGLE_ROLE", seat_booked, "R-046", {"seats": "SEATS_METERED"}),
        ("SINGLE_ROLE", deactivated, "R-022", {"on_deactivate": "ON_DEACTIVATE_DEACTIVATE"}),
        ("GROUP_MIRROR", deactivated, "R-022", {"on_deactivate": "ON_DEACTIVATE_RECYCLE"}),
        ("SINGLE_ROLE", deleted, "D-20", {"on_delete": "ON_DELETE_UNLINK"}),
        ("GROUP_MIRROR", deleted, "D-20", {"on_delete": "ON_DELETE_PURGE"}),
        ("STRICT_RFC", replaced, "D-25", {"put": "PUT_MODE_REPLACE"}),
        ("SINGLE_ROLE", replaced, "D-25", {"put": "PUT_MODE_MERGE"}),
    ],
)
async def test_what_the_policy_decided_names_rule_and_settings(world, preset, deed, rule, decided):
    """The value is that of the time, and where it comes from is said."""
    office = await office_in(world, preset)
    await deed(office)
    entry = await newest(office)

    assert (entry.rule, settings(entry)) == (rule, decided)
    assert {setting.origin for setting in entry.settings} == {SETTING_ORIGIN_PRESET}


async def test_settings_are_those_of_the_time(office):
    """A setting that is changed afterwards changes nothing in the entries before."""
    await office.create("grace", password="canary")
    policy = policy_pb2.Policy(on_delete=policy_pb2.ON_DELETE_PURGE)
    request = UpdatePolicyRequest(policy=policy)
    request.update_mask.paths.append("on_delete")
    made = await office.create("ada2")
    await office.delete(made.id)
    before = await newest(office)
    await office.ask(request, product=True)
    again = await office.create("joan")
    await office.delete(again.id)
    after = (await office.log(target_id=again.id))[0]

    assert settings(before) == {"on_delete": "ON_DELETE_UNLINK"}
    assert [(each.value, each.origin) for each in after.settings] == [
        ("ON_DELETE_PURGE", SETTING_ORIGIN_OVERRIDE)
    ]
    assert before in await office.log()


async def test_what_was_done_as_asked_names_no_rule(office):
    """Nothing had to be decided."""
    await office.create("grace")
    entry = await newest(office)

    assert (entry.rule, list(entry.settings), list(entry.notices)) == ("", [], [])


async def test_the_actor_is_who_asked(office):
    """An identity provider, a product, or the directory, which has no credential."""
    await office.create("grace")
    by_provider = await newest(office)
    await office.create("ada2", product=True)
    by_product = await newest(office)
    first = (await office.log())[-1]

    assert by_provider.actor == log_pb2.ACTOR_KIND_IDENTITY_PROVIDER
    assert by_product.actor == log_pb2.ACTOR_KIND_PRODUCT
    # What tests make without a credential is made by the directory itself.
    assert (first.credential_id, first.actor) == ("", log_pb2.ACTOR_KIND_DIRECTORY)


async def test_each_write_of_a_batch_has_its_own_request(office):
    """Done and refused, in one trace: each names its RPC and what it alone asked for."""
    id_ = trace()
    operations = [
        api.WriteOperation(create_user=api.CreateUserRequest(user=office.person("grace"))),
        api.WriteOperation(
            delete_user=api.DeleteUserRequest(user=UserRef(id=office.place.admin_id))
        ),
    ]
    await office.ask(api.BatchWriteRequest(operations=operations), trace=id_)
    refused, done = await office.log(trace_id=id_)
    asked = api.DeleteUserRequest()

    assert (done.operation, done.reason) == ("CreateUser", "")
    assert done.request.type_url.endswith("CreateUserRequest")
    assert (refused.operation, refused.rule) == ("DeleteUser", "R-150")
    assert refused.request.Unpack(asked)
    assert asked == operations[1].delete_user
    assert codes(done.notices) == []
