"""`userdir serve`: core and gateway in one process, the one place where both are put together."""

import logging
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from grpc_health.v1.health_pb2_grpc import HealthStub, add_HealthServicer_to_server
from userdirectory import logs, tracing
from userdirectory.errors import DirectoryError
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from clients.cli import demo
from clients.cli.demo import Demo
from core_service import settings as core_settings
from core_service.channel import InProcessChannel
from core_service.identity import Identity
from core_service.monitored import Monitoring
from core_service.opening import opened
from core_service.rate_limits import limits_of
from core_service.server import PortError, check_port, signals, start_server
from core_service.service import add_services
from scim_gateway.app import Stubs, create_app
from scim_gateway.monitored import measures_in
from scim_gateway.serving import serve as serve_http
from scim_gateway.settings import Settings as GatewaySettings

if TYPE_CHECKING:
    from userdirectory.traces import Traces

log = logging.getLogger("userdir")

_HOST = "127.0.0.1"


def main(flags: Mapping[str, str], http_port: int) -> int:
    """
    Serve until SIGTERM or Ctrl-C; return the exit status.

    Args:
        flags: Settings of the core by field name; the environment has the others.
        http_port: The port for SCIM; 0 lets the system choose.
    """
    try:
        chosen = core_settings.read(flags, os.environ)
        # Both before anything is created: a second start by mistake changes nothing.
        http_port = check_port(_HOST, http_port, "HTTP_PORT")
        check_port(chosen.grpc_host, chosen.grpc_port, "GRPC_PORT")
        check_port(chosen.metrics_host, chosen.metrics_port or 0, "METRICS_PORT")
        logs.set_up(chosen.log_level, chosen.log_format)
        uvloop.run(serve(chosen, http_port))
    except (core_settings.SettingsError, PortError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except DirectoryError as error:
        print(f"{error} Check DATABASE_URL and that the database runs.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot use the folder {chosen.data}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def serve(chosen: core_settings.Settings, http_port: int) -> None:
    """Serve SCIM and gRPC until a signal says stop, then let requests and calls finish."""
    base_url = f"http://{_HOST}:{http_port}/scim/v2"
    file = chosen.data / "demo.json"
    monitoring = Monitoring(chosen)
    async with (
        signals() as stop,
        tracing.traced("userdir", os.environ) as traces,
        opened(chosen, monitoring.measures, traces) as core,
        monitoring.pages(core, stop),
    ):
        identity = Identity(core, limits=limits_of(chosen))
        server = await start_server(core, identity, chosen)
        channel = InProcessChannel()
        add_services(core, identity, channel)
        add_HealthServicer_to_server(server.checks, channel)
        try:
            ready = await demo.ready(core, file)
            demo.write(file, ready, server.address, base_url)
            app, settings = _gateway(channel, base_url, http_port, chosen, monitoring, traces)
            await serve_http(
                app,
                settings,
                stop=stop,
                on_listening=lambda _: print(greeting(ready, base_url, server.address, file)),
            )
        finally:
            await channel.close(chosen.shutdown_seconds)
            await server.stop(chosen.shutdown_seconds)
        log.info("Stopped.")


def _gateway(
    channel: InProcessChannel,
    base_url: str,
    http_port: int,
    chosen: core_settings.Settings,
    monitoring: Monitoring,
    traces: "Traces | None",
) -> tuple[Any, GatewaySettings]:
    """Return the gateway in front of the core at *channel*, and its settings."""
    settings = GatewaySettings(
        host=_HOST,
        port=http_port,
        public_url=base_url,
        shutdown_seconds=round(chosen.shutdown_seconds),
    )
    stubs = Stubs(
        directory=UserDirectoryStub(channel),  # type: ignore[no-untyped-call]
        workspaces=WorkspaceAdminStub(channel),  # type: ignore[no-untyped-call]
        health=HealthStub(channel),
    )
    return create_app(stubs, settings, measures_in(monitoring.registry), traces), settings


def greeting(ready: Demo, base_url: str, grpc_address: str, file: Path) -> str:
    """Return what a person needs to begin: addresses, tokens, and commands that work as printed."""
    first, token = next(iter(ready.tokens.items()))
    request = shlex.quote(f'{{"workspace_id": "{first}", "page_size": 3}}')
    bearer = f"-H 'authorization: Bearer {ready.service_token}'"
    method = "userdirectory.v1.UserDirectory/ListUsers"
    buf = Path(sys.executable).with_name("buf")
    folder = "" if file.parent == Path("var") else f"DATA={shlex.quote(str(file.parent))} "
    userdir = folder + _short(Path(sys.executable).with_name("userdir"))
    tokens = "\n".join(f"  {name:<14}{token}" for name, token in ready.tokens.items())
    return f"""
SCIM  {base_url}
gRPC  {grpc_address} (reflection and health are on)

Workspaces and their SCIM tokens, also in {file}:
{tokens}

Service token for gRPC, all workspaces:
  {ready.service_token}

Try:
  {userdir} user list
  curl -s -H 'Authorization: Bearer {token}' {base_url}/Users
  grpcurl -plaintext {bearer} -d {request} {grpc_address} {method}
  {_short(buf)} curl --http2-prior-knowledge --protocol grpc {bearer} -d {request} \
http://{grpc_address}/{method}

Ctrl-C stops.
"""


def _short(program: Path) -> str:
    """Return the path of a program as one would type it here, its name if it is elsewhere."""
    if not program.exists():
        return program.name
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)
