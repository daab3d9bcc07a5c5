"""The programs as people start and stop them."""

import contextlib
import json
import socket
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import grpc
import pytest
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import User

from clients.directory import Directory
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

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """Start it and wait for its greeting."""
        self.folder = folder
        self.program = Program(
            USERDIR,
            "serve",
            "--http-port=0",
            "--grpc-port=0",
            f"--data={folder}",
            settings=settings,
        )
        self.program.wait_for("Ctrl-C stops")
        self.demo = json.loads((folder / "demo.json").read_text())

    def client(self, preset: str) -> Scim:
        """Return a client of the demo workspace of *preset*."""
        workspace = self.demo["workspaces"][preset]
        return Scim(workspace["base_url"], workspace["token"])

    @property
    def tokens(self) -> list[str]:
        """All that demo.json lets in."""
        workspaces = self.demo["workspaces"].values()
        return [self.demo["service_token"], *(each["token"] for each in workspaces)]

    def stop(self) -> int:
        """Stop it as a service manager does; return the exit status."""
        self.program.signal()
        return self.program.ended()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Everything in one process, for tests that only look."""
    started = Serve(tmp_path_factory.mktemp("serve") / "data")
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
        assert [user.user_name for user in directory.list_users()] == [
            "ada.admin@strict-rfc.example"
        ]


def test_the_printed_commands_work(serve: Serve):
    """Who pastes a printed command into a shell gets the users."""
    lines = [line.strip() for line in serve.program.output.splitlines()]
    commands = [line for line in lines if " curl " in f" {line}" or "userdir " in line]

    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, check=True)
        assert "ada.admin@single-role.example" in done.stdout.decode()


def test_a_second_start_keeps_everything(tmp_path: Path):
    """After a stop, and after a kill, users, versions and tokens are what they were."""
    first = Serve(tmp_path / "data")
    with first.program, first.client("group-mirror") as client:
        made = [client.post("/Users", person("before.stop@example.com")).body]
        assert first.stop() == 0
        assert "Traceback" not in first.program.output

    second = Serve(first.folder)
    with second.program, second.client("group-mirror") as client:
        made += [client.post("/Users", person(f"{n}.kill@example.com")).body for n in range(20)]
        second.program.kill()

    third = Serve(first.folder)
    with third.program, third.client("group-mirror") as client:
        kept = [client.get(f"/Users/{user['id']}").body for user in made]

        assert [user["meta"]["version"] for user in kept] == [
            user["meta"]["version"] for user in made
        ]
        assert [user["userName"] for user in kept] == [user["userName"] for user in made]
        assert third.tokens == second.tokens == first.tokens


SLOW = {"RATE_LIMIT": "1", "RATE_BURST": "3"}


def test_serve_limits_requests(tmp_path: Path):
    """`userdir serve` honours RATE_LIMIT and RATE_BURST."""
    serve = Serve(tmp_path / "data", SLOW)
    with serve.program, serve.client("strict-rfc") as client:
        assert {client.get("/Users").status for _ in range(20)} == {200, 429}


def test_the_core_limits_requests(tmp_path: Path):
    """So does the core on its own."""
    with Deployment(tmp_path, f"sqlite:///{tmp_path / 'directory.db'}", SLOW) as deployment:
        deployment.wait_until_ready()
        with deployment.client() as client:
            assert {client.get("/Users").status for _ in range(20)} == {200, 429}


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Core and gateway on SQLite."""
    return Deployment(tmp_path, f"sqlite:///{tmp_path / 'directory.db'}")


def test_sigterm_lets_calls_finish(deployment: Deployment):
    """Calls that the core has when it is told to stop are answered; then it exits with 0 (R06)."""
    metadata = (("authorization", f"Bearer {deployment.service_token}"),)
    workspace_id = deployment.place.workspace_id
    deployment.start_core()
    with deployment.core, grpc.insecure_channel(deployment.grpc_address) as channel:
        stub = UserDirectoryStub(channel)
        listing = api.ListRolesRequest(workspace_id=workspace_id)
        stub.ListRoles(listing, metadata=metadata)
        with held(deployment):
            calls = [
                stub.CreateUser.future(
                    api.CreateUserRequest(
                        workspace_id=workspace_id,
                        user=User(user_name=f"late.{number}@example.com"),
                    ),
                    metadata=metadata,
                )
                for number in range(20)
            ]
            # The calls have arrived once a later one on the same connection is answered.
            stub.ListRoles(listing, metadata=metadata)
            deployment.core.signal()
            deployment.core.wait_for("Stopping after SIGTERM")
        made = {call.result(20).user.id for call in calls}

        assert deployment.core.ended() == 0
        assert len(made) == 20
    deployment.start_core()
    with (
        deployment.core,
        Directory(
            deployment.grpc_address, deployment.service_token, workspace_id=workspace_id
        ) as d,
    ):
        assert made <= {user.id for user in d.list_users()}


def test_sigterm_lets_requests_finish(deployment: Deployment):
    """Requests that the gateway has when it is told to stop are answered; it exits with 0 (R07)."""
    with deployment, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(deployment.client()) for _ in range(5)]
        with held(deployment):
            for number, client in enumerate(clients):
                client.send("POST", "/Users", person(f"late.{number}@example.com"))
            # The requests have arrived once one on a later connection is answered.
            deployment.wait_until_alive()
            deployment.gateway.signal()
        answers = [client.receive() for client in clients]

        assert [answer.status for answer in answers] == [201] * 5
        assert deployment.gateway.ended() == 0


@contextlib.contextmanager
def held(deployment: Deployment) -> Iterator[None]:
    """Hold the write lock of the SQLite database, so that every write waits."""
    file = deployment.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")
