"""What a process remembers of a credential never outlives a change that was made in it."""

import asyncio

import pytest
from userdirectory.v1.workspace_admin_pb2 import (
    ListIntegrationsRequest,
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

    async def ask(self, method: str, request: object) -> object:
        bearer = f"Bearer {self._directory.service_token}"
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
    """In the process that revoked it, the next call is refused."""
    place = await new_place(directory.core)
    office = Office(directory)
    listed = await office.ask(
        "ListIntegrations", ListIntegrationsRequest(workspace_id=place.workspace_id)
    )
    integration = listed.integrations[0]
    before = await office.status(place.token)

    await office.ask(
        "RevokeToken",
        RevokeTokenRequest(
            workspace_id=place.workspace_id,
            integration_id=integration.id,
            token_id=integration.tokens[0].id,
        ),
    )

    assert (200, 401) == (before, await office.status(place.token))
