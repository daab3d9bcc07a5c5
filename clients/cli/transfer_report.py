"""What an import tells: the diff, a line of JSON per user, wrong lines, and the counts."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clients.cli.output import Output
from clients.cli.transfer_lines import Wrong
from clients.cli.transfer_plan import (
    CREATED,
    OUTCOMES,
    REFUSED,
    UNCHANGED,
    UPDATED,
    WRONG,
    Change,
    Refusal,
    Step,
)

SHOWN_WRONG = 20

_SIGNS = {CREATED: "+", UPDATED: "~", UNCHANGED: "=", REFUSED: "!"}


@dataclass(frozen=True, slots=True)
class End:
    """
    What became of a line, or would.

    Attributes:
        outcome: Of `OUTCOMES`.
        user_id: Empty for who is not there.
        refusal: None unless it was refused.
    """

    step: Step
    outcome: str
    user_id: str
    refusal: Refusal | None = None


class Report:
    """
    Tells people, or programs.

    Args:
        out: Where to.
        diff: Whether people see every line and not only the counts.
    """

    def __init__(self, out: Output, *, diff: bool) -> None:
        """Tell nothing yet."""
        self._out = out
        self._diff = diff

    def end(self, end: End) -> None:
        """Tell what became of a line."""
        if self._out.as_json:
            _write(_event(end))
        elif self._diff:
            self._show(end)

    def wrong(self, lines: Sequence[Wrong]) -> None:
        """Tell people which lines are wrong, the first of them one by one; programs, all."""
        for line in lines if self._out.as_json else ():
            _write({"line": line.number, "outcome": WRONG, "message": line.message})
        for line in lines[:SHOWN_WRONG]:
            self._out.note(f"Line {line.number}: {line.message}")
        if len(lines) > SHOWN_WRONG:
            self._out.note(f"And {len(lines) - SHOWN_WRONG:,} more wrong lines.")

    def summary(self, counts: Mapping[str, int]) -> None:
        """Tell how many lines had each outcome; programs have counted themselves."""
        text = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in OUTCOMES) + "."
        if self._out.as_json:
            self._out.note(text)
        else:
            self._out.line(text)

    def _show(self, end: End) -> None:
        line = end.step.line
        sign = _SIGNS[end.outcome]
        if end.refusal is not None:
            self._out.line(
                f"{sign} {line.user.user_name} (line {line.number}): {end.refusal.message}"
            )
            return
        self._out.line(f"{sign} {line.user.user_name}")
        for change in end.step.changes:
            self._out.line(f"    {change.name}: {_said(change, end.outcome)}")


def _said(change: Change, outcome: str) -> str:
    if outcome == CREATED:
        return change.after
    return f"{change.before or '(none)'} -> {change.after or '(none)'}"


def _event(end: End) -> dict[str, object]:
    event: dict[str, object] = {
        "line": end.step.line.number,
        "user_name": end.step.line.user.user_name,
        "outcome": end.outcome,
    }
    if end.user_id:
        event["id"] = end.user_id
    if end.refusal is not None:
        event["reason"] = end.refusal.reason
        event["message"] = end.refusal.message
        event["trace_id"] = end.refusal.trace_id
    elif end.step.changes:
        event["changes"] = {
            change.name: {"before": change.before, "after": change.after}
            for change in end.step.changes
        }
    return event


def _write(values: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    sys.stdout.flush()
