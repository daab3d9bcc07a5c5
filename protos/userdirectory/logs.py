"""
Log lines, the same in every program of ours: one record a line, and nothing that people typed.

Messages are written with `%(name)s` and a mapping, so that a line can be read by people and by
programs: `log.info("Delivered: outbox_id=%(outbox_id)s", {"outbox_id": "o1"})`.
"""

import errno
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# What LOG_LEVEL is about. Libraries say at DEBUG what they send and receive, so that of theirs
# nothing below WARNING is ever logged.
_OURS = ("core_service", "scim_gateway", "clients", "userdir", "userdirectory")

# C0 and C1 controls, and the two separators that some viewers take for the end of a line.
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}
# What an exception says of its cause in words that are not a caller's.
_CAUSES = ("reason", "sqlstate", "sqlite_errorname")
_CODE = re.compile(r"[A-Z0-9_]{1,64}")


def set_up(level: str, form: str = "text") -> None:
    """
    Send every log record of this process to standard error, one line each.

    Args:
        level: The least that is logged of ours, one of `LEVELS`.
        form: One of `FORMS`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[form]())
    least = logging.getLevelNamesMapping()[level]
    logging.basicConfig(level=max(logging.WARNING, least), handlers=[handler], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(least)


class LineFormatter(logging.Formatter):
    """
    Formats a record as `2026-11-21T20:04:05.123Z INFO core_service.service GetUser code=OK ...`.

    Control characters are written as `\\x1b`. The lines of a traceback follow, each behind
    `    | `, so that no text of a caller can look like a record of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record*, without a newline at its end."""
        line = f"{_time(record)} {record.levelname} {record.name} {escaped(_message(record))}"
        return "\n    | ".join([line, *map(escaped, _traceback(record))])


class JsonFormatter(logging.Formatter):
    """
    Formats a record as one JSON object on one line.

    It has `time`, `level`, `logger`, `message`, `traceback` if there is one, and the values of
    the message by their names.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record*, without a newline at its end."""
        told: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if isinstance(record.args, Mapping):
            told |= {name: value for name, value in record.args.items() if value not in ("", "-")}
        if trace := _traceback(record):
            told["traceback"] = "\n".join(trace)
        return json.dumps(told, default=str)


def escaped(text: str) -> str:
    """Return *text* with every control character written out: a newline becomes `\\x0a`."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def cause(error: BaseException) -> str:
    """
    Return what *error* is without its text, which may hold what people typed or a password.

    That is its type, and the code of the system, the database or the contract if it has one:
    `ConnectionRefusedError (ECONNREFUSED)`.
    """
    codes = [getattr(error, name, None) for name in _CAUSES]
    if isinstance(error, OSError):
        codes.append(errno.errorcode.get(error.errno or 0))
    known = [code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)]
    return type(error).__qualname__ + (f" ({' '.join(known)})" if known else "")


def _time(record: logging.LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return f"{time[:-6]}Z"


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage()
    # What asyncio says after its first line is the task, with the text of its exception.
    return text.partition("\n")[0] if record.name == "asyncio" else text


def _traceback(record: logging.LogRecord) -> list[str]:
    error = record.exc_info[1] if record.exc_info else None
    return [] if error is None else list(_lines(error, set()))


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    """Give where *error* comes from: the lines of Python's own traceback, without texts."""
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "which led to"
    for frame in traceback.format_tb(error.__traceback__):
        yield from frame.rstrip("\n").split("\n")
    yield cause(error)


_FORMATTERS = {"text": LineFormatter, "json": JsonFormatter}

FORMS = tuple(_FORMATTERS)
"""How lines can be written."""
