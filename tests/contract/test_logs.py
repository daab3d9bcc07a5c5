"""Log lines: one record a line, whatever callers send."""

import logging

import pytest

from core_service.logs import LineFormatter, escaped


def line(text, *, error=None):
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("core", logging.INFO, "p", 1, "%s", (text,), info)
    record.created = 1_800_000_000.5
    return LineFormatter().format(record)


def test_a_line_says_when_how_bad_where_and_what():
    """Time in UTC with milliseconds, level, logger, message."""
    assert line("GetUser code=OK") == "2027-01-15T08:00:00.500Z INFO core GetUser code=OK"


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("a\r\nb", r"a\x0d\x0ab"),  # X03
        ("\x1b[31mred", r"\x1b[31mred"),  # X03
        ("\0\x7f\x9b", r"\x00\x7f\x9b"),
        ("\u2028", r"\u2028"),
        ("Zoë 数", "Zoë 数"),
    ],
)
def test_control_characters_are_written_out(sent, written):
    """No character of a caller ends the line or speaks to the terminal."""
    assert escaped(sent) == written


def test_a_traceback_cannot_look_like_a_record():
    """Each line of a traceback stands behind a bar, also those of the exception's text."""
    try:
        raise ValueError("a\n2027-01-15T08:00:00.500Z INFO core forged\x1b")
    except ValueError as error:
        first, *rest = line("broken", error=error).split("\n")

    assert first.endswith("INFO core broken")
    assert rest
    assert all(each.startswith("    | ") for each in rest)
    assert "\x1b" not in "".join(rest)
