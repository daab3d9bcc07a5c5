"""What every request and every answer has in common: trace, headers, one log line."""

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from falcon import HTTPMethodNotAllowed
from falcon.asgi import Request, Response
from userdirectory import tracing

from scim_gateway.auth import read_token
from scim_gateway.context import Gateway
from scim_gateway.errors import ScimError
from scim_gateway.measures import Answered

if TYPE_CHECKING:
    from userdirectory.traces import Traces

log = logging.getLogger("scim_gateway.access")

SCIM_JSON = "application/scim+json"
PLAIN_JSON = "application/json"

IDENTIFIER = re.compile(r"[!-~]{1,256}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "OTHER"
_WORKSPACE = "/w/{workspace_id}"
# What the directory makes; anything else in its place may be somebody's name.
_OUR_ID = re.compile(r"[0-9a-f]{32}")
_LINE = (
    "%(method)s %(resource)s %(status)d id=%(id)s duration_ms=%(duration_ms).1f "
    "trace_id=%(trace_id)s"
)


class Open:
    """A resource that needs no credential in the header."""


class Edge:
    """Falcon middleware around every request, also those that no resource answers."""

    def __init__(self, gateway: Gateway) -> None:
        """Stand in front of *gateway*."""
        self._gateway = gateway

    async def process_request(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Name the request and start its clock."""
        req.context.started = time.perf_counter()
        sent = req.get_header("traceparent")
        req.context.trace_id, req.context.traceparent = trace(sent)
        req.context.span = None
        if self._gateway.traces is not None:
            _begin_span(req, self._gateway.traces, sent)

    async def process_resource(
        self,
        req: Request,
        resp: Response,  # noqa: ARG002
        resource: Any,
        params: dict[str, str],
    ) -> None:
        """
        Refuse what no core need see: methods that the resource has not, OPTIONS and made-up ones
        included; callers without a credential; ids that nothing can have.
        """
        if not hasattr(resource, f"on_{req.method.lower()}"):
            raise HTTPMethodNotAllowed(methods_of(resource))
        if not isinstance(resource, Open):
            self._gateway.admit()
            req.context.token = read_token(req.get_header("authorization"))
        if _OUR_ID.fullmatch(params.get("identifier", "")):
            req.context.identifier = params["identifier"]
        for value in params.values():
            if not IDENTIFIER.fullmatch(value):
                raise ScimError(404, "", "Nothing has this id. Look for it with a filter.")

    async def process_response(
        self,
        req: Request,
        resp: Response,
        resource: Any,  # noqa: ARG002
        req_succeeded: bool,  # noqa: ARG002
    ) -> None:
        """Set the headers that every answer has, and log the request."""
        if resp.data is not None and resp.content_type is None:
            resp.content_type = media_type(req.get_header("accept"))
        resp.set_headers(
            (
                ("trace-id", req.context.trace_id),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
            )
        )
        self._leave_trail(req, resp)

    def _leave_trail(self, req: Request, resp: Response) -> None:
        """Log, measure and trace how a request was answered: nothing of it that people typed."""
        seconds = time.perf_counter() - req.context.started
        status, resource = resp.status_code, self._resource(req)
        method = req.method if req.method in _METHODS else _OTHER
        told = {
            "method": method,
            "resource": resource,
            "status": status,
            "id": req.context.get("identifier", "-"),
            "duration_ms": round(seconds * 1000, 1),
            "trace_id": req.context.trace_id,
        }
        log.info(_LINE, told)
        sizes = (req.content_length or 0, len(resp.data or b""))
        self._gateway.measures.answered(Answered(method, resource, status, seconds, *sizes))
        if req.context.span is not None:
            req.context.span.end(
                {
                    "http.request.method": method,
                    "http.route": resource,
                    "http.response.status_code": status,
                },
                name=f"{method} {resource}",
                failed=status >= 500,
            )

    def _resource(self, req: Request) -> str:
        """Return the address without the base URL, ids left open: `/Users/{id}`."""
        template = req.uri_template
        if template is None:
            return _OTHER
        path = template.removeprefix(self._gateway.settings.prefix.rstrip("/"))
        return path.removeprefix(_WORKSPACE).replace("{identifier}", "{id}") or "/"


def trace(sent: str | None) -> tuple[str, str]:
    """
    Return the trace id, and the `traceparent` for the calls of a request.

    Args:
        sent: The header of the request; a malformed one starts a new trace.

    Source: W3C Trace Context, section 3.2.
    """
    parent = tracing.parse(sent)
    if parent is not None:
        return parent.trace_id, f"00-{parent.trace_id}-{secrets.token_hex(8)}-{parent.flags}"
    made = secrets.token_hex(24)
    return made[:32], f"00-{made[:32]}-{made[32:]}-01"


def media_type(accept: str | None) -> str:
    """
    Return the type of the answer: plain JSON for those who accept that and not SCIM's.

    Witness: onelogin-enable-connection. Nothing is ever answered 406.
    """
    wanted = (accept or "").lower()
    return PLAIN_JSON if PLAIN_JSON in wanted and SCIM_JSON not in wanted else SCIM_JSON


def methods_of(resource: object) -> list[str]:
    """Return the methods that *resource* answers, sorted."""
    return sorted(
        name.removeprefix("on_").upper() for name in dir(resource) if name.startswith("on_")
    )


def _begin_span(req: Request, traces: "Traces", sent: str | None) -> None:
    """Begin the span of a request, whose trace is that of the request."""
    name = req.method if req.method in _METHODS else _OTHER
    span = traces.begin(name, tracing.parse(sent), {})
    req.context.span = span
    req.context.trace_id, req.context.traceparent = span.trace_id, span.traceparent
