"""What commands print: tables for people, JSON for programs, and errors for both."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text
from userdirectory.errors import DirectoryError

# Values come from other systems: nothing in them may steer the terminal or turn the text around.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Output:
    """
    Where a command prints.

    Args:
        as_json: Whether a program reads it: one document, or one object a line where there is no
            end, with the names of the contract; times are in UTC.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        """Print to standard output, and to standard error what is not the answer."""
        self.as_json = as_json
        self._out = Console(highlight=False, markup=False, emoji=False)
        self._error = Console(stderr=True, highlight=False, markup=False, emoji=False)

    def rows(
        self,
        document: Message,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        empty: str,
    ) -> None:
        """Print *document*, for people as a table; *empty* says that there is nothing in it."""
        if self.as_json:
            self.document(document)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            # Ids are there to be copied.
            table.add_column(column.upper(), overflow="fold", no_wrap=column == "id")
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        if table.row_count:
            self._print(table)
        else:
            self.note(empty)

    def details(self, document: Message, pairs: Iterable[tuple[str, object]]) -> None:
        """Print *document*, for people as names and values; pairs without a value are left out."""
        if self.as_json:
            self.document(document)
        else:
            self.pairs(pairs)

    def pairs(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Print names and values for people; pairs without a value are left out."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in pairs:
            if value != "":
                table.add_row(Text(name), _text(value))
        self._print(table)

    def _print(self, table: Table) -> None:
        with self._out.capture() as drawn:
            self._out.print(table)
        # Without the blanks that fill up the last column.
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())

    def said(self, document: Message, sentence: str) -> None:
        """Print *document*, for people as a sentence."""
        if self.as_json:
            self.document(document)
        else:
            self.line(sentence)

    def secret(self, document: Message, secret: str, use: str) -> None:
        """Print a secret that is shown this once; *use* says to people what it is for."""
        if self.as_json:
            self.document(document)
            return
        self.note(f"{use} It is shown only now and cannot be shown again:")
        # Never folded: it is there to be copied.
        sys.stdout.write(f"{secret}\n")

    def document(self, document: Message) -> None:
        """Print a message as one JSON document."""
        sys.stdout.write(json.dumps(_values(document), indent=2, ensure_ascii=False) + "\n")

    def event(self, event: Message) -> None:
        """Print a message as one line of JSON, at once."""
        sys.stdout.write(json.dumps(_values(event), ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def line(self, text: str, style: str = "") -> None:
        """Print a line for people."""
        self._out.print(_text(text), style=style, soft_wrap=True)

    def markdown(self, text: str) -> None:
        """Print Markdown, drawn for the terminal."""
        # Only the guides need it, and it takes a moment to import.
        from rich.markdown import Markdown

        self._out.print(Markdown(_CONTROLS.sub("", text), hyperlinks=False))

    def note(self, text: str) -> None:
        """Print what is not part of the answer to standard error."""
        self._error.print(_text(text), soft_wrap=True)

    def notices(self, answer: Any) -> None:
        """Print what the directory did differently from what was asked."""
        if not self.as_json:
            for notice in answer.notices:
                self.note(f"Note: {notice.message}")

    def refusal(self, error: DirectoryError) -> None:
        """Print why the directory refuses, and what to do next."""
        self.failure(error.message, error.reason, error.trace_id)

    def failure(self, message: str, reason: str = "", trace_id: str = "") -> None:
        """Print what went wrong to standard error; `reason` and `trace_id` if there are any."""
        self._error.print(_text(message), style="red", soft_wrap=True)
        if reason:
            self.note(f"Reason: {reason}")
        if trace_id:
            self.note(f"Trace:  {trace_id}")
            self.note(f"Next:   userdir explain {trace_id}")


def _text(value: object) -> Text:
    return Text(_CONTROLS.sub(lambda found: repr(found[0])[1:-1], str(value)))


def _values(message: Message) -> dict[str, Any]:
    answer: dict[str, Any] = MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    return answer
