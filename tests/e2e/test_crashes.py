"""Power cuts: what was acknowledged is there, nothing is half there."""

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from tests.conformance import replay
from tests.conformance.dialogs_of import SCENARIOS, runner
from tests.e2e.deployment import Deployment
from tests.e2e.load import Load, problems

WRITES = 100
"""Acknowledged writes between two kills: enough for every client to be in the middle of one."""


@pytest.fixture
def deployment(database_url: str, tmp_path: Path) -> Deployment:
    """Core and gateway, on each database."""
    return Deployment(tmp_path, database_url)


def test_killed_under_load(deployment: Deployment):
    """Core and gateway are killed while eight clients write; no acknowledged write is lost."""
    with deployment:
        load = Load(deployment.base_url, deployment.place.token)
        load.wait_for(WRITES)
        deployment.core.kill()
        deployment.start_core()
        load.wait_for(WRITES)
        deployment.gateway.kill()
        deployment.start_gateway()
        load.wait_for(WRITES)
        deployment.core.kill()
        written = load.stop()
        deployment.start_core()
        deployment.wait_until_ready()
        with deployment.client() as client:
            assert problems(written, client) == []
        assert load.answers.keys() <= {200, 201, 409, 503}, load.answers
    assert deployment.findings() == []
    check_integrity(deployment.database_url)


def check_integrity(database_url: str) -> None:
    """Let SQLite look over the whole file, if it is one."""
    if not database_url.startswith("sqlite:"):
        return
    with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


class Witness(replay.Runner):
    """
    A replay that remembers the last thing it was told of every resource.

    Attributes:
        told: By path, the version last acknowledged; None if the resource was deleted, or if a
            delete went without an answer.
    """

    told: dict[str, int | None]

    def fire(self, client: replay.Client, req: tuple[str, str, dict[str, str], bytes | None]):
        """Send a request; note what its answer promises."""
        method, target = req[0], req[1].partition("?")[0]
        if method == "DELETE":
            self.told[target] = None
        reply = super().fire(client, req)
        body = reply.body if isinstance(reply.body, dict) else {}
        if reply.status in (200, 201) and "meta" in body and body.get("id"):
            kind = f"{body['meta']['resourceType']}s"
            if kind in ("Users", "Groups"):
                self.told[f"/{kind}/{body['id']}"] = _version(body)
        return reply


def _version(body: dict) -> int:
    return int(body["meta"]["version"].removeprefix('W/"').removesuffix('"'))


def test_killed_during_dialogs(deployment: Deployment):
    """The core is killed while identity providers talk; what they were told remains true."""
    told: dict[str, int | None] = {}
    names = ("okta-group-push", "entra-group-lifecycle", "okta-import-paging", "authentik-users")
    with deployment:
        stop = threading.Event()
        started = threading.Barrier(len(names) + 1)

        def talk(name: str) -> None:
            options = {"no_cleanup": True}
            witness = runner(
                deployment.base_url, deployment.place.token, {}, make=Witness, **options
            )
            witness.told = told
            started.wait()
            while not stop.is_set():
                witness.run(SCENARIOS[name])

        talkers = [threading.Thread(target=talk, args=(name,), daemon=True) for name in names]
        for talker in talkers:
            talker.start()
        started.wait()
        for _ in range(2):
            seen = len(told)
            while len(told) < seen + 20:
                stop.wait(0.01)
            deployment.core.kill()
            deployment.start_core()
        stop.set()
        for talker in talkers:
            talker.join(60)
        deployment.wait_until_ready()
        with deployment.client() as client:
            lost = [
                path
                for path, version in told.items()
                if version and not _is_there(client, path, version)
            ]

    assert lost == []
    assert deployment.findings() == []


def _is_there(client, path: str, version: int) -> bool:
    answer = client.get(path)
    return answer.status == 200 and _version(answer.body) >= version
