"""Credentials of products: made, listed, rotated and revoked, never more than the maker's own."""

import logging

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from userdirectory import status
from userdirectory.v1 import service_credential_pb2
from userdirectory.v1.user_directory_pb2 import ListUsersRequest
from userdirectory.v1.workspace_admin_pb2 import (
    CreateServiceCredentialRequest,
    ListLogRequest,
    ListServiceCredentialsRequest,
    RevokeServiceCredentialRequest,
    RotateServiceCredentialRequest,
)

from core_service import tokens
from core_service.storage import store
from tests.contract.conftest import refusal

SECOND = 1_000_000
HOUR = 3600 * SECOND
ADMINISTERS = "credentials.read credentials.write users.read"


def creation(*scopes, lifetime=None, **values):
    """Return the request of a new credential; the lifetime in seconds."""
    return CreateServiceCredentialRequest(
        credential=service_credential_pb2.ServiceCredential(scopes=scopes, **values),
        lifetime=None if lifetime is None else Duration(seconds=lifetime),
    )


def rotation(id_, overlap=None, lifetime=None):
    """Return the request of a rotation; times in seconds."""
    return RotateServiceCredentialRequest(
        id=id_,
        overlap=None if overlap is None else Duration(seconds=overlap),
        lifetime=None if lifetime is None else Duration(seconds=lifetime),
    )


async def outcome(world, token, place):
    """Return `OK` if the bearer of *token* may list the users of a place, else the reason."""
    try:
        await world.ask(token, ListUsersRequest(workspace_id=place.workspace_id))
    except grpc.aio.AioRpcError as error:
        return status.error_of_call(error).reason
    return "OK"


async def ids(world, token, workspace_id=""):
    """Return the ids of the credentials that the bearer of *token* sees."""
    answer = await world.ask(token, ListServiceCredentialsRequest(workspace_id=workspace_id))
    return [each.id for each in answer.credentials]


async def kept(world, public_id):
    """Return what is kept of a credential."""
    return await world.core.storage.read(lambda tx: store.credential(tx, public_id))


async def test_a_credential_is_made_and_used(world):
    """For all workspaces if none is named; its secret is in this answer only (A13)."""
    token, place = await world.service(), await world.place()
    made = await world.ask(token, creation("users.read", "users.read", label="Billing"))
    listed = await world.ask(token, ListServiceCredentialsRequest())
    shown = next(each for each in listed.credentials if each.id == made.credential.id)
    public_id, digest = tokens.parse(made.secret)

    assert await outcome(world, made.secret, place) == "OK"
    assert shown == made.credential
    assert (shown.id, shown.label, shown.workspace_id) == (public_id, "Billing", "")
    assert list(shown.scopes) == ["users.read"]
    assert not shown.HasField("expire_time")
    assert made.secret.split("_", 2)[2] not in str(listed)
    assert (await kept(world, public_id)).digest == digest


async def test_a_credential_may_be_for_one_workspace(world):
    """It is good there alone; a workspace that does not exist gets none."""
    token, place, other = await world.service(), await world.place(), await world.place()
    made = await world.ask(token, creation("*", workspace_id=place.workspace_id))
    error = await refusal(world.ask(token, creation("*", workspace_id="nobody-has-this")))

    assert made.credential.workspace_id == place.workspace_id
    assert await outcome(world, made.secret, place) == "OK"
    assert await outcome(world, made.secret, other) == "WORKSPACE_MISMATCH"
    assert error.reason == "WORKSPACE_NOT_FOUND"


async def test_a_credential_may_have_a_lifetime(world):
    """It ends by itself."""
    place = await world.place()
    made = await world.ask(await world.service(), creation("users.read", lifetime=60))
    before = await outcome(world, made.secret, place)
    world.clock.micros += 60 * SECOND

    assert made.credential.expire_time.seconds - made.credential.create_time.seconds == 60
    assert (before, await outcome(world, made.secret, place)) == ("OK", "CREDENTIAL_INVALID")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (creation(), "scopes"),
        (creation("users.raed"), "scopes"),
        (creation("access_tokens.write"), "scopes"),
        (creation("*", label="x" * 257), "label"),
        (creation("*", label="a\nb"), "label"),
        (creation("*", lifetime=0), "lifetime"),
        (creation("*", lifetime=10**11), "lifetime"),
        (rotation("nobody"), "id"),
        (rotation("nobody", overlap=86401), "overlap"),
        (rotation("nobody", overlap=-1), "overlap"),
        (rotation("nobody", lifetime=0), "lifetime"),
        (RevokeServiceCredentialRequest(id="nobody"), "id"),
        (RevokeServiceCredentialRequest(), "id"),
    ],
)
async def test_what_cannot_be_is_refused(world, request_, field):
    """With the field; a scope that is none with the one that was probably meant."""
    token = await world.service()
    before = await ids(world, token)
    error = await refusal(world.ask(token, request_))

    assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", field)
    assert await ids(world, token) == before
    if error.metadata.get("value") == "users.raed":
        assert error.metadata["near"] == "users.read"


async def test_nobody_gives_what_they_do_not_have(world):
    """Neither a scope, nor all scopes, nor the ones of an old credential by rotating it."""
    strong = await world.ask(await world.service(), creation("*"))
    token = await world.service(ADMINISTERS)
    for asked in (creation("users.read", "users.write"), rotation(strong.credential.id)):
        error = await refusal(world.ask(token, asked))

        assert error.reason == "SCOPE_MISSING"
        assert error.metadata["scope"] in ("users.write", "*")
    assert (await refusal(world.ask(token, creation("*")))).metadata == {"scope": "*"}
    assert (await kept(world, strong.credential.id)).expire_time is None
    made = await world.ask(token, creation(*ADMINISTERS.split()))
    assert set(made.credential.scopes) == set(ADMINISTERS.split())


async def test_of_one_workspace_stays_in_it(world):
    """It makes credentials for its own, also if it names none, and others do not exist for it."""
    own, other = await world.place(), await world.place()
    everywhere = await world.service()
    bound = await world.service("*", own.workspace_id)
    theirs = await world.ask(everywhere, creation("*", workspace_id=other.workspace_id))
    global_ = await world.ask(everywhere, creation("*"))
    named = await world.ask(bound, creation("*", workspace_id=own.workspace_id))
    unnamed = await world.ask(bound, creation("*"))
    foreign = await refusal(world.ask(bound, creation("*", workspace_id=other.workspace_id)))
    peeping = await refusal(ids(world, bound, other.workspace_id))

    assert foreign.reason == peeping.reason == "WORKSPACE_MISMATCH"
    assert unnamed.credential.workspace_id == own.workspace_id
    assert await ids(world, bound) == await ids(world, bound, own.workspace_id)
    assert {*await ids(world, bound)} == {
        tokens.parse(bound)[0], named.credential.id, unnamed.credential.id,
    }  # fmt: skip
    for id_ in (theirs.credential.id, global_.credential.id, tokens.parse(own.token)[0]):
        for asked in (rotation(id_), RevokeServiceCredentialRequest(id=id_)):
            assert (await refusal(world.ask(bound, asked))).metadata["field"] == "id"
    assert await outcome(world, theirs.secret, other) == "OK"
    await world.ask(bound, RevokeServiceCredentialRequest(id=named.credential.id))
    assert await outcome(world, named.secret, own) == "CREDENTIAL_INVALID"


async def test_the_credentials_of_all_workspaces_are_listed(world):
    """The oldest first; of one workspace if it is named; no token of an integration."""
    token, place = await world.service(), await world.place()
    made = []
    for workspace_id in ("", place.workspace_id, ""):
        world.clock.micros += SECOND
        made.append(await world.ask(token, creation("log.read", workspace_id=workspace_id)))
    all_ids = await ids(world, token)

    assert [id_ for id_ in all_ids if id_ in {each.credential.id for each in made}] == [
        each.credential.id for each in made
    ]
    assert await ids(world, token, place.workspace_id) == [made[1].credential.id]
    assert tokens.parse(place.token)[0] not in all_ids
    missing = await refusal(ids(world, token, "nobody-has-this"))
    assert missing.reason == "WORKSPACE_NOT_FOUND"


@pytest.mark.parametrize(
    ("overlap", "micros"), [(None, HOUR), (60, 60 * SECOND), (86400, 24 * HOUR)]
)
async def test_the_old_one_ends_after_the_overlap(world, overlap, micros):
    """One hour if nothing is said; the new one is like it and stays."""
    place = await world.place()
    old = await world.ask(
        await world.service(),
        creation("users.read", "log.read", label="Cron", workspace_id=place.workspace_id),
    )
    new = await world.ask(await world.service(), rotation(old.credential.id, overlap))
    seen = []
    for step in (0, micros - 1, 1):
        world.clock.micros += step
        seen.append([await outcome(world, each.secret, place) for each in (old, new)])

    assert seen == [["OK", "OK"], ["OK", "OK"], ["CREDENTIAL_INVALID", "OK"]]
    for name in ("label", "workspace_id", "scopes"):
        assert getattr(new.credential, name) == getattr(old.credential, name)
    assert not new.credential.HasField("expire_time")
    assert not new.credential.HasField("last_use_time")


async def test_without_an_overlap_the_old_one_ends_at_once(world):
    """A product rotates its own; an overlap never makes an old one live longer."""
    place = await world.place()
    old = await world.ask(await world.service(), creation("*", lifetime=60))
    first = await world.ask(old.secret, rotation(old.credential.id, 3600, lifetime=7200))
    ends = (await kept(world, old.credential.id)).expire_time
    second = await world.ask(first.secret, rotation(first.credential.id, 0))
    seen = [await outcome(world, each.secret, place) for each in (old, first, second)]

    assert ends == world.clock() + 60 * SECOND
    assert first.credential.expire_time.seconds - first.credential.create_time.seconds == 7200
    assert seen == ["OK", "CREDENTIAL_INVALID", "OK"]


async def test_a_revoked_credential_is_none_at_once(world):
    """In the process that revoked it, also if it knew the credential; and only that one."""
    place, token = await world.place(), await world.service()
    made = [
        await world.ask(token, creation("users.read", workspace_id=workspace_id))
        for workspace_id in ("", place.workspace_id, "")
    ]
    before = [await outcome(world, each.secret, place) for each in made]
    for each in made[:2]:
        await world.ask(token, RevokeServiceCredentialRequest(id=each.credential.id))
    again = RevokeServiceCredentialRequest(id=made[0].credential.id)

    assert before == ["OK"] * 3
    assert [await outcome(world, each.secret, place) for each in made] == [
        "CREDENTIAL_INVALID", "CREDENTIAL_INVALID", "OK",
    ]  # fmt: skip
    assert {each.credential.id for each in made[:2]}.isdisjoint(await ids(world, token))
    assert (await refusal(world.ask(token, again))).metadata["field"] == "id"


async def test_its_use_is_shown(world, identity):
    """To the minute."""
    place, token = await world.place(), await world.service()
    made = await world.ask(token, creation("users.read"))
    await outcome(world, made.secret, place)
    await identity.uses.settled()
    listed = await world.ask(token, ListServiceCredentialsRequest())
    shown = next(each for each in listed.credentials if each.id == made.credential.id)

    assert shown.last_use_time.seconds == world.clock.micros // SECOND


async def test_what_is_done_is_logged_in_its_workspace(world):
    """Who did it to which credential; never a secret."""
    place, token = await world.place(), await world.service()
    made = await world.ask(token, creation("log.read", workspace_id=place.workspace_id))
    new = await world.ask(token, rotation(made.credential.id))
    await world.ask(token, RevokeServiceCredentialRequest(id=made.credential.id))
    log = await world.ask(new.secret, ListLogRequest())
    entries = [(each.operation, each.target_id, each.credential_id) for each in log.entries[:3]]

    assert entries == [
        (operation, each.credential.id, tokens.parse(token)[0])
        for operation, each in (
            ("RevokeServiceCredential", made),
            ("RotateServiceCredential", new),
            ("CreateServiceCredential", made),
        )
    ]
    assert not [each for each in (made, new) if each.secret.split("_", 2)[2] in str(log)]


async def test_what_is_done_for_all_workspaces_is_logged_by_the_process(world, caplog):
    """One line with the ids and the trace; never a secret."""
    caplog.set_level(logging.INFO, "core_service.service_credentials")
    made = await world.ask(await world.service(), creation("log.read"))
    lines = [r.getMessage() for r in caplog.records if r.name.endswith("service_credentials")]

    assert len(lines) == 1
    assert lines[0].startswith(f"CreateServiceCredential target_id={made.credential.id} trace_id=")
    assert made.secret.split("_", 2)[2] not in caplog.text
