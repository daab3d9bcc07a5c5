"""`userdir log` and `userdir failures`: what was done and what was refused."""

import time
from typing import Annotated, cast

import typer
from userdirectory.errors import reasons
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.error_reason_pb2 import ErrorReason
from userdirectory.v1.log_pb2 import LogEntry

from clients.cli.context import Session, command
from clients.cli.entries import print_entry
from clients.cli.integration import find as find_integration
from clients.cli.texts import verb
from clients.cli.user import find as find_user
from clients.cli.values import instant, local, number

_log = verb()
_failures = verb()
COMMANDS = {"log": _log, "failures": _failures}

_POLL_SECONDS = 1.0
_OVERLAP_SECONDS = 60

Since = Annotated[str, typer.Option(metavar="TIME", help="From then on: 2h, 2026-01-31T09:30.")]


@command(
    _log,
    "userdir log --since 2h --refused",
    "userdir log --user ada.admin@single-role.example",
    "userdir log --follow --json",
)
def log(
    session: Session,
    user: Annotated[str, typer.Option(help="Only about this user: an id or a user name.")] = "",
    target: Annotated[str, typer.Option(metavar="ID", help="Only about this group, role ...")] = "",
    since: Since = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Only before this time.")] = "",
    operation: Annotated[str, typer.Option(help="Only this one: CreateUser.")] = "",
    integration: Annotated[str, typer.Option(help="Only asked by it: an id or a label.")] = "",
    reason: Annotated[
        str, typer.Option(help="Only refused for it: LAST_ADMIN.", autocompletion=reasons)
    ] = "",
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    done: Annotated[bool, typer.Option("--done", help="Only what was done.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 20,
) -> None:
    """
    List what was done and what was refused, newest last.

    With --follow it goes on until Ctrl-C, and prints one object a line with --json.
    """
    if refused and done:
        raise typer.BadParameter("--refused and --done leave nothing; give one of them.")
    outcome = api.LOG_OUTCOME_REFUSED if refused else api.LOG_OUTCOME_UNSPECIFIED
    request = api.ListLogRequest(
        target_id=find_user(session, user).id if user else target,
        since=instant(since),
        until=instant(until),
        integration_id=find_integration(session, integration).id if integration else "",
        operation=operation,
        reason=cast(ErrorReason, number(ErrorReason.DESCRIPTOR, reason)),
        outcome=api.LOG_OUTCOME_DONE if done else outcome,
    )
    answer = session.pages(request, limit)
    if session.out.as_json and not follow:
        session.out.document(answer)
        return
    for entry in reversed(answer.entries):
        _print(session, entry)
    if not follow:
        if not answer.entries:
            session.out.note("Nothing is in the log that passes.")
        return
    try:
        _follow(session, request, list(answer.entries))
    except KeyboardInterrupt:
        return


@command(_failures, "userdir failures", "userdir failures --since 7d --json")
def failures(session: Session, since: Since = "24h") -> None:
    """List refused provisioning requests by reason, most first."""
    answer = session.ask(api.ListFailuresRequest(since=instant(since)))
    if session.out.as_json:
        session.out.document(answer)
        return
    for failure in answer.failures:
        name = ErrorReason.Name(failure.reason).removeprefix("ERROR_REASON_")
        rule = f", rule {failure.rule}" if failure.rule else ""
        session.out.line(f"{failure.count} x {name}{rule}", "bold")
        session.out.pairs(
            [
                ("    users", "\n".join(failure.user_ids)),
                ("    last", local(failure, "last_time")),
                ("    told", failure.last_message),
                ("    next", f"userdir explain {failure.last_trace_id}"),
            ]
        )
    if not answer.failures:
        session.out.note(f"Nothing was refused since {since}.")


def _print(session: Session, entry: LogEntry) -> None:
    if session.out.as_json:
        session.out.event(entry)
    else:
        print_entry(session.out, entry)


def _follow(session: Session, request: api.ListLogRequest, known: list[LogEntry]) -> None:
    """Print what comes, each entry once; *known* is what has been printed, newest first."""
    last = 0
    while True:
        if known:
            last = max(last, known[0].sequence)
            # A little is asked for again, so that clocks need not agree.
            request.since.FromSeconds(known[0].time.seconds - _OVERLAP_SECONDS)
        time.sleep(_POLL_SECONDS)
        request.ClearField("page_token")
        pages = session.connection.pages(request)
        known = [entry for page in pages for entry in page.entries if entry.sequence > last]
        for entry in reversed(known):
            _print(session, entry)
