"""/Me is the person whose token it is, and nobody for an identity provider's token."""

import asyncio
from typing import Any

from userdirectory.v1.workspace_admin_pb2 import ListIntegrationsRequest, RotateTokenRequest
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.scim import Answer, Scim, person
from tests.system import System
from tests.workspaces import Place, new_place


async def _send(directory: System, token: str, method: str, path: str, body: Any = None) -> Answer:
    def send() -> Answer:
        with Scim(directory.base_url, token) as client:
            return client.request(method, path, body)

    return await asyncio.to_thread(send)


async def _token_of(directory: System, place: Place, subject: str) -> str:
    stub = WorkspaceAdminStub(directory.process)
    metadata = (("authorization", f"Bearer {directory.service_token}"),)
    listed = await stub.ListIntegrations(
        ListIntegrationsRequest(workspace_id=place.workspace_id), metadata=metadata
    )
    request = RotateTokenRequest(
        workspace_id=place.workspace_id,
        integration_id=listed.integrations[0].id,
        subject=subject,
    )
    return (await stub.RotateToken(request, metadata=metadata)).secret


async def test_me_is_the_subject_of_the_token(directory: System):
    """Read and changed like any user (RFC 7644 section 3.11)."""
    place = await new_place(directory.core)
    name = f"grace@{place.workspace_id}.example"
    made = await _send(directory, place.token, "POST", "/Users", person(name))
    token = await _token_of(directory, place, name.upper())

    patch = {"Operations": [{"op": "replace", "path": "title", "value": "Admiral"}]}
    patched = await _send(directory, token, "PATCH", "/Me", patch)
    read = await _send(directory, token, "GET", "/Me?attributes=title")

    assert (200, 200) == (patched.status, read.status)
    assert (made.body["id"], "Admiral") == (read.body["id"], read.body["title"])


async def test_me_is_nobody_for_an_identity_provider(directory: System):
    """501 with what to do, as the RFC has it for a server without the alias."""
    place = await new_place(directory.core)

    answer = await _send(directory, place.token, "GET", "/Me")

    assert (501, "501") == (answer.status, answer.body["status"])


async def test_me_is_not_found_when_the_person_is_gone(directory: System):
    """A subject that names no user of the workspace."""
    place = await new_place(directory.core)
    token = await _token_of(directory, place, "nobody@a.example")

    assert 404 == (await _send(directory, token, "GET", "/Me")).status
