"""Who may call what: a walk over every RPC of every service, so that a new one is covered."""

from importlib import resources

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2
from userdirectory.v1.user_directory_pb2 import (
    BatchGetUsersRequest,
    GetUserRequest,
    ListUsersRequest,
)
from userdirectory.v1.workspace_admin_pb2 import CreateWorkspaceRequest, GetWorkspaceRequest

from core_service import settings, tokens, workspaces
from core_service.identity import PROVISIONING
from core_service.server import start_server
from core_service.service.access import SCOPES, SERVICES
from core_service.service.user_directory import UserDirectory
from core_service.service.workspace_admin import WorkspaceAdmin
from core_service.storage import store
from tests.contract.conftest import bearer, refusal

FILES = (user_directory_pb2.DESCRIPTOR, workspace_admin_pb2.DESCRIPTOR)
RPCS = [
    (service.name, method.name)
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
]
SCOPE = {tuple(name.rpartition(".")[2].split("/")): scope for name, scope in SCOPES.items()}
UNKNOWN = tokens.new_token()[1]


def request_of(service, method, **values):
    """Return the empty request of an RPC, with those of *values* that it has."""
    file = next(file for file in FILES if service in file.services_by_name)
    kind = file.services_by_name[service].methods_by_name[method].input_type
    return GetMessageClass(kind)(**{k: v for k, v in values.items() if k in kind.fields_by_name})


def test_the_walk_sees_every_service_of_the_contract():
    """No service of the package is left out of the walk, or of the table of scopes."""
    written = resources.files("userdirectory.v1").joinpath("contract.binpb").read_bytes()
    named = {
        f"{file.package}.{service.name}"
        for file in FileDescriptorSet.FromString(written).file
        for service in file.service
    }

    assert named == set(SERVICES)
    assert {f"userdirectory.v1.{service}/{method}" for service, method in RPCS} == set(SCOPES)


def test_every_rpc_is_answered_by_its_own_method():
    """No RPC falls through to the generated servicer."""
    kinds = {"UserDirectory": UserDirectory, "WorkspaceAdmin": WorkspaceAdmin}

    assert [m for s, m in RPCS if m not in vars(kinds[s])] == []


@pytest.mark.parametrize(("service", "method"), RPCS)
async def test_without_a_credential_nothing_is_answered(world, service, method):
    """Every RPC asks for a credential, whatever the request (G01)."""
    error = await refusal(world.stub(service, method)(request_of(service, method)))

    assert (error.reason, error.code) == ("CREDENTIAL_MISSING", grpc.StatusCode.UNAUTHENTICATED)


@pytest.mark.parametrize(("service", "method"), RPCS)
async def test_with_an_unknown_credential_nothing_is_answered(world, service, method):
    """A token nobody has is UNAUTHENTICATED, whatever the request (G02)."""
    request = request_of(service, method, workspace_id="acme")
    error = await refusal(world.stub(service, method)(request, metadata=bearer(UNKNOWN)))

    assert (error.reason, error.code) == ("CREDENTIAL_INVALID", grpc.StatusCode.UNAUTHENTICATED)


@pytest.mark.parametrize(("service", "method"), RPCS)
async def test_every_rpc_needs_its_scope(world, service, method):
    """A service credential with every other scope is refused, and told which it needs (G02)."""
    needed = SCOPE[service, method]
    others = " ".join(sorted(set(SCOPE.values()) - {needed}))
    token = await world.service(others)
    request = request_of(service, method, workspace_id="acme")
    error = await refusal(world.stub(service, method)(request, metadata=bearer(token)))

    assert (error.reason, error.code) == ("SCOPE_MISSING", grpc.StatusCode.PERMISSION_DENIED)
    assert error.metadata == {"scope": needed}


@pytest.mark.parametrize(
    ("service", "method"), [each for each in RPCS if each[1] != "CreateWorkspace"]
)
async def test_a_credential_is_good_for_its_own_workspace_alone(world, service, method):
    """Naming another workspace is refused, for identity providers and for products (G03)."""
    own, other = await world.place(), await world.place()
    bound = await world.service(workspace_id=own.workspace_id)
    request = request_of(service, method, workspace_id=other.workspace_id)
    for token in (own.token, bound):
        error = await refusal(world.stub(service, method)(request, metadata=bearer(token)))

        assert error.reason == "WORKSPACE_MISMATCH"
        assert error.code is grpc.StatusCode.PERMISSION_DENIED


async def test_a_workspace_is_not_created_by_who_is_bound_to_one(world):
    """Neither an integration nor a product of one workspace makes another."""
    place = await world.place()
    bound = await world.service("*", place.workspace_id)
    request = CreateWorkspaceRequest()

    assert (await refusal(world.ask(place.token, request))).reason == "SCOPE_MISSING"
    assert (await refusal(world.ask(bound, request))).reason == "WORKSPACE_MISMATCH"


async def test_a_product_of_all_workspaces_names_one(world):
    """Without a workspace_id there is no default for such a credential."""
    token = await world.service()
    error = await refusal(world.ask(token, ListUsersRequest()))

    assert error.reason == "FIELD_INVALID"
    assert error.metadata == {"field": "workspace_id"}


@pytest.mark.parametrize("named", ["nobody-has-this", "A B", "../x", "x" * 100_000, "ä"])
async def test_a_workspace_that_does_not_exist_is_not_found(world, named):
    """Whatever is named, well-formed or not."""
    token = await world.service()
    error = await refusal(world.ask(token, GetWorkspaceRequest(workspace_id=named)))

    assert error.reason == "WORKSPACE_NOT_FOUND"
    assert error.metadata["id"] == named[:64]


async def test_own_workspace_needs_no_scope(world):
    """GetWorkspace works for every credential of the workspace: discovery depends on it."""
    place = await world.place()
    bound = await world.service("users.read", place.workspace_id)
    for token in (place.token, bound):
        for named in ("", place.workspace_id):
            answer = await world.ask(token, GetWorkspaceRequest(workspace_id=named))

            assert answer.workspace.id == place.workspace_id


def test_an_integration_may_do_what_provisioning_needs():
    """Everything of UserDirectory and nothing of WorkspaceAdmin."""
    of_directory = {scope for (service, _), scope in SCOPE.items() if service == "UserDirectory"}

    assert of_directory == PROVISIONING


@pytest.mark.rule("R-062", "D-22")
async def test_switched_off_an_integration_reads_and_writes_nothing(world):
    """Users and groups are refused, discovery works, the token works again afterwards."""
    place = await world.place()
    integration_id = await integration_of(world, place)
    await workspaces.enable_integration(
        world.core, place.workspace_id, integration_id, enabled=False
    )
    for service, method in RPCS:
        if service == "UserDirectory":
            call = world.stub(service, method)(
                request_of(service, method), metadata=bearer(place.token)
            )
            error = await refusal(call)
            assert error.reason == "INTEGRATION_OFF"
            assert error.metadata == {"integration_id": integration_id}
    await world.ask(place.token, GetWorkspaceRequest())
    await workspaces.enable_integration(
        world.core, place.workspace_id, integration_id, enabled=True
    )

    answer = await world.ask(place.token, ListUsersRequest())
    assert answer.total_size == 1


async def integration_of(world, place):
    """Return the id of the integration that a token belongs to."""
    public_id = tokens.parse(place.token)[0]
    row = await world.core.storage.read(lambda tx: store.credential(tx, public_id))
    return row.integration_id


async def test_another_workspaces_user_is_not_found(world):
    """Ids of another workspace look like ids that nobody has (T01)."""
    mine, theirs = await world.place(), await world.place()
    for user_id in (theirs.admin_id, "0" * 32):
        one = await refusal(world.ask(mine.token, GetUserRequest(user={"id": user_id})))
        many = await refusal(world.ask(mine.token, BatchGetUsersRequest(ids=[user_id])))

        assert one.reason == many.reason == "USER_NOT_FOUND"


async def test_health_and_reflection_need_no_credential(core, identity):
    """Both answer anybody, and tell nothing of any workspace (G08)."""
    server = await start_server(core, identity, settings.read({"grpc_port": "0"}, {}))
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        states = [
            (await stub.Check(health_pb2.HealthCheckRequest(service=name))).status
            for name in ("", *SERVICES)
        ]
    await server.stop(0)

    assert set(states) == {health_pb2.HealthCheckResponse.SERVING}
