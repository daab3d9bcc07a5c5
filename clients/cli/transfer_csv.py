"""CSV as spreadsheets write it: commas, semicolons or tabs, with or without a byte order mark."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Form:
    """
    How a CSV file is written.

    Attributes:
        bom: Whether it begins with a byte order mark, as Excel wants it.
        delimiter: A German Excel writes semicolons.
        header: The names of the columns.
    """

    bom: bool
    delimiter: str
    header: tuple[str, ...]


def form(text: str, name: str) -> Form:
    """
    Return how the CSV in *text* is written; refuse a header that cannot be.

    Args:
        name: Of the file.
    """
    bom = text.startswith(_BOM)
    first = text.removeprefix(_BOM).partition("\n")[0]
    # No name of a column has any of these.
    delimiter = max(",;\t", key=first.count)
    try:
        header = tuple(cell.strip() for cell in next(_reader(first, delimiter), []))
    except csv.Error:
        header = ()
    if "user_name" not in header:
        raise typer.BadParameter(
            f"{name} has no column user_name in its first line. Name the columns there."
        )
    if "" in header:
        raise typer.BadParameter(f"Column {header.index('') + 1} of {name} has no name. Name it.")
    twice = sorted({each for each in header if header.count(each) > 1})
    if twice:
        raise typer.BadParameter(f"Columns are there twice: {', '.join(twice)}. Leave one of each.")
    return Form(bom, delimiter, header)


def rows(text: str, form: Form) -> Iterator[tuple[int, list[str] | ValueError]]:
    """
    Yield where each row below the header begins, and its cells, or what is wrong with it.

    Rows without any content are left out.
    """
    reader = _reader(text.removeprefix(_BOM), form.delimiter)
    next(reader)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, ValueError(f"Not CSV: {error}. Look for a quote that is missing.")
            continue
        if len(cells) != len(form.header) and any(cells):
            yield number, ValueError(_miscounted(len(cells), form))
        elif any(cell.strip() for cell in cells):
            yield number, cells


def line(cells: list[str], delimiter: str) -> str:
    """Return a row as text, with its end."""
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return written.getvalue()


def _miscounted(count: int, form: Form) -> str:
    return (
        f"It has {count} cells and the header {len(form.header)}. Put cells that contain "
        f"{form.delimiter!r} into quotes."
    )


def _reader(text: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
