"""A write whose answer is lost: sent again with its key, it is answered and happened once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from userdirectory.v1.user_pb2 import Name, User

from clients.directory import Directory
from tests.e2e.deployment import Deployment
from tests.e2e.wire import Wire
from tests.scim import NO_ANSWER, Scim, person

NAME = "grace@example.com"
GRACE = User(user_name=NAME, name=Name(given_name="Grace", family_name="Hopper"))


@pytest.fixture
def deployment(database_url: str, tmp_path: Path) -> Deployment:
    """Core and gateway, on each database."""
    return Deployment(tmp_path, database_url)


def wait_until_written(deployment: Deployment) -> str:
    """Return the id of the one user with the name as soon as somebody else can read it."""
    ends = time.monotonic() + 20
    with deployment.client() as client:
        while not (found := client.find("Users", f'userName eq "{NAME}"')):
            assert time.monotonic() < ends
            time.sleep(0.01)
    assert len(found) == 1
    return found[0]["id"]


@pytest.mark.parametrize("killed", [False, True], ids=["cut", "killed"])
def test_the_client_sends_a_write_again(deployment: Deployment, killed: bool):
    """
    The answer is lost after the commit, and the client repeats the write by itself.

    The connection is cut, or the core is killed and started again (I01, I05): the caller sees one
    answer, with the id that was written the first time.
    """
    with deployment, Wire(deployment.grpc_address) as wire, ThreadPoolExecutor(1) as thread:
        token, workspace_id = deployment.service_token, deployment.place.workspace_id
        with Directory(
            wire.address, token, workspace_id=workspace_id, timeout_seconds=30
        ) as directory:
            assert directory.count_users() == 1
            wire.swallows = True
            answer = thread.submit(directory.create_user, GRACE)
            written = wait_until_written(deployment)
            assert not answer.done()
            if killed:
                deployment.core.kill()
                deployment.start_core()
            wire.cut()
            made = answer.result(30)

            assert (made.user.id, made.existed) == (written, False)
            assert directory.count_users() == 2
    assert deployment.findings() == []


def test_an_identity_provider_sends_a_post_again(deployment: Deployment):
    """The gateway's answer never arrives; the same POST with its key is 201 with the id (I01)."""
    keyed = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
    with deployment, Wire(deployment.gateway_address) as wire:
        base_url = deployment.base_url.replace(deployment.gateway_address, wire.address)
        wire.swallows = True
        lost = threading.Thread(target=_post, args=(base_url, deployment.place.token, keyed))
        lost.start()
        written = wait_until_written(deployment)
        deployment.core.kill()
        deployment.start_core()
        deployment.wait_until_ready()
        wire.cut()
        lost.join(20)
        again = _post(base_url, deployment.place.token, keyed)
        bare = _post(base_url, deployment.place.token, {})

    assert (again.status, again.body["id"]) == (201, written)
    assert bare.status == 409
    assert deployment.findings() == []


def _post(base_url: str, token: str, headers: dict[str, str]) -> Any:
    with Scim(base_url, token) as client:
        try:
            return client.request("POST", "/Users", person(NAME), headers)
        except NO_ANSWER:
            return None
