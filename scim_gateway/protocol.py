"""HTTP/1.1 on a connection: slow requests end, broken ones are answered in SCIM's words."""

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from scim_gateway.edge import SCIM_JSON, trace
from scim_gateway.errors import ScimError

# Seconds until the head of a request must be there, also of the first on a connection.
HEAD_SECONDS = 15.0


class ScimProtocol(HttpToolsProtocol):
    """One connection."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the rest of the head."""
        super().on_message_begin()
        if self._waiting is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._stop_waiting()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Answer what is no HTTP, or has a method nobody knows, with a SCIM error, and hang up."""
        trace_id, _ = trace(None)
        error = ScimError(400, "", "This is no HTTP request. Check its method and its headers.")
        body = orjson.dumps(error.body(trace_id))
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"content-type: {SCIM_JSON}\r\n"
            f"content-length: {len(body)}\r\n"
            f"trace-id: {trace_id}\r\n"
            "x-content-type-options: nosniff\r\n"
            "cache-control: no-store\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def _wait_for_head(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        self.transport.close()
