"""`userdir watch`: every change of a workspace as it happens."""

from typing import Annotated

import typer
from userdirectory.v1.workspace_admin_pb2 import WatchChangesRequest, WatchChangesResponse

from clients.cli.context import Session, command
from clients.cli.entries import print_entry
from clients.cli.texts import verb

app = verb()
COMMANDS = {"watch": app}


@command(
    app,
    "userdir watch",
    "userdir watch --from-beginning --count 10",
    "userdir watch --refusals --resources --json",
)
def watch(
    session: Session,
    resume: Annotated[
        str, typer.Option(metavar="TOKEN", help="Go on where another watch has ended.")
    ] = "",
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest entry of the log.")
    ] = False,
    refusals: Annotated[bool, typer.Option("--refusals", help="Refusals too.")] = False,
    resources: Annotated[
        bool, typer.Option("--resources", help="With the user or group as it is now, in JSON.")
    ] = False,
    count: Annotated[int, typer.Option(min=0, help="End after so many; 0 never ends.")] = 0,
) -> None:
    """
    Print every change of a workspace as it happens, one object a line with --json.

    A connection that breaks is taken up again where it was, so that nothing is missed. Ctrl-C ends
    it and prints the token to go on with.
    """
    request = WatchChangesRequest(
        resume_token=resume,
        from_beginning=from_beginning,
        include_refusals=refusals,
        include_resources=resources,
    )
    told = 0
    try:
        for response in session.connection.watch(request, lambda pause: _paused(session, pause)):
            if not response.HasField("entry"):
                continue
            _print(session, response)
            told += 1
            if told == count:
                break
    except KeyboardInterrupt:
        pass
    if request.resume_token:
        session.out.note(f"Go on from here: userdir watch --resume {request.resume_token}")


def _print(session: Session, response: WatchChangesResponse) -> None:
    if session.out.as_json:
        session.out.event(response)
    else:
        print_entry(session.out, response.entry)


def _paused(session: Session, seconds: float) -> None:
    session.out.note(f"The connection broke; the next try is in {seconds:.0f} seconds.")
