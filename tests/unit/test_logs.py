"""Log lines: one record a line, whatever callers send."""

import errno
import json
import logging
import smtplib
import subprocess
import sys

import asyncpg
import pytest
from userdirectory.errors import DirectoryError
from userdirectory.logs import JsonFormatter, LineFormatter, cause, escaped


def line(text, *, error=None, formatter=LineFormatter()):  # noqa: B008 - it has no state
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("core", logging.INFO, "p", 1, "%s", (text,), info)
    record.created = 1_800_000_000.5
    return formatter.format(record)


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


def test_json_has_the_values_by_their_names():
    """One object on one line: when, how bad, where, the message, and what it was made from."""
    told = {"method": "GetUser", "duration_ms": 1.5, "reason": "-"}
    record = logging.LogRecord(
        "core", logging.INFO, "p", 1, "%(method)s took %(duration_ms)s\n\x9b", (told,), None
    )
    record.created = 1_800_000_000.5
    written = JsonFormatter().format(record)

    assert json.loads(written) == {
        "time": "2027-01-15T08:00:00.500Z",
        "level": "INFO",
        "logger": "core",
        "message": "GetUser took 1.5\n\x9b",
        "method": "GetUser",
        "duration_ms": 1.5,
    }
    assert written.isascii()
    assert "\n" not in written


def broken() -> BaseException:
    """Return an error that came from another one, both with words of somebody else."""
    try:
        try:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused canary")
        except OSError as error:
            raise ValueError("a\n2027-01-15T08:00:00.500Z INFO core forged canary\x1b") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_a_traceback_says_where_and_not_what(formatter):
    """Frames, types and codes of the whole chain; the texts of exceptions may hold anything."""
    written = line("broken", error=broken(), formatter=formatter)

    assert "in broken" in written
    assert "ConnectionRefusedError (ECONNREFUSED)" in written
    assert written.index("ECONNREFUSED") < written.index("ValueError")
    assert "canary\x1b" not in written
    assert "forged" not in written.replace("INFO core forged canary", "").replace("raise", "")


def test_a_traceback_cannot_look_like_a_record():
    """Each line of a traceback stands behind a bar."""
    first, *rest = line("broken", error=broken()).split("\n")

    assert first.endswith("INFO core broken")
    assert rest
    assert all(each.startswith("    | ") for each in rest)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DirectoryError("STORAGE_UNAVAILABLE", "No."), "DirectoryError (STORAGE_UNAVAILABLE)"),
        (asyncpg.UniqueViolationError("ada@example.com"), "UniqueViolationError (23505)"),
        (KeyError("ada@example.com"), "KeyError"),
        # What a mail server says stands where others have the code of the system.
        (smtplib.SMTPSenderRefused(550, b"no", "ada@example.com"), "SMTPSenderRefused"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_cause_is_a_type_and_a_code(error, told):
    """Never the text, which may name people."""
    assert cause(error) == told


def test_libraries_are_never_heard_below_warning():
    """They tell at DEBUG what they send; LOG_LEVEL is about our own programs."""
    script = (
        "import logging; from userdirectory import logs; logs.set_up('DEBUG');"
        "[logging.getLogger(name).log(level, '%s %d', name, level)"
        " for name in ('core_service.x', 'scim_gateway.x', 'grpc.x', 'asyncio')"
        " for level in (10, 30)]"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    heard = [line.split()[-2:] for line in done.stderr.splitlines()]

    assert heard == [
        ["core_service.x", "10"],
        ["core_service.x", "30"],
        ["scim_gateway.x", "10"],
        ["scim_gateway.x", "30"],
        ["grpc.x", "30"],
        ["asyncio", "30"],
    ]


def test_asyncio_does_not_tell_what_a_task_died_of():
    """Its records end with the task itself, which holds the text of the exception."""
    record = logging.LogRecord("asyncio", logging.ERROR, "p", 1, "lost\nfuture: %s", ("ada",), None)

    assert LineFormatter().format(record).endswith("ERROR asyncio lost")
