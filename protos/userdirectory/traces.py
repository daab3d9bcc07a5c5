"""
Spans for OpenTelemetry: what took part in a request, and for how long.

Imported only where spans are recorded, by `userdirectory.tracing.traced`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode

from userdirectory.errors import DirectoryError
from userdirectory.tracing import Parent

Attributes = Mapping[str, str | int]


class Span:
    """
    One part of a request, from when it began to when it ended.

    Attributes:
        trace_id: The trace it belongs to: 32 hexadecimal digits.
    """

    __slots__ = ("recorded", "trace_id")

    def __init__(self, span: trace.Span) -> None:
        """Be *span*."""
        self.recorded = span
        self.trace_id = trace.format_trace_id(span.get_span_context().trace_id)

    @property
    def traceparent(self) -> str:
        """The header that makes what another process does a part of this."""
        told = self.recorded.get_span_context()
        span_id = trace.format_span_id(told.span_id)
        return f"00-{self.trace_id}-{span_id}-{told.trace_flags:02x}"

    def end(self, attributes: Attributes, *, name: str = "", failed: bool = False) -> None:
        """
        End, with what is known now.

        Args:
            name: What it turned out to be; empty keeps the name it began with.
            failed: Whether it failed by a fault of ours.
        """
        if name:
            self.recorded.update_name(name)
        self.recorded.set_attributes(attributes)
        if failed:
            self.recorded.set_status(StatusCode.ERROR)
        self.recorded.end()


class Traces:
    """
    Makes spans and sends them away.

    The SDK reads the rest from the environment: where to (`OTEL_EXPORTER_OTLP_ENDPOINT` and its
    like), how many (`OTEL_TRACES_SAMPLER`), what else is known of the process
    (`OTEL_RESOURCE_ATTRIBUTES`).

    Args:
        service: The name of the process, unless `OTEL_SERVICE_NAME` gives another.
        console: Whether spans are printed, one JSON object a line, and not sent.
    """

    def __init__(self, service: str, *, console: bool) -> None:
        """Send nothing yet."""
        self._provider = TracerProvider(resource=_resource(service), shutdown_on_exit=False)
        self._provider.add_span_processor(
            SimpleSpanProcessor(ConsoleSpanExporter(formatter=_line))
            if console
            else BatchSpanProcessor(OTLPSpanExporter())
        )
        self._tracer = self._provider.get_tracer("userdirectory")

    def begin(self, name: str, parent: Parent | None, attributes: Attributes) -> Span:
        """
        Return the span of a request, which is what this task does from now on.

        Without a parent it begins a trace.
        """
        # An empty context, because a task has that of the task that made it.
        around = context.Context()
        if parent is not None:
            around = trace.set_span_in_context(NonRecordingSpan(_remote(parent)), around)
        span = self._tracer.start_span(name, around, SpanKind.SERVER, attributes)
        context.attach(trace.set_span_in_context(span))
        return Span(span)

    def current(self) -> Span | None:
        """Return the span of what this task does, None if it has none or it is not recorded."""
        span = trace.get_current_span()
        return Span(span) if span.is_recording() else None

    @contextmanager
    def part(self, name: str, of: Span, attributes: Attributes) -> Iterator[Span]:
        """Give the span of a part of what *of* does; it failed if an error is no refusal."""
        around = trace.set_span_in_context(of.recorded)
        span = Span(self._tracer.start_span(name, around, SpanKind.CLIENT, attributes))
        try:
            yield span
        except BaseException as error:
            refused = isinstance(error, DirectoryError)
            span.end({"error.type": type(error).__qualname__}, failed=not refused)
            raise
        span.end({})

    def close(self) -> None:
        """Send what is left; waits for whoever receives it."""
        self._provider.shutdown()


def _remote(parent: Parent) -> SpanContext:
    return SpanContext(
        trace_id=int(parent.trace_id, 16),
        span_id=int(parent.span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(parent.flags, 16)),
    )


def _resource(service: str) -> Resource:
    told = Resource.create()
    if str(told.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return told.merge(Resource({SERVICE_NAME: service}))
    return told


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"
