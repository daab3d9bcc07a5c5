"""The gRPC server: services, health, reflection, limits, and how it starts and stops."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from core_service.core import Core
from core_service.identity import Identity
from core_service.service import add_services
from core_service.service.access import SERVICES
from core_service.service.traffic import Traffic
from core_service.settings import Settings
from core_service.storage.database import Storage
from core_service.transport import SERVER_OPTIONS
from core_service.uses import Uses

log = logging.getLogger(__name__)

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LIVENESS = "liveness"
"""What health says SERVING of while the process lives, whatever becomes of the database."""

_HEALTH_SECONDS = 3.0
_TURN_SECONDS = 0.5
_LAST_SECONDS = 1.0


class PortError(Exception):
    """A port at which this process cannot listen; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """
    A server that runs.

    Attributes:
        host: Where it listens.
        port: The port it listens at, also where the system chose it.
        checks: What it says of its health; can be offered at other channels too.
    """

    host: str
    port: int
    checks: health.aio.HealthServicer
    _server: grpc.aio.Server
    _watch: asyncio.Task[None]
    _traffic: Traffic
    _uses: Uses

    @property
    def address(self) -> str:
        """What clients connect to: `127.0.0.1:50051`."""
        return joined(self.host, self.port)

    async def stop(self, grace_seconds: float) -> None:
        """
        Stop: health says NOT_SERVING, no new calls, those that run may finish.

        Streams end at once. Those whose reader takes no more, and so not the end either, are cut
        soon after the last other call.

        Args:
            grace_seconds: Calls that take longer are cancelled.
        """
        ends = _now() + grace_seconds
        self._watch.cancel()
        await _tell(self.checks, _NOT_SERVING)
        self._traffic.end_streams()
        # gRPC cancels calls that have arrived and wait for their turn to begin.
        await asyncio.sleep(min(_TURN_SECONDS, grace_seconds / 4))
        stopping = asyncio.create_task(self._server.stop(max(0.0, ends - _now())))
        calls = asyncio.create_task(self._traffic.quiet())
        await asyncio.wait((stopping, calls), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((stopping,), timeout=_LAST_SECONDS)
        # One stop at a time: at a second one beside it gRPC would end the process.
        for task in (stopping, calls):
            task.cancel()
        await asyncio.wait((stopping, calls))
        await self._server.stop(None)


async def start_server(core: Core, identity: Identity, settings: Settings) -> Server:
    """
    Start a server over *core* and return it once it answers.

    Raises:
        PortError: The port is taken or may not be used.
    """
    check_port(settings.grpc_host, settings.grpc_port, "GRPC_PORT")
    server = grpc.aio.server(options=SERVER_OPTIONS)
    traffic = add_services(core, identity, server)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    if settings.reflection:
        names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
    port = _listen(server, settings)
    await server.start()
    await checks.set(LIVENESS, _SERVING)
    await _tell(checks, _SERVING)
    watch = asyncio.create_task(_watch(core.storage, checks))
    return Server(settings.grpc_host, port, checks, server, watch, traffic, identity.uses)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _watch(storage: Storage, checks: health.aio.HealthServicer) -> None:
    """Let health follow the database, which every call needs."""
    said = _SERVING
    while True:
        await asyncio.sleep(_HEALTH_SECONDS)
        try:
            await storage.ping()
            now = _SERVING
        except Exception as error:
            # Whatever it is, no call works; and the watch must outlive it.
            now = _NOT_SERVING
            if said is _SERVING:
                log.error("The database does not answer.", exc_info=error)
        if now is not said:
            said = now
            await _tell(checks, said)


async def _tell(checks: health.aio.HealthServicer, state: int) -> None:
    for name in (*SERVICES, health.OVERALL_HEALTH):
        await checks.set(name, state)


def check_port(host: str, port: int, setting: str) -> int:
    """
    Return *port* if this process can listen there; for 0 a port that is free now.

    Args:
        setting: What to change if not: `GRPC_PORT`.

    Raises:
        PortError: The port is taken, needs more rights, or the host is not this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        raise PortError(_reason(host, port, setting, error)) from error


def _reason(host: str, port: int, setting: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Stop what listens there or choose another {setting}."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights. Choose a {setting} above 1023."
    return f"Cannot listen at {joined(host, port)}: {error.strerror}. Check the host and {setting}."


def joined(host: str, port: int) -> str:
    """Return `host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen(server: grpc.aio.Server, settings: Settings) -> int:
    address = joined(settings.grpc_host, settings.grpc_port)
    try:
        return _add_port(server, address, settings)
    except RuntimeError as error:
        reason = "Check the host, GRPC_PORT, and that certificate and key fit together."
        raise PortError(f"Cannot listen at {address}. {reason}") from error


def _add_port(server: grpc.aio.Server, address: str, settings: Settings) -> int:
    if settings.grpc_tls_cert is None or settings.grpc_tls_key is None:
        return server.add_insecure_port(address)
    authorities = settings.grpc_tls_client_ca
    credentials = grpc.ssl_server_credentials(
        [(settings.grpc_tls_key.read_bytes(), settings.grpc_tls_cert.read_bytes())],
        root_certificates=authorities.read_bytes() if authorities else None,
        require_client_auth=authorities is not None,
    )
    return server.add_secure_port(address, credentials)


@contextlib.asynccontextmanager
async def signals() -> AsyncIterator[asyncio.Event]:
    """Give an event that the first SIGTERM or Ctrl-C sets; a second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin(number: signal.Signals) -> None:
        log.info("Stopping after %s.", number.name)
        stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, begin, each)
    try:
        yield stop
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)
