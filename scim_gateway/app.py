"""The SCIM service as an ASGI application."""

import logging
from typing import TYPE_CHECKING, Any

import falcon
import grpc
from falcon.asgi import App, Request, Response
from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1.workspace_admin_pb2 import GetWorkspaceRequest

from scim_gateway import errors, oauth
from scim_gateway.bulk import Bulk
from scim_gateway.context import Gateway, Stubs, answer
from scim_gateway.discovery import ResourceTypes, Schemas, ServiceProviderConfig
from scim_gateway.edge import Edge, Open, trace
from scim_gateway.errors import ScimError
from scim_gateway.groups import Groups, OneGroup
from scim_gateway.me import Me
from scim_gateway.measures import Measures
from scim_gateway.searches import searches
from scim_gateway.settings import Settings
from scim_gateway.users import OneUser, Users

if TYPE_CHECKING:
    from userdirectory.traces import Traces

__all__ = ["Stubs", "create_app"]

log = logging.getLogger(__name__)

_TOLD = {
    400: "The request is malformed. Check its headers and its body.",
    404: "There is no such address here. Check the base URL and the path.",
    405: "This address has no such method. The header Allow says which it has.",
    413: "The body is too large. Send less at once.",
}
_READY_TIMEOUT_SECONDS = 2.0


class ScimService(App[Request, Response]):
    """
    The SCIM service.

    Attributes:
        gateway: What it reaches; setting `gateway.stopping` makes `/readyz` fail.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Answer every address below the prefix, with and without a workspace in it."""
        super().__init__(middleware=[Edge(gateway)])
        self.gateway = gateway
        self.req_options.strip_url_path_trailing_slash = True
        self.add_error_handler(Exception, _handle)
        self.add_error_handler(falcon.HTTPError, _handle)
        self.add_route("/healthz", Alive())
        self.add_route("/readyz", Ready(gateway))
        prefix = gateway.settings.prefix.rstrip("/")
        if prefix:
            self.add_route(oauth.PATH, oauth.Token(gateway))
        for start in (prefix, f"{prefix}/w/{{workspace_id}}"):
            for path, resource in _routes(gateway).items():
                self.add_route(f"{start}{path}" or "/", resource)

    async def __call__(  # type: ignore[override]  # as in falcon.asgi
        self, scope: Any, receive: Any, send: Any
    ) -> None:
        """Answer one request, and count it while that takes."""
        self.gateway.running += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.gateway.running -= 1


def create_app(
    stubs: Stubs,
    settings: Settings,
    measures: Measures | None = None,
    traces: "Traces | None" = None,
) -> ScimService:
    """
    Return the SCIM service, an ASGI application.

    Args:
        stubs: Where the core is; on a socket or in the same process.
        settings: Must fit together; `settings.problems` says whether they do.
        measures: Takes note of what happens; None: nobody does.
        traces: Records the spans of requests; None: nobody does.
    """
    return ScimService(Gateway(stubs, settings, measures or Measures(), traces))


def _routes(gateway: Gateway) -> dict[str, object]:
    return {
        "": ResourceTypes(gateway),
        "/Users": Users(gateway),
        "/Users/{identifier}": OneUser(gateway),
        "/Groups": Groups(gateway),
        "/Groups/{identifier}": OneGroup(gateway),
        **searches(gateway),
        "/ServiceProviderConfig": ServiceProviderConfig(gateway),
        "/ResourceTypes": ResourceTypes(gateway),
        "/ResourceTypes/{identifier}": ResourceTypes(gateway),
        "/Schemas": Schemas(gateway),
        "/Schemas/{identifier}": Schemas(gateway),
        "/Me": Me(gateway),
        "/Bulk": Bulk(gateway),
        oauth.PATH: oauth.Token(gateway),
    }


class Alive(Open):
    """`/healthz`: the process runs."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002
        """Answer 200."""
        answer(resp, {"status": "alive"})


class Ready(Open):
    """`/readyz`: requests can be answered now."""

    def __init__(self, gateway: Gateway) -> None:
        """Ask the core that *gateway* reaches."""
        self._gateway = gateway

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer 200 if the core serves and the gateway was not told to stop, else 503."""
        ready = not self._gateway.stopping and await self._core_serves(req)
        answer(resp, {"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    async def _core_serves(self, req: Request) -> bool:
        stubs = self._gateway.stubs
        metadata = (("traceparent", req.context.traceparent),)
        request: Message = GetWorkspaceRequest()
        method = stubs.workspaces.GetWorkspace
        if stubs.health is not None:
            from grpc_health.v1.health_pb2 import HealthCheckRequest

            request, method = HealthCheckRequest(), stubs.health.Check
        try:
            reply = await method(request, metadata=metadata, timeout=_READY_TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            # Without a credential a core that serves says so, or that it was asked too often.
            known = errors.of_call(error)
            return stubs.health is None and known is not None and known.status in (401, 429)
        return stubs.health is None or bool(reply.status == 1)


async def _handle(
    req: Request,
    resp: Response,
    error: Exception,
    params: dict[str, Any],  # noqa: ARG001
) -> None:
    """Answer every error with a SCIM Error message, or OAuth's; log once what is our own fault."""
    if not hasattr(req.context, "trace_id"):
        req.context.trace_id, req.context.traceparent = trace(None)
    known = _known(error)
    if known is None:
        _log_fault(error, req.context.trace_id)
        known = ScimError(500, "", "The service failed. Tell its operators the trace id.")
    if oauth.is_endpoint(req):
        known = oauth.refusal(known)
    answer(resp, known.body(req.context.trace_id), known.status)
    resp.set_headers(known.headers)
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        resp.set_headers(error.headers or {})


def _log_fault(error: Exception, trace_id: str) -> None:
    """Log the cause; of the core's faults the code alone, since the core logs their cause."""
    if isinstance(error, grpc.RpcError):
        log.error(
            "The core failed: code=%(code)s trace_id=%(trace_id)s",
            {"code": error.code().name, "trace_id": trace_id},
        )
    else:
        log.error("Request failed: trace_id=%(trace_id)s", {"trace_id": trace_id}, exc_info=error)


def _known(error: Exception) -> ScimError | None:
    if isinstance(error, ScimError):
        return error
    if isinstance(error, DirectoryError):
        return errors.of_directory(error)
    if isinstance(error, falcon.HTTPError):
        return ScimError(error.status_code, "", _TOLD.get(error.status_code, _TOLD[400]))
    return errors.of_call(error)
