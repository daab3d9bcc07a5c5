"""What a workspace is told of itself: its plan, its single sign-on, its seats, its link."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1.user_directory_pb2 import ListUsersRequest
from userdirectory.v1.workspace_admin_pb2 import (
    CreateIntegrationRequest,
    GetAccountRequest,
    GetWorkspaceRequest,
    ListWorkspacesRequest,
    UpdatePolicyRequest,
    UpdateWorkspaceRequest,
)

from tests.contract.conftest import refusal
from tests.scim import person


def update(*paths, etag="", **values):
    """Return the request that sets values of a workspace."""
    wanted = workspace_pb2.Workspace(etag=etag, **values)
    return UpdateWorkspaceRequest(workspace=wanted, update_mask=FieldMask(paths=paths))


async def needs(admin, place, plan_needed):
    """Let provisioning of a workspace need a plan."""
    policy = policy_pb2.Policy(plan_needed=plan_needed)
    mask = FieldMask(paths=["plan_needed"])
    await admin.ask(place, UpdatePolicyRequest(policy=policy, update_mask=mask))


@pytest.mark.rule("R-009", "R-010", "R-011", "R-012")
@pytest.mark.parametrize(
    ("needed", "lapsed", "bought", "name"),
    [
        ("ENTERPRISE", "STANDARD", "ENTERPRISE", "enterprise"),
        ("ANY_PAID", "FREE", "STANDARD", "any_paid"),
        ("HOSTED", "STANDARD", "HOSTED", "hosted"),
    ],
)
async def test_the_plan_decides_on_the_next_call(admin, needed, lapsed, bought, name):
    """A plan that lapsed stops the next request, naming the plan needed; one bought opens."""
    place = await admin.world.place()
    await needs(admin, place, f"PLAN_NEEDED_{needed}")
    await admin.ask(place, update(plan=f"PLAN_{lapsed}"))
    user = person(f"g@{place.workspace_id}.example")
    refused = await admin.scim(place.token, "POST", "/Users", user)
    await admin.ask(place, update(plan=f"PLAN_{bought}"))
    made = await admin.scim(place.token, "POST", "/Users", user)

    assert refused.status == 403
    assert name in refused.body["detail"]
    assert made.status == 201


@pytest.mark.rule("R-013")
async def test_an_integration_needs_single_sign_on(admin):
    """Where the policy wants it, none is created without; the refusal says what is missing."""
    place = await admin.world.place()
    await admin.ask(place, update(sign_on=workspace_pb2.SIGN_ON_NONE))
    error = await admin.refused(place, CreateIntegrationRequest())

    assert error.reason == "SIGN_ON_MISSING"
    assert error.metadata == {"needed": "openid_connect"}


@pytest.mark.rule("R-013")
async def test_without_single_sign_on_people_leave_and_none_come(admin):
    """Creates are refused from then on; deactivating goes on."""
    place = await admin.world.place()
    made = await admin.scim(
        place.token, "POST", "/Users", person(f"g@{place.workspace_id}.example")
    )
    await admin.ask(place, update(sign_on=workspace_pb2.SIGN_ON_NONE))
    other = person(f"h@{place.workspace_id}.example")
    refused = await admin.scim(place.token, "POST", "/Users", other)
    path = f"/Users/{made.body['id']}"
    left = await admin.scim(place.token, "PUT", path, made.body | {"active": False})

    assert (refused.status, left.status) == (403, 200)
    assert left.body["active"] is False


@pytest.mark.rule("R-015")
async def test_a_workspace_tells_that_it_has_external_users(admin):
    """With a guest another way to sign in must stay; the directory only says so."""
    place = await admin.world.place()
    before = (await admin.ask(place, GetWorkspaceRequest())).workspace
    await admin.user(place, "visitor", "Guest")
    after = (await admin.ask(place, GetWorkspaceRequest())).workspace

    assert (before.has_external_users, after.has_external_users) == (False, True)


@pytest.mark.rule("R-041")
async def test_the_link_of_the_workspace_comes_with_the_integration(admin):
    """The admin sends it to the people, who get no invitation."""
    place = await admin.world.place()
    await admin.ask(place, update(link="https://acme.example/start"))
    answer = await admin.integration(place)

    assert answer.workspace_link == "https://acme.example/start"


@pytest.mark.rule("R-046", "R-047")
async def test_seats_are_booked_once_the_setting_is_on(admin):
    """It is off by default: the second user is refused; switched on, a seat is booked."""
    place = await admin.world.place(seats=1)
    before = (await admin.ask(place, GetWorkspaceRequest())).workspace
    user = person(f"g@{place.workspace_id}.example")
    refused = await admin.scim(place.token, "POST", "/Users", user)
    seats = workspace_pb2.SeatPlan(automatic_booking=True)
    await admin.ask(place, update("seat_plan.automatic_booking", seat_plan=seats))
    made = await admin.scim(place.token, "POST", "/Users", user)
    after = (await admin.ask(place, GetWorkspaceRequest())).workspace

    assert before.seat_plan.automatic_booking is False
    assert (refused.status, made.status) == (403, 201)
    assert "1 of 1" in refused.body["detail"]
    assert after.seat_plan == workspace_pb2.SeatPlan(total=2, automatic_booking=True)


async def test_only_what_the_mask_names_is_set(admin):
    """Other values are left out, a stale etag is refused, and the new etag is told."""
    place = await admin.world.place()
    answer = await admin.ask(place, update("display_name", display_name="Acme", link="https://x.y"))
    stale = await admin.refused(place, update(etag='W/"0"', display_name="Late"))
    kept = (await admin.ask(place, GetWorkspaceRequest())).workspace

    assert stale.reason == "ETAG_MISMATCH"
    assert (kept.display_name, kept.link, kept.etag) == ("Acme", "", answer.workspace.etag)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (update("teams"), "FIELD_READ_ONLY"),
        (update("policy.put"), "FIELD_READ_ONLY"),
        (update("colour"), "FIELD_UNKNOWN"),
        (update(link="javascript:alert(1)"), "FIELD_INVALID"),
        (update(plan=99), "FIELD_INVALID"),
        (update(seat_plan=workspace_pb2.SeatPlan(total=-1)), "FIELD_INVALID"),
        (update(default_role_id="nobody"), "FIELD_INVALID"),
    ],
)
async def test_values_that_no_workspace_has_are_refused(admin, request_, reason):
    """And nothing changes."""
    place = await admin.world.place()
    before = (await admin.ask(place, GetWorkspaceRequest())).workspace
    error = await admin.refused(place, request_)

    assert error.reason == reason
    assert (await admin.ask(place, GetWorkspaceRequest())).workspace == before


@pytest.mark.rule("R-152")
async def test_the_default_role_can_be_named(admin):
    """The next user gets it; a guest role it cannot be."""
    place = await admin.world.place()
    await admin.ask(place, update(default_role_id=place.roles["Manager"]))
    user = await admin.user(place, "grace")
    guest = await admin.refused(place, update(default_role_id=place.roles["Guest"]))

    assert user.workplace.user_role == "Manager"
    assert guest.reason == "FIELD_INVALID"


async def test_an_account_is_shown_to_a_workspace_that_has_it(admin):
    """That others have it too is told, and to those who have not it does not exist."""
    one, other, third = [await admin.world.place() for _ in range(3)]
    name = f"both@{one.workspace_id}.example"
    made = [await admin.scim(place.token, "POST", "/Users", person(name)) for place in (one, other)]
    user = await admin.get(one, made[0].body["id"])
    request = GetAccountRequest(id=user.account_id)
    account = (await admin.ask(one, request)).account
    error = await admin.refused(third, request)
    reader = await admin.world.service("workspaces.read users.read", one.workspace_id)
    scope = await refusal(admin.world.ask(reader, GetAccountRequest(id=user.account_id)))

    assert (account.email, account.shared) == (name, True)
    assert error.reason == "USER_NOT_FOUND"
    assert other.workspace_id not in error.message
    assert scope.metadata == {"scope": "accounts.read"}
    assert (await admin.world.ask(one.token, ListUsersRequest())).total_size == 2


async def listed(admin, token, **options):
    """Return all workspaces that a token lists, page by page."""
    found, page_token = [], ""
    while True:
        request = ListWorkspacesRequest(page_token=page_token, **options)
        answer = await admin.world.ask(token, request)
        assert len(answer.workspaces) <= options.get("page_size", 100)
        found += answer.workspaces
        page_token = answer.next_page_token
        if not page_token:
            return found


async def test_workspaces_are_listed_by_id(admin):
    """All of them, each once, as GetWorkspace shows them, whatever the size of a page."""
    places = [await admin.world.place() for _ in range(5)]
    await admin.user(places[0], "visitor", "Guest")
    found = await listed(admin, admin.token, page_size=2)
    by_id = {workspace.id: workspace for workspace in found}

    assert list(by_id) == sorted(by_id)
    assert [each.id for each in found] == [each.id for each in await listed(admin, admin.token)]
    for place in places:
        shown = (await admin.ask(place, GetWorkspaceRequest())).workspace
        assert by_id[place.workspace_id] == shown
    assert by_id[places[0].workspace_id].has_external_users


async def test_who_is_bound_to_a_workspace_lists_it_alone(admin):
    """A product of one workspace does not learn of others; an identity provider lists nothing."""
    place = await admin.world.place()
    bound = await admin.world.service("workspaces.read", place.workspace_id)
    found = await listed(admin, bound, page_size=1)
    error = await refusal(admin.world.ask(place.token, ListWorkspacesRequest()))

    assert found == [(await admin.ask(place, GetWorkspaceRequest())).workspace]
    assert error.reason == "SCOPE_MISSING"


async def test_a_page_of_workspaces_is_not_forged(admin):
    """A token of another list, and a page of less than nothing, are refused."""
    place = await admin.world.place()
    for number in range(2):
        await admin.user(place, f"u{number}")
    page = await admin.ask(place, ListUsersRequest(page_size=1))
    errors = [
        await refusal(admin.world.ask(admin.token, ListWorkspacesRequest(**wrong)))
        for wrong in ({"page_token": page.next_page_token}, {"page_size": -1})
    ]

    assert [error.reason for error in errors] == ["PAGE_TOKEN_INVALID", "FIELD_INVALID"]
