"""`userdir explain`: what became of a request, and what to do."""

import sys
from typing import Annotated

import typer
from userdirectory.v1.integration_pb2 import Provider
from userdirectory.v1.log_pb2 import LogEntry
from userdirectory.v1.workspace_admin_pb2 import ExplainTraceRequest, Explanation

from clients.cli.context import REFUSED, Session, command
from clients.cli.entries import actor, changes, request, settings
from clients.cli.texts import verb
from clients.cli.values import local, word

app = verb()
COMMANDS = {"explain": app}


@command(
    app,
    "userdir explain 4bf92f3577b34da6a3ce929d0e0e4736",
    "userdir explain 'No seat is free. (trace 4bf92f3577b34da6a3ce929d0e0e4736)'",
    everywhere=True,
)
def explain(
    session: Session,
    text: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACE...", help="A trace id, or a whole error that has one; - reads it."
        ),
    ],
) -> int | None:
    """
    Explain a request: who asked what, which rule and setting decided, what changed, what to do.

    If nothing is known of it, the exit status is 1.
    """
    joined = sys.stdin.read() if text == ["-"] else " ".join(text)
    answer = session.ask(ExplainTraceRequest(trace_id=joined))
    if session.out.as_json:
        session.out.document(answer)
    elif not answer.explanations:
        session.out.note(
            "Nothing is known of it: it read and was answered, changed nothing, or is older than "
            "the log."
        )
    for index, explanation in enumerate(() if session.out.as_json else answer.explanations):
        if index:
            session.out.line("")
        _print(session, explanation)
    return None if answer.explanations else REFUSED


def _print(session: Session, explanation: Explanation) -> None:
    entry = explanation.entry
    reason = entry.reason.removeprefix("ERROR_REASON_")
    outcome = f"refused: {reason}" if reason else "done"
    session.out.line(f"{entry.operation} was {outcome}", "red" if reason else "bold")
    rule = ": ".join(part for part in (entry.rule, explanation.rule_text) if part)
    session.out.pairs(
        [
            ("when", local(entry, "time")),
            ("workspace", entry.workspace_id),
            ("who", _who(explanation)),
            ("about", entry.target_id),
            ("asked", request(entry)),
            ("answer", entry.message),
            ("rule", rule),
            ("settings", "\n".join(settings(entry))),
            ("changed", "\n".join(changes(entry)) or _unchanged(entry)),
            ("notices", "\n".join(notice.message for notice in entry.notices)),
            ("what to do", explanation.remedy),
            ("trace", entry.trace_id),
        ]
    )


def _who(explanation: Explanation) -> str:
    entry = explanation.entry
    told = actor(entry)
    if entry.credential_id:
        told += f", with credential {_labelled(entry.credential_id, explanation.credential_label)}"
    if entry.integration_id:
        provider = word(Provider.DESCRIPTOR, explanation.provider)
        label = _labelled(entry.integration_id, explanation.integration_label)
        told += f", of integration {label}, {provider}"
    return told


def _labelled(public_id: str, label: str) -> str:
    return f"{public_id} ({label})" if label else public_id


def _unchanged(entry: LogEntry) -> str:
    return "nothing" if entry.reason else ""
