"""Serves the application over HTTP until it is told to stop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from scim_gateway.app import ScimService
from scim_gateway.context import Gateway
from scim_gateway.protocol import ScimProtocol
from scim_gateway.settings import Settings

# Seconds an idle connection stays open; more than the usual 60 of load balancers, so that the
# balancer closes first and no request meets a closing connection.
_KEEP_ALIVE_SECONDS = 75


def port_taken(host: str, port: int) -> bool:
    """Return whether another program listens where the gateway should; 0 is always free."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


async def serve(
    app: ScimService,
    settings: Settings,
    *,
    stop: asyncio.Event | None = None,
    on_listening: Callable[[int], None] | None = None,
) -> None:
    """
    Serve *app* and return when all requests that had begun are answered.

    Args:
        app: What `create_app` made.
        settings: Where to listen, TLS, how long to wait at the end.
        stop: Set it to stop; None stops at SIGINT and SIGTERM.
        on_listening: Called with the port once requests are accepted.
    """
    config = _config(app, settings)
    server = _Server(config, app.gateway, settings.drain_seconds, handles_signals=stop is None)
    tasks = [asyncio.ensure_future(_announce(server, on_listening))]
    if stop is not None:
        tasks.append(asyncio.ensure_future(_wait_for(stop, server)))
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        for listener in getattr(server, "servers", ()):
            listener.close()  # also when serving was cancelled


def _config(app: ScimService, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=ScimProtocol,
        ws="none",
        lifespan="off",
        # The application writes one line per request itself.
        access_log=False,
        log_config=None,
        server_header=False,
        # The core counts failing attempts by the peer's address; a header must not change it.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
    )


class _Server(uvicorn.Server):
    """uvicorn that says it is not ready before it stops, and leaves signals to who handles them."""

    def __init__(
        self,
        config: uvicorn.Config,
        gateway: Gateway,
        drain_seconds: float,
        *,
        handles_signals: bool,
    ) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._drain_seconds = drain_seconds
        self._handles_signals = handles_signals
        self.listening = asyncio.Event()

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        self._gateway.stopping = True
        await asyncio.sleep(self._drain_seconds)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not self._handles_signals:
            yield
            return
        with super().capture_signals():
            yield
            # uvicorn would raise them again, and the process would end by them and not with 0.
            self._captured_signals.clear()


async def _announce(server: _Server, on_listening: Callable[[int], None] | None) -> None:
    await server.listening.wait()
    if on_listening is not None and server.started:
        on_listening(server.port)


async def _wait_for(stop: asyncio.Event, server: _Server) -> None:
    await stop.wait()
    server.should_exit = True
