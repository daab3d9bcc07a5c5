"""The command line `userdir`: start the directory, look at it, and run it."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from clients.cli.texts import help_text

# Where each command is, and what it is for. They are imported when they are asked for: the help and
# the completion of names need none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("servers", "Start everything in one process, with four demo workspaces."),
    "verify": ("servers", "Check that every rule holds of the whole database."),
    "workspace": ("workspace", "Create, show, change and delete workspaces."),
    "integration": ("integration", "Connect workspaces with identity providers."),
    "credential": ("credential", "Give products credentials, and take them away."),
    "user": ("user", "Find users, and change them as the product would."),
    "group": ("group", "Find groups, and change them and their members."),
    "role": ("role", "List, create, rename and delete the roles of a workspace."),
    "team": ("names", "List, add, rename and remove teams."),
    "region": ("names", "List, add, rename and remove absence regions."),
    "import": ("transfer", "Create and update users from a file."),
    "export": ("transfer", "Write all users to a file."),
    "seats": ("seats", "Show how many seats are used, paid for and free."),
    "log": ("log", "List what was done and what was refused."),
    "failures": ("log", "List refused provisioning requests by reason."),
    "explain": ("explain", "Explain what became of a request, and what to do."),
    "watch": ("watch", "Print every change of a workspace as it happens."),
    "setup-guide": ("setup_guide", "Print how to connect an identity provider."),
}


_ABOUT = """
A user directory: SCIM 2.0 in front, gRPC behind, every identity rule in one place.

After `userdir serve` every command works without options: they are in demo.json in the data
folder (DATA, else ./var). Else give --server, --token and --workspace, or set USERDIR_SERVER,
USERDIR_TOKEN and USERDIR_WORKSPACE.
"""


_STATUSES = """

Exit status:

  0  done
  1  refused by the directory, or something was found
  2  wrong usage
  3  the directory cannot be reached
"""


class Commands(TyperGroup):
    """The commands, each imported when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return what the help needs to know of a command, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command itself, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(str(name)), rest


def load(name: str) -> Any:
    """Return a command of `COMMANDS`."""
    module = import_module(f"clients.cli.{COMMANDS[name][0]}")
    found = typer.main.get_command(module.COMMANDS[name])
    found.name = name
    return found


app = typer.Typer(
    name="userdir",
    cls=Commands,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        print(f"userdir {metadata.version('user-directory')}")
        raise typer.Exit


@app.callback(help=help_text(_ABOUT) + _STATUSES)
def userdir(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take what is for all commands."""


def main() -> None:
    """Run the command line; the entry point `userdir`."""
    app(prog_name="userdir")


if __name__ == "__main__":
    main()
