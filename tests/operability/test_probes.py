"""What orchestrators ask: does the process live, can it work now."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.e2e.test_programs import held
from tests.operability.watched import Watched, labelled, page
from tests.processes import START_SECONDS, Program, free_port

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def watched(tmp_path: Path, database_url: str) -> Iterator[Watched]:
    """Give core and gateway, on each database, which run."""
    deployment = Watched(tmp_path, database_url)
    with deployment:
        deployment.wait_until_ready()
        yield deployment


@contextmanager
def _away(deployment: Watched, server: str) -> Iterator[None]:
    """Keep the database from taking writes; on PostgreSQL from answering at all."""
    if deployment.database_url.startswith("sqlite"):
        with held(deployment):
            yield
        return
    name = urlsplit(deployment.database_url).path[1:]
    asyncio.run(
        _tell(
            server,
            f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
    )
    yield
    asyncio.run(_tell(server, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))


async def _tell(server: str, *statements: str) -> None:
    connection = await asyncpg.connect(server)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def _wait_until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_a_database_that_is_away_ends_readiness_and_not_life(watched: Watched, postgres_url: str):
    """Alive all the while; not ready while it is away; ready again without a restart (F08)."""
    with grpc.insecure_channel(watched.grpc_address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        def health(of: str) -> int:
            return int(stub.Check(health_pb2.HealthCheckRequest(service=of)).status)

        def states() -> tuple[int, ...]:
            overall, lives = health(""), health("liveness")
            pages = [watched.page("core", path)[0] for path in ("/readyz", "/healthz")]
            return overall, lives, *pages

        before = states()
        with _away(watched, postgres_url):
            _wait_until(lambda: health("") == NOT_SERVING)
            during = states()
            up = watched.samples("core")[labelled("userdirectory_database_up")]
        _wait_until(lambda: health("") == SERVING)
        after = states()

    assert before == after == (SERVING, SERVING, 200, 200)
    assert during == (NOT_SERVING, SERVING, 503, 200)
    # SQLite can be read while somebody else writes.
    assert up == int(watched.database_url.startswith("sqlite"))


def test_a_core_that_stops_is_alive_and_not_ready(tmp_path: Path):
    """After SIGTERM, while calls finish, nobody new is sent here and nobody restarts it (R06)."""
    watched = Watched(tmp_path, f"sqlite:///{tmp_path / 'directory.db'}")
    running = labelled("userdirectory_rpcs_in_flight")
    with watched:
        watched.wait_until_ready()
        with watched.client() as client, held(watched):
            client.send("POST", "/Users", {"userName": "late@example.com"})
            _wait_until(lambda: watched.samples("core")[running] == 1)
            watched.core.signal()
            watched.core.wait_for("Stopping after SIGTERM")
            pages = [watched.page("core", path)[0] for path in ("/readyz", "/healthz")]

        assert pages == [503, 200]
        assert watched.core.ended() == 0


def test_the_gateway_shows_metrics_beside_its_probes(watched: Watched):
    """It answers probes at its own port; at the other port there is no readiness to ask."""
    statuses = [watched.page("gateway", path)[0] for path in ("/metrics", "/healthz", "/readyz")]

    assert statuses == [200, 200, 404]


def test_serve_shows_both_on_one_page(tmp_path: Path):
    """`userdir serve --metrics-port` has the metrics of core and gateway, and the probes."""
    port = free_port()
    with Program(
        "clients.cli.main",
        "serve",
        "--http-port=0",
        "--grpc-port=0",
        f"--data={tmp_path}",
        f"--metrics-port={port}",
    ) as program:
        program.wait_for("Ctrl-C stops")
        status, text = page(port, "/metrics")
        ready = page(port, "/readyz")
        program.signal()

        assert program.ended() == 0
    assert status == 200
    assert ready == (200, "ready")
    assert "\nuserdirectory_workspaces 4.0\n" in text
    assert "\nscim_requests_in_flight 0.0\n" in text


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (("core_service", "--grpc-port=0"), {"METRICS_PORT": "{port}"}),
        (("scim_gateway", "--port=0"), {"SCIM_METRICS_PORT": "{port}"}),
        (
            ("clients.cli.main", "serve", "--http-port=0", "--grpc-port=0"),
            {"METRICS_PORT": "{port}"},
        ),
    ],
    ids=["core", "gateway", "userdir"],
)
def test_a_taken_metrics_port_is_named(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], taken_port: int
):
    """A start that cannot be watched as it was told to is no start."""
    folder = tmp_path / "data"
    filled = {name: text.format(port=taken_port) for name, text in settings.items()}
    with Program(*arguments, settings={"DATA": str(folder)} | filled) as program:
        assert program.ended() in (1, 2)
        assert f"Port {taken_port} is taken." in program.output
        assert "Traceback" not in program.output
        assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        (
            ("core_service",),
            {"LOG_FORMAT": "xml", "METRICS_PORT": "many", "METRICS_BY_WORKSPACE": "some"},
            ["LOG_FORMAT", "METRICS_PORT", "METRICS_BY_WORKSPACE"],
        ),
        (
            ("core_service", "--grpc-port=0"),
            {"OTEL_TRACES_EXPORTER": "zipkin"},
            ["OTEL_TRACES_EXPORTER"],
        ),
        (
            ("scim_gateway",),
            {
                "SCIM_LOG_LEVEL": "loud",
                "SCIM_LOG_FORMAT": "xml",
                "SCIM_METRICS_PORT": "70000",
                "OTEL_TRACES_EXPORTER": "zipkin",
            },
            ["log_level", "log_format", "metrics_port", "OTEL_TRACES_EXPORTER"],
        ),
    ],
    ids=["core", "core-traces", "gateway"],
)
def test_wrong_settings_are_named(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], named: list[str]
):
    """What cannot be watched with is told before anything is made."""
    folder = tmp_path / "data"
    with Program(*arguments, settings={"DATA": str(folder)} | settings) as program:
        assert program.ended() in (1, 2)
        assert [each for each in named if each not in program.output] == []
        assert "Traceback" not in program.output
        assert not folder.exists()
