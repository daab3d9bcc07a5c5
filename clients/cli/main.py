"""The command line `userdir`: start the directory, and look at it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="userdir",
    help="A user directory: SCIM 2.0 in front, gRPC behind, every identity rule in one place.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def userdir() -> None:
    """Make subcommands of the commands, also while there is one alone."""


@app.command()
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
) -> None:
    """
    Start everything in one process, with four demo workspaces.

    The first start makes the database and the workspaces, one for each preset; a later one keeps
    them. Ctrl-C stops.
    """
    # Only this command needs the servers, which take a moment to import.
    from clients.cli.serve import main as serve_main

    raise typer.Exit(
        serve_main(
            {
                "data": str(data),
                "database_url": database_url,
                "grpc_port": str(grpc_port),
                "log_level": log_level,
            },
            http_port,
        )
    )


@app.command()
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
) -> None:
    """
    Check that every rule holds of the whole database.

    Prints one finding a line and exits 1; with none it exits 0. It reads one snapshot and can run
    beside the servers, after a restore or before an upgrade.
    """
    from clients.cli.verify import main as verify_main

    raise typer.Exit(verify_main(database_url or f"sqlite:///{data / 'directory.db'}"))


def main() -> None:
    """Run the command line; the entry point `userdir`."""
    app(prog_name="userdir")


if __name__ == "__main__":
    main()
