"""What follows from a write and is told in the answer and in the log."""

import pytest
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_pb2
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import (
    EnterpriseUser,
    Manager,
    User,
    Workplace,
)

from tests.contract.conftest import set_workspace
from tests.history.conftest import changes, codes, office_in


def told(answer_or_entry, code):
    """Return the one notice with this code."""
    notices = answer_or_entry.notices
    [found] = [one for one, name in zip(notices, codes(notices), strict=True) if name == code]
    return found


@pytest.mark.rule("R-003")
async def test_a_local_change_is_overwritten_and_told(office):
    """The product's value stays until provisioning changes it; then both values are told."""
    made = await office.create("grace", title="Admiral", nick_name="G")
    await office.set(made.id, product=True, title="Captain")
    local = await office.get(made.id)
    other = await office.set(made.id, nick_name="H")
    await office.set(made.id, product=True, title="Sailor")
    answer = await office.set(made.id, title="Commodore")
    notice = told(answer, "LOCAL_CHANGE_OVERWRITTEN")
    entry = (await office.log(target_id=made.id))[0]

    assert local.title == other.user.title == "Captain"
    assert not other.notices
    assert answer.user.title == "Commodore"
    assert notice.field == "title"
    assert '"Sailor"' in notice.message
    assert '"Commodore"' in notice.message
    assert list(entry.notices) == list(answer.notices)
    assert changes(entry) == {"title": ('"Sailor"', '"Commodore"')}


@pytest.mark.rule("R-003")
async def test_only_what_the_product_changed_is_told(office):
    """Provisioning's own values, and parts of the same attribute, are overwritten silently."""
    made = await office.create(
        "grace", title="Admiral", enterprise=EnterpriseUser(department="Sea", cost_center="1")
    )
    local = api.UpdateUserRequest(
        user=User(id=made.id, enterprise=EnterpriseUser(department="Air")),
        update_mask={"paths": ["enterprise.department"]},
    )
    await office.ask(local, product=True)
    request = api.UpdateUserRequest(
        user=User(id=made.id, title="Captain", enterprise=EnterpriseUser(cost_center="2")),
        update_mask={"paths": ["title", "enterprise.cost_center"]},
    )
    silent = await office.ask(request)
    again = await office.set(made.id, title="Commodore")

    assert silent.user.enterprise == EnterpriseUser(department="Air", cost_center="2")
    assert not silent.notices
    assert not again.notices


@pytest.mark.rule("R-003")
async def test_a_sync_that_changes_nothing_hides_no_local_change(office):
    """Something told in between without a change does not count as provisioning's write."""
    made = await office.create("grace", title="Admiral")
    await office.set(made.id, product=True, title="Captain")
    request = api.UpdateUserRequest(user=User(id=made.id), unknown_attributes=["colour"])
    await office.ask(request)
    answer = await office.set(made.id, title="Admiral")

    assert codes(answer.notices) == ["LOCAL_CHANGE_OVERWRITTEN"]


@pytest.mark.rule("R-003")
async def test_a_products_own_writes_overwrite_nothing(office):
    """A product that changes what a product changed is told nothing."""
    made = await office.create("grace", title="Admiral")
    await office.set(made.id, product=True, title="Captain")
    answer = await office.set(made.id, product=True, title="Sailor")

    assert not answer.notices


@pytest.mark.rule("R-022")
@pytest.mark.parametrize("product", [False, True])
async def test_deactivating_ends_sessions(office, product):
    """The answer and the log say that sessions must end; deactivating again says nothing."""
    made = await office.create("grace")
    answer = await office.set(made.id, product=product, active=False)
    again = await office.set(made.id, product=product, active=False)
    entry = (await office.log(target_id=made.id))[0]

    assert not answer.user.active
    assert made.id in told(answer, "SESSIONS_REVOKED").message
    assert list(entry.notices) == list(answer.notices)
    assert changes(entry)["active"] == ("true", "false")
    assert not again.notices


@pytest.mark.rule("R-022", "D-20")
@pytest.mark.parametrize("preset", ["SINGLE_ROLE", "GROUP_MIRROR"])
async def test_deleting_ends_sessions(world, preset):
    """Whether the user is unlinked or purged; of an inactive user there is nothing to end."""
    office = await office_in(world, preset)
    active, inactive = await office.create("grace"), await office.create("rear", active=False)
    await office.delete(active.id)
    await office.delete(inactive.id)
    ended = (await office.log(target_id=active.id))[0]
    nothing = (await office.log(target_id=inactive.id))[0]

    assert (ended.operation, codes(ended.notices)) == ("DeleteUser", ["SESSIONS_REVOKED"])
    assert (nothing.operation, codes(nothing.notices)) == ("DeleteUser", [])


@pytest.mark.rule("R-022", "R-030", "D-31")
async def test_a_new_password_ends_sessions(world):
    """Of a user who can sign in; a first password ends none."""
    office = await office_in(world, "ORG_CHART")
    made = await office.create("grace", password="correct horse")
    answer = await office.set(made.id, password="battery staple")
    created = (await office.log(target_id=made.id))[-1]

    assert told(answer, "SESSIONS_REVOKED").field == "password"
    assert answer.user.etag == made.etag
    assert not created.notices


@pytest.mark.rule("R-160", "D-04")
async def test_a_new_user_name_is_told(office):
    """The account's e-mail follows the user name, and both are named; other letters are not new."""
    made = await office.create("grace")
    wanted = f"amazing@{office.place.workspace_id}.example"
    answer = await office.set(made.id, user_name=wanted)
    respelled = await office.set(made.id, user_name=wanted.title())
    notice = told(answer, "ACCOUNT_EMAIL_CHANGED")

    assert answer.user.user_name == wanted
    assert answer.user.account_id == made.account_id
    assert made.user_name in notice.message
    assert wanted in notice.message
    assert not respelled.notices


@pytest.mark.rule("D-15", "R-156")
@pytest.mark.parametrize("by_group", [False, True])
async def test_a_promoted_guest_is_told(office, by_group):
    """By whichever door a guest gets another role."""
    guest = await office.create("guest", product=True, workplace=Workplace(user_role="Guest"))
    target = guest.id
    if by_group:
        target = office.place.roles["Member"]
        value = Group(members=[Member(member_id=guest.id)])
        change = GroupChange(add=GroupValue(field="members", value=value))
        answer = await office.ask(api.PatchGroupRequest(id=target, changes=[change]))
    else:
        answer = await office.set(guest.id, workplace=Workplace(user_role="Member"))
    entry = (await office.log(target_id=target))[0]

    assert "GUEST_PROMOTED" in codes(answer.notices)
    assert list(entry.notices) == list(answer.notices)


@pytest.mark.rule("R-046", "D-17")
async def test_a_booked_seat_is_told(world):
    """A create that books a seat says so, in the answer and in the log."""
    office = await office_in(world, seats=1)
    automatic = workspace_pb2.Workspace(seat_plan=workspace_pb2.SeatPlan(automatic_booking=True))
    await set_workspace(world.core, office.place.workspace_id, automatic)
    answer = await office.ask(api.CreateUserRequest(user=office.person("grace")))
    entry = (await office.log(target_id=answer.user.id))[0]

    assert codes(answer.notices) == ["SEAT_BOOKED"]
    assert list(entry.notices) == list(answer.notices)


@pytest.mark.rule("D-30", "R-138")
async def test_a_purged_manager_is_told_on_the_report(world):
    """The report's own entry says that the reference was cleared."""
    office = await office_in(world, "GROUP_MIRROR")
    boss = await office.create("boss")
    managed = EnterpriseUser(manager=Manager(user_id=boss.id))
    report = await office.create("report", enterprise=managed)
    await office.delete(boss.id)
    entry = (await office.log(target_id=report.id))[0]
    own = (await office.log(target_id=boss.id))[0]

    assert codes(own.notices) == ["SESSIONS_REVOKED"]
    assert (entry.operation, codes(entry.notices)) == ("DeleteUser", ["MANAGER_CLEARED"])
    assert changes(entry) == {"enterprise.manager": (f'{{"user_id":"{boss.id}"}}', "")}
    assert not (await office.get(report.id)).enterprise.manager.user_id


@pytest.mark.rule("R-051")
async def test_products_see_who_manages_a_user(office):
    """Integration, time and trace id of its last write; a product's write leaves them."""
    local = await office.create("local", product=True)
    made = await office.create("grace")
    await office.set(made.id, title="Admiral")
    entry = (await office.log(target_id=made.id))[0]
    synced = await office.get(made.id)
    await office.set(made.id, product=True, nick_name="G")
    edited = await office.get(made.id)

    assert synced.managed_by == entry.integration_id
    assert synced.last_sync_time == entry.time
    assert synced.last_trace_id == entry.trace_id
    assert (edited.managed_by, edited.last_sync_time, edited.last_trace_id) == (
        synced.managed_by,
        synced.last_sync_time,
        synced.last_trace_id,
    )
    assert not local.managed_by
    assert not local.last_trace_id
    assert not local.HasField("last_sync_time")
