"""Causes of the reasons that lie in who asks, when, and for what, with what explains each."""

from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.workspace_admin_pb2 import DeleteWorkspaceRequest, GetWorkspaceRequest

from core_service import credentials
from core_service.rate_limits import FAILURES_OF_CLIENT
from tests.contract.conftest import set_workspace
from tests.contract.test_access import UNKNOWN
from tests.contract.test_identity import LAPSED
from tests.history.desk import (
    BUSY,
    SYNTAX,
    Case,
    Cause,
    Desk,
    case_of,
    held,
    marker,
    read_only,
    refused_create,
)
from tests.workspaces import connect, switch

CAUSES_OF_CALLS: dict[str, Cause] = {}
causes = marker(CAUSES_OF_CALLS)


@causes("USER_NOT_FOUND")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    return case_of(place, await desk.ask(place.token, "GET", "/Users/nobody"), "GetUser", SYNTAX)


@causes("GROUP_NOT_FOUND")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    answer = await desk.ask(place.token, "GET", "/Groups/nothing")
    return case_of(place, answer, "GetGroup", "R-148", ("groups", "GROUPS_MODE_GROUPS", False))


@causes("ROLE_NOT_FOUND")
async def _(desk: Desk) -> Case:
    # SCIM has no roles of their own: their groups are not found.
    place = await desk.place()
    return Case(
        detail=await desk.by_grpc(place.token, api.GetRoleRequest(id="nothing")),
        rpc="GetRole",
        rule="R-148",
        token=place.token,
        workspace_id=place.workspace_id,
    )


@causes("WORKSPACE_NOT_FOUND")
async def _(desk: Desk) -> Case:
    token = desk.system.service_token
    answer = await desk.ask(token, "GET", "/Users/nobody", within="no-such-workspace")
    return Case(detail=answer.body["detail"], rpc="GetUser", rule="R-016", token=token)


@causes("ETAG_MISMATCH")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    headers = {"If-Match": 'W/"99"'}
    path = f"/Users/{place.admin_id}"
    answer = await desk.ask(place.token, "DELETE", path, headers=headers)
    return case_of(place, answer, "DeleteUser", "RFC 7644 section 3.14")


@causes("WRITE_CONFLICT")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    await desk.ask(place.token, "GET", "/Users/nobody")
    async with held(desk, place):
        return await refused_create(desk, place, BUSY)


@causes("STORAGE_UNAVAILABLE")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    # The credential is known for a moment.
    await desk.ask(place.token, "GET", "/Users/nobody")
    async with read_only(desk):
        return await refused_create(desk, place, BUSY)


@causes("NO_SEAT")
async def _(desk: Desk) -> Case:
    place = await desk.place(seats=1)
    return await refused_create(desk, place, "R-044", ("seats", "SEATS_METERED", False))


@causes("LIMIT_REACHED")
async def _(desk: Desk) -> Case:
    place = await desk.place("GROUP_MIRROR")
    one = workspace_pb2.Workspace(policy=policy_pb2.Policy(max_users=1))
    await set_workspace(desk.system.core, place.workspace_id, one)
    return await refused_create(desk, place, "R-174", ("max_users", "1", True))


@causes("INTEGRATION_OFF")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    id_, token = await connect(desk.system.core, place.workspace_id)
    await switch(desk.system.core, place.workspace_id, id_, enabled=False)
    answer = await desk.ask(token, "GET", "/Users/nobody")
    return Case(
        detail=answer.body["detail"],
        rpc="GetUser",
        rule="R-062",
        settings=(("integration_enabled", "true", True),),
        token=token,
        workspace_id=place.workspace_id,
    )


@causes("NOT_ENTITLED")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    await set_workspace(desk.system.core, place.workspace_id, LAPSED)
    answer = await desk.ask(place.token, "GET", "/Users/nobody")
    setting = ("plan_needed", "PLAN_NEEDED_ENTERPRISE", True)
    return case_of(place, answer, "GetUser", "R-009", setting)


@causes("SIGN_ON_MISSING")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    signed_off = workspace_pb2.Workspace(sign_on=workspace_pb2.SIGN_ON_NONE)
    await set_workspace(desk.system.core, place.workspace_id, signed_off)
    setting = ("sign_on_needed", "SIGN_ON_NEEDED_OPENID_CONNECT", False)
    return await refused_create(desk, place, "R-013", setting)


@causes("CREDENTIAL_MISSING")
async def _(desk: Desk) -> Case:
    # The gateway itself refuses who shows nothing at all.
    return Case(
        detail=await desk.by_grpc("", api.CountUsersRequest()),
        rpc="CountUsers",
        rule="R-060",
        known=False,
    )


@causes("CREDENTIAL_INVALID")
async def _(desk: Desk) -> Case:
    answer = await desk.ask(UNKNOWN, "GET", "/Users/nobody")
    return Case(
        detail=answer.body["detail"], rpc="GetUser", rule="R-060", token=UNKNOWN, known=False
    )


@causes("RATE_LIMITED")
async def _(desk: Desk) -> Case:
    # Whoever guesses is told to slow down; a good credential is not.
    for _ in range(2 * FAILURES_OF_CLIENT.burst):
        answer = await desk.ask(UNKNOWN, "GET", "/Users/nobody")
        if answer.status == 429:
            break
    return Case(
        detail=answer.body["detail"],
        rpc="GetUser",
        rule="RFC 6585 section 4",
        token=UNKNOWN,
        known=False,
    )


@causes("INVOICE_PENDING")
async def _(desk: Desk) -> Case:
    # SCIM deletes no workspaces.
    place = await desk.place(seats=1)
    booking = workspace_pb2.Workspace(seat_plan=workspace_pb2.SeatPlan(automatic_booking=True))
    await set_workspace(desk.system.core, place.workspace_id, booking)
    await desk.made(place)
    token = desk.system.service_token
    asked = GetWorkspaceRequest(workspace_id=place.workspace_id)
    etag = (await desk.call(token, asked)).workspace.etag
    request = DeleteWorkspaceRequest(workspace_id=place.workspace_id, etag=etag)
    return Case(
        detail=await desk.by_grpc(token, request),
        rpc="DeleteWorkspace",
        rule="R-049",
        settings=(("seats", "SEATS_METERED", False),),
        token=token,
        workspace_id=place.workspace_id,
    )


@causes("SCOPE_MISSING")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    core = desk.system.core
    token = await credentials.issue_service_token(core, "Reader", "users.read", place.workspace_id)
    answer = await desk.ask(token, "DELETE", "/Users/nobody")
    return Case(
        detail=answer.body["detail"],
        rpc="DeleteUser",
        rule="RFC 6750 section 3.1",
        token=token,
        workspace_id=place.workspace_id,
    )


@causes("WORKSPACE_MISMATCH")
async def _(desk: Desk) -> Case:
    here, there = await desk.place(), await desk.place()
    answer = await desk.ask(here.token, "GET", "/Users/nobody", within=there.workspace_id)
    return case_of(here, answer, "GetUser", "R-016")


@causes("SUBJECT_MISSING")
async def _(desk: Desk) -> Case:
    place = await desk.place()
    answer = await desk.ask(place.token, "GET", "/Me")
    return case_of(place, answer, "GetUser", "RFC 7644 section 3.11")
