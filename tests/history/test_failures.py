"""What was refused: kept in the log, and grouped by reason with the rule behind it."""

import csv
import re

import pytest
from userdirectory.errors import reasons
from userdirectory.v1 import error_reason_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, Removal
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User, UserRef, Workplace
from userdirectory.v1.workspace_admin_pb2 import UpdateIntegrationRequest

from core_service.history import DAY, RULES
from tests.contract.conftest import set_workspace
from tests.history.conftest import trace
from tests.rules_table import STATEMENTS


def deactivate(user_id):
    return api.UpdateUserRequest(user=User(id=user_id, active=False))


@pytest.mark.rule("R-180")
def test_every_reason_has_its_rule():
    """The table is total over the contract's reasons and names rules that there are."""
    with STATEMENTS.open(encoding="utf-8", newline="") as file:
        rules = {
            row["rule"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }

    assert sorted(RULES) == sorted(reasons())
    assert [] == [
        rule
        for rule in RULES.values()
        if rule not in rules and not re.fullmatch(r"D-\d\d|RFC \d{4} section [\d.]+", rule)
    ]


@pytest.mark.rule("R-180", "R-181", "R-103")
async def test_a_refusal_is_logged_with_reason_and_text(office):
    """What the caller was told is in the log, under the trace id of the request."""
    id_ = trace()
    admin = office.place.admin_id
    error = await office.refused(deactivate(admin), trace=id_)
    [entry] = await office.log(trace_id=id_)

    assert entry.reason == "ERROR_REASON_LAST_ADMIN"
    assert entry.message == error.message
    assert (entry.operation, entry.target_id) == ("UpdateUser", admin)
    assert entry.integration_id
    assert not entry.changes
    assert (await office.get(admin)).active


@pytest.mark.rule("R-180")
async def test_failures_are_grouped_by_reason(office):
    """Most frequent first; each with its rule, the users, and what the last one was told."""
    made = await office.create("grace")
    admin = office.place.admin_id
    await office.refused(deactivate(admin))
    for region in ("Atlantis", "Utopia"):
        request = api.UpdateUserRequest(
            user=User(id=made.id, workplace=Workplace(absence_region=region))
        )
        id_ = trace()
        last = await office.refused(request, trace=id_)
    names, admins = await office.failures()

    assert names.reason == error_reason_pb2.ERROR_REASON_NAME_UNKNOWN
    assert (names.rule, names.count, list(names.user_ids)) == ("R-124", 2, [made.id])
    assert (names.last_message, names.last_trace_id) == (last.message, id_)
    assert admins.reason == error_reason_pb2.ERROR_REASON_LAST_ADMIN
    assert (admins.rule, admins.count, list(admins.user_ids)) == ("R-150", 1, [admin])
    assert names.last_time.ToMicroseconds() > admins.last_time.ToMicroseconds()


@pytest.mark.rule("R-180")
async def test_a_user_refused_by_way_of_a_group_is_named(office):
    """The last admin cannot leave the role's group; the failure names the admin."""
    role_id = office.place.roles["Admin"]
    change = GroupChange(remove=Removal(field="members"))
    await office.refused(api.PatchGroupRequest(id=role_id, changes=[change]))
    [failure] = await office.failures()

    assert list(failure.user_ids) == [office.place.admin_id]


@pytest.mark.rule("R-180")
async def test_who_was_never_created_has_no_id(office):
    """A refused create counts, and names no user, whatever id it carries."""
    request = api.CreateUserRequest(user=User(id="invented", user_name="no address"))
    await office.refused(request)
    await office.refused(api.PatchGroupRequest(id="no-such-group"))
    found = {failure.reason: failure for failure in await office.failures()}
    invalid = found[error_reason_pb2.ERROR_REASON_FIELD_INVALID]
    missing = found[error_reason_pb2.ERROR_REASON_GROUP_NOT_FOUND]

    assert (invalid.count, list(invalid.user_ids)) == (1, [])
    assert (missing.count, list(missing.user_ids)) == (1, [])


async def test_failures_are_those_of_the_last_day(office):
    """Older ones are listed when asked for; a product's own mistakes never."""
    await office.refused(deactivate(office.place.admin_id))
    await office.refused(deactivate("nobody"), product=True)
    [failure] = await office.failures()
    office.world.clock.micros += DAY

    assert not await office.failures()
    assert await office.failures(since=failure.last_time) == [failure]


@pytest.mark.rule("R-062", "D-22")
async def test_an_integration_that_is_off_shows_in_the_failures(office):
    """Every refused call of it is there, reads too; the users are as they were."""
    made = await office.create("grace")
    await office.ask(UpdateIntegrationRequest(id=made.managed_by, enabled=False), product=True)
    await office.refused(api.GetUserRequest(user=UserRef(id=made.id)))
    await office.refused(deactivate(made.id))
    [failure] = await office.failures()
    entry = (await office.log(target_id=made.id))[0]

    assert failure.reason == error_reason_pb2.ERROR_REASON_INTEGRATION_OFF
    assert (failure.rule, failure.count, list(failure.user_ids)) == ("R-062", 2, [made.id])
    assert entry.credential_id in office.place.token
    assert (await office.get(made.id)).active


@pytest.mark.rule("R-009")
async def test_a_lapsed_plan_shows_in_the_failures(office):
    """What a workspace without the plan is refused is in its log."""
    wanted = workspace_pb2.Workspace(plan=workspace_pb2.PLAN_FREE)
    wanted.policy.plan_needed = 2
    await set_workspace(office.world.core, office.place.workspace_id, wanted)
    error = await office.refused(api.ListUsersRequest())
    [failure] = await office.failures()

    assert error.reason == "NOT_ENTITLED"
    assert (failure.rule, failure.last_message) == ("R-009", error.message)


async def test_a_write_beyond_the_scope_is_logged(office):
    """An integration that tries what it may not is in its own workspace's log."""
    await office.refused(api.PurgeUserRequest(id=office.place.admin_id))
    entry = (await office.log())[0]

    assert (entry.operation, entry.reason) == ("PurgeUser", "ERROR_REASON_SCOPE_MISSING")


async def test_ids_that_no_id_can_be_are_not_kept(office):
    """What a caller sends as an id reaches the log only if it could be one."""
    await office.refused(api.DeleteGroupRequest(id="a b"))
    await office.refused(api.UpdateGroupRequest(group=Group(id="x" * 1000, display_name="X")))
    found = (await office.log())[:2]

    assert [entry.target_id for entry in found] == ["", ""]
    assert {entry.reason for entry in found} == {"ERROR_REASON_GROUP_NOT_FOUND"}
