"""What a resource needs to answer: the stubs of the core, the settings, the caller's credential."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from falcon.asgi import Request, Response

from scim_gateway.errors import ScimError
from scim_gateway.idempotency import HEADER, read_key
from scim_gateway.measures import Measures
from scim_gateway.parsing import parse_object
from scim_gateway.settings import Settings

if TYPE_CHECKING:
    from userdirectory.traces import Traces

_CONTENT_TYPE = re.compile(
    r"application/(?:scim\+)?json(?:\s*;\s*charset\s*=\s*\"?utf-?8\"?|\s*;\s*[\w-]+=[^;]*)*\s*;?",
    re.IGNORECASE,
)
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stubs:
    """
    Where the core is.

    Attributes:
        directory: A `UserDirectoryStub`, on a socket or in the same process.
        workspaces: A `WorkspaceAdminStub`.
        health: A `HealthStub`; None asks the core something that needs no credential instead.
    """

    directory: Any
    workspaces: Any
    health: Any = None


class Gateway:
    """
    The core as one gateway calls it.

    Attributes:
        stopping: Whether the gateway was told to stop; `/readyz` says so.
        running: How many requests are being answered.
        measures: Takes note of what happens.
        traces: Records the spans of requests; None: nobody does.
    """

    def __init__(
        self, stubs: Stubs, settings: Settings, measures: Measures, traces: "Traces | None"
    ) -> None:
        """Keep the stubs and settings that every resource shares."""
        self.stubs = stubs
        self.settings = settings
        self.stopping = False
        self.running = 0
        self.measures = measures
        self.traces = traces
        measures.follow(lambda: self.running)

    def admit(self) -> None:
        """
        Refuse one more request while there are as many as may be.

        Raises:
            ScimError: 503.
        """
        if self.running > self.settings.max_requests:
            raise ScimError(503, "", "The service is busy. Try again later.", retry_after=1)

    async def call(self, req: Request, method: Callable[..., Any], request: Any) -> Any:
        """
        Return the answer of the core to *request*, asked in the name of the caller.

        Raises:
            grpc.RpcError: The core refused or did not answer.
            ScimError: 400 invalidValue for a malformed Idempotency-Key.
        """
        metadata = [
            ("authorization", f"Bearer {req.context.token}"),
            ("traceparent", req.context.traceparent),
            # Of the socket: a header that names another address is anybody's invention.
            ("client-address", req.remote_addr),
        ]
        if key := read_key(req):
            metadata.append((HEADER, key))
        timeout = self.settings.rpc_timeout_seconds
        return await method(request, metadata=metadata, timeout=timeout)

    async def read_user_body(self, req: Request) -> dict[str, Any]:
        """Return the JSON object in the body of a request; as `read_document`."""
        settings = self.settings
        return await read_document(req, settings.max_body_bytes, settings.body_timeout_seconds)

    async def read_group_body(self, req: Request) -> dict[str, Any]:
        """Return the JSON object in the body of a request about groups, which may be larger."""
        settings = self.settings
        return await read_document(
            req, settings.max_group_body_bytes, settings.body_timeout_seconds
        )

    def base_url(self, workspace_id: str) -> str:
        """Return the base URL that the caller was given, without a slash at the end."""
        url = self.settings.base_url
        return f"{url}/w/{quote(workspace_id, safe='')}" if workspace_id else url


async def read_document(req: Request, limit: int, seconds: float) -> dict[str, Any]:
    """
    Return the JSON object in the body of *req*.

    Args:
        req: The request.
        limit: The body may have so many bytes.
        seconds: The body must be there after so many.

    Raises:
        ScimError: 415 unless it is JSON in UTF-8, not compressed; a missing type counts as JSON.
            413 if it is longer than *limit*, before it is read where its length is told. 408 if
            it does not come. 400 invalidSyntax.
    """
    content_type = req.content_type
    if content_type:
        charset = _CHARSET.search(content_type)
        if not _CONTENT_TYPE.fullmatch(content_type) or (
            charset and charset[1].lower() not in ("utf-8", "utf8")
        ):
            raise ScimError(415, "", "The body is not JSON in UTF-8. Send application/scim+json.")
    return parse_object(await read_body(req, limit, seconds))


async def read_body(req: Request, limit: int, seconds: float) -> bytes:
    """
    Return the body of *req*, whatever it is; *limit* and *seconds* as of `read_document`.

    Raises:
        ScimError: 415 if it is compressed; 413; 408.
    """
    if (req.get_header("content-encoding") or "identity").lower() != "identity":
        raise ScimError(415, "", "The body is compressed. Send it as it is.")
    if (req.content_length or 0) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            body: bytes = await req.stream.read(limit + 1)
    except TimeoutError as error:
        raise ScimError(408, "", "The body did not come in time. Send it again.") from error
    if len(body) > limit:
        raise _too_large(limit)
    return body


def answer(resp: Response, document: object, status: int = 200) -> None:
    """Answer with *document* as JSON."""
    resp.status = status
    resp.data = orjson.dumps(document)


def _too_large(limit: int) -> ScimError:
    return ScimError(413, "", f"The body is longer than {limit} bytes. Send less at once.")
