"""Credentials: what is let in, for how long, and what a cache may not change."""

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1.user_directory_pb2 import ListUsersRequest
from userdirectory.v1.workspace_admin_pb2 import CreateAccessTokenRequest

from core_service import access_tokens, tokens
from core_service.identity import CACHE_SECONDS, Identity
from core_service.storage import store
from tests.contract.conftest import refusal, set_workspace
from tests.workspaces import new_place

LAPSED = workspace_pb2.Workspace(
    plan=workspace_pb2.PLAN_FREE,
    policy=policy_pb2.Policy(plan_needed=policy_pb2.PLAN_NEEDED_ENTERPRISE),
)
TRACE = "0" * 31 + "1"
HOUR = 3_600_000_000


class Ticks:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


async def change(core, token, **values):
    """Change the credential of *token* as its administration would."""
    public_id = tokens.parse(token)[0]

    async def work(tx):
        row = await store.credential(tx, public_id)
        await store.update_credential(tx, row._replace(**values))

    row = await core.storage.read(lambda tx: store.credential(tx, public_id))
    await core.storage.write(row.workspace_id, work)


async def enters(identity, header, workspace_id=""):
    """Return who is let in with this header; None if nobody is."""
    try:
        metadata = (("authorization", header),)
        return await identity.authenticate(metadata, workspace_id, "users.read", TRACE)
    except DirectoryError as error:
        if error.reason != "CREDENTIAL_INVALID":
            raise
        return None


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}", "{}"])
async def test_the_scheme_may_be_written_as_it_comes(core, identity, form):
    """`Bearer` in any case (A07), or only the token (D-44)."""
    place = await new_place(core)
    caller = await enters(identity, form.format(place.token))

    assert caller.workspace_id == place.workspace_id
    assert caller.provisions
    assert caller.trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer ä", "Bearer a b", "Bearer " + "x" * 9000],
)
async def test_anything_else_is_not_a_credential(identity, header):
    """Nothing that is no token is looked up."""
    assert await enters(identity, header) is None


async def test_a_wrong_secret_is_not_let_in(core, identity):
    """The public id alone opens nothing, whether or not the right secret was seen before."""
    place = await new_place(core)
    assert await enters(identity, place.token)
    wrong = place.token[:-1] + ("A" if place.token[-1] != "A" else "B")

    assert await enters(identity, wrong) is None
    assert await enters(identity, "_".join(["ud", "0" * 16, place.token[20:]])) is None


async def test_two_credentials_at_once_are_none(core, identity):
    """A request with two tokens has no answer to who calls."""
    place = await new_place(core)
    twice = (("authorization", f"Bearer {place.token}"),) * 2

    with pytest.raises(DirectoryError) as caught:
        await identity.authenticate(twice, "", "users.read", TRACE)
    assert caught.value.reason == "CREDENTIAL_INVALID"


@pytest.mark.rule("D-23")
async def test_a_credential_expires(core, clock, identity):
    """At its expiry, to the microsecond, also while it is in the cache (A02)."""
    identity = Identity(core, cache_seconds=5)
    place = await new_place(core)
    await change(core, place.token, expire_time=clock() + HOUR)

    assert await enters(identity, place.token)
    clock.micros += HOUR - 1
    assert await enters(identity, place.token)
    clock.micros += 1
    assert await enters(identity, place.token) is None


async def test_a_revoked_credential_is_refused_within_seconds(core, clock):
    """A process that knew it may let it in for the time of its cache and no longer (A03)."""
    ticks = Ticks()
    identity = Identity(core, clock=ticks)
    place = await new_place(core)
    assert await enters(identity, place.token)
    await change(core, place.token, revoke_time=clock())
    assert await enters(identity, place.token)
    ticks.now = CACHE_SECONDS

    assert CACHE_SECONDS <= 5
    assert await enters(identity, place.token) is None
    assert await enters(Identity(core), place.token) is None


async def test_an_access_token_ends_with_its_token_within_seconds(core, clock):
    """Another process revokes the token; whoever knew the access token notices (A03, T12)."""
    ticks = Ticks()
    identity = Identity(core, clock=ticks)
    place = await new_place(core)
    caller = await enters(identity, place.token)
    request = CreateAccessTokenRequest(client_id=caller.credential_id)
    made = await access_tokens.create(core, caller, request)
    assert await enters(identity, made.access_token)
    await change(core, place.token, revoke_time=clock())
    ticks.now = CACHE_SECONDS

    assert await enters(identity, made.access_token) is None
    assert await enters(Identity(core), made.access_token) is None


async def test_a_write_about_no_workspace_is_known_at_once(core, clock):
    """It may be about a credential of any, which this process looks up anew."""
    identity = Identity(core, cache_seconds=5)
    place = await new_place(core)
    assert await enters(identity, place.token)
    await change(core, place.token, revoke_time=clock())
    identity.forget("")

    assert await enters(identity, place.token) is None


async def test_the_other_credential_keeps_working(core, clock, identity):
    """Revoking one credential of a workspace touches no other (A16)."""
    one, other = await new_place(core), await new_place(core)
    await change(core, one.token, revoke_time=clock())

    assert await enters(identity, one.token) is None
    assert await enters(identity, other.token)


async def test_a_cache_does_not_mix_up_workspaces(core):
    """Who was let in into one workspace is not let in into another (T12)."""
    identity = Identity(core, cache_seconds=5)
    one, other = await new_place(core), await new_place(core)

    for _ in range(2):
        assert (await enters(identity, one.token)).workspace_id == one.workspace_id
        assert (await enters(identity, other.token)).workspace_id == other.workspace_id


@pytest.mark.rule("R-009")
async def test_the_plan_is_asked_on_every_request(world):
    """A workspace whose plan no longer includes provisioning is refused, with both plans named."""
    place = await world.place()
    await world.ask(place.token, ListUsersRequest())
    await set_workspace(world.core, place.workspace_id, LAPSED)
    error = await refusal(world.ask(place.token, ListUsersRequest()))

    assert error.reason == "NOT_ENTITLED"
    assert error.metadata == {"plan": "free", "needed": "enterprise"}


async def test_no_secret_is_stored(core):
    """What is kept of a token is its public id and a digest (A13)."""
    place = await new_place(core)
    row = await core.storage.read(lambda tx: store.credential(tx, tokens.parse(place.token)[0]))

    assert place.token.split("_", 2)[2] not in repr(row)
    assert row.digest == tokens.parse(place.token)[1]
