"""Start the core on its own: `python -m core_service`; `--help` tells what can be set."""

import logging
import os
import sys

import uvloop
from userdirectory import logs, tracing
from userdirectory.errors import DirectoryError

from core_service import settings
from core_service.identity import Identity
from core_service.monitored import Monitoring
from core_service.opening import opened
from core_service.rate_limits import limits_of
from core_service.server import PortError, check_port, signals, start_server
from core_service.settings import Settings

log = logging.getLogger("core_service")


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit status."""
    flags = vars(settings.parser().parse_args())
    try:
        chosen = settings.read(flags, os.environ)
        check_port(chosen.grpc_host, chosen.grpc_port, "GRPC_PORT")
        check_port(chosen.metrics_host, chosen.metrics_port or 0, "METRICS_PORT")
        logs.set_up(chosen.log_level, chosen.log_format)
        uvloop.run(serve(chosen))
    except (settings.SettingsError, PortError, ValueError) as error:
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


async def serve(chosen: Settings) -> None:
    """Serve with the chosen settings until a signal says stop, then let calls finish."""
    monitoring = Monitoring(chosen)
    async with (
        signals() as stop,
        tracing.traced("userdirectory-core", os.environ) as traces,
        opened(chosen, monitoring.measures, traces) as core,
        monitoring.pages(core, stop),
    ):
        identity = Identity(core, limits=limits_of(chosen))
        server = await start_server(core, identity, chosen)
        log.info("Serving gRPC at %s.", server.address)
        await stop.wait()
        await server.stop(chosen.shutdown_seconds)
        log.info("Stopped.")


if __name__ == "__main__":
    sys.exit(main())
