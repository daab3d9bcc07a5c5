"""Tokens beside others, tokens that only read, and when they were used."""

import pytest
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1.user_directory_pb2 import ListUsersRequest
from userdirectory.v1.workspace_admin_pb2 import (
    GetIntegrationRequest,
    IssueTokenRequest,
    ListLogRequest,
    RevokeTokenRequest,
    RotateTokenRequest,
)

from core_service import tokens
from tests.admin.test_integrations import status
from tests.scim import PATCH_OP, person

MINUTE = 60_000_000


async def issue(admin, place, **values):
    """Return the answer to one more token for the integration of a place."""
    integration = (await admin.integrations(place))[0]
    return await admin.ask(place, IssueTokenRequest(integration_id=integration.id, **values))


@pytest.mark.rule("D-23")
async def test_one_more_token_stands_beside_the_others(admin):
    """The old ones have no end that they did not have; the new one is as was asked."""
    place = await admin.world.place()
    made = await issue(admin, place, label="Nightly", lifetime=Duration(seconds=60), subject="ada")
    listed = (await admin.integrations(place))[0].tokens
    seen = [await status(admin, each) for each in (place.token, made.secret)]
    admin.world.clock.micros += MINUTE
    later = [await status(admin, each) for each in (place.token, made.secret)]

    assert (seen, later) == ([200, 200], [200, 401])
    assert (made.token.label, made.token.subject, made.token.read_only) == ("Nightly", "ada", False)
    assert made.token.id == tokens.parse(made.secret)[0]
    assert {token.id: token.HasField("expire_time") for token in listed} == {
        tokens.parse(place.token)[0]: False,
        made.token.id: True,
    }


@pytest.mark.rule("D-23")
async def test_there_is_no_sixth_token_beside_five(admin):
    """Until one is revoked or has ended."""
    place = await admin.world.place()
    first = await issue(admin, place, lifetime=Duration(seconds=60))
    others = [await issue(admin, place) for _ in range(3)]
    integration_id = (await admin.integrations(place))[0].id
    sixth = IssueTokenRequest(integration_id=integration_id)
    error = await admin.refused(place, sixth)
    admin.world.clock.micros += MINUTE
    await admin.ask(place, sixth)
    again = await admin.refused(place, sixth)
    await admin.ask(
        place, RevokeTokenRequest(integration_id=integration_id, token_id=others[0].token.id)
    )

    assert (error.reason, error.metadata) == ("LIMIT_REACHED", {"limit": "5", "what": "tokens"})
    assert again.reason == "LIMIT_REACHED"
    assert await status(admin, first.secret) == 401
    await admin.ask(place, sixth)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"lifetime": Duration(seconds=0)}, "lifetime"),
        ({"lifetime": Duration(seconds=-1)}, "lifetime"),
        ({"label": "x" * 257}, "label"),
        ({"subject": "a\nb"}, "subject"),
        ({"integration_id": "nobody"}, "integration_id"),
    ],
)
async def test_what_cannot_be_is_refused(admin, values, field):
    """And no token is made."""
    place = await admin.world.place()
    integration = (await admin.integrations(place))[0]
    request = IssueTokenRequest(**{"integration_id": integration.id, **values})
    error = await admin.refused(place, request)

    assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", field)
    assert len((await admin.integrations(place))[0].tokens) == 1


@pytest.mark.rule("D-23")
@pytest.mark.parametrize("made_by", [IssueTokenRequest, RotateTokenRequest])
async def test_a_token_that_only_reads_writes_nothing(admin, made_by):
    """It finds users, groups and what discovery tells; every write is 403, and nothing happens."""
    place = await admin.world.place("GROUP_MIRROR")
    integration = (await admin.integrations(place))[0]
    made = await admin.ask(place, made_by(integration_id=integration.id, read_only=True))
    token = made.secret
    change = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"title": "Dr"}}]}
    create = {"method": "POST", "path": "/Users", "bulkId": "1", "data": person("b@example.com")}
    reads = ["/Users", f"/Users/{place.admin_id}", "/Groups", "/ServiceProviderConfig", "/Schemas"]
    found = [(await admin.scim(token, "GET", path)).status for path in reads]
    writes = [
        ("POST", "/Users", person("a@example.com")),
        ("PATCH", f"/Users/{place.admin_id}", change),
        ("PUT", f"/Users/{place.admin_id}", person("a@example.com")),
        ("DELETE", f"/Users/{place.admin_id}", None),
        ("POST", "/Groups", {"displayName": "Readers"}),
        ("POST", "/Bulk", {"Operations": [create]}),
    ]
    refused = [(await admin.scim(token, *write)) for write in writes]
    total = (await admin.world.ask(place.token, ListUsersRequest())).total_size
    listed = (await admin.integrations(place))[0].tokens

    assert found == [200] * len(reads)
    assert [answer.status for answer in refused] == [403] * len(writes)
    assert all("users.write" in a.body["detail"] or "groups" in a.body["detail"] for a in refused)
    assert total == 1
    assert {t.id: t.read_only for t in listed if t.id == made.token.id} == {made.token.id: True}
    assert made.token.read_only


async def test_one_integration_is_read(admin):
    """As in the list; one that does not exist, or is another workspace's, is none."""
    place, other = await admin.world.place(), await admin.world.place()
    listed = (await admin.integrations(place))[0]
    answer = await admin.ask(place, GetIntegrationRequest(id=listed.id))
    foreign = await admin.refused(other, GetIntegrationRequest(id=listed.id))

    assert answer.integration == listed
    assert (foreign.reason, foreign.metadata["field"]) == ("FIELD_INVALID", "id")


async def test_an_integration_was_used_when_its_newest_token_was(admin):
    """To the minute; unset as long as none was."""
    place = await admin.world.place()
    made = await issue(admin, place)
    before = (await admin.integrations(place))[0]
    await status(admin, place.token)
    await admin.identity.uses.settled()
    admin.world.clock.micros += 5 * MINUTE
    await status(admin, made.secret)
    await admin.identity.uses.settled()
    after = (await admin.integrations(place))[0]
    used = {token.id: token.last_use_time for token in after.tokens}

    assert not before.HasField("last_use_time")
    assert after.last_use_time == used[made.token.id]
    assert after.last_use_time.seconds - used[tokens.parse(place.token)[0]].seconds == 300


async def test_one_more_token_is_logged_without_its_secret(admin):
    """Who made it and when; nothing that could be sent again."""
    place = await admin.world.place()
    made = await issue(admin, place)
    log = await admin.ask(place, ListLogRequest())

    assert log.entries[0].operation == "IssueToken"
    assert log.entries[0].target_id == (await admin.integrations(place))[0].id
    assert made.secret.split("_", 2)[2] not in str(log)
