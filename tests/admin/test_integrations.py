"""Integrations and their tokens: shown once, rotated, revoked, checked, deleted and made anew."""

import pytest
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1 import integration_pb2
from userdirectory.v1.user_directory_pb2 import ListUsersRequest
from userdirectory.v1.workspace_admin_pb2 import (
    CreateIntegrationRequest,
    DeleteIntegrationRequest,
    ListIntegrationsRequest,
    RevokeTokenRequest,
    RotateTokenRequest,
    UpdateIntegrationRequest,
    UpdatePolicyRequest,
)

from core_service import tokens
from tests.admin.test_checks import failed
from tests.contract.conftest import refusal
from tests.scim import person

HOUR = 3_600_000_000


def rotate(integration_id, overlap=None, lifetime=None):
    """Return the request of a new token; times in seconds."""
    return RotateTokenRequest(
        integration_id=integration_id,
        overlap=None if overlap is None else Duration(seconds=overlap),
        lifetime=None if lifetime is None else Duration(seconds=lifetime),
    )


async def status(admin, token):
    """Return the status of an identity provider's connection test."""
    return (await admin.scim(token, "GET", "/Users?startIndex=1&count=2")).status


@pytest.mark.rule("R-052")
@pytest.mark.parametrize("provider", ["OKTA", "ENTRA", "ONELOGIN", "GENERIC"])
async def test_the_provider_is_chosen(admin, provider):
    """It is kept; without a choice the integration is a generic one, an unknown one is refused."""
    place = await admin.world.place()
    chosen = await admin.integration(place, provider=f"PROVIDER_{provider}", label="Ours")
    plain = await admin.integration(place)
    error = await admin.refused(place, CreateIntegrationRequest(provider=99))

    assert chosen.integration.provider == integration_pb2.Provider.Value(f"PROVIDER_{provider}")
    assert chosen.integration.label == "Ours"
    assert plain.integration.provider == integration_pb2.PROVIDER_GENERIC
    assert error.metadata["field"] == "provider"


@pytest.mark.rule("R-053", "R-054", "R-055", "R-061", "R-063", "R-064", "D-23")
async def test_a_token_is_shown_once(admin):
    """It opens the workspace to no user's name; later only its public id is told."""
    place = await admin.world.place()
    made = await admin.integration(place, label="Key")
    listed = await admin.ask(place, ListIntegrationsRequest())
    token = made.integration.tokens[0]

    assert await status(admin, made.token) == 200
    assert made.token not in str(listed)
    assert made.token.split("_", 2)[2] not in str(listed)
    assert (token.id, token.label) == (tokens.parse(made.token)[0], "Key")
    assert [token.id] in [[each.id for each in known.tokens] for known in listed.integrations]


@pytest.mark.rule("R-065", "R-060")
async def test_the_connection_test_tells_right_from_wrong(admin):
    """A right token finds users, also none; a wrong one is 401."""
    place = await admin.world.place()
    wrong = place.token[:-1] + ("A" if place.token[-1] != "A" else "B")
    empty = await admin.scim(place.token, "GET", "/Users?filter=userName%20eq%20%22no%22")
    answer = await admin.scim(wrong, "GET", "/Users?startIndex=1&count=2")

    assert await status(admin, place.token) == 200
    assert (empty.status, empty.body["totalResults"]) == (200, 0)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.rule("R-062", "D-22")
async def test_an_integration_is_switched_on_and_off(admin):
    """Off where the preset says so until someone enables it; the token is the same all along."""
    place = await admin.world.place("ORG_CHART")
    await admin.ask(
        place, UpdatePolicyRequest(policy={"preset": "PRESET_ORG_CHART", "plan_needed": 1})
    )
    made = await admin.integration(place)
    id_ = made.integration.id
    before = await status(admin, made.token)
    discovery = await admin.scim(made.token, "GET", "/ServiceProviderConfig")
    states = []
    for enabled in (True, False):
        await admin.ask(place, UpdateIntegrationRequest(id=id_, enabled=enabled))
        states.append(await status(admin, made.token))
    labelled = await admin.ask(place, UpdateIntegrationRequest(id=id_, label="Okta"))

    assert (made.integration.enabled, before, discovery.status) == (False, 403, 200)
    assert states == [200, 403]
    assert (labelled.integration.enabled, labelled.integration.label) == (False, "Okta")


@pytest.mark.rule("R-056", "D-23")
@pytest.mark.parametrize(
    ("overlap", "micros"), [(None, HOUR), (60, 60_000_000), (86400, 24 * HOUR)]
)
async def test_old_tokens_end_after_the_overlap(admin, overlap, micros):
    """One hour if nothing is said; the new one stays."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    answer = await admin.ask(place, rotate(integration.id, overlap))
    seen = []
    for step in (0, micros - 1, 1):
        admin.world.clock.micros += step
        seen.append((await status(admin, place.token), await status(admin, answer.secret)))

    assert seen == [(200, 200), (200, 200), (401, 200)]
    assert not answer.token.HasField("expire_time")


@pytest.mark.rule("R-056", "D-23")
async def test_without_an_overlap_the_old_token_ends_at_once(admin):
    """The cut-over that the documents describe; a second rotation does not revive it."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    first = await admin.ask(place, rotate(integration.id, 0))
    second = await admin.ask(place, rotate(integration.id, 3600))
    seen = [await status(admin, each) for each in (place.token, first.secret, second.secret)]

    assert seen == [401, 200, 200]


@pytest.mark.rule("D-23")
async def test_five_tokens_are_good_and_no_sixth(admin):
    """Until one is revoked or has expired."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    for _ in range(4):
        await admin.ask(place, rotate(integration.id))
    sixth = rotate(integration.id)
    error = await admin.refused(place, sixth)
    public_id = tokens.parse(place.token)[0]
    await admin.ask(place, RevokeTokenRequest(integration_id=integration.id, token_id=public_id))
    made = await admin.ask(place, sixth)
    admin.world.clock.micros += HOUR
    listed = (await admin.integrations(place))[0].tokens

    assert (error.reason, error.metadata) == ("LIMIT_REACHED", {"limit": "5", "what": "tokens"})
    assert made.token.id in {token.id for token in listed}
    assert public_id not in {token.id for token in listed}
    await admin.ask(place, sixth)


@pytest.mark.parametrize("times", [(-1, None), (86401, None), (0, 0), (0, -5), (0, 10**11)])
async def test_times_that_are_none_are_refused(admin, times):
    """An overlap of 0 to 24 hours, a lifetime of a second or more."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    error = await admin.refused(place, rotate(integration.id, *times))

    assert error.reason == "FIELD_INVALID"
    assert await status(admin, place.token) == 200


async def test_a_token_may_have_a_lifetime(admin):
    """It ends by itself."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    answer = await admin.ask(place, rotate(integration.id, 0, 60))
    before = await status(admin, answer.secret)
    admin.world.clock.micros += 60_000_000

    assert (before, await status(admin, answer.secret)) == (200, 401)


async def test_a_revoked_token_is_refused(admin):
    """And only that one; of another integration or workspace it is not found."""
    one, other = await admin.world.place(), await admin.world.place()
    integration, foreign = [(await admin.integrations(each))[0] for each in (one, other)]
    public_id = tokens.parse(one.token)[0]
    wrong = [
        await admin.refused(other, RevokeTokenRequest(integration_id=each.id, token_id=public_id))
        for each in (integration, foreign)
    ]
    revoke = RevokeTokenRequest(integration_id=integration.id, token_id=public_id)
    before = await status(admin, one.token)
    await admin.ask(one, revoke)
    await admin.ask(one, revoke)

    assert [error.metadata["field"] for error in wrong] == ["integration_id", "token_id"]
    assert before == 200
    assert [await status(admin, each.token) for each in (one, other)] == [401, 200]


@pytest.mark.rule("R-058")
async def test_an_integration_is_deleted_and_set_up_again(admin):
    """The old token is 401; the same users are matched, none twice, and their roles stay."""
    place = await admin.world.place()
    user = person(f"g@{place.workspace_id}.example")
    made = await admin.scim(place.token, "POST", "/Users", user)
    await admin.ask(place, DeleteIntegrationRequest(id=(await admin.integrations(place))[0].id))
    alone = await admin.get(place, made.body["id"])
    gone = await status(admin, place.token)
    again = await admin.integration(place)
    matched = await admin.scim(again.token, "POST", "/Users", user)
    found = await admin.get(place, made.body["id"])
    total = (await admin.world.ask(again.token, ListUsersRequest())).total_size

    assert (gone, alone.managed_by, alone.active) == (401, "", True)
    assert (matched.status, matched.body["id"], total) == (201, made.body["id"], 2)
    assert (found.role_id, found.managed_by) == (alone.role_id, again.integration.id)


@pytest.mark.rule("R-057")
async def test_no_rpc_changes_the_client_application_alone(admin):
    """An identity provider cannot touch it, and it goes with its integration only."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    for request in (
        ListIntegrationsRequest(),
        rotate(integration.id),
        DeleteIntegrationRequest(id=integration.id),
    ):
        error = await refusal(admin.world.ask(place.token, request))
        assert error.reason == "SCOPE_MISSING"
    assert "client_application" not in await failed(admin, place, integration.id)


@pytest.mark.rule("R-182", "R-051")
async def test_the_last_request_is_seen_to_the_minute(admin):
    """Written once a minute, beside the request's own transaction."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    seen = []
    for step in (0, 59, 1):
        admin.world.clock.micros += step * 1_000_000
        assert await status(admin, place.token) == 200
        seen.append(await last_use(admin, place))
    first = seen[0]

    assert seen == [first, first, first + 60_000_000]
    assert "last_request_seen" not in await failed(admin, place, integration.id)


async def last_use(admin, place):
    """Return when the token was last used, once the writes under way are done."""
    await admin.identity.uses.settled()
    token = (await admin.integrations(place))[0].tokens[0]
    return token.last_use_time.ToMicroseconds()
