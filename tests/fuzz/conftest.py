"""A workspace behind a real socket that anything may be sent to."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest
from userdirectory.v1 import policy_pb2
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from core_service import verify
from scim_gateway.app import Stubs, create_app
from scim_gateway.serving import serve
from scim_gateway.settings import Settings
from tests.conftest import DATABASES
from tests.fuzz.judge import judge
from tests.fuzz.wire import Reply, Sent, Wire
from tests.system import System, Systems
from tests.workspaces import Place, new_place

BODIES = int(os.environ.get("USERDIR_FUZZ_BODIES", "640"))
"""How many generated bodies a run sends in all; more than the usual makes the run random."""
LONG = "USERDIR_FUZZ_BODIES" in os.environ

_PRESETS = ("SINGLE_ROLE", "ORG_CHART", "GROUP_MIRROR", "STRICT_RFC")
TARGETS = [(database, preset) for database in DATABASES for preset in _PRESETS]
# How many requests go by before the next look at who is still there.
_ROUND = 50
_PROGRESS = 500


@dataclass
class Tally:
    """What a run has sent: requests, and how many of them had a body, by status of the answer."""

    began: float = field(default_factory=time.monotonic)
    requests: int = 0
    bodies: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    slowest: float = 0.0

    def note(self, sent: Sent, reply: Reply) -> None:
        """Count one request, and say now and then how far a long run is."""
        self.requests += 1
        self.bodies += sent.body is not None
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        self.slowest = max(self.slowest, reply.seconds)
        if LONG and sent.body is not None and self.bodies % _PROGRESS == 0:
            print(f"{self.bodies} of {BODIES} bodies", file=sys.__stderr__, flush=True)

    def __str__(self) -> str:
        """Return one line for people."""
        answers = ", ".join(
            f"{count} x {status}" for status, count in sorted(self.statuses.items())
        )
        return (
            f"{self.bodies} bodies in {self.requests} requests, "
            f"{time.monotonic() - self.began:.0f} s, slowest {self.slowest:.2f} s: {answers}"
        )


tally = Tally()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was sent, where it was sent from this process."""
    if tally.requests:
        terminalreporter.write_line(f"fuzz: {tally}")


@dataclass
class Target:
    """A workspace, a connection to the gateway before it, and the ids that requests may name."""

    directory: System
    place: Place
    wire: Wire
    names: dict[bytes, bytes] = field(default_factory=dict)
    sent: int = 0

    async def try_(self, sent: Sent) -> Reply:
        """Send a request with real ids in it, and assert that its answer is a good one."""
        if self.sent % _ROUND == 0:
            await self.look_around()
        self.sent += 1
        sent = Sent(
            sent.method,
            self._real(sent.target),
            tuple((name, self._real(value)) for name, value in sent.headers),
            None if sent.body is None else self._real(sent.body),
            sent.chunked,
        )
        reply = await self.wire.send(sent)
        judge(sent, reply)
        tally.note(sent, reply)
        return reply

    async def look_around(self) -> None:
        """Find users and groups to write to; make some where there are none left."""
        self.names = {
            b"TOKEN0": self.place.token.encode(),
            b"WORKSPACE0": self.place.workspace_id.encode(),
        }
        users = [id_ for id_ in await self._ids("Users") if id_ != self.place.admin_id]
        while len(users) < 2:
            mail = f"{os.urandom(4).hex()}@{self.place.workspace_id}.example"
            name = {"givenName": "Grace", "familyName": "Hopper"}
            users.append(await self._make("Users", {"userName": mail, "name": name}))
        groups = await self._ids("Groups") or [
            await self._make("Groups", {"displayName": os.urandom(4).hex()})
        ]
        self.names |= {
            b"USER0": users[0].encode(),
            b"USER1": self.place.admin_id.encode() if self.sent % 100 else users[1].encode(),
            b"GROUP0": groups[-1].encode(),
        }

    async def _ids(self, kind: str) -> list[str]:
        reply = await self._call("GET", f"/{kind}?attributes=id&count=20", None)
        assert reply.status == 200, reply
        return [resource["id"] for resource in json.loads(reply.body)["Resources"]]

    async def _make(self, kind: str, document: dict[str, object]) -> str:
        reply = await self._call("POST", f"/{kind}", json.dumps(document).encode())
        assert reply.status == 201, reply
        return str(json.loads(reply.body)["id"])

    async def _call(self, method: str, path: str, body: bytes | None) -> Reply:
        headers = (("Authorization", b"Bearer " + self.place.token.encode()),)
        return await self.wire.send(Sent(method, f"/scim/v2{path}".encode(), headers, body))

    def _real(self, raw: bytes) -> bytes:
        for name, id_ in self.names.items():
            raw = raw.replace(name, id_)
        return raw.replace(b"NEW0", b"%d" % self.sent)


@contextlib.asynccontextmanager
async def served(directory: System, *, by_socket: bool) -> AsyncIterator[Wire]:
    """Give a connection to a gateway that serves as in production."""
    async with contextlib.AsyncExitStack() as stack:
        channel = directory.process
        if by_socket:
            made = grpc.aio.insecure_channel(directory.address)
            channel = await stack.enter_async_context(made)
        settings = Settings(port=0, public_url="https://scim.example.com/scim/v2")
        stubs = Stubs(UserDirectoryStub(channel), WorkspaceAdminStub(channel))
        stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
        app = create_app(stubs, settings)
        serving = asyncio.create_task(serve(app, settings, stop=stop, on_listening=port.set_result))
        wire = Wire("127.0.0.1", await asyncio.wait_for(port, 10))
        try:
            yield wire
        finally:
            await wire.close()
            stop.set()
            await serving


@pytest.fixture
async def targets(systems: Systems) -> AsyncIterator[list[Target]]:
    """Give a workspace of each preset on each database; they keep all the rules to the end."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for database, preset in TARGETS:
            directory = await systems.on(database)
            place = await new_place(directory.core, policy_pb2.Preset.Value(f"PRESET_{preset}"))
            serving = served(directory, by_socket=database == "postgresql")
            made.append(Target(directory, place, await stack.enter_async_context(serving)))
        yield made
        for target in made:
            await target.look_around()
            core, workspace_id = target.directory.core, target.place.workspace_id
            assert [] == await verify.findings(core.storage, [workspace_id])
