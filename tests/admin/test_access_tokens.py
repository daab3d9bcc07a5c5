"""Access tokens, which stand for a token of an integration for an hour (RFC 6749 section 4.4)."""

import pytest
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1.user_directory_pb2 import CreateUserRequest
from userdirectory.v1.workspace_admin_pb2 import (
    CheckIntegrationRequest,
    CreateAccessTokenRequest,
    DeleteIntegrationRequest,
    IssueTokenRequest,
    ListLogRequest,
    RevokeTokenRequest,
    RotateTokenRequest,
    UpdateIntegrationRequest,
)

from core_service import tokens
from core_service.storage import store
from tests.admin.test_integrations import status
from tests.contract.conftest import refusal
from tests.scim import person

SECOND = 1_000_000
HOUR = 3600 * SECOND


async def exchange(admin, token):
    """Return the answer to an access token for the bearer of *token*."""
    request = CreateAccessTokenRequest(client_id=tokens.parse(token)[0])
    return await admin.world.ask(token, request)


async def refused(admin, token):
    """Return why the bearer of *token* gets no access token."""
    return (await refusal(exchange(admin, token))).reason


@pytest.mark.rule("D-44")
async def test_an_access_token_is_good_for_an_hour(admin):
    """And provisions like the token it was made with, which stays good."""
    place = await admin.world.place()
    made = await exchange(admin, place.token)
    created = await admin.scim(made.access_token, "POST", "/Users", person("g@example.com"))
    integration = (await admin.integrations(place))[0]
    user = await admin.get(place, created.body["id"])
    seen = []
    for step in (HOUR - 1, 1):
        admin.world.clock.micros += step
        seen.append((await status(admin, made.access_token), await status(admin, place.token)))

    assert made.lifetime == Duration(seconds=3600)
    assert made.scopes == sorted(made.scopes)
    assert {*made.scopes} == {
        "users.read", "users.write", "groups.read", "groups.write", "roles.read",
    }  # fmt: skip
    assert user.managed_by == integration.id
    assert seen == [(200, 200), (401, 200)]


async def test_it_ends_no_later_than_its_token(admin):
    """Also when the token is given an end afterwards, by a rotation."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    short = await admin.ask(
        place, IssueTokenRequest(integration_id=integration.id, lifetime=Duration(seconds=90))
    )
    of_short = await exchange(admin, short.secret)
    of_first = await exchange(admin, place.token)
    await admin.ask(
        place, RotateTokenRequest(integration_id=integration.id, overlap=Duration(seconds=60))
    )
    seen = []
    for step in (60 * SECOND - 1, 1):
        admin.world.clock.micros += step
        seen.append([await status(admin, m.access_token) for m in (of_first, of_short)])

    assert of_short.lifetime == Duration(seconds=90)
    assert seen == [[200, 200], [401, 401]]


@pytest.mark.parametrize("ended_by", ["revoke", "rotate", "delete"])
async def test_it_ends_with_its_token(admin, ended_by):
    """At once where the token ends at once; nothing of it is left behind."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    made = await exchange(admin, place.token)
    before = await status(admin, made.access_token)
    token_id = tokens.parse(place.token)[0]
    request = {
        "revoke": RevokeTokenRequest(integration_id=integration.id, token_id=token_id),
        "rotate": RotateTokenRequest(integration_id=integration.id, overlap=Duration(seconds=0)),
        "delete": DeleteIntegrationRequest(id=integration.id),
    }[ended_by]
    await admin.ask(place, request)

    assert before == 200
    assert [await status(admin, each) for each in (made.access_token, place.token)] == [401, 401]
    assert await refused(admin, place.token) == "CREDENTIAL_INVALID"


async def test_whose_id_it_is_must_be_said(admin):
    """The id of another token, of an access token or of nobody is not the caller's own."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    other = await admin.ask(place, IssueTokenRequest(integration_id=integration.id))
    made = await exchange(admin, place.token)
    for client_id in ("", "nobody", other.token.id, tokens.parse(made.access_token)[0]):
        request = CreateAccessTokenRequest(client_id=client_id)
        error = await refusal(admin.world.ask(place.token, request))

        assert error.reason == "CREDENTIAL_INVALID"


async def test_an_access_token_makes_no_other(admin):
    """Neither in its own name nor in that of its token."""
    place = await admin.world.place()
    made = await exchange(admin, place.token)
    for token in (place.token, made.access_token):
        request = CreateAccessTokenRequest(client_id=tokens.parse(token)[0])
        error = await refusal(admin.world.ask(made.access_token, request))

        assert (error.reason, error.metadata) == ("SCOPE_MISSING", {"scope": "access_tokens.write"})


async def test_a_product_gets_none(admin):
    """A service credential is no token of an integration, whatever it may do."""
    place = await admin.world.place()
    bound = await admin.world.service("*", place.workspace_id)

    assert await refused(admin, admin.token) == "CREDENTIAL_INVALID"
    assert await refused(admin, bound) == "CREDENTIAL_INVALID"


@pytest.mark.rule("D-22")
async def test_switched_off_an_integration_gets_none(admin):
    """As for everything that is provisioning; one that it has works again when it is on."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    made = await exchange(admin, place.token)
    await admin.ask(place, UpdateIntegrationRequest(id=integration.id, enabled=False))
    off = await refused(admin, place.token), await status(admin, made.access_token)
    await admin.ask(place, UpdateIntegrationRequest(id=integration.id, enabled=True))

    assert off == ("INTEGRATION_OFF", 403)
    assert await status(admin, made.access_token) == 200
    assert (await exchange(admin, place.token)).lifetime == Duration(seconds=3600)


async def test_it_does_what_its_token_does(admin):
    """It reads and never writes where that is so, and is used by the same person."""
    place = await admin.world.place()
    ada = f"ada@{place.workspace_id}.example"
    integration = (await admin.integrations(place))[0]
    reader = await admin.ask(
        place, IssueTokenRequest(integration_id=integration.id, read_only=True, subject=ada)
    )
    made = await exchange(admin, reader.secret)
    write = admin.world.ask(made.access_token, CreateUserRequest(user={"user_name": "x@y.example"}))
    me = await admin.scim(made.access_token, "GET", "/Me")

    assert made.scopes == ["groups.read", "roles.read", "users.read"]
    assert (await refusal(write)).reason == "SCOPE_MISSING"
    assert (me.status, me.body["id"]) == (200, place.admin_id)
    assert await status(admin, made.access_token) == 200


async def test_access_tokens_are_no_tokens(admin):
    """They are not listed, not checked, not revoked one by one, and none of the five."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    made = [await exchange(admin, place.token) for _ in range(6)]
    listed = (await admin.integrations(place))[0]
    checks = await admin.ask(place, CheckIntegrationRequest(id=integration.id))
    revoke = RevokeTokenRequest(
        integration_id=integration.id, token_id=tokens.parse(made[0].access_token)[0]
    )

    assert [token.id for token in listed.tokens] == [tokens.parse(place.token)[0]]
    assert {c.finding for c in checks.checks if c.name == "token_present"} == {
        "Tokens that nobody revoked: 1."
    }
    assert (await admin.refused(place, revoke)).metadata["field"] == "token_id"
    for _ in range(4):
        await admin.ask(place, IssueTokenRequest(integration_id=integration.id))
    assert [await status(admin, each.access_token) for each in made] == [200] * 6


async def test_its_use_is_that_of_its_token(admin):
    """Which an administrator knows, and the log names."""
    place = await admin.world.place()
    made = await exchange(admin, place.token)
    admin.world.clock.micros += 5 * 60 * SECOND
    await admin.scim(made.access_token, "POST", "/Users", person("g@example.com"))
    await admin.identity.uses.settled()
    integration = (await admin.integrations(place))[0]
    log = await admin.ask(place, ListLogRequest())

    assert integration.tokens[0].last_use_time.seconds == admin.world.clock.micros // SECOND
    assert log.entries[0].operation == "CreateUser"
    assert log.entries[0].credential_id == tokens.parse(place.token)[0]


async def test_those_that_ended_are_removed(admin):
    """When the integration gets the next; only those, and only its own."""
    place, other = await admin.world.place(), await admin.world.place()
    old = [await exchange(admin, each.token) for each in (place, place, other)]
    admin.world.clock.micros += HOUR // 2
    young = await exchange(admin, place.token)
    admin.world.clock.micros += HOUR // 2
    await exchange(admin, place.token)

    async def is_kept(secret):
        public_id = tokens.parse(secret)[0]
        return await admin.world.core.storage.read(lambda tx: store.credential(tx, public_id))

    kept = [bool(await is_kept(each.access_token)) for each in (*old, young)]
    assert kept == [False, False, True, True]


async def test_no_secret_of_an_access_token_is_kept(admin):
    """Its public id and a digest are (A13)."""
    place = await admin.world.place()
    made = await exchange(admin, place.token)
    public_id, digest = tokens.parse(made.access_token)
    row = await admin.world.core.storage.read(lambda tx: store.credential(tx, public_id))

    assert made.access_token.split("_", 2)[2] not in repr(row)
    assert (row.digest, row.parent_id) == (digest, tokens.parse(place.token)[0])
