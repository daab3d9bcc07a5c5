"""What a call leaves behind: one log line, its numbers, and its span if spans are recorded."""

import logging
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from userdirectory import tracing

from core_service.core import Caller, Core

if TYPE_CHECKING:
    from userdirectory.traces import Span, Traces

log = logging.getLogger("core_service.service")

_TRACE_PARENT = "traceparent"
_LINE = (
    "%(method)s code=%(code)s reason=%(reason)s duration_ms=%(duration_ms).1f "
    "trace_id=%(trace_id)s workspace_id=%(workspace_id)s credential_id=%(credential_id)s"
)


class Trail:
    """
    The trail of one call.

    Args:
        core: Where numbers and spans go.
        method: The full name of the RPC.
        metadata: What came with the call; `traceparent` says which trace it belongs to.

    Attributes:
        trace_id: Names the call in logs and answers, and the trace if there is one (D-39).
    """

    __slots__ = ("_core", "_method", "_span", "_started", "trace_id")

    def __init__(
        self, core: Core, method: str, metadata: Iterable[tuple[str, str | bytes]]
    ) -> None:
        """Begin."""
        self._started = time.perf_counter()
        self._core = core
        self._method = method
        self._span: Span | None = None
        core.measures.call_began()
        parent = _parent(metadata)
        self.trace_id = parent.trace_id if parent else secrets.token_hex(16)
        if core.traces is not None:
            self._begin_span(core.traces, parent)

    def end(
        self, caller: Caller | None, level: int, code: str, reason: str, error: Exception | None
    ) -> None:
        """
        End, once; ids only, nothing that people typed.

        Args:
            caller: Who called; None if nobody knows.
            level: How bad it is.
            code: The name of the status.
            reason: Why it was refused; empty if it was not.
            error: What is ours to repair; None for nothing.
        """
        seconds = time.perf_counter() - self._started
        self._core.measures.call_ended(self._method, code, reason, seconds)
        told = {
            "method": self._method,
            "code": code,
            "reason": reason or "-",
            "duration_ms": round(seconds * 1000, 1),
            "trace_id": self.trace_id,
            "workspace_id": caller.workspace_id if caller and caller.workspace_id else "-",
            "credential_id": caller.credential_id if caller else "-",
        }
        log.log(level, _LINE, told, exc_info=error)
        if self._span is not None:
            self._end_span(self._span, code, reason, caller, failed=level >= logging.ERROR)

    def _begin_span(self, traces: "Traces", parent: tracing.Parent | None) -> None:
        service, _, rpc = self._method.rpartition("/")
        self._span = traces.begin(
            self._method,
            parent,
            {"rpc.system": "grpc", "rpc.service": service, "rpc.method": rpc},
        )
        self.trace_id = self._span.trace_id

    def _end_span(
        self, span: "Span", code: str, reason: str, caller: Caller | None, *, failed: bool
    ) -> None:
        attributes = {"rpc.grpc.status": code, "userdirectory.reason": reason}
        if caller is not None:
            attributes["userdirectory.workspace_id"] = caller.workspace_id
            attributes["userdirectory.credential_id"] = caller.credential_id
        span.end({name: text for name, text in attributes.items() if text}, failed=failed)


def _parent(metadata: Iterable[tuple[str, str | bytes]]) -> tracing.Parent | None:
    for key, value in metadata:
        if key == _TRACE_PARENT and isinstance(value, str):
            parent = tracing.parse(value)
            if parent is not None:
                return parent
    return None
