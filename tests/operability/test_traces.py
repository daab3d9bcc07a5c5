"""Spans of requests, calls and statements, as a collector receives them."""

import importlib
import json
import pkgutil
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from userdirectory import tracing

from core_service import storage as rooms
from core_service.storage.columns import METADATA
from core_service.storage.traced import described
from tests.e2e.deployment import Deployment
from tests.operability.collector import Collector, attributes
from tests.operability.watched import Watched
from tests.processes import Program, free_port
from tests.scim import person

CORE = "userdirectory-core"
GATEWAY = "scim-gateway"
CREATE = "userdirectory.v1.UserDirectory/CreateUser"
TOLD = {
    "db.collection.name",
    "db.operation.name",
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "rpc.grpc.status",
    "rpc.method",
    "rpc.service",
    "rpc.system",
    "userdirectory.credential_id",
    "userdirectory.reason",
    "userdirectory.workspace_id",
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give a collector that listens."""
    with Collector() as listening:
        yield listening


@pytest.fixture
def traced(tmp_path: Path, database_url: str, collector: Collector) -> Iterator[Deployment]:
    """Give core and gateway, on each database, that send their spans to the collector."""
    deployment = Deployment(tmp_path, database_url, collector.settings)
    with deployment:
        deployment.wait_until_ready()
        yield deployment


def test_a_request_is_one_trace_from_client_to_table(traced: Deployment, collector: Collector):
    """
    Request, call, transaction and statements are spans, each a part of the one around it.

    The trace is the client's, and has the id that the answer, both logs and the provisioning log
    have.
    """
    trace_id, client_span = secrets.token_hex(16), secrets.token_hex(8)
    sent = {"traceparent": f"00-{trace_id}-{client_span}-01"}
    with traced.client() as client:
        made = client.request("POST", "/Users", person("ada@example.com"), sent)
    wanted = {"POST /Users", CREATE, "INSERT users"}
    spans = collector.wait_for(trace_id, lambda found: _names(found) >= wanted)
    path = _path(spans, "INSERT users")

    assert made.status == 201
    assert made.headers["trace-id"] == trace_id
    assert [(of, span.name) for of, span in path] == [
        (GATEWAY, "POST /Users"),
        (CORE, CREATE),
        (CORE, "write"),
        (CORE, "INSERT users"),
    ]
    assert path[0][1].parent_span_id.hex() == client_span
    assert {"SELECT credentials", "INSERT accounts", "INSERT log"} <= _names(spans)
    assert {key for _, span in spans for key in attributes(span)} <= TOLD
    assert attributes(path[-1][1]) == {
        "db.operation.name": "INSERT",
        "db.collection.name": "users",
    }
    assert attributes(path[0][1]) == {
        "http.request.method": "POST",
        "http.route": "/Users",
        "http.response.status_code": 201,
    }
    assert f"trace_id={trace_id}" in traced.core.output
    assert f"trace_id={trace_id}" in traced.gateway.output
    if traced.database_url.startswith("sqlite"):
        assert _logged(traced.database_url, trace_id) == ["CreateUser"]


def _path(spans: list[tuple[str, Span]], name: str) -> list[tuple[str, Span]]:
    """Return the spans around one, outermost first, and itself."""
    by_id = {span.span_id: (of, span) for of, span in spans}
    path = [next(each for each in spans if each[1].name == name)]
    while path[0][1].parent_span_id in by_id:
        path.insert(0, by_id[path[0][1].parent_span_id])
    return path


def _names(spans: list[tuple[str, Span]]) -> set[str]:
    return {span.name for _, span in spans}


def _logged(database_url: str, trace_id: str) -> list[str]:
    """Return the operations of a trace that the provisioning log has."""
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT operation FROM log WHERE trace_id = ?", (trace_id,))
        return [row[0] for row in found]


def test_a_trace_begins_where_nobody_sent_one(traced: Deployment, collector: Collector):
    """The answer's trace id is that of the spans; a refusal is no failure of ours."""
    with traced.client() as client:
        answer = client.get("/Users/nobody")
    wanted = {"GET /Users/{id}", "userdirectory.v1.UserDirectory/GetUser"}
    spans = collector.wait_for(
        str(answer.headers["trace-id"]), lambda found: _names(found) >= wanted
    )
    roots = [span for _, span in spans if not span.parent_span_id]
    (call,) = [span for _, span in spans if span.name.endswith("/GetUser")]

    assert answer.status == 404
    assert [span.name for span in roots] == ["GET /Users/{id}"]
    assert attributes(call)["userdirectory.reason"] == "USER_NOT_FOUND"
    assert {span.status.code for _, span in spans} == {Status.STATUS_CODE_UNSET}


def test_what_a_client_does_not_record_is_not_recorded(traced: Deployment, collector: Collector):
    """Its trace keeps its id all the same."""
    unrecorded, recorded = secrets.token_hex(16), secrets.token_hex(16)
    with traced.client() as client:
        for trace_id, flags in ((unrecorded, "00"), (recorded, "01")):
            sent = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-{flags}"}
            answer = client.request("GET", "/Users", headers=sent)
            assert answer.headers["trace-id"] == trace_id
    # Spans are sent in the order in which they end.
    collector.wait_for(recorded, lambda found: {GATEWAY, CORE} <= {of for of, _ in found})

    assert collector.spans(unrecorded) == []
    assert f"trace_id={unrecorded}" in traced.core.output


def test_a_collector_that_is_away_harms_nobody(tmp_path: Path):
    """Requests are answered, and the programs stop when they are told to."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    deployment = Watched(tmp_path, f"sqlite:///{tmp_path / 'directory.db'}", settings)
    with deployment:
        deployment.wait_until_ready()
        with deployment.client() as client:
            assert client.post("/Users", person("ada@example.com")).status == 201
        for program in (deployment.gateway, deployment.core):
            program.signal()
            assert program.ended() == 0


def test_spans_can_be_printed(tmp_path: Path):
    """With OTEL_TRACES_EXPORTER=console every span is a line of JSON."""
    url = f"sqlite:///{tmp_path / 'directory.db'}"
    deployment = Deployment(tmp_path, url, {"OTEL_TRACES_EXPORTER": "console"})
    with deployment:
        deployment.wait_until_ready()
        with deployment.client() as client:
            trace_id = client.get("/Users").headers["trace-id"]
        deployment.core.wait_for(rf'"trace_id": "0x{trace_id}"')
        lines = [each for each in deployment.core.output.splitlines() if each.startswith("{")]

    assert {"SELECT users", "read"} <= {json.loads(line)["name"] for line in lines}


@pytest.mark.parametrize("on", [False, True])
def test_off_costs_nothing(tmp_path: Path, on: bool):
    """Neither OpenTelemetry nor Prometheus is imported unless a setting asks for it."""
    url = f"sqlite:///{tmp_path / 'directory.db'}"
    # The interpreter tells every module that it imports.
    settings = {"PYTHONPROFILEIMPORTTIME": "1"}
    if on:
        settings |= {"OTEL_TRACES_EXPORTER": "console"}
        settings |= {"METRICS_PORT": "0", "SCIM_METRICS_PORT": "0"}
    deployment = Deployment(tmp_path, url, settings)
    with deployment:
        deployment.wait_until_ready()
        with deployment.client() as client:
            assert client.post("/Users", person("ada@example.com")).status == 201
        for program in (deployment.gateway, deployment.core):
            imported = {line.rpartition("|")[2].strip() for line in program.output.splitlines()}
            assert "userdirectory.tracing" in imported
            for name in ("opentelemetry", "prometheus_client"):
                assert (name in imported) is on


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, ""),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4317"}, "otlp"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            "otlp",
        ),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        (
            {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"},
            "",
        ),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "console"}, ""),
    ],
)
def test_variables_switch_spans_on(environment: Mapping[str, str], kind: str):
    """An endpoint or the console does; the variables that switch them off win."""
    assert tracing.exporter(environment) == kind


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_TRACES_EXPORTER": "jaeger"},
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        },
    ],
)
def test_what_is_not_there_is_refused(environment: Mapping[str, str]):
    """Better than spans that silently go nowhere."""
    with pytest.raises(ValueError, match="OTEL_"):
        tracing.exporter(environment)


@pytest.mark.parametrize(
    ("sent", "parent"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", tracing.Parent("a" * 32, "b" * 16, "01")),
        (f"01-{'a' * 32}-{'b' * 16}-00-more", tracing.Parent("a" * 32, "b" * 16, "00")),
        (f"00-{'a' * 32}-{'b' * 16}-01-more", None),
        (f"ff-{'a' * 32}-{'b' * 16}-01", None),
        (f"00-{'0' * 32}-{'b' * 16}-01", None),
        (f"00-{'a' * 32}-{'0' * 16}-01", None),
        (f"00-{'A' * 32}-{'b' * 16}-01", None),
        (f"00-{'a' * 31}-{'b' * 16}-01", None),
        ("", None),
        (None, None),
    ],
)
def test_a_parent_is_read_as_the_standard_says(sent: str | None, parent: tracing.Parent | None):
    """W3C Trace Context, section 3.2; what is malformed is ignored."""
    assert tracing.parse(sent) == parent


def _statements() -> Iterator[tuple[str, sa.sql.ClauseElement]]:
    """Give every statement that the storage keeps at module level, by its name."""
    for module in pkgutil.iter_modules(rooms.__path__, f"{rooms.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, sa.Select | sa.Insert | sa.Update | sa.Delete):
                yield f"{module.name}.{name}", value


def test_every_statement_has_a_table():
    """What a span says of a statement is what it does and one of our tables."""
    found = {name: described(statement) for name, statement in _statements()}

    assert len(found) > 100
    assert [] == [name for name, told in found.items() if told.table not in METADATA.tables]
    assert {"SELECT", "INSERT", "UPDATE", "DELETE"} == {told.operation for told in found.values()}


def test_programs_are_imported_without_watching():
    """The help of every program needs none of it."""
    for module in ("core_service", "scim_gateway", "clients.cli.main"):
        with Program(module, "--help", settings={"PYTHONPROFILEIMPORTTIME": "1"}) as program:
            assert program.ended() == 0
            assert "opentelemetry" not in program.output
