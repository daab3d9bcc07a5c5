"""How far an import has come, and the lines that were refused: the files beside its file."""

import json
import os
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import typer

from clients.cli import transfer_csv
from clients.cli.transfer_lines import REASONS, Line, Source
from clients.cli.transfer_plan import OUTCOMES, Refusal

_BOM = "\ufeff"


@dataclass(slots=True)
class Progress:
    """
    What an import remembers.

    Attributes:
        sha256: Of the file's content.
        server: Where it goes, as `workspace`, which is empty for the credential's own.
        lines_done: How many lines the directory has answered, from the first, blank and wrong ones
            not counted.
        deferred: Those of them whose managers are given when all lines are done: which line, from
            0, and its outcome.
        managers_done: How many of the deferred are done.
        counts: How many lines had each outcome.
        rejected_bytes: How long the file of refused lines is.
    """

    sha256: str
    server: str
    workspace: str
    clear_empty: bool
    lines_done: int = 0
    deferred: list[tuple[int, str]] = field(default_factory=list)
    managers_done: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    rejected_bytes: int = 0

    def save(self, file: Path) -> None:
        """Write it, whole or not at all."""
        new = file.with_name(f"{file.name}.new")
        with new.open("w") as written:
            json.dump(asdict(self), written)
            written.flush()
            os.fsync(written.fileno())
        new.replace(file)


def file_of(source: Path) -> Path:
    """Return where the progress of importing a file is kept."""
    return source.with_name(f"{source.name}.progress")


def rejected_of(source: Path) -> Path:
    """Return where the refused lines of a file go."""
    return source.with_name(f"{source.stem}.rejected{source.suffix}")


def load(source: Path) -> Progress | None:
    """Return how far an import of a file has come, None if none is under way."""
    file = file_of(source)
    try:
        return Progress(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise typer.BadParameter(
            f"{file.name} cannot be read. Remove it, and import without --resume."
        ) from None


def begin(new: Progress, kept: Progress | None) -> Progress:
    """
    Return where to go on.

    Args:
        new: The import as it is asked for.
        kept: What was kept of one that stopped; None if there is none.
    """
    if kept is None:
        return new
    if kept.sha256 != new.sha256:
        raise typer.BadParameter(
            "The file has changed since its import stopped. Import it without --resume: who is "
            "there already stays as is."
        )
    if (kept.server, kept.workspace, kept.clear_empty) != (
        new.server,
        new.workspace,
        new.clear_empty,
    ):
        clears = "with" if kept.clear_empty else "without"
        raise typer.BadParameter(
            f"The import that stopped went to {kept.workspace or 'the own workspace'} at "
            f"{kept.server}, {clears} --clear-empty. Go on there, or begin again without --resume."
        )
    return kept


class Rejected(AbstractContextManager["Rejected"]):
    """
    The file of refused lines, which are as they were, with the reasons in columns of their own.

    Args:
        source: The file that is imported.
        progress: Knows how much of the file counts. What is behind that was written before a kill
            and is written again, so that no line is there twice.
    """

    def __init__(self, source: Source, progress: Progress) -> None:
        """Write nothing yet, so that there is no file if nothing is refused."""
        self.path = rejected_of(source.path)
        self._form = source.form
        self._progress = progress
        self._file: BinaryIO | None = None

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def add(self, line: Line, refusal: Refusal) -> None:
        """Write a line and why it was refused."""
        reasons = [str(line.number), refusal.reason, refusal.message, refusal.trace_id]
        if self._form is None:
            whole = line.raw | dict(zip(REASONS, reasons, strict=True))
            self._write(json.dumps(whole, ensure_ascii=False) + "\n")
        else:
            self._write(transfer_csv.line([*line.raw, *reasons], self._form.delimiter))

    def flush(self) -> None:
        """Bring to disk what was written, and let the progress know."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._progress.rejected_bytes = self._file.tell()

    def _write(self, text: str) -> None:
        if self._file is None:
            self._file = self._open()
        self._file.write(text.encode())

    def _open(self) -> BinaryIO:
        # As in the file it came from, there may be passwords.
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(handle, "r+b")
        file.truncate(self._progress.rejected_bytes)
        file.seek(0, os.SEEK_END)
        if not file.tell() and self._form is not None:
            header = [name for name in self._form.header if name not in REASONS]
            bom = _BOM if self._form.bom else ""
            row = transfer_csv.line([*header, *REASONS], self._form.delimiter)
            file.write((bom + row).encode())
        return file
