"""The programs as people start and stop them."""

import contextlib
import json
import shlex
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from clients.directory import Directory
from userdirectory.v1.user_pb2 import Name, User

from tests.e2e.deployment import Deployment
from tests.processes import ROOT, Program, free_port
from tests.scim import Scim, person

USERDIR = "clients.cli.main"
PRESETS = ["single-role", "org-chart", "group-mirror", "strict-rfc"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("core_service", "--help"), ["--database-url", "DATABASE_URL", "--grpc-port", "50051"]),
        (("scim_gateway", "--help"), ["--core", "--public-url", "--port", "8080"]),
        ((USERDIR, "--help"), ["serve"]),
        ((USERDIR, "serve", "--help"), ["--http-port", "HTTP_PORT", "--data", "DATABASE_URL"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_help_names_what_can_be_set(arguments: tuple[str, ...], told: list[str]):
    """`--help` of every program names settings, variables and defaults, and starts nothing."""
    with Program(*arguments) as program:
        assert program.ended() == 0
        assert [each for each in told if each not in program.output] == []


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        (
            ("core_service", "--log-level=loud"),
            {"GRPC_PORT": "70000", "GRPC_TLS_CERT": "nowhere.pem", "SHUTDOWN_SECONDS": "soon"},
            ["LOG_LEVEL", "GRPC_PORT", "GRPC_TLS_CERT", "SHUTDOWN_SECONDS"],
        ),
        (
            ("scim_gateway", "--prefix=none", "--public-url=here"),
            {"SCIM_PORT": "many", "SCIM_RPC_TIMEOUT_SECONDS": "900", "SCIM_TLS_KEY": "nowhere.pem"},
            ["prefix", "public_url", "port", "rpc_timeout_seconds", "tls_key"],
        ),
        (
            (USERDIR, "serve", "--log-level=loud"),
            {"DATABASE_URL": "mysql://u:hidden@h/d", "SHUTDOWN_SECONDS": "soon"},
            ["LOG_LEVEL", "DATABASE_URL", "SHUTDOWN_SECONDS"],
        ),
    ],
    ids=["core", "gateway", "userdir"],
)
def test_wrong_settings_are_named_at_once(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], named: list[str]
):
    """A start with several wrong settings names them all, and nothing is made."""
    folder = tmp_path / "data"
    with Program(*arguments, settings={"DATA": str(folder)} | settings) as program:
        assert program.ended() in (1, 2)
        assert [each for each in named if each.lower() not in program.output.lower()] == []
        assert "Traceback" not in program.output
        assert "hidden" not in program.output
        assert not folder.exists()


def test_the_password_of_a_database_is_not_printed(tmp_path: Path):
    """A database that does not answer ends the start, without its password in the message."""
    url = f"postgresql://ada:hidden@127.0.0.1:{free_port()}/directory"
    with Program(
        "core_service", "--grpc-port=0", settings={"DATABASE_URL": url, "DATA": str(tmp_path)}
    ) as program:
        assert program.ended() == 1
        assert "DATABASE_URL" in program.output
        assert "hidden" not in program.output
        assert "Traceback" not in program.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("core_service", "--grpc-port={port}", "--data={data}"),
        ("scim_gateway", "--port={port}"),
        (USERDIR, "serve", "--http-port={port}", "--grpc-port=0", "--data={data}"),
        (USERDIR, "serve", "--grpc-port={port}", "--http-port=0", "--data={data}"),
    ],
    ids=["core", "gateway", "userdir-http", "userdir-grpc"],
)
def test_a_taken_port_is_named(tmp_path: Path, arguments: tuple[str, ...]):
    """A port that another program has ends the start with its number and what to do."""
    folder = tmp_path / "data"
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        filled = [each.format(port=port, data=folder) for each in arguments]
        with Program(*filled) as program:
            assert program.ended() in (1, 2)
            assert f"Port {port} is taken." in program.output
            assert "Traceback" not in program.output
            assert not folder.exists()


class Serve:
    """`userdir serve` on a data folder."""

    def __init__(self, folder: Path) -> None:
        """Start it and wait for its greeting."""
        self.folder = folder
        self.program = Program(
            USERDIR, "serve", "--http-port=0", "--grpc-port=0", f"--data={folder}"
        )
        self.program.wait_for("Ctrl-C stops")
        self.demo = json.loads((folder / "demo.json").read_text())

    def client(self, preset: str) -> Scim:
        """Return a client of the demo workspace of *preset*."""
        workspace = self.demo["workspaces"][preset]
        return Scim(workspace["base_url"], workspace["token"])

    def stop(self) -> int:
        """Stop it as a service manager does; return the exit status."""
        self.program.signal()
        return self.program.ended()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Everything in one process, with a data folder of its own."""
    started = Serve(tmp_path / "data")
    with started.program:
        yield started


def test_serve_says_all_it_takes_to_begin(serve: Serve):
    """The greeting and demo.json hold addresses and a token for each preset; all of them work."""
    file = serve.folder / "demo.json"

    assert file.stat().st_mode & 0o777 == 0o600
    assert list(serve.demo["workspaces"]) == PRESETS
    for preset, workspace in serve.demo["workspaces"].items():
        assert workspace["token"] in serve.program.output
        assert workspace["base_url"] in serve.program.output
        with serve.client(preset) as client:
            assert client.get("/Users").body["totalResults"] == 1
    assert serve.demo["grpc"] in serve.program.output
    token = serve.demo["service_token"]
    with Directory(serve.demo["grpc"], token, workspace_id="strict-rfc") as directory:
        assert [user.user_name for user in directory.list_users()] == ["ada.admin@strict-rfc.example"]


def test_the_printed_commands_work(serve: Serve):
    """Who pastes a printed command into a shell gets the users."""
    commands = [
        line.strip()
        for line in serve.program.output.splitlines()
        if line.startswith(("  curl ", "  .venv/bin/buf curl ", "  buf curl "))
    ]

    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, check=True)
        assert "ada.admin@single-role.example" in done.stdout.decode()


def test_a_second_start_keeps_everything(serve: Serve):
    """After a stop the users, their versions and the tokens are what they were."""
    with serve.client("group-mirror") as client:
        made = client.post("/Users", person("kept@example.com")).body
    assert serve.stop() == 0

    again = Serve(serve.folder)
    with again.program, again.client("group-mirror") as client:
        kept = client.get(f"/Users/{made['id']}").body
        tokens = [
            {name: each["token"] for name, each in demo["workspaces"].items()}
            for demo in (serve.demo, again.demo)
        ]

        assert kept["meta"]["version"] == made["meta"]["version"]
        assert kept["userName"] == made["userName"]
        assert tokens[0] == tokens[1]
        assert again.demo["service_token"] == serve.demo["service_token"]


def test_a_kill_loses_nothing(serve: Serve):
    """What `userdir serve` acknowledged before a kill is there after a start by hand."""
    with serve.client("group-mirror") as client:
        made = [
            client.post("/Users", person(f"kill.{number}@example.com")).body["id"]
            for number in range(20)
        ]
    serve.program.kill()

    again = Serve(serve.folder)
    with again.program, again.client("group-mirror") as client:
        assert [client.get(f"/Users/{user_id}").status for user_id in made] == [200] * len(made)


@contextlib.contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold the write lock of a SQLite database, so that every write waits."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Core and gateway on SQLite."""
    return Deployment(tmp_path, f"sqlite:///{tmp_path / 'directory.db'}")


def test_sigterm_lets_calls_finish(deployment: Deployment):
    """Calls that the core has when it is told to stop are answered; then it exits with 0."""
    with deployment, _directory(deployment) as directory, ThreadPoolExecutor(20) as pool:
        directory.list_roles()
        with held(_file(deployment)):
            calls = [
                pool.submit(directory.create_user, _user(f"late.{number}@example.com"))
                for number in range(20)
            ]
            # On one connection a later call is read after all earlier ones.
            _wait_until_sent(calls)
            directory.list_roles()
            deployment.core.signal()
            deployment.core.wait_for("Stopping after SIGTERM")
        made = [call.result(20).user.id for call in calls]

        assert deployment.core.ended() == 0
        assert len(set(made)) == 20
        deployment.start_core()
        deployment.wait_until_ready()
        with deployment.client() as client:
            assert {client.get(f"/Users/{user_id}").status for user_id in made} == {200}


def test_sigterm_lets_requests_finish(deployment: Deployment):
    """Requests that the gateway has when it is told to stop are answered; it exits with 0."""
    with deployment, ThreadPoolExecutor(5) as pool:
        with held(_file(deployment)):
            requests = [
                pool.submit(_post, deployment, f"late.{number}@example.com") for number in range(5)
            ]
            deployment.core.wait_for_nothing = None
            deployment.gateway.signal()
        assert [request.result(20) for request in requests] == [201] * 5
        assert deployment.gateway.ended() == 0
