"""The checks of an integration: each passes, fails for its cause, and says what to do."""

import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1 import workspace_pb2
from userdirectory.v1.workspace_admin_pb2 import (
    CheckIntegrationRequest,
    CreateRoleRequest,
    ListIntegrationsRequest,
    RevokeTokenRequest,
    RotateTokenRequest,
    UpdateIntegrationRequest,
    UpdatePolicyRequest,
    UpdateWorkspaceRequest,
)

from core_service import tokens
from core_service.storage import tables
from core_service.storage.statements import where
from tests.contract.conftest import set_workspace
from tests.scim import person

CHECKS = [
    "client_application",
    "token_present",
    "token_unexpired",
    "enabled",
    "plan",
    "sign_on",
    "seats_left",
    "roles_addressable",
    "team_names",
    "last_request_seen",
    "failures",
]
DAY = 24 * 3_600_000_000
_CREDENTIALS = where(
    sa.delete(tables.credentials), tables.credentials, "workspace_id", "integration_id"
)


async def checked(admin, place, integration_id):
    """Return the checks by their names."""
    answer = await admin.ask(place, CheckIntegrationRequest(id=integration_id))
    assert [check.name for check in answer.checks] == CHECKS
    assert all(check.finding and bool(check.remedy) != check.passed for check in answer.checks)
    return {check.name: check for check in answer.checks}


async def failed(admin, place, integration_id):
    """Return the names of the checks that fail."""
    found = await checked(admin, place, integration_id)
    return {name for name, check in found.items() if not check.passed}


async def healthy(admin):
    """Return a workspace, and its one integration, which has made a request."""
    place = await admin.world.place()
    assert (await admin.scim(place.token, "GET", "/Users")).status == 200
    await admin.identity.uses.settled()
    answer = await admin.ask(place, ListIntegrationsRequest())
    return place, answer.integrations[0].id


async def update(admin, place, **values):
    """Set values of a workspace."""
    wanted = workspace_pb2.Workspace(**values)
    await admin.ask(place, UpdateWorkspaceRequest(workspace=wanted))


async def lose_the_client_application(admin, place, integration_id):
    """Lose the credentials, as no RPC does."""
    named = {"workspace_id": place.workspace_id, "integration_id": integration_id}
    await admin.world.core.storage.write(place.workspace_id, lambda tx: tx.run(_CREDENTIALS, named))


async def revoke_the_token(admin, place, integration_id):
    token_id = tokens.parse(place.token)[0]
    await admin.ask(place, RevokeTokenRequest(integration_id=integration_id, token_id=token_id))


async def let_the_token_end(admin, place, integration_id):
    second = Duration(seconds=1)
    request = RotateTokenRequest(integration_id=integration_id, overlap=second, lifetime=second)
    await admin.ask(place, request)
    admin.world.clock.micros += 1_000_000


async def switch_it_off(admin, place, integration_id):
    await admin.ask(place, UpdateIntegrationRequest(id=integration_id, enabled=False))


async def let_the_plan_lapse(admin, place, integration_id):
    policy = {"preset": "PRESET_SINGLE_ROLE", "plan_needed": "PLAN_NEEDED_ENTERPRISE"}
    await admin.ask(place, UpdatePolicyRequest(policy=policy))
    await update(admin, place, plan="PLAN_FREE")


async def end_the_single_sign_on(admin, place, integration_id):
    await update(admin, place, sign_on="SIGN_ON_NONE")


async def use_every_seat(admin, place, integration_id):
    await update(admin, place, seat_plan={"total": 1})


async def add_a_role_that_looks_alike(admin, place, integration_id):
    await admin.ask(place, CreateRoleRequest(role={"name": "MEMBER"}))


async def keep_a_team_with_a_comma(admin, place, integration_id):
    """Keep one from before teams were checked."""
    team = workspace_pb2.Workspace(teams=["Design, Berlin"])
    await set_workspace(admin.world.core, place.workspace_id, team)


async def send_what_is_refused(admin, place, integration_id):
    refused = await admin.scim(place.token, "POST", "/Users", person("no address"))
    assert refused.status == 400


@pytest.mark.rule("R-057", "R-182")
async def test_all_is_well(admin):
    """Every check passes for an integration that works."""
    place, id_ = await healthy(admin)

    assert await failed(admin, place, id_) == set()


@pytest.mark.rule("R-057", "R-182", "R-119")
@pytest.mark.parametrize(
    ("break_", "failing"),
    [
        (
            lose_the_client_application,
            {"client_application", "token_present", "token_unexpired", "last_request_seen"},
        ),
        (revoke_the_token, {"token_present", "token_unexpired"}),
        (let_the_token_end, {"token_unexpired"}),
        (switch_it_off, {"enabled"}),
        (let_the_plan_lapse, {"plan"}),
        (end_the_single_sign_on, {"sign_on"}),
        (use_every_seat, {"seats_left"}),
        (add_a_role_that_looks_alike, {"roles_addressable"}),
        (keep_a_team_with_a_comma, {"team_names"}),
        (send_what_is_refused, {"failures"}),
    ],
)
async def test_a_check_fails_for_its_cause(admin, break_, failing):
    """It and what follows from it, and no other."""
    place, id_ = await healthy(admin)
    await break_(admin, place, id_)

    assert await failed(admin, place, id_) == failing


async def test_every_check_can_fail(admin):
    """One that is new needs a cause above; a fresh integration lacks a request alone."""
    marks = test_a_check_fails_for_its_cause.pytestmark
    causes = next(mark.args[1] for mark in marks if mark.name == "parametrize")
    place, _ = await healthy(admin)
    fresh = (await admin.integration(place)).integration.id

    assert set().union(*(failing for _, failing in causes)) == set(CHECKS)
    assert await failed(admin, place, fresh) == {"last_request_seen"}


@pytest.mark.rule("R-182", "R-180")
async def test_failures_are_those_of_the_integration_and_the_last_day(admin):
    """By reason, most first; those of another integration and of yesterday do not count."""
    place, id_ = await healthy(admin)
    other = await admin.integration(place)
    for path in ("/Users/nobody", "/Groups/nobody", "/Users/nobody"):
        await admin.scim(place.token, "DELETE", path)
    await send_what_is_refused(admin, place, id_)
    await send_what_is_refused(admin, place, id_)
    await send_what_is_refused(admin, place, id_)
    found = (await checked(admin, place, id_))["failures"]
    elsewhere = await failed(admin, place, other.integration.id)
    admin.world.clock.micros += DAY + 1

    assert "6." in found.finding
    assert "FIELD_INVALID (3), USER_NOT_FOUND (2), " in found.finding
    assert "failures" not in elsewhere
    assert "failures" not in await failed(admin, place, id_)
