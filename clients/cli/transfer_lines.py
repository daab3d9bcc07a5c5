"""Lines of files of users, as an import works with them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from userdirectory.text import fold
from userdirectory.v1.user_pb2 import User

from clients.cli.transfer_columns import PASSWORD, Column
from clients.cli.transfer_csv import Form

REASONS = ("rejected_line", "rejected_reason", "rejected_message", "rejected_trace_id")
"""What the file of rejected lines adds to a line; an import passes over it."""


@dataclass(frozen=True, slots=True)
class Line:
    """
    A line of a file that can be sent.

    Attributes:
        number: Where it begins, from 1.
        user: Who is wanted: `user_name` and the values of `columns`.
        columns: What the line has values of; never the user name, which says who is meant.
        cleared: What it is empty of.
        manager: The user name of the manager; empty if the line names none.
        clears_manager: Whether it is empty of a manager.
        own_id: The id the user had where the file comes from; empty if it does not say.
        raw: The line as it was, to be given back: cells, or JSON.
    """

    number: int
    user: User
    columns: tuple[Column, ...]
    cleared: tuple[Column, ...]
    manager: str
    clears_manager: bool
    own_id: str
    raw: Any

    @property
    def size(self) -> int:
        """How many bytes it takes to send it, about."""
        return self.user.ByteSize() + len(self.manager)

    @property
    def key(self) -> str:
        """What says who is meant."""
        return fold(self.user.user_name)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that cannot be sent: where it begins, what is wrong and what to do."""

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class Source:
    """
    A file that was read.

    Attributes:
        sha256: Of its content.
        form: How it is written if it is CSV, None if it is JSONL.
        lines: Those that can be sent, in order.
        wrong: Those that cannot.
    """

    path: Path
    sha256: str
    form: Form | None
    lines: list[Line] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def has_passwords(self) -> bool:
        """Whether any line has one; they take the directory a while each."""
        return any(line.user.password for line in self.lines)


def only(user: User, columns: Iterable[Column]) -> User:
    """Return *user* with the values of these columns, and what goes with every user."""
    answer = User(user_name=user.user_name.strip(), source=user.source)
    for column in columns:
        column.copy(user, answer)
    return answer


def clearable(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return those of the columns that can be cleared."""
    return tuple(each for each in columns if each.name not in ("user_name", PASSWORD))
