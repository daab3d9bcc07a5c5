"""What a process remembers of a credential never outlives a change that was made in it."""

import asyncio

import grpc
import pytest
from userdirectory.v1.workspace_admin_pb2 import (
    CreateAccessTokenRequest,
    CreateServiceCredentialRequest,
    GetWorkspaceRequest,
    ListIntegrationsRequest,
    RevokeServiceCredentialRequest,
    RevokeTokenRequest,
    UpdateIntegrationRequest,
)
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.scim import Scim
from tests.system import System
from tests.workspaces import new_place


class Office:
    """A product's administrator and an identity provider, on one process with its usual cache."""

    def __init__(self, directory: System) -> None:
        self._directory = directory
        self._stub = WorkspaceAdminStub(directory.process)

    async def ask(self, method: str, request: object, token: str = "") -> object:
        bearer = f"Bearer {token or self._directory.service_token}"
        return await getattr(self._stub, method)(request, metadata=(("authorization", bearer),))

    async def status(self, token: str) -> int:
        def send() -> int:
            with Scim(self._directory.base_url, token) as client:
                return client.get("/Users?count=1").status

        return await asyncio.to_thread(send)


@pytest.mark.rule("R-009", "R-062", "D-22")
async def test_what_bars_an_integration_holds_from_the_next_call_on(directory: System):
    """A lapsed plan and a switch that is off, and both undone."""
    place = await new_place(directory.core)
    office = Office(directory)
    integrations = await office.ask(
        "ListIntegrations", ListIntegrationsRequest(workspace_id=place.workspace_id)
    )
    switch = UpdateIntegrationRequest(
        workspace_id=place.workspace_id, id=integrations.integrations[0].id
    )
    seen = [await office.status(place.token)]

    for enabled in (False, True):
        switch.enabled = enabled
        await office.ask("UpdateIntegration", switch)
        seen.append(await office.status(place.token))

    assert [200, 403, 200] == seen


@pytest.mark.rule("D-23")
async def test_a_revoked_token_is_not_let_in_again(directory: System):
    """In the process that revoked it, the next call is refused; with an access token of it too."""
    place = await new_place(directory.core)
    office = Office(directory)
    listed = await office.ask(
        "ListIntegrations", ListIntegrationsRequest(workspace_id=place.workspace_id)
    )
    integration = listed.integrations[0]
    client = CreateAccessTokenRequest(client_id=integration.tokens[0].id)
    made = await office.ask("CreateAccessToken", client, place.token)
    both = (place.token, made.access_token)
    before = [await office.status(token) for token in both]

    await office.ask(
        "RevokeToken",
        RevokeTokenRequest(
            workspace_id=place.workspace_id,
            integration_id=integration.id,
            token_id=integration.tokens[0].id,
        ),
    )

    assert [200, 200] == before
    assert [401, 401] == [await office.status(token) for token in both]


@pytest.mark.parametrize("everywhere", [True, False])
async def test_a_revoked_service_credential_is_not_let_in_again(
    directory: System, everywhere: bool
):
    """Of all workspaces or of one, by whoever revoked it."""
    place = await new_place(directory.core)
    office = Office(directory)
    request = CreateServiceCredentialRequest()
    request.credential.scopes.append("workspaces.read")
    request.credential.workspace_id = "" if everywhere else place.workspace_id
    made = await office.ask("CreateServiceCredential", request)
    look = GetWorkspaceRequest(workspace_id=place.workspace_id)
    await office.ask("GetWorkspace", look, made.secret)

    revoke = RevokeServiceCredentialRequest(id=made.credential.id)
    await office.ask("RevokeServiceCredential", revoke)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await office.ask("GetWorkspace", look, made.secret)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
