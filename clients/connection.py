"""A blocking connection that asks any RPC of the contract by its request message."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import grpc
import tenacity
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from userdirectory.status import trace_of_call
from userdirectory.v1.workspace_admin_pb2 import WatchChangesRequest, WatchChangesResponse

from clients.calls import OPTIONS, SERVICES, Client, Tls
from clients.steps import Call
from clients.watching import responses

_METHODS = {
    method.input_type.full_name: (f"/{service.full_name}/{method.name}", method)
    for service in SERVICES
    for method in service.methods
}


class Connection:
    """
    A connection to a directory; one may be used by many threads.

    Every method raises DirectoryError when the directory refuses, and grpc.RpcError, whose
    `code()` tells why, when it does not answer: UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL.

        with Connection("127.0.0.1:50051", token, workspace_id="acme") as connection:
            seats = connection.ask(GetSeatsRequest())

    Args:
        target: `host:port`.
        token: The credential.
        workspace_id: The workspace of requests that name none; empty means the credential's own.
        timeout_seconds: How long a call may take, further tries included.
        tls: How to secure the connection; None: not at all.
    """

    def __init__(
        self,
        target: str,
        token: str,
        *,
        workspace_id: str = "",
        timeout_seconds: float = 10.0,
        tls: Tls | None = None,
    ) -> None:
        """Make a connection; ValueError if the token cannot be sent, OSError for the TLS files."""
        self._client = Client(token, workspace_id, timeout_seconds)
        self._channel = (
            grpc.insecure_channel(target, options=OPTIONS)
            if tls is None
            else grpc.secure_channel(target, tls.credentials(), options=OPTIONS)
        )

    def __enter__(self) -> Self:
        """Return the connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._channel.close()

    def ask(self, request: Message) -> Any:
        """Return the response to *request*, of whichever RPC has requests of its type."""
        return self.traced(request)[0]

    def traced(self, request: Message) -> tuple[Any, str]:
        """Return the response to *request*, and the trace id that the directory gave it."""
        prepared = self._client.prepare(Call(request))
        path, method = _METHODS[request.DESCRIPTOR.full_name]
        call = self._channel.unary_unary(
            path,
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        try:
            for attempt in tenacity.Retrying(**self._client.tries(prepared)):
                with attempt:
                    answer, ended = call.with_call(request, **prepared.terms())
        except grpc.RpcError as error:
            self._client.refuse(error)
        self._client.budget.answered()
        return answer, trace_of_call(ended)

    def pages(self, request: Any, most: int = 0) -> Iterator[Any]:
        """
        Yield the responses to *request*, page by page.

        Args:
            request: Of an RPC that has `page_size` and `page_token`.
            most: Stop after so many entries; 0 never stops.
        """
        left = most
        while True:
            request.page_size = min(left, 1000) if most else 1000
            page = self.ask(request)
            yield page
            left -= request.page_size
            request.page_token = page.next_page_token
            if not page.next_page_token or (most and left <= 0):
                return

    def watch(
        self, request: WatchChangesRequest, on_pause: Callable[[float], None]
    ) -> Iterator[WatchChangesResponse]:
        """
        Yield what happens in a workspace, without end; a stream that breaks is taken up again.

        The first stream must begin: what it fails with is raised. A later one is tried again where
        the last response left off, until the directory refuses it.

        Args:
            request: Where to begin, and what to tell; its `resume_token` is moved on.
            on_pause: Told that the stream broke, and the seconds until the next try.
        """
        path, _ = _METHODS[request.DESCRIPTOR.full_name]
        method = self._channel.unary_stream(
            path,
            request_serializer=WatchChangesRequest.SerializeToString,
            response_deserializer=WatchChangesResponse.FromString,
        )
        return responses(self._client, method, request, on_pause=on_pause, waits_to_begin=False)
