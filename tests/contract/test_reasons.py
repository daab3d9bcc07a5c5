"""Every reason of the contract, caused by a call, with the metadata the contract names."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf import json_format
from userdirectory.errors import CODES
from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.workspace_admin_pb2 import DeleteWorkspaceRequest, GetWorkspaceRequest

from core_service.identity import Identity
from core_service.rate_limits import Limits, Rate
from tests.contract.conftest import World, refusal, set_workspace
from tests.contract.test_access import UNKNOWN, integration_of
from tests.contract.test_identity import LAPSED
from tests.workspaces import switch

ELSEWHERE = {
    # Races and broken databases: tests/storage and tests/races.
    "WRITE_CONFLICT",
    "STORAGE_UNAVAILABLE",
    # test_access.py
    "CREDENTIAL_MISSING",
    "WORKSPACE_NOT_FOUND",
    "WORKSPACE_MISMATCH",
}
UNUSED = {
    # Identity providers find no guest role, by name or id, that this could refuse.
    "GUEST_RESTRICTED",
}
"""Reasons that no call is given now."""
BURST = 30
"""More requests than any other cause makes with one credential."""

Caused = tuple[Awaitable[Any], dict[str, str]]
CAUSES: dict[str, Callable[[World], Awaitable[Caused]]] = {}


@pytest.fixture
def identity(core):
    """Lets a credential ask no more than BURST in all: its clock stands."""
    limits = Limits(Rate(per_second=1, burst=BURST), clock=lambda: 0.0)
    return Identity(core, cache_seconds=0, limits=limits)


def causes(reason: str) -> Callable[[Any], Any]:
    """Mark a function that returns a call refused for *reason*, and the metadata to expect."""

    def mark(function: Callable[[World], Awaitable[Caused]]) -> Any:
        CAUSES[reason] = function
        return function

    return mark


def ask(world: World, token: str, rpc: str, **fields: Any) -> Awaitable[Any]:
    """Return the call of an RPC, its request given as JSON."""
    return world.ask(token, json_format.ParseDict(fields, getattr(api, f"{rpc}Request")()))


def person(place, name="grace", **fields):
    """Return a user as JSON."""
    names = {"given_name": "Grace", "family_name": "Hopper"}
    return {"user_name": f"{name}@{place.workspace_id}.example", "name": names} | fields


async def created(world, place, name="grace", **fields):
    """Return the id of a new user."""
    answer = await ask(world, place.token, "CreateUser", user=person(place, name, **fields))
    return answer.user.id


def patched(world, place, user_id, *changes):
    """Return the call that patches a user."""
    return ask(world, place.token, "PatchUser", user={"id": user_id}, changes=list(changes))


@causes("USER_NOT_FOUND")
async def _(world):
    place = await world.place()
    call = ask(world, place.token, "GetUser", user={"user_name": "nobody@example.com"})
    return call, {"key": "user_name", "value": "nobody@example.com"}


@causes("GROUP_NOT_FOUND")
async def _(world):
    place = await world.place("GROUP_MIRROR")
    return ask(world, place.token, "GetGroup", id="nothing"), {"id": "nothing"}


@causes("ROLE_NOT_FOUND")
async def _(world):
    place = await world.place()
    return ask(world, place.token, "GetRole", id="nothing"), {"id": "nothing"}


@causes("VALUE_TAKEN")
async def _(world):
    place = await world.place("STRICT_RFC")
    await created(world, place)
    wanted = person(place)
    call = ask(world, place.token, "CreateUser", user=wanted)
    return call, {"field": "user_name", "value": wanted["user_name"]}


@causes("ETAG_MISMATCH")
async def _(world):
    place = await world.place()
    user_id = await created(world, place)
    call = ask(world, place.token, "DeleteUser", user={"id": user_id}, etag='W/"99"')
    return call, {"etag": 'W/"1"'}


@causes("FIELD_INVALID")
async def _(world):
    place = await world.place()
    wanted = person(place) | {"user_name": "no address"}
    return ask(world, place.token, "CreateUser", user=wanted), {"field": "user_name"}


@causes("FIELD_READ_ONLY")
async def _(world):
    place = await world.place()
    user_id = await created(world, place)
    change = {"set": {"field": "id", "value": {"id": "mine"}}}
    return patched(world, place, user_id, change), {"field": "id"}


@causes("FIELD_UNKNOWN")
async def _(world):
    place = await world.place()
    call = ask(world, place.token, "ListUsers", order_by="shoe_size")
    return call, {"field": "order_by"}


@causes("PROTOCOL_DEVIATION")
async def _(world):
    place = await world.place("STRICT_RFC")
    deviation = {"kind": "DEVIATION_KIND_VALUE", "message": "That is a text. Send a list."}
    call = ask(world, place.token, "CreateUser", user={"userName": "ada"}, deviation=deviation)
    return call, {"kind": "VALUE"}


@causes("FILTER_INVALID")
async def _(world):
    place = await world.place()
    wanted = {"contains": {"field": "active", "text": "x"}}
    return ask(world, place.token, "ListUsers", filter=wanted), {"field": "active"}


@causes("NO_TARGET")
async def _(world):
    place = await world.place("STRICT_RFC")
    user_id = await created(world, place)
    change = {
        "set": {
            "field": "emails.value",
            "where": {"equal": {"field": "type", "text": "home"}},
            "value": {"emails": [{"value": "a@example.com"}]},
        }
    }
    return patched(world, place, user_id, change), {"field": "emails.value", "index": "0"}


@causes("PAGE_TOKEN_INVALID")
async def _(world):
    place = await world.place()
    return ask(world, place.token, "ListUsers", page_token="forged"), {}


@causes("NAME_UNKNOWN")
async def _(world):
    place = await world.place()
    wanted = person(place, workplace={"user_role": "manager"})
    call = ask(world, place.token, "CreateUser", user=wanted)
    return call, {"field": "workplace.user_role", "value": "manager", "near": "Manager"}


@causes("SECOND_ROLE")
async def _(world):
    place = await world.place()
    wanted = person(place, roles=[{"value": "Manager"}, {"value": "Member"}])
    return ask(world, place.token, "CreateUser", user=wanted), {}


@causes("ROLE_NOT_REMOVABLE")
async def _(world):
    place = await world.place()
    user_id = await created(world, place)
    change = {"remove": {"field": "workplace.user_role"}}
    return patched(world, place, user_id, change), {"user_id": user_id}


@causes("REGION_NOT_REMOVABLE")
async def _(world):
    place = await world.place()
    user_id = await created(world, place, workplace={"absence_region": "Bayern"})
    change = {"remove": {"field": "workplace.absence_region"}}
    return patched(world, place, user_id, change), {"user_id": user_id}


@causes("ACCOUNT_SHARED")
async def _(world):
    here, there = await world.place(), await world.place()
    user_id = await created(world, here)
    await ask(world, there.token, "CreateUser", user=person(here))
    new = {"user_name": f"new@{here.workspace_id}.example"}
    change = {"set": {"field": "user_name", "value": new}}
    return patched(world, here, user_id, change), {"user_id": user_id, "field": "user_name"}


@causes("LAST_ADMIN")
async def _(world):
    place = await world.place()
    call = ask(world, place.token, "DeleteUser", user={"id": place.admin_id})
    return call, {"user_id": place.admin_id}


@causes("ADMIN_ROLE_LOCKED")
async def _(world):
    place = await world.place("ORG_CHART")
    user_id = await created(world, place)
    change = {"set": {"field": "roles", "value": {"roles": [{"value": "Admin"}]}}}
    return patched(world, place, user_id, change), {"user_id": user_id}


@causes("ROLE_CATALOGUE")
async def _(world):
    place = await world.place()
    call = ask(world, place.token, "CreateGroup", group={"display_name": "Sales"})
    return call, {"operation": "create"}


@causes("NO_SEAT")
async def _(world):
    place = await world.place(seats=1)
    call = ask(world, place.token, "CreateUser", user=person(place))
    return call, {"used": "1", "total": "1"}


@causes("LIMIT_REACHED")
async def _(world):
    place = await world.place("GROUP_MIRROR")
    one = workspace_pb2.Workspace(policy=policy_pb2.Policy(max_users=1))
    await set_workspace(world.core, place.workspace_id, one)
    call = ask(world, place.token, "CreateUser", user=person(place))
    return call, {"limit": "1", "what": "users"}


@causes("INVOICE_PENDING")
async def _(world):
    place = await world.place(seats=1)
    booking = workspace_pb2.Workspace(seat_plan={"automatic_booking": True})
    await set_workspace(world.core, place.workspace_id, booking)
    await created(world, place)
    product = await world.service()
    named = {"workspace_id": place.workspace_id}
    read = await world.ask(product, GetWorkspaceRequest(**named))
    call = world.ask(product, DeleteWorkspaceRequest(**named, etag=read.workspace.etag))
    return call, {"seats": "1"}


@causes("INTEGRATION_OFF")
async def _(world):
    place = await world.place()
    id_ = await integration_of(world, place)
    await switch(world.core, place.workspace_id, id_, enabled=False)
    return ask(world, place.token, "ListGroups"), {"integration_id": id_}


@causes("NOT_ENTITLED")
async def _(world):
    place = await world.place()
    await set_workspace(world.core, place.workspace_id, LAPSED)
    return ask(world, place.token, "CountUsers"), {"plan": "free", "needed": "enterprise"}


@causes("SIGN_ON_MISSING")
async def _(world):
    place = await world.place()
    signed_off = workspace_pb2.Workspace(sign_on=workspace_pb2.SIGN_ON_NONE)
    await set_workspace(world.core, place.workspace_id, signed_off)
    call = ask(world, place.token, "CreateUser", user=person(place))
    return call, {"needed": "openid_connect"}


@causes("RATE_LIMITED")
async def _(world):
    place = await world.place()
    for _ in range(BURST):
        await ask(world, place.token, "CountUsers")
    return ask(world, place.token, "CountUsers"), {"retry_after_seconds": "1"}


@causes("SUBJECT_MISSING")
async def _(world):
    place = await world.place()
    return ask(world, place.token, "GetUser", user={"me": True}), {}


@causes("CREDENTIAL_INVALID")
async def _(world):
    return ask(world, UNKNOWN, "CountUsers"), {}


@causes("SCOPE_MISSING")
async def _(world):
    token = await world.service("users.read")
    return ask(world, token, "DeleteGroup", workspace_id="acme"), {"scope": "groups.write"}


def test_every_reason_is_caused_somewhere():
    """A new reason needs a cause here."""
    assert CAUSES.keys() | ELSEWHERE | UNUSED == CODES.keys()
    assert not CAUSES.keys() & (ELSEWHERE | UNUSED)


@pytest.mark.parametrize("reason", CAUSES)
async def test_a_refusal_says_why(world, reason):
    """The reason, its code, and in the metadata at least what the contract promises."""
    call, metadata = await CAUSES[reason](world)
    error = await refusal(call)

    assert error.reason == reason
    assert metadata.items() <= error.metadata.items()
    assert error.message[-1] in ".?"
