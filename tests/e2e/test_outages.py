"""A core that is restarted, or stands still: requests are refused in time, and none is lost."""

import signal
import threading
import time
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.load import Load, problems
from tests.scim import Scim, person

RESTARTS = 5
WRITES = 20
"""Acknowledged writes between two restarts."""
NOTICED_SECONDS = 20.0


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Core and gateway on SQLite."""
    return Deployment(tmp_path, f"sqlite:///{tmp_path / 'directory.db'}")


def test_restarted_under_load(deployment: Deployment):
    """R08: five restarts while eight clients write; 503 at worst, and no acknowledged loss."""
    with deployment:
        load = Load(deployment.base_url, deployment.place.token)
        for _ in range(RESTARTS):
            load.wait_for(WRITES)
            deployment.core.signal()
            assert deployment.core.ended() == 0
            deployment.start_core()
        load.wait_for(WRITES)
        written = load.stop()
        with deployment.client() as client:
            assert problems(written, client) == []

    assert load.answers.keys() <= {200, 201, 409, 503}, load.answers
    assert load.unanswered == 0
    assert deployment.findings() == []


def test_a_core_that_stands_still_is_noticed(deployment: Deployment):
    """R09: with the connection half open, reads and writes are 503 in 20 s; then all is well."""
    waited: dict[str, tuple[int, float]] = {}

    def ask(method: str) -> None:
        began = time.monotonic()
        with Scim(deployment.base_url, deployment.place.token, NOTICED_SECONDS + 20) as client:
            body = person("late@example.com") if method == "POST" else None
            answer = client.request(method, "/Users", body)
        waited[method] = answer.status, time.monotonic() - began

    with deployment:
        deployment.wait_until_ready()
        ask("GET")
        assert waited.pop("GET")[0] == 200
        deployment.core.signal(signal.SIGSTOP)
        threads = [threading.Thread(target=ask, args=(method,)) for method in ("GET", "POST")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deployment.core.signal(signal.SIGCONT)
        deployment.wait_until_ready()
        with deployment.client() as client:
            later = client.get("/Users")

    assert {method: status for method, (status, _) in waited.items()} == {"GET": 503, "POST": 503}
    assert max(seconds for _, seconds in waited.values()) < NOTICED_SECONDS
    assert later.status == 200
