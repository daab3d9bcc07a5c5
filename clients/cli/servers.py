"""`userdir serve` and `userdir verify`, which have the core in this process."""

from pathlib import Path
from typing import Annotated

import typer

from clients.cli.texts import help_text, verb

_serve = verb()
_verify = verb()
COMMANDS = {"serve": _serve, "verify": _verify}

_SERVE = help_text(
    """
    Start everything in one process, with four demo workspaces.

    The first start makes the database and the workspaces, one for each preset; a later one keeps
    them. Ctrl-C stops.
    """,
    ("userdir serve", "userdir serve --data /srv/ud --http-port 8081"),
)
_VERIFY = help_text(
    """
    Check that every rule holds of the whole database.

    Prints one finding a line and exits 1; with none it exits 0. It reads one snapshot and can run
    beside the servers, after a restore or before an upgrade.
    """,
    ("userdir verify", "userdir verify --data /srv/ud"),
)


@_serve.command(help=_SERVE)
def serve(
    data: Annotated[
        Path, typer.Option(envvar="DATA", help="The folder for all data and demo.json.")
    ] = Path("var"),
    http_port: Annotated[
        int, typer.Option(envvar="HTTP_PORT", min=0, max=65535, help="The port for SCIM.")
    ] = 8080,
    grpc_port: Annotated[
        int, typer.Option(envvar="GRPC_PORT", min=0, max=65535, help="The port for gRPC.")
    ] = 50051,
    database_url: Annotated[
        str,
        typer.Option(
            envvar="DATABASE_URL",
            help="postgresql://... or sqlite:///...; default: SQLite in the data folder.",
            show_default=False,
        ),
    ] = "",
    log_level: Annotated[
        str, typer.Option(envvar="LOG_LEVEL", help="DEBUG, INFO, WARNING or ERROR.")
    ] = "INFO",
    log_format: Annotated[
        str, typer.Option(envvar="LOG_FORMAT", help="text, or json for one JSON object a line.")
    ] = "text",
    metrics_port: Annotated[
        str,
        typer.Option(
            envvar="METRICS_PORT",
            help="The port of /metrics, /healthz and /readyz; default: none.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Run the command."""
    # Only this command needs the servers, which take a moment to import.
    from clients.cli.serve import main as serve_main

    raise typer.Exit(
        serve_main(
            {
                "data": str(data),
                "database_url": database_url,
                "grpc_port": str(grpc_port),
                "log_level": log_level,
                "log_format": log_format,
                "metrics_port": metrics_port,
            },
            http_port,
        )
    )


@_verify.command(help=_VERIFY)
def verify(
    data: Annotated[
        Path, typer.Option(envvar="DATA", help="The folder that `userdir serve` keeps its data in.")
    ] = Path("var"),
    database_url: Annotated[
        str,
        typer.Option(
            envvar="DATABASE_URL",
            help="postgresql://... or sqlite:///...; default: SQLite in the data folder.",
            show_default=False,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: `findings`.")] = False,
) -> None:
    """Run the command."""
    from clients.cli.verify import main as verify_main

    url = database_url or f"sqlite:///{data / 'directory.db'}"
    raise typer.Exit(verify_main(url, as_json=as_json))
