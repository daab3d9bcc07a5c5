"""The gateway as a server and as a process: sockets, broken HTTP, settings, the end."""

import asyncio
import json
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.user_pb2 import User

from scim_gateway import protocol
from scim_gateway.__main__ import main, read_settings
from scim_gateway.app import ScimService, Stubs, create_app
from scim_gateway.channel import connect, service_config
from scim_gateway.serving import serve
from scim_gateway.settings import Settings, problems
from tests.gateway.standin import Core, handlers


@dataclass(slots=True)
class Serving:
    """A gateway that serves."""

    app: ScimService
    port: int
    stop: asyncio.Event
    task: asyncio.Task[None]

    async def send(self, text: str) -> bytes:
        """Send bytes on a connection of its own and return all that comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(text.encode("latin-1"))
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer


@asynccontextmanager
async def serving(stubs: Stubs, settings: Settings) -> AsyncIterator[Serving]:
    """Give a gateway behind a socket."""
    app, stop = create_app(stubs, settings), asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, settings, stop=stop, on_listening=port.set_result))
    try:
        yield Serving(app, await asyncio.wait_for(port, 10), stop, task)
    finally:
        stop.set()
        await asyncio.wait([task], timeout=10)
        assert task.done()


def request(path: str, *headers: str, method: str = "GET") -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    return "\r\n".join(lines) + "\r\n\r\n"


async def test_requests_over_a_socket(stubs: Stubs, core: Core):
    """The head has no server name; the Host header decides nothing."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1"))
    settings = Settings(port=0, public_url="https://scim.example.com/v2")
    async with serving(stubs, settings) as server:
        answer = await server.send(
            request("/scim/v2/Users/u1", "Authorization: Bearer t", "Host: evil.example").replace(
                "Host: x\r\n", ""
            )
        )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"\r\nserver:" not in head.lower()
    location = json.loads(body)["meta"]["location"]
    assert location == "https://scim.example.com/v2/Users/u1"


@pytest.mark.parametrize(
    "text",
    ["nonsense\r\n\r\n", request("/scim/v2/Users", method="FROB"), "GET / HTTP/9.9\r\n\r\n"],
)
async def test_broken_http_is_answered_in_scim(stubs: Stubs, text: str):
    """Also what never becomes a request has a SCIM body and a trace."""
    async with serving(stubs, Settings(port=0)) as server:
        head, _, body = (await server.send(text)).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400")
    answer = json.loads(body)
    trace = next(
        v for n, _, v in (h.partition(": ") for h in head.decode().split("\r\n")) if n == "trace-id"
    )
    assert answer["status"] == "400"
    assert answer["detail"].endswith(f"(trace {trace})")


@pytest.mark.parametrize("sent", ["", "GET /scim/v2/Users HTTP/1.1\r\nHost: "])
async def test_slow_heads_are_not_waited_for(
    stubs: Stubs, monkeypatch: pytest.MonkeyPatch, sent: str
):
    """A connection that says nothing, or stops in the middle, is closed."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    async with serving(stubs, Settings(port=0)) as server:
        assert await server.send(sent) == b""


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have both ends of a thousand connections."""
    kept = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(kept[0], min(4096, kept[1])), kept[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, kept)


@pytest.mark.parametrize(
    "said",
    ["", "GET /scim/v2/Users HTTP/1.1\r\nHost: ", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"],
    ids=["nothing", "half a head", "a request, and keeps the connection"],
)
@pytest.mark.usefixtures("many_files")
async def test_idle_connections_block_nobody(stubs: Stubs, said: str):
    """D08: a thousand that say nothing, stop in a head, or keep alive leave room for who asks."""
    async with serving(stubs, Settings(port=0)) as server, AsyncExitStack() as idle:
        for _ in range(1000):
            connection = idle.enter_context(socket.socket())
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", server.port))
            connection.send(said.encode())
        answer = await server.send(request("/healthz"))

    assert answer.startswith(b"HTTP/1.1 200")


async def test_what_has_begun_is_finished(stubs: Stubs, core: Core):
    """Told to stop, the gateway is not ready any more but answers who is waiting."""
    entered, leave = asyncio.Event(), asyncio.Event()

    @dataclass
    class Slow:
        async def GetUser(self, *_: Any, **__: Any) -> rpc.GetUserResponse:
            entered.set()
            await leave.wait()
            return rpc.GetUserResponse(user=User(id="u1"))

    async with serving(Stubs(Slow(), stubs.workspaces), Settings(port=0)) as server:
        waiting = asyncio.create_task(
            server.send(request("/scim/v2/Users/u1", "Authorization: Bearer t"))
        )
        await asyncio.wait_for(entered.wait(), 10)
        server.stop.set()
        await until(lambda: server.app.gateway.stopping)
        assert not server.task.done()
        leave.set()
        answer = await waiting

    assert answer.startswith(b"HTTP/1.1 200")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_not_ready_before_it_stops_listening(stubs: Stubs):
    """Load balancers learn it from `/readyz` while requests are still accepted (R07)."""
    async with serving(stubs, Settings(port=0, drain_seconds=1)) as server:
        server.stop.set()
        await until(lambda: server.app.gateway.stopping)
        ready = await server.send(request("/readyz"))
        alive = await server.send(request("/healthz"))
        await asyncio.wait_for(server.task, 10)

    assert ready.startswith(b"HTTP/1.1 503")
    assert alive.startswith(b"HTTP/1.1 200")


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, ten seconds at most."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_channel_reaches_a_core(core: Core):
    """What `python -m scim_gateway` connects with."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(core))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel, stubs = connect(Settings(core=f"127.0.0.1:{port}"))
    async with channel:
        await stubs.directory.GetUser(rpc.GetUserRequest(), timeout=10)
        failures = iter([(grpc.StatusCode.UNAVAILABLE, "away")] * 2)
        core.replies["GetUser"] = lambda _: next(failures, rpc.GetUserResponse())
        await stubs.directory.GetUser(rpc.GetUserRequest(), timeout=10)
        core.replies["CreateUser"] = (grpc.StatusCode.UNAVAILABLE, "away")
        with pytest.raises(grpc.aio.AioRpcError):
            await stubs.directory.CreateUser(rpc.CreateUserRequest(), timeout=10)
    await server.stop(None)

    assert [call.method for call in core.asked] == ["GetUser"] * 4 + ["CreateUser"]


def test_only_reads_are_repeated():
    """The contract says which methods have no side effects."""
    (config,) = json.loads(service_config())["methodConfig"]

    reads = {name["method"] for name in config["name"]}
    assert reads >= {"GetUser", "ListUsers", "CountUsers", "ListGroupMembers", "GetWorkspace"}
    writes = ("Create", "Update", "Patch", "Delete")
    assert not any(name.startswith(writes) for name in reads)
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_settings_come_from_flags_and_environment():
    """Flags win."""
    settings, found = read_settings(
        ["--port", "0", "--rpc-timeout-seconds", "2.5"],
        {"SCIM_PORT": "99", "SCIM_PREFIX": "/x", "PORT": "1"},
    )

    assert found == []
    assert settings == Settings(port=0, rpc_timeout_seconds=2.5, prefix="/x")


def test_everything_wrong_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nobody has to start six times to find six mistakes."""
    status = main(
        [
            "--core=",
            "--prefix=scim v2",
            "--port=eighty",
            "--public-url=ftp://x",
            "--max-body-bytes=1",
            f"--tls-key={tmp_path / 'missing'}",
        ]
    )

    assert status == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "The gateway cannot start:"
    assert len(said) == 8  # the key is missing and alone
    for name in ("core", "scim v2", "eighty", "public_url", "max_body_bytes", "tls_key"):
        assert any(name in line for line in said), name


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 70_000},
        {"port": -1},
        {"prefix": "/a/../b c"},
        {"prefix": "/{x}"},
        {"public_url": "https://"},
        {"public_url": "https://x.example/?a=b"},
        {"documentation_url": "help"},
        {"rpc_timeout_seconds": 0},
        {"rpc_timeout_seconds": float("nan")},
        {"max_requests": 0},
        {"core_certificate": "x"},
    ],
)
def test_settings_that_do_not_fit(wrong: dict[str, Any]):
    """Each is a sentence on what is wrong and one on what to do."""
    found = problems(Settings(**wrong))

    assert found
    assert all(sentence.count(".") >= 2 for sentence in found)


def test_the_default_settings_fit():
    """A gateway starts without any."""
    assert problems(Settings()) == []
    assert Settings().base_url == "http://127.0.0.1:8080/scim/v2"


def test_help_describes_every_setting(capsys: pytest.CaptureFixture[str]):
    """From the docstring that describes them."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert caught.value.code == 0
    text = capsys.readouterr().out
    for name in Settings.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in text
