"""Writes that their callers name happen once, over both channels and on both databases."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from userdirectory.v1 import custom_pb2
from userdirectory.v1 import user_directory_pb2 as pb
from userdirectory.v1 import workspace_admin_pb2 as admin
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.policy_pb2 import PRESET_GROUP_MIRROR, PRESET_STRICT_RFC, Policy
from userdirectory.v1.role_pb2 import ROLE_KIND_REGULAR, Role
from userdirectory.v1.user_pb2 import Name, User, UserRef
from userdirectory.v1.workspace_pb2 import Workspace

from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.identity import Identity
from core_service.opening import new_id
from core_service.service import add_services
from core_service.service.access import SCOPES, WRITES
from core_service.service.idempotency import ANSWERS
from core_service.storage import store
from core_service.storage.tables_history import idempotency_keys
from core_service.tokens import parse
from tests.contract.conftest import CONTRACT, World, bearer, refusal
from tests.workspaces import connect

DAY_MICROS = 24 * 60 * 60 * 1_000_000
KEPT = sa.select(idempotency_keys.c.digest, idempotency_keys.c.answer).where(
    idempotency_keys.c.workspace_id == sa.bindparam("workspace_id")
)
NAMEABLE = sorted(name.rpartition("/")[2] for name in set(ANSWERS) & set(SCOPES))


async def ask(world: World, token: str, request: Message, *keys: str) -> Any:
    """Return the answer to a request with keys."""
    name = request.DESCRIPTOR.name.removesuffix("Request")
    service = next(each for each in CONTRACT if name in CONTRACT[each].methods_by_name)
    metadata = (*bearer(token), *(("idempotency-key", key) for key in keys))
    return await world.stub(service, name)(request, metadata=metadata, timeout=20)


def creation(user_name: str = "grace@example.com", **values: Any) -> pb.CreateUserRequest:
    """Return the request for a new user."""
    name = Name(given_name="Grace", family_name="Hopper")
    return pb.CreateUserRequest(user=User(user_name=user_name, name=name, **values))


async def kept(world: World, workspace_id: str) -> list[tuple[bytes, bytes]]:
    """Return digest and answer of all keys of a workspace."""
    values = {"workspace_id": workspace_id}
    return await world.core.storage.read(lambda tx: tx.all(KEPT, values))


async def traces(world: World, workspace_id: str) -> int:
    """Return how much stands in the log of a workspace."""
    everything = store.LogFilter()
    rows = await world.core.storage.read(
        lambda tx: store.log_page(tx, workspace_id, everything, before=None, limit=1000)
    )
    return len(rows)


async def count(world: World, token: str) -> int:
    """Return how many users there are."""
    return (await ask(world, token, pb.CountUsersRequest())).count


@dataclass(frozen=True, slots=True)
class Scene:
    """A workspace with one of everything that can be written."""

    workspace_id: str
    user_id: str
    group_id: str
    roles: dict[str, str]
    integration_id: str
    token_id: str
    credential_id: str
    plan: str


async def scene(world: World, token: str) -> Scene:
    """Return a new scene, written without keys."""
    place = await world.place("GROUP_MIRROR")

    async def write(request: Any) -> Any:
        request.workspace_id = place.workspace_id
        return await ask(world, token, request)

    await write(creation("away@example.com", source="import"))
    user = (await write(creation())).user
    group = (await write(pb.CreateGroupRequest(group=Group(display_name="Crew")))).group
    integration_id, secret = await connect(world.core, place.workspace_id)
    planned = await write(admin.PlanPruneRequest(source="import"))
    return Scene(
        place.workspace_id,
        user.id,
        group.id,
        place.roles,
        integration_id,
        parse(secret)[0],
        parse(await world.service(workspace_id=place.workspace_id))[0],
        planned.plan,
    )


REQUESTS: dict[str, Callable[[Scene], Message]] = {
    "CreateUser": lambda s: creation("new@example.com"),
    "UpdateUser": lambda s: pb.UpdateUserRequest(user=User(id=s.user_id, title="Admiral")),
    "PatchUser": lambda s: pb.PatchUserRequest(user=UserRef(id=s.user_id)),
    "DeleteUser": lambda s: pb.DeleteUserRequest(user=UserRef(id=s.user_id)),
    "RestoreUser": lambda s: pb.RestoreUserRequest(id=s.user_id),
    "PurgeUser": lambda s: pb.PurgeUserRequest(id=s.user_id),
    "CreateGroup": lambda s: pb.CreateGroupRequest(group=Group(display_name="Choir")),
    "UpdateGroup": lambda s: pb.UpdateGroupRequest(group=Group(id=s.group_id, display_name="X")),
    "PatchGroup": lambda s: pb.PatchGroupRequest(id=s.group_id),
    "DeleteGroup": lambda s: pb.DeleteGroupRequest(id=s.group_id),
    "CreateWorkspace": lambda s: admin.CreateWorkspaceRequest(
        workspace=Workspace(id=f"w{uuid4().hex}", policy=Policy(preset=PRESET_GROUP_MIRROR))
    ),
    "UpdateWorkspace": lambda s: admin.UpdateWorkspaceRequest(
        workspace=Workspace(display_name="Acme")
    ),
    "UpdatePolicy": lambda s: admin.UpdatePolicyRequest(policy=Policy(preset=PRESET_STRICT_RFC)),
    "CreateRole": lambda s: admin.CreateRoleRequest(
        role=Role(name="Editor", kind=ROLE_KIND_REGULAR)
    ),
    "UpdateRole": lambda s: admin.UpdateRoleRequest(role=Role(id=s.roles["Member"], name="All")),
    "ReorderRoles": lambda s: admin.ReorderRolesRequest(role_ids=list(s.roles.values())),
    "DeleteRole": lambda s: admin.DeleteRoleRequest(id=s.roles["Manager"]),
    "CreateTeam": lambda s: admin.CreateTeamRequest(name="Sales"),
    "RenameTeam": lambda s: admin.RenameTeamRequest(name="Design", new_name="Art"),
    "DeleteTeam": lambda s: admin.DeleteTeamRequest(name="Design"),
    "CreateAbsenceRegion": lambda s: admin.CreateAbsenceRegionRequest(name="Berlin"),
    "RenameAbsenceRegion": lambda s: admin.RenameAbsenceRegionRequest(
        name="Bayern", new_name="Franken"
    ),
    "DeleteAbsenceRegion": lambda s: admin.DeleteAbsenceRegionRequest(name="Bayern"),
    "DeclareAttributes": lambda s: admin.DeclareAttributesRequest(
        attributes=[
            custom_pb2.CustomAttribute(
                urn="urn:example:hr:2.0:User", name="badge", type=custom_pb2.CUSTOM_TYPE_STRING
            )
        ]
    ),
    "UpdateIntegration": lambda s: admin.UpdateIntegrationRequest(
        id=s.integration_id, enabled=False
    ),
    "DeleteIntegration": lambda s: admin.DeleteIntegrationRequest(id=s.integration_id),
    "RevokeToken": lambda s: admin.RevokeTokenRequest(
        integration_id=s.integration_id, token_id=s.token_id
    ),
    "RevokeServiceCredential": lambda s: admin.RevokeServiceCredentialRequest(id=s.credential_id),
    "CommitPrune": lambda s: admin.CommitPruneRequest(source="import", plan=s.plan),
}


@pytest.mark.parametrize("method", NAMEABLE)
async def test_every_write_keeps_its_answer_and_gives_it_again(world, method):
    """What was answered is kept with the write; a repetition gets it and leaves no trace (I01)."""
    token = await world.service()
    there = await scene(world, token)
    request: Any = REQUESTS[method](there)
    workspace_id = "" if method == "CreateWorkspace" else there.workspace_id
    if "workspace_id" in request.DESCRIPTOR.fields_by_name:
        request.workspace_id = workspace_id
    answer = await ask(world, token, request, f"key-of-{there.workspace_id}")
    logged = await traces(world, there.workspace_id)
    again = await ask(world, token, request, f"key-of-{there.workspace_id}")

    answered = [answer for _, answer in await kept(world, workspace_id)]
    assert answer.SerializeToString() in answered
    assert again.SerializeToString() == answer.SerializeToString()
    assert await traces(world, there.workspace_id) == logged


def test_what_may_not_be_named_answers_a_secret_or_keeps_nothing():
    """Secrets are known by their fields' names; every one of them is marked in the contract."""
    names = {"secret", "token", "access_token"}
    secretive = {
        f"{service.full_name}/{method.name}"
        for service in CONTRACT.values()
        for method in service.methods
        for field in method.output_type.fields
        if field.name in names and field.type == field.TYPE_STRING
    }

    keeping_nothing = {
        name for name in WRITES if name.endswith(("/BatchWrite", "/DeleteWorkspace"))
    }
    assert set(ANSWERS) == WRITES - secretive - keeping_nothing
    assert len(secretive) >= 2


@pytest.mark.parametrize("method", ["CreateIntegration", "RotateToken", "BatchWrite"])
async def test_where_no_answer_is_kept_a_key_is_refused(world, method):
    """A secret is shown once and stored nowhere; a batch is no one transaction."""
    place = await world.place()
    service = next(each for each in CONTRACT if method in CONTRACT[each].methods_by_name)
    kind = GetMessageClass(CONTRACT[service].methods_by_name[method].input_type)
    request = kind(workspace_id=place.workspace_id)
    error = await refusal(ask(world, await world.service(), request, "k"))

    assert (error.reason, error.metadata) == ("FIELD_INVALID", {"field": "idempotency-key"})
    assert await kept(world, place.workspace_id) == []


@pytest.mark.parametrize("keys", [[""], ["k" * 129], ["a b"], ["a", "a"]])
async def test_a_key_that_is_none_is_refused(world, keys):
    """Empty, too long, with a blank, twice: nothing is written."""
    place = await world.place()
    error = await refusal(ask(world, place.token, creation(), *keys))

    assert (error.reason, error.metadata) == ("FIELD_INVALID", {"field": "idempotency-key"})
    assert await count(world, place.token) == 1


async def test_a_read_needs_no_key(world):
    """What is sent with a read is not looked at, and nothing is kept."""
    place = await world.place()
    answer = await ask(world, place.token, pb.CountUsersRequest(), "a b", "c")

    assert answer.count == 1
    assert await kept(world, place.workspace_id) == []


async def test_ten_at_once_are_one(world):
    """The same key ten times in parallel: one user, and ten times its id (I03)."""
    place = await world.place()
    answers = await asyncio.gather(*(ask(world, place.token, creation(), "k") for _ in range(10)))

    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert not answers[0].existed
    assert await count(world, place.token) == 2


async def test_ten_workspaces_at_once_are_one(world):
    """Where no workspace is locked the key itself makes one wait for the other (I03)."""
    token = await world.service()
    request = admin.CreateWorkspaceRequest(
        workspace=Workspace(id=f"w{uuid4().hex}", policy=Policy(preset=PRESET_GROUP_MIRROR))
    )
    key = uuid4().hex
    answers = await asyncio.gather(*(ask(world, token, request, key) for _ in range(10)))

    assert len({answer.SerializeToString() for answer in answers}) == 1


@pytest.mark.parametrize(
    "other",
    [creation("other@example.com"), pb.DeleteUserRequest(user=UserRef(user_name="grace"))],
    ids=["request", "rpc"],
)
async def test_a_key_is_for_one_request(world, other):
    """The key of a create is refused for another create and for anything else."""
    place = await world.place()
    await ask(world, place.token, creation(), "k")
    error = await refusal(ask(world, place.token, other, "k"))

    assert error.reason == "FIELD_INVALID"
    assert error.message.startswith("The key was used for another request.")
    assert error.metadata == {"field": "idempotency-key"}
    assert await count(world, place.token) == 2


async def test_keys_of_others_are_other_keys(world):
    """Another credential and another workspace know nothing of a key (T12)."""
    place, elsewhere = await world.place(), await world.place()
    token = await world.service()
    _, second = await connect(world.core, place.workspace_id)
    first = await ask(world, place.token, creation(), "k")
    taken = await refusal(ask(world, second, creation(), "k"))
    request = creation()
    request.workspace_id = elsewhere.workspace_id
    other = await ask(world, token, request, "k")
    request.workspace_id = place.workspace_id
    product = await refusal(ask(world, token, request, "k"))

    assert (taken.reason, product.reason) == ("VALUE_TAKEN", "VALUE_TAKEN")
    assert other.user.id != first.user.id


async def test_another_core_gives_the_same_answer(world, storage, clock):
    """After a restart, and at any other core, a repetition is answered from the database."""
    place = await world.place()
    answer = await ask(world, place.token, creation(), "k")
    restarted = Core(storage=storage, now=clock, new_id=new_id, page_key=b"k" * 32)
    async with InProcessChannel() as channel:
        add_services(restarted, Identity(restarted), channel)
        again = await ask(World(restarted, clock, channel), place.token, creation(), "k")

    assert again.SerializeToString() == answer.SerializeToString()


async def test_a_refusal_is_not_kept(world):
    """What was refused can be asked again with the same key once the cause is gone."""
    place = await world.place()
    first = await ask(world, place.token, creation())
    error = await refusal(ask(world, place.token, creation(), "k"))
    await ask(world, place.token, pb.DeleteUserRequest(user=UserRef(id=first.user.id)))
    second = await ask(world, place.token, creation(), "k")

    assert error.reason == "VALUE_TAKEN"
    assert second.user.active


async def test_after_a_day_a_key_is_free(world, clock):
    """Until then the answer is the old one; from then on the request is looked at again."""
    place = await world.place()
    first = await ask(world, place.token, creation(), "k")
    clock.micros += DAY_MICROS
    again = await ask(world, place.token, creation(), "k")
    clock.micros += 1
    error = await refusal(ask(world, place.token, creation(), "k"))
    other = await ask(world, place.token, creation("other@example.com"), "k")

    assert again.user.id == first.user.id != other.user.id
    assert error.reason == "VALUE_TAKEN"


async def test_no_digest_tells_a_password(world):
    """Requests that differ in the password alone are the same, so that none can be guessed."""
    place = await world.place()
    await ask(world, place.token, creation(password="correct horse"), "k")
    before = await kept(world, place.workspace_id)
    await ask(world, place.token, creation(password="battery staple"), "k")

    assert await kept(world, place.workspace_id) == before
    assert await count(world, place.token) == 2


@pytest.mark.rule("R-171")
@pytest.mark.parametrize("way", ["purge", "delete"])
async def test_of_a_purged_user_no_answer_is_kept(world, way):
    """Purged by a product or by the policy, nothing in kept answers tells who it was."""
    place = await world.place("STRICT_RFC")
    product = await world.service(workspace_id=place.workspace_id)
    gone = (await ask(world, place.token, creation(), "made")).user
    report = creation("report@example.com")
    report.user.enterprise.manager.user_id = gone.id
    await ask(world, place.token, report, "reports")
    group = Group(display_name="Crew", members=[Member(member_id=gone.id)])
    crew = pb.CreateGroupRequest(group=group, read_mask={"paths": ["id", "members"]})
    await ask(world, place.token, crew, "joined")
    other = await ask(world, place.token, creation("other@example.com"), "other")
    shown = b"".join(answer for _, answer in await kept(world, place.workspace_id))
    if way == "purge":
        await ask(world, product, pb.PurgeUserRequest(id=gone.id), "purged")
    else:
        request = pb.DeleteUserRequest(user=UserRef(id=gone.id))
        await ask(world, place.token, request, "purged")

    assert shown.count(gone.id.encode()) == 3
    left = b"".join(answer for _, answer in await kept(world, place.workspace_id))
    assert gone.id.encode() not in left
    assert b"grace@example.com" not in left
    assert await ask(world, place.token, creation("other@example.com"), "other") == other


@pytest.mark.rule("R-171")
async def test_a_late_repetition_brings_nobody_back(world):
    """The key of a create whose user is purged stays taken, and says so."""
    place = await world.place()
    product = await world.service(workspace_id=place.workspace_id)
    made = await ask(world, place.token, creation(), "k")
    purge = pb.PurgeUserRequest(id=made.user.id)
    await ask(world, product, purge, "p")
    error = await refusal(ask(world, place.token, creation(), "k"))

    assert error.metadata == {"field": "idempotency-key"}
    assert "is purged since" in error.message
    assert await ask(world, product, purge, "p") == pb.PurgeUserResponse()
    assert await count(world, place.token) == 1
