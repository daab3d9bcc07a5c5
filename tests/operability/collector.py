"""What receives spans in a real installation, as small as it can be: OTLP over gRPC."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as api
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from tests.processes import START_SECONDS


class Collector(services.TraceServiceServicer):
    """A collector that keeps what it receives."""

    def __init__(self) -> None:
        """Listen."""
        self._received: list[ResourceSpans] = []
        self._news = threading.Condition()
        self._server = grpc.server(ThreadPoolExecutor(2))
        services.add_TraceServiceServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a program that sends its spans here, soon after they end."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def Export(
        self, request: api.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> api.ExportTraceServiceResponse:
        """Keep spans."""
        with self._news:
            self._received.extend(request.resource_spans)
            self._news.notify_all()
        return api.ExportTraceServiceResponse()

    @property
    def raw(self) -> bytes:
        """All that was received, as it came."""
        with self._news:
            return b"".join(each.SerializeToString() for each in self._received)

    def spans(self, trace_id: str) -> list[tuple[str, Span]]:
        """Return the spans of a trace, each with the name of the process that it is from."""
        with self._news:
            return [
                (_service(each), span)
                for each in self._received
                for scope in each.scope_spans
                for span in scope.spans
                if span.trace_id.hex() == trace_id
            ]

    def wait_for(
        self, trace_id: str, found: Callable[[list[tuple[str, Span]]], bool]
    ) -> list[tuple[str, Span]]:
        """Return the spans of a trace as soon as they are what *found* looks for."""
        ends = time.monotonic() + START_SECONDS
        while not found(spans := self.spans(trace_id)):
            assert time.monotonic() < ends, [span.name for _, span in spans]
            with self._news:
                self._news.wait(0.1)
        return spans

    def __enter__(self) -> Self:
        """Return the collector."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self._server.stop(None)


def attributes(span: Span) -> dict[str, object]:
    """Return the attributes of a span."""
    return {
        each.key: getattr(each.value, str(each.value.WhichOneof("value")))
        for each in span.attributes
    }


def _service(spans: ResourceSpans) -> str:
    names = [
        each.value.string_value for each in spans.resource.attributes if each.key == "service.name"
    ]
    return names[0]
