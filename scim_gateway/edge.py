"""What every request and every answer has in common: trace, headers, one log line."""

import logging
import re
import secrets
import time
from typing import Any

from falcon import HTTPMethodNotAllowed
from falcon.asgi import Request, Response

from scim_gateway.auth import read_token
from scim_gateway.context import Gateway
from scim_gateway.errors import ScimError

log = logging.getLogger("scim_gateway.access")

SCIM_JSON = "application/scim+json"
PLAIN_JSON = "application/json"

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
IDENTIFIER = re.compile(r"[!-~]{1,256}")
_NO_TRACE = "0" * 32
_LOGGED_PATH = 256


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
        req.context.trace_id, req.context.traceparent = trace(req.get_header("traceparent"))

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
        log.info(
            "%s %s %s %.1f ms trace=%s",
            loggable(req.method),
            loggable(req.path),
            resp.status_code,
            (time.perf_counter() - req.context.started) * 1000,
            req.context.trace_id,
        )


def trace(sent: str | None) -> tuple[str, str]:
    """
    Return the trace id, and the `traceparent` for the calls of a request.

    Args:
        sent: The header of the request; a malformed one starts a new trace.

    Source: W3C Trace Context, section 3.2.
    """
    found = _TRACEPARENT.fullmatch(sent) if sent else None
    if found is not None and found[1] != _NO_TRACE:
        return found[1], f"00-{found[1]}-{secrets.token_hex(8)}-{found[2]}"
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


def loggable(text: str) -> str:
    """Return *text* on one line: control characters escaped, at most 256 characters."""
    return text[:_LOGGED_PATH].encode("unicode_escape").decode("ascii")
