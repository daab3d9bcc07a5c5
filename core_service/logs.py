"""Log lines: one record a line, nothing in it that could forge another."""

import logging
import sys
from datetime import UTC, datetime

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

# Libraries whose INFO is of no use to who runs the directory.
_TALKATIVE = ("alembic", "uvicorn")

# C0 and C1 controls, and the two separators that some viewers take for the end of a line.
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


def set_up(level: str) -> None:
    """
    Send every log record of this process to standard error, one line each.

    Args:
        level: The least that is logged, one of `LEVELS`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


class LineFormatter(logging.Formatter):
    """
    Formats a record as `2026-11-21T20:04:05.123Z INFO core_service.service GetUser code=OK ...`.

    Control characters are written as `\\x1b`. The lines of a traceback follow, each behind
    `    | `, so that no text of a caller can look like a record of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record*, without a newline at its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = escaped(record.getMessage())
        line = f"{time[:-6]}Z {record.levelname} {record.name} {text}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info).split("\n")
            line = "\n    | ".join([line, *map(escaped, traceback)])
        return line


def escaped(text: str) -> str:
    """Return *text* with every control character written out: a newline becomes `\\x0a`."""
    return text if text.isprintable() else text.translate(_ESCAPES)
