"""Files of users, read: every line checked for what can be seen without asking the directory."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import typer
from userdirectory.v1.user_pb2 import User

from clients.cli import transfer_csv, transfer_json
from clients.cli.transfer_csv import Form
from clients.cli.transfer_lines import REASONS, Line, Source, Wrong, clearable, only
from clients.cli.transfer_table import CSV, MANAGER, MANAGER_ID, SET_BY_DIRECTORY, near

LARGEST = 1_000_000
"""How many bytes a line may have; the directory takes four million at once."""

_KINDS = (".csv", ".jsonl")


def is_csv(path: Path) -> bool:
    """Return whether a file is CSV and not JSONL, as its name says; refuse other names."""
    if path.suffix.lower() not in _KINDS:
        raise typer.BadParameter(f"{path.name} is neither .csv nor .jsonl. Name it so.")
    return path.suffix.lower() == ".csv"


def read(path: Path) -> Source:
    """
    Return what a file says, every line checked.

    Refuses the file as a whole, before anything is sent, if it cannot be read, is not UTF-8, or
    has columns that are unknown or there twice.
    """
    csv = is_csv(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"Cannot read {path}: {error.strerror}.") from None
    text = _decoded(path, content)
    form = transfer_csv.form(text, path.name) if csv else None
    source = Source(path, hashlib.sha256(content).hexdigest(), form)
    found = _of_csv(form, text) if form else transfer_json.lines(text)
    _collect(source, found)
    return source


def _decoded(path: Path, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise typer.BadParameter(f"{path.name} is UTF-16. Save it as UTF-8 (CSV UTF-8).")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise typer.BadParameter(
            f"Line {line} of {path.name} is not UTF-8. Save the file as UTF-8 (CSV UTF-8)."
        ) from None


def _collect(source: Source, found: Iterable[tuple[int, Callable[[], Line]]]) -> None:
    """Put every line where it belongs; say of those who are there twice where they are first."""
    first: dict[str, int] = {}
    for number, make in found:
        try:
            line = make()
            if line.size > LARGEST:
                raise ValueError(f"It has more than {LARGEST:,} bytes. Shorten it.")
            if not line.user.user_name:
                raise ValueError("user_name is empty. Say who is meant.")
            if line.key in first:
                raise ValueError(
                    f"{line.user.user_name} is in line {first[line.key]} too. Leave one of them."
                )
        except ValueError as error:
            source.wrong.append(Wrong(number, str(error)))
        else:
            first[line.key] = number
            source.lines.append(line)
    source.lines[:] = _with_managers(source.lines)


def _with_managers(lines: list[Line]) -> Iterator[Line]:
    """Yield the lines; managers' ids that are ids of the file's own become their user names."""
    names = {line.own_id: line.user.user_name for line in lines if line.own_id}
    for line in lines:
        name = names.get(line.user.enterprise.manager.user_id, "")
        if not name:
            yield line
            continue
        columns = tuple(each for each in line.columns if each.path != MANAGER_ID)
        yield replace(line, user=only(line.user, columns), columns=columns, manager=name)


def _of_csv(form: Form, text: str) -> Iterator[tuple[int, Callable[[], Line]]]:
    unknown = [
        f"{name!r} is no column.{near(name, (*CSV, MANAGER))}"
        for name in form.header
        if name not in CSV and name not in (MANAGER, *SET_BY_DIRECTORY, *REASONS)
    ]
    if unknown:
        raise typer.BadParameter(" ".join(unknown))
    if MANAGER in form.header and MANAGER_ID in form.header:
        raise typer.BadParameter(f"{MANAGER} and {MANAGER_ID} say the same. Leave one of them.")
    for number, cells in transfer_csv.rows(text, form):
        yield number, partial(_csv_line, form, number, cells)


def _csv_line(form: Form, number: int, cells: list[str] | ValueError) -> Line:
    if isinstance(cells, ValueError):
        raise cells
    if any("\0" in cell for cell in cells):
        raise ValueError("It holds the character U+0000. Take it out.")
    given = dict(zip(form.header, cells, strict=True))
    user, columns, cleared = User(), [], []
    for name, cell in given.items():
        if name not in CSV or name == "user_name":
            continue
        if not cell.strip():
            cleared.append(CSV[name])
            continue
        try:
            CSV[name].put(user, cell)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        columns.append(CSV[name])
    if "@" in user.enterprise.manager.user_id:
        raise ValueError(f"{MANAGER_ID} takes ids. Call the column {MANAGER} for user names.")
    user.user_name = given["user_name"].strip()
    manager = given.get(MANAGER, "").strip()
    raw = [cell for name, cell in given.items() if name not in REASONS]
    return Line(
        number=number,
        user=user,
        columns=tuple(columns),
        cleared=clearable(cleared),
        manager=manager,
        clears_manager=not manager and MANAGER in given,
        own_id=given.get("id", "").strip(),
        raw=raw,
    )
