"""The pages for whoever watches a process: metrics, whether it lives, whether it is ready."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry, ProcessCollector, make_asgi_app

_STOP_SECONDS = 1


class Pages:
    """
    The pages, an ASGI application: `/metrics`, `/healthz`, and `/readyz` if it is known.

    Args:
        registry: The metrics.
        refresh: Called before metrics are shown, for those that must be looked up.
        ready: Whether requests can be answered now; None leaves `/readyz` out.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        refresh: Callable[[], Awaitable[None]] | None = None,
        ready: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Show *registry*."""
        self._metrics = make_asgi_app(registry)
        self._refresh = refresh
        self._ready = ready

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, "GET only")
        elif scope["path"] == "/metrics":
            if self._refresh is not None:
                await self._refresh()
            await self._metrics(scope, receive, send)
        elif scope["path"] == "/healthz":
            await _answer(send, 200, "alive")
        elif scope["path"] == "/readyz" and self._ready is not None:
            ready = await self._ready()
            await _answer(send, 200 if ready else 503, "ready" if ready else "not ready")
        else:
            await _answer(send, 404, "/metrics and /healthz are here")


def new_registry() -> CollectorRegistry:
    """Return a registry that has the process's memory, processor time and open files."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


@contextlib.asynccontextmanager
async def served(pages: Pages, host: str, port: int) -> AsyncIterator[int]:
    """
    Serve *pages* meanwhile; give the port, also where the system chose it.

    Raises:
        OSError: This process cannot listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        config = uvicorn.Config(
            pages,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals to those who handle them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _answer(send: Any, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
