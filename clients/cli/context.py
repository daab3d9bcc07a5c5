"""What every command has in common: how it reaches the directory, and how it ends."""

import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.status import trace_of_call

from clients.calls import Tls
from clients.cli.output import Output
from clients.cli.texts import help_text
from clients.connection import Connection

DONE, REFUSED, UNREACHABLE = 0, 1, 3

_PANEL = "Connection"
_AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


@dataclass(frozen=True, slots=True)
class Options:
    """
    The options of every command, as they were given.

    Attributes:
        workspace: Empty means that none was named.
    """

    server: str
    token: str
    workspace: str
    tls: bool
    ca: Path | None
    cert: Path | None
    key: Path | None
    as_json: bool


def options(
    server: Annotated[
        str,
        typer.Option(
            envvar="USERDIR_SERVER",
            metavar="HOST:PORT",
            rich_help_panel=_PANEL,
            help="The directory. Default: what `userdir serve` wrote to demo.json.",
            show_default=False,
        ),
    ] = "",
    token: Annotated[
        str,
        typer.Option(
            envvar="USERDIR_TOKEN",
            rich_help_panel=_PANEL,
            help="The credential; better in the variable, where no other user can see it.",
            show_default=False,
        ),
    ] = "",
    workspace: Annotated[
        str,
        typer.Option(
            "--workspace",
            "-w",
            envvar="USERDIR_WORKSPACE",
            metavar="ID",
            rich_help_panel=_PANEL,
            help="The workspace. Default: the credential's; of the demo the first.",
            show_default=False,
        ),
    ] = "",
    tls: Annotated[
        bool,
        typer.Option(
            "--tls", envvar="USERDIR_TLS", rich_help_panel=_PANEL, help="Speak TLS; so do the next."
        ),
    ] = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="USERDIR_CA",
            metavar="FILE",
            rich_help_panel=_PANEL,
            help="Trust these certificate authorities (PEM) and no others.",
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=_PANEL, help="Your own certificate (PEM), for TLS."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=_PANEL, help="The key of --cert (PEM)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the names of the contract.")
    ] = False,
) -> Options:
    """Return the options of every command."""
    return Options(server, token, workspace, tls, ca, cert, key, as_json)


_SHARED = tuple(inspect.signature(options).parameters.values())


@dataclass(frozen=True, slots=True)
class Demo:
    """
    What `demo.json` in the data folder says of a directory that runs here.

    Attributes:
        base_urls: Where SCIM is, by workspace.
    """

    server: str
    token: str
    base_urls: dict[str, str]

    @property
    def workspace(self) -> str:
        """The first workspace."""
        return next(iter(self.base_urls), "")


def demo() -> Demo | None:
    """Return what `demo.json` says, None if there is none that can be read."""
    try:
        content = json.loads((Path(os.environ.get("DATA", "var")) / "demo.json").read_text())
        named = content["workspaces"]
        return Demo(
            content["grpc"],
            content["service_token"],
            {name: named[name]["base_url"] for name in named},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Session:
    """
    What a command works with.

    Attributes:
        out: Where it prints.
        server: Where the directory answers.
        workspace: The workspace it is about; empty if that is the credential's own, or all.
        base_urls: Where SCIM is, by workspace, as far as `demo.json` tells.
        connection: To the directory.
    """

    def __init__(self, given: Options, stack: ExitStack, *, everywhere: bool) -> None:
        """
        Connect as the options say, or `demo.json`.

        Args:
            given: The options.
            stack: Ends the connection.
            everywhere: Whether the command is about all workspaces unless one is named.
        """
        self.out = Output(as_json=given.as_json)
        known = demo() if not given.server or not given.token else None
        server = given.server or (known.server if known else "")
        # A token is for the directory that made it and is shown to no other.
        ours = known is not None and not given.token and server == known.server
        token = known.token if known and ours else given.token
        if not server or not token:
            missing = "server" if not server else "token"
            raise typer.BadParameter(
                f"No --{missing} is given and no demo.json has it. Give one, or start a directory "
                "with `userdir serve`."
            )
        self.server = server
        self.base_urls = known.base_urls if known and ours else {}
        default = known.workspace if known and ours and not everywhere else ""
        self.workspace = given.workspace or default
        self.connection = stack.enter_context(_connect(server, token, self.workspace, given))

    def ask(self, request: Message) -> Any:
        """Return the response to *request*, about the workspace unless it names another."""
        return self.connection.ask(request)

    def pages(self, request: Message, most: int = 0) -> Any:
        """Return all pages as one response; at most so many entries, if *most* is not 0."""
        pages: Iterator[Any] = self.connection.pages(request, most)
        whole = next(pages)
        for page in pages:
            whole.MergeFrom(page)
            whole.next_page_token = page.next_page_token
        return whole

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on if the person agrees, or has said so with --yes; end the command otherwise."""
        if not yes:
            typer.confirm(question, abort=True, err=True)


def _connect(server: str, token: str, workspace: str, given: Options) -> Connection:
    wanted = given.tls or given.ca or given.cert
    tls = Tls(given.ca, given.cert, given.key) if wanted else None
    if (given.cert is None) != (given.key is None):
        raise typer.BadParameter("--cert and --key go together.")
    try:
        return Connection(server, token, workspace_id=workspace, tls=tls)
    except OSError as error:
        raise typer.BadParameter(f"Cannot read {error.filename}: {error.strerror}.") from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def command(
    app: typer.Typer, *examples: str, name: str | None = None, everywhere: bool = False
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """
    Make a command of a function that is given a session and the command's own parameters.

    Args:
        app: What the command belongs to.
        examples: Command lines that its help shows.
        name: Default: the function's.
        everywhere: Whether it is about all workspaces unless one is named.

    Returns:
        What takes the function, whose result is the exit status, None for 0, and whose docstring
        is the help.
    """

    def register(work: Callable[..., int | None]) -> Callable[..., int | None]:
        def run(**values: Any) -> None:
            given = options(**{shared.name: values.pop(shared.name) for shared in _SHARED})
            raise typer.Exit(_carry_out(partial(work, **values), given, everywhere=everywhere))

        own = list(inspect.signature(work).parameters.values())[1:]
        own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
        shared = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in _SHARED]
        # Typer reads what a command takes from these.
        run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in (*own, *shared)}
        app.command(name or work.__name__, help=help_text(work.__doc__ or "", examples))(run)
        return work

    return register


def _carry_out(work: Callable[[Session], int | None], given: Options, *, everywhere: bool) -> int:
    out = Output()
    with ExitStack() as stack:
        session = Session(given, stack, everywhere=everywhere)
        try:
            return work(session) or DONE
        except DirectoryError as error:
            out.refusal(error)
            return UNREACHABLE if error.code in _AWAY else REFUSED
        except grpc.RpcError as error:
            return _unanswered(out, error)


def _unanswered(out: Output, error: grpc.RpcError) -> int:
    if error.code() in _AWAY:
        out.failure(
            f"The directory does not answer: {error.details()}. See that it runs, and that "
            "--server is right; with TLS, --ca too."
        )
        return UNREACHABLE
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        message = "This directory cannot do that; it is older than this command line. Update it."
    else:
        message = f"The directory failed: {error.code().name}, {error.details()}."
    out.failure(message, trace_id=trace_of_call(error))
    return REFUSED
