"""Which trace a request belongs to, and whether its spans are recorded."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from userdirectory.traces import Traces

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_FORM = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)


@dataclass(frozen=True, slots=True)
class Parent:
    """
    Whose work a request is a part of.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        flags: 2 hexadecimal digits; the last bit says whether the caller records the trace.
    """

    trace_id: str
    span_id: str
    flags: str


def parse(sent: str | None) -> Parent | None:
    """
    Return what the header `traceparent` says, None if it is missing or malformed.

    Source: W3C Trace Context, section 3.2; versions after 00 may say more, which is ignored.
    """
    found = _FORM.fullmatch(sent) if sent else None
    if found is None or (found[1] == "00" and found[5] is not None):
        return None
    return Parent(found[2], found[3], found[4])


def exporter(environment: Mapping[str, str]) -> Literal["otlp", "console", ""]:
    """
    Return where spans go, empty if none are made.

    Args:
        environment: The variables of OpenTelemetry; an endpoint or the console switches spans on.

    Raises:
        ValueError: They name an exporter or a protocol that is not there.
    """
    named = environment.get("OTEL_TRACES_EXPORTER", "")
    if named not in ("", "otlp", "console", "none"):
        raise ValueError("OTEL_TRACES_EXPORTER must be otlp, console or none.")
    if named == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return ""
    if named == "console":
        return "console"
    if not any(environment.get(name) for name in _ENDPOINTS):
        return ""
    if any(environment.get(name, "") not in ("", "grpc") for name in _PROTOCOLS):
        raise ValueError("OTEL_EXPORTER_OTLP_PROTOCOL must be grpc, whose port is mostly 4317.")
    return "otlp"


@asynccontextmanager
async def traced(service: str, environment: Mapping[str, str]) -> AsyncIterator["Traces | None"]:
    """
    Give what records the spans of a process, None if they are off; what is left is sent at the end.

    Off costs nothing: OpenTelemetry is not even imported.

    Args:
        service: The name of the process, unless `OTEL_SERVICE_NAME` gives another.
        environment: As `exporter`, which see for ValueError too.
    """
    kind = exporter(environment)
    if not kind:
        yield None
        return
    from userdirectory.traces import Traces

    traces = Traces(service, console=kind == "console")
    try:
        yield traces
    finally:
        await asyncio.to_thread(traces.close)
