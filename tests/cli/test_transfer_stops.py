"""An import that is stopped goes on where it was, and everybody is there exactly once."""

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.error_reason_pb2 import ERROR_REASON_STORAGE_UNAVAILABLE
from userdirectory.v1.user_pb2 import User

from clients.cli.transfer_waiting import Interrupt
from tests.cli.conftest import Userdir
from tests.cli.transfer import crowd, csv, events, jsonl, names, people
from tests.e2e.deployment import Deployment
from tests.gateway.standin import Core
from tests.processes import START_SECONDS, Program, free_port
from tests.system import System
from tests.workspaces import Place

CROWD = 900
"""As many as there are seats for."""


class Importing(Program):
    """An import as a process of its own."""

    def __init__(self, file: Path, settings: dict[str, str], *options: str) -> None:
        """Start it."""
        super().__init__("clients.cli.main", "import", str(file), *options, settings=settings)
        self._progress = file.with_name(f"{file.name}.progress")

    def wait_until_it_is_under_way(self) -> int:
        """Return how many lines are done as soon as some are."""
        waiting = threading.Event()
        for _ in range(int(START_SECONDS * 200)):
            if self._progress.exists():
                return int(json.loads(self._progress.read_text())["lines_done"])
            waiting.wait(0.005)
        raise AssertionError(self.output)


async def test_killed_in_the_middle_and_resumed(
    directory: System, place: Place, userdir: Userdir, tmp_path: Path
):
    """What was acknowledged is not sent again; everybody is there once, managers too."""
    file = crowd(tmp_path, CROWD, "kill.example")

    def killed() -> int:
        with Importing(file, userdir.settings) as program:
            program.wait_until_it_is_under_way()
            program.kill()
        return int(json.loads((tmp_path / "people.csv.progress").read_text())["lines_done"])

    done = await asyncio.to_thread(killed)
    between = await people(directory, place)
    resumed = await userdir.done("import", str(file), "--resume", "--json")

    assert 0 < done <= len(between) < CROWD
    there = await people(directory, place)
    assert {f"p{n}@kill.example" for n in range(CROWD)} == there.keys()
    assert {user.id for user in between.values()} <= {user.id for user in there.values()}
    for n in range(CROWD - 1):
        manager = there[f"p{n}@kill.example"].enterprise.manager.user_id
        assert there[f"p{n + 1}@kill.example"].id == manager
    assert CROWD == sum(map(int, _counts(resumed.err)))
    assert 0 == int(_counts(resumed.err)[3])
    created = [event for event in events(resumed.out) if event["outcome"] == "created"]
    assert len(created) >= CROWD - len(between)
    assert ["people.csv"] == names(tmp_path)


def _counts(summary: str) -> list[str]:
    line = next(line for line in summary.splitlines() if " created, " in line)
    return [part.split()[0].replace(",", "") for part in line.split(", ")]


async def test_stopped_with_ctrl_c(userdir: Userdir, tmp_path: Path):
    """It tells how to go on, and a later import without --resume is told that it could."""
    file = crowd(tmp_path, CROWD, "stop.example")

    def stopped() -> tuple[int, str]:
        with Importing(file, userdir.settings) as program:
            program.wait_until_it_is_under_way()
            program.signal(signal.SIGINT)
            return program.ended(), program.output

    status, output = await asyncio.to_thread(stopped)
    again = await userdir.done("import", str(file), "--dry-run")

    assert 130 == status
    assert f"Go on with: userdir import {file} --resume" in output
    assert "people.csv.progress tells of an import that stopped" in again.err
    assert 1 == (tmp_path / "people.csv.progress").read_text().count("lines_done")


def test_ctrl_c_is_heard_where_python_drops_it(monkeypatch: pytest.MonkeyPatch):
    """What is raised within a finalizer is lost; it is raised again at the next chance."""
    lost: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: lost.append(dropped.exc_type))

    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    with Interrupt() as interrupt:
        interrupt.check()
        Finalized()

        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert [KeyboardInterrupt] == lost


@pytest.fixture
def deployment(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A core of its own process, on each database."""
    return Deployment(tmp_path_factory.mktemp("deployment"), database_url)


@pytest.fixture
def core_process(deployment: Deployment) -> Iterator[Deployment]:
    """The core, started."""
    deployment.start_core()
    yield deployment
    deployment.core.__exit__(None, None, None)


def test_the_server_restarts_in_the_middle(core_process: Deployment, tmp_path: Path):
    """The import waits, says so, and ends as if nothing had been."""
    file = crowd(tmp_path, CROWD, "restart.example")
    settings = {
        "USERDIR_SERVER": core_process.grpc_address,
        "USERDIR_TOKEN": core_process.service_token,
        "USERDIR_WORKSPACE": core_process.place.workspace_id,
    }
    with Importing(file, settings, "--json") as program:
        program.wait_until_it_is_under_way()
        core_process.core.kill()
        program.wait_for("trying again")
        core_process.start_core()

        assert 0 == program.ended(120), program.output

    told = [json.loads(line) for line in program.output.splitlines() if line.startswith("{")]
    assert {f"p{n}@restart.example" for n in range(CROWD)} == {e["user_name"] for e in told}
    assert {"created"} == {event["outcome"] for event in told}
    assert CROWD == len(told)
    assert core_process.findings() == []


async def test_a_server_that_stays_away_ends_the_import(userdir: Userdir, tmp_path: Path):
    """After the time to wait: exit status 3, and the line to go on with."""
    file = csv(tmp_path, "user_name", "a@example.com")
    away = f"127.0.0.1:{free_port()}"

    done = await userdir("import", str(file), "--wait", "1s", USERDIR_SERVER=away)

    assert 3 == done.status
    assert "trying again for a while" in done.err
    assert f"Go on with: userdir import {file} --resume" in done.err.replace("\n", "")


async def test_what_passes_is_not_refused(core: Core, before_core: Userdir, tmp_path: Path):
    """A write that the database was away for is made again, and its line is not rejected."""
    made: dict[str, User] = {}
    troubles: list[object] = [
        DirectoryError("RATE_LIMITED", "Too many. Wait.", retry_after_seconds=0),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "late"),
        "database",
    ]

    def write(request: api.BatchWriteRequest) -> object:
        trouble = troubles.pop(0) if troubles else None
        if trouble not in (None, "database"):
            return trouble
        answer = api.BatchWriteResponse()
        for index, operation in enumerate(request.operations):
            user = operation.create_user.user
            result = answer.results.add(index=index)
            if trouble and index == 1:
                result.error.reason = ERROR_REASON_STORAGE_UNAVAILABLE
            else:
                made[user.user_name] = User(id=user.user_name, user_name=user.user_name)
                result.user.CopyFrom(made[user.user_name])
        return answer

    core.replies["BatchWrite"] = write
    core.replies["ListUsers"] = lambda _: api.ListUsersResponse(users=made.values())
    file = csv(tmp_path, "user_name", "a@example.com", "b@example.com")

    done = await before_core.done("import", str(file), "--json")

    assert ["created", "created"] == [event["outcome"] for event in events(done.out)]
    assert [2, 2, 2, 1] == [
        len(call.request.operations) for call in core.asked if call.method == "BatchWrite"
    ]
    assert ["people.csv"] == names(tmp_path)


async def test_a_batch_that_takes_too_long_becomes_smaller(
    core: Core, before_core: Userdir, tmp_path: Path
):
    """Half as much is sent after a call that was not answered in its time."""

    def write(request: api.BatchWriteRequest) -> object:
        count = len(request.operations)
        if count > 30:
            return grpc.StatusCode.DEADLINE_EXCEEDED, "late"
        return api.BatchWriteResponse(
            results=[api.WriteResult(index=n, user=User(id="u")) for n in range(count)]
        )

    core.replies["BatchWrite"] = write
    file = csv(tmp_path, "user_name", *(f"p{n}@example.com" for n in range(60)))

    done = await before_core.done("import", str(file))

    assert "60 created" in done.out
    assert [60, 50, 25, 25, 10] == [
        len(call.request.operations) for call in core.asked if call.method == "BatchWrite"
    ]


async def test_a_batch_fits_into_a_request(core: Core, before_core: Userdir, tmp_path: Path):
    """Large lines go in fewer at once: a request has at most four million bytes."""
    core.replies["BatchWrite"] = lambda request: api.BatchWriteResponse(
        results=[
            api.WriteResult(index=n, user=User(id="u")) for n, _ in enumerate(request.operations)
        ]
    )
    large = "A" * 400_000
    file = jsonl(tmp_path, *({"user_name": f"p{n}@x", "profile_url": large} for n in range(5)))

    await before_core.done("import", str(file))

    assert [2, 2, 1] == [
        len(call.request.operations) for call in core.asked if call.method == "BatchWrite"
    ]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"sha256": "0"}, "The file has changed since its import stopped."),
        ({"workspace": "other"}, "The import that stopped went to other at"),
        ({"server": "elsewhere:1"}, "at elsewhere:1, without"),
        ({"clear_empty": True}, ", with --clear-empty."),
        ({"unknown": 1}, "people.csv.progress cannot be read."),
    ],
)
async def test_only_the_same_import_is_resumed(
    core: Core, before_core: Userdir, tmp_path: Path, edit: dict[str, object], told: str
):
    """Another file, workspace, server or meaning of empty cells is not gone on with."""
    file = csv(tmp_path, "user_name", "a@example.com")
    progress = tmp_path / "people.csv.progress"
    progress.write_text(json.dumps(_kept(file, before_core) | edit))

    done = await before_core("import", str(file), "--resume", COLUMNS="300")

    assert 2 == done.status
    assert told in done.err
    assert [] == core.asked


def _kept(file: Path, userdir: Userdir) -> dict[str, object]:
    """Return the progress of an import of a file that has not begun."""
    from clients.cli import transfer_files
    from clients.cli.transfer_progress import Progress

    server, workspace = (userdir.settings[f"USERDIR_{name}"] for name in ("SERVER", "WORKSPACE"))
    progress = Progress(transfer_files.read(file).sha256, server, workspace, clear_empty=False)
    progress.save(file.with_name("kept"))
    return dict(json.loads(file.with_name("kept").read_text()))


async def test_refused_lines_are_not_rejected_twice(
    directory: System, userdir: Userdir, tmp_path: Path
):
    """What was rejected after the last kept progress is written again, not once more."""
    file = csv(
        tmp_path, "user_name,workplace.user_role", "a@example.com,Emperor", "b@example.com,King"
    )
    kept = _kept(file, userdir)
    await userdir("import", str(file))
    rejected = (tmp_path / "people.rejected.csv").read_text()
    (tmp_path / "people.csv.progress").write_text(json.dumps(kept))

    done = await userdir("import", str(file), "--resume")

    assert 1 == done.status
    assert ["a@example.com", "b@example.com"] == [
        line.partition(",")[0]
        for line in (tmp_path / "people.rejected.csv").read_text().splitlines()[1:]
    ]
    assert len(rejected) == len((tmp_path / "people.rejected.csv").read_text())
