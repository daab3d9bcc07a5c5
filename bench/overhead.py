"""
Measures what watching costs: `python bench/overhead.py [seconds]`, 6 by default, for each figure.

Gateway and core run in one process, on SQLite in a temporary folder, without a socket between them
or in front; 16 callers. It prints requests a second and microseconds of processor time a request,
create and get: with metrics and traces off, with metrics, with traces (every request recorded, and
sent to a collector in another process that throws it away), and with both; behind each its ratio to
off. All are set up at once and take turns in short rounds, so that what else the machine does falls
on all of them alike; it does not fall on processor time.

The last lines are what a request asks where both are off: whether spans are recorded, and the null
object that takes note of a call.
"""

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import orjson
import uvloop
from userdirectory.tracing import traced
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from clients.cli import demo
from core_service import settings as core_settings
from core_service.channel import InProcessChannel
from core_service.identity import Identity
from core_service.measures import Measures
from core_service.monitored import Monitoring
from core_service.opening import opened
from core_service.service import add_services
from scim_gateway.app import ScimService, Stubs, create_app
from scim_gateway.monitored import measures_in
from scim_gateway.settings import Settings

CALLERS = 16
ROUND_SECONDS = 0.5
WORKSPACE = "strict-rfc"
OFF = "off"


@dataclass(slots=True)
class House:
    """A gateway with its core, and what came of it so far."""

    app: ScimService
    token: str
    ids: list[str] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    async def create(self, number: int) -> None:
        """Create a user."""
        name = f"ada{number}@example.com"
        document = {"userName": name, "emails": [{"value": name, "primary": True}]}
        made = await self._ask("POST", "/Users", 201, orjson.dumps(document))
        self.ids.append(made["id"])

    async def get(self, number: int) -> None:
        """Get a user who was created."""
        await self._ask("GET", f"/Users/{self.ids[number * 7919 % len(self.ids)]}", 200)

    async def _ask(self, method: str, path: str, expected: int, body: bytes = b"") -> Any:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        headers = [(b"authorization", f"Bearer {self.token}".encode())]
        if body:
            headers.append((b"content-type", b"application/scim+json"))
            headers.append((b"content-length", str(len(body)).encode()))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": f"/scim/v2{path}",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        # A task of its own, as a server gives every request.
        await asyncio.create_task(self.app(scope, receive, send))
        assert sent[0]["status"] == expected, sent
        return orjson.loads(sent[1]["body"])


@asynccontextmanager
async def house(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[House]:
    """Give a house with these settings."""
    chosen = core_settings.read({"data": str(folder)}, environment)
    monitoring = Monitoring(chosen)
    async with (
        traced("bench", environment) as traces,
        opened(chosen, monitoring.measures, traces) as core,
        monitoring.pages(core, asyncio.Event()),
    ):
        channel = InProcessChannel()
        add_services(core, Identity(core), channel)
        stubs = Stubs(UserDirectoryStub(channel), WorkspaceAdminStub(channel))
        app = create_app(stubs, Settings(), measures_in(monitoring.registry), traces)
        made = await demo.ready(core, folder / "demo.json")
        yield House(app, made.tokens[WORKSPACE])
        await channel.close()


async def run(house: House, name: str, operation: Callable[[int], Awaitable[None]]) -> None:
    """Let the callers do *operation* for a round."""
    numbers = itertools.count(house.done.get(name, 0) + CALLERS)
    began, cpu_began, done = time.perf_counter(), time.process_time(), 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() - began < ROUND_SECONDS:
            await operation(next(numbers))
            done += 1

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    house.done[name] = house.done.get(name, 0) + done
    for kept, spent in (
        (house.seconds, time.perf_counter() - began),
        (house.cpu_seconds, time.process_time() - cpu_began),
    ):
        kept[name] = kept.get(name, 0.0) + spent


async def main(seconds: float, collector: str) -> None:
    """Print a line for each operation and each way of watching."""
    kinds = {
        OFF: {},
        "metrics": {"METRICS_PORT": "0"},
        "traces": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector},
        "both": {"METRICS_PORT": "0", "OTEL_EXPORTER_OTLP_ENDPOINT": collector},
    }
    # Read by OpenTelemetry itself; who records is decided by the settings below.
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        houses = {
            kind: await stack.enter_async_context(house(folder / kind, environment))
            for kind, environment in kinds.items()
        }
        for name in ("create", "get"):
            for _ in range(max(1, round(seconds / ROUND_SECONDS))):
                for each in houses.values():
                    await run(each, name, getattr(each, name))
            _print(name, houses)
    _print_off()


def _print(name: str, houses: Mapping[str, House]) -> None:
    rates = {kind: each.done[name] / each.seconds[name] for kind, each in houses.items()}
    costs = {kind: each.cpu_seconds[name] / each.done[name] for kind, each in houses.items()}
    for kind, rate in rates.items():
        print(
            f"{name:8} {kind:8} {rate:>8,.0f}/s {rate / rates[OFF]:>6.2f} "
            f"{costs[kind] * 1e6:>8,.0f} us {costs[kind] / costs[OFF]:>6.2f}"
        )


def _print_off() -> None:
    times = 1_000_000
    nothing = Measures()
    asked = timeit.timeit("traces is None", globals={"traces": None}, number=times)
    noted = timeit.timeit(
        "m.call_began(); m.call_ended('m', 'OK', '', 0.1)", globals={"m": nothing}, number=times
    )
    print(
        f"off: {asked / times * 1e9:.0f} ns to ask for spans, {noted / times * 1e9:.0f} ns a call"
    )


def collect() -> None:
    """Receive spans, print the port first, until killed."""
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as api
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

    class Nothing(services.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            return api.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(1))
    services.add_TraceServiceServicer_to_server(Nothing(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


@contextmanager
def collector() -> Any:
    """Give the address of a collector in a process of its own."""
    command = [sys.executable, __file__, "collector"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


if __name__ == "__main__":
    if sys.argv[1:] == ["collector"]:
        collect()
    else:
        with collector() as address:
            uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 6.0, address))
