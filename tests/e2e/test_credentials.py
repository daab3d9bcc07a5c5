"""Tokens in several processes on one database: revoked they end in all, rotated in none."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1 import service_credential_pb2
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.e2e.deployment import Deployment
from tests.scim import Scim

EFFECTIVE_SECONDS = 5.0
OVERLAP_SECONDS = 4


@pytest.fixture
def near(database_url: str, tmp_path: Path) -> Deployment:
    """Core and gateway, on each database."""
    return Deployment(tmp_path, database_url)


def ask(deployment: Deployment, request: Any, token: str = "") -> Any:
    """Return the answer of a core to *request*, asked by a product."""
    bearer = f"Bearer {token or deployment.service_token}"
    name = type(request).__name__.removesuffix("Request")
    with grpc.insecure_channel(deployment.grpc_address) as channel:
        method = getattr(WorkspaceAdminStub(channel), name)
        return method(request, metadata=(("authorization", bearer),), timeout=20)


def integration(deployment: Deployment) -> Any:
    """Return the integration of the workspace."""
    workspace_id = deployment.place.workspace_id
    listed = ask(deployment, api.ListIntegrationsRequest(workspace_id=workspace_id))
    return listed.integrations[0]


def access_token(deployment: Deployment) -> str:
    """Return an access token for the token of the workspace, from the token endpoint."""
    token = deployment.place.token
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": token.split("_")[1],
            "client_secret": token,
        }
    )
    parts = urlsplit(deployment.base_url)
    with Scim(f"{parts.scheme}://{parts.netloc}", "") as client:
        answer = client.post_form("/oauth/token", form)
    assert answer.status == 200, answer
    made: str = answer.body["access_token"]
    return made


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    """Return when something is true, which it must be within some seconds."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        # Seldom enough that nobody is told to slow down.
        time.sleep(0.25)


def test_what_is_revoked_ends_in_every_process(near: Deployment):
    """A03: within five seconds behind another core too, on connections that were open (D-23)."""
    far = near.beside()
    with near, far:
        secrets = [near.place.token, access_token(near)]
        clients = [Scim(each.base_url, secret) for each in (near, far) for secret in secrets]
        assert [client.get("/Users").status for client in clients] == [200] * 4
        product = ask(near, creation("workspaces.read"))
        look = api.GetWorkspaceRequest(workspace_id=near.place.workspace_id)
        ask(far, look, product.secret)

        its = integration(near)
        revoke = api.RevokeTokenRequest(
            workspace_id=near.place.workspace_id, integration_id=its.id, token_id=its.tokens[0].id
        )
        ask(near, revoke)
        ask(near, api.RevokeServiceCredentialRequest(id=product.credential.id))

        assert [client.get("/Users").status for client in clients[:2]] == [401, 401]
        wait_until(
            lambda: (
                [client.get("/Users").status for client in clients] == [401] * 4
                and is_refused(far, look, product.secret)
            ),
            EFFECTIVE_SECONDS,
        )
        for client in clients:
            client.close()


def creation(*scopes: str) -> api.CreateServiceCredentialRequest:
    """Return the request of a credential for a product."""
    wanted = service_credential_pb2.ServiceCredential(scopes=scopes)
    return api.CreateServiceCredentialRequest(credential=wanted)


def is_refused(deployment: Deployment, request: Any, token: str) -> bool:
    """Return whether a core no longer lets *token* in."""
    try:
        ask(deployment, request, token)
    except grpc.RpcError as error:
        return bool(error.code() is grpc.StatusCode.UNAUTHENTICATED)
    return False


class Traffic:
    """
    An identity provider that asks without a pause until told to stop.

    Attributes:
        answers: For each answer when it was asked for, in seconds since 1970, and the status.
    """

    def __init__(self, base_url: str, token: str) -> None:
        """Start to ask."""
        self.answers: list[tuple[float, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(base_url, token), daemon=True)
        self._thread.start()

    def _run(self, base_url: str, token: str) -> None:
        with Scim(base_url, token) as client:
            while not self._stop.is_set():
                asked = time.time()
                self.answers.append((asked, client.get("/Users?count=1").status))

    @property
    def last(self) -> int:
        """The status of the last answer; 0 before the first."""
        return self.answers[-1][1] if self.answers else 0

    def stop(self) -> None:
        """Return when the last answer is there."""
        self._stop.set()
        self._thread.join(20)


def test_a_rotation_goes_unnoticed(near: Deployment):
    """D-23: both tokens are good for the overlap behind every core, and the old one no longer."""
    far = near.beside()
    with near, far:
        old = [Traffic(each.base_url, near.place.token) for each in (near, far)]
        wait_until(lambda: [traffic.last for traffic in old] == [200, 200], 20)
        rotate = api.RotateTokenRequest(
            workspace_id=near.place.workspace_id,
            integration_id=integration(near).id,
            overlap=Duration(seconds=OVERLAP_SECONDS),
        )
        began = time.time()
        rotated = ask(near, rotate)
        new = [Traffic(each.base_url, rotated.secret) for each in (near, far)]
        wait_until(
            lambda: [traffic.last for traffic in old] == [401, 401],
            OVERLAP_SECONDS + EFFECTIVE_SECONDS,
        )
        for traffic in (*old, *new):
            traffic.stop()

    early = [
        status
        for traffic in old
        for asked, status in traffic.answers
        if asked < began + OVERLAP_SECONDS - 0.5
    ]
    assert set(early) == {200}
    assert len(early) > 20
    assert {status for traffic in new for _, status in traffic.answers} == {200}
