"""Who may call what: a walk over every RPC of every service, so that a new one is covered."""

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from userdirectory import status
from userdirectory.v1.user_directory_pb2 import (
    BatchGetUsersRequest,
    GetUserRequest,
    ListUsersRequest,
)
from userdirectory.v1.workspace_admin_pb2 import CreateWorkspaceRequest, GetWorkspaceRequest

from core_service import settings, tokens
from core_service.reach import OWN_WORKSPACE
from core_service.rules.scopes import EXCHANGE, KNOWN, PROVISIONING
from core_service.server import start_server
from core_service.service.access import SCOPES, SERVICES
from core_service.service.user_directory import UserDirectory
from core_service.service.workspace_admin import WorkspaceAdmin
from core_service.storage import store
from tests.contract.conftest import CONTRACT, bearer, refusal
from tests.workspaces import switch

RPCS = [(service.name, method.name) for service in CONTRACT.values() for method in service.methods]
OF_WORKSPACES = [
    (service, method)
    for service, method in RPCS
    if "workspace_id" in CONTRACT[service].methods_by_name[method].input_type.fields_by_name
]
NEEDED = {
    tuple(name.rpartition(".")[2].split("/")): frozenset(scopes.split())
    for name, scopes in SCOPES.items()
}
ALL = frozenset().union(*NEEDED.values())
PROVISIONED = [rpc for rpc in RPCS if rpc in NEEDED and NEEDED[rpc] <= PROVISIONING]
UNKNOWN = tokens.new_token()[1]


def request_of(service, method, **values):
    """Return the empty request of an RPC, with those of *values* that it has."""
    kind = CONTRACT[service].methods_by_name[method].input_type
    return GetMessageClass(kind)(**{k: v for k, v in values.items() if k in kind.fields_by_name})


def test_the_table_of_scopes_has_every_rpc_of_the_contract():
    """An RPC without a scope, or a scope without an RPC, is a mistake."""
    assert {service.full_name for service in CONTRACT.values()} == set(SERVICES)
    assert {f"{CONTRACT[service].full_name}/{method}" for service, method in RPCS} == set(SCOPES)


def test_a_product_can_be_given_every_scope_that_an_rpc_needs():
    """Except the one that tokens of integrations alone have."""
    assert sorted(KNOWN) == sorted(ALL - {EXCHANGE})


def test_every_rpc_is_answered_by_its_own_method():
    """No RPC falls through to the generated servicer."""
    kinds = {"UserDirectory": UserDirectory, "WorkspaceAdmin": WorkspaceAdmin}

    assert [m for s, m in RPCS if m not in vars(kinds[s])] == []


async def outcomes(world, rpcs, token=None, workspace_id=""):
    """Return `{rpc: reason}` of what calling each RPC with an empty request comes to."""
    metadata = bearer(token) if token else ()
    found = {}
    for rpc in rpcs:
        try:
            await world.stub(*rpc)(request_of(*rpc, workspace_id=workspace_id), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            refused = status.error_of_call(error)
            found[rpc] = refused.reason if refused else error.code().name
        else:
            found[rpc] = "OK"
    return found


async def test_without_a_credential_nothing_is_answered(world):
    """Every RPC asks for a credential, whatever the request (G01)."""
    assert await outcomes(world, RPCS) == dict.fromkeys(RPCS, "CREDENTIAL_MISSING")


async def test_with_an_unknown_credential_nothing_is_answered(world):
    """A token nobody has is UNAUTHENTICATED, whatever the request (G02)."""
    found = await outcomes(world, RPCS, UNKNOWN, "acme")

    assert found == dict.fromkeys(RPCS, "CREDENTIAL_INVALID")


@pytest.mark.parametrize("scope", sorted(ALL))
async def test_every_rpc_needs_its_scope(world, scope):
    """A service credential with every other scope is refused, and told which it needs (G02)."""
    token = await world.service(" ".join(sorted(ALL - {scope})))
    needing = [rpc for rpc in NEEDED if scope in NEEDED[rpc]]
    request = request_of(*needing[0], workspace_id="acme")
    error = await refusal(world.stub(*needing[0])(request, metadata=bearer(token)))

    assert error.code is grpc.StatusCode.PERMISSION_DENIED
    assert set(error.metadata["scope"].split()) == NEEDED[needing[0]]
    found = await outcomes(world, needing, token, "acme")
    assert found == dict.fromkeys(needing, "SCOPE_MISSING")


async def test_a_credential_is_good_for_its_own_workspace_alone(world):
    """Naming another workspace is refused, for identity providers and for products (G03)."""
    own, other = await world.place(), await world.place()
    bound = await world.service(workspace_id=own.workspace_id)
    provisioned = [rpc for rpc in PROVISIONED if rpc in OF_WORKSPACES]
    for token, rpcs in ((bound, OF_WORKSPACES), (own.token, provisioned)):
        found = await outcomes(world, rpcs, token, other.workspace_id)

        assert found == dict.fromkeys(rpcs, "WORKSPACE_MISMATCH")


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


async def test_an_integration_provisions_and_does_nothing_else(world):
    """What people administer is refused to identity providers; what discovery needs is not."""
    place = await world.place()
    others = [rpc for rpc in RPCS if rpc not in PROVISIONED and rpc[1] not in OWN_WORKSPACE]

    assert await outcomes(world, others, place.token) == dict.fromkeys(others, "SCOPE_MISSING")


@pytest.mark.rule("R-062", "D-22")
async def test_switched_off_an_integration_reads_and_writes_nothing(world):
    """Users and groups are refused, discovery works with the roles it shows, the token stays."""
    place = await world.place()
    integration_id = await integration_of(world, place)
    await switch(world.core, place.workspace_id, integration_id, enabled=False)
    discovery = [rpc for rpc in RPCS if rpc[1] in OWN_WORKSPACE]
    others = [rpc for rpc in PROVISIONED if rpc not in discovery]
    assert await outcomes(world, others, place.token) == dict.fromkeys(others, "INTEGRATION_OFF")
    assert await outcomes(world, discovery, place.token) == dict.fromkeys(discovery, "OK")
    await switch(world.core, place.workspace_id, integration_id, enabled=True)

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
