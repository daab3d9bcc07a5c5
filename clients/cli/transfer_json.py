"""JSONL: one User of the contract a line, as proto3 JSON with the contract's names."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from userdirectory.v1.user_pb2 import User

from clients.cli.transfer_lines import REASONS, Line, clearable, only
from clients.cli.transfer_table import JSON, near


def lines(text: str) -> Iterator[tuple[int, Callable[[], Line]]]:
    """Yield the number of each line that is not blank, and what reads it, or raises ValueError."""
    # Not splitlines(): text in JSON may have the other ends of lines that it knows.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.strip():
            yield number, partial(_line, number, line)


def _line(number: int, text: str) -> Line:
    given = _object(text)
    if _has_zero(given):
        raise ValueError("It holds the character U+0000. Take it out.")
    found = list(_said(given, "", User.DESCRIPTOR))
    parsed = User()
    try:
        ParseDict(given, parsed)
    except ParseError as error:
        raise ValueError(f"{str(error).rstrip('.')}. See the contract's User.") from None
    except UnicodeEncodeError:
        raise ValueError("It has half of a surrogate pair. Write the character whole.") from None
    columns = tuple(JSON[path] for path, empty in found if not empty and path != "user_name")
    return Line(
        number=number,
        user=only(parsed, columns),
        columns=columns,
        cleared=clearable(JSON[path] for path, empty in found if empty),
        manager="",
        clears_manager=False,
        own_id=parsed.id,
        raw=given,
    )


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"Not JSON at column {error.colno}: {error.msg}. Mend it.") from None
    except RecursionError:
        raise ValueError("The JSON is nested too deeply. Write one user a line.") from None
    if not isinstance(given, dict):
        raise ValueError("Not a JSON object. Write one user a line.")
    return {name: value for name, value in given.items() if name not in REASONS}


def _said(given: dict[str, Any], around: str, message: Any) -> Iterator[tuple[str, bool]]:
    """Yield the paths that a JSON object says something of, and whether that is nothing."""
    for name, value in given.items():
        path = f"{around}{name}"
        inner = message.fields_by_name.get(name)
        if inner is None:
            raise ValueError(f"{path!r} is no field.{near(path, JSON)} Leave it out or mend it.")
        if path in JSON:
            yield path, value in (None, "", [])
        elif any(each.startswith(f"{path}.") for each in JSON):
            if value is None:
                yield from ((each, True) for each in JSON if each.startswith(f"{path}."))
            elif isinstance(value, dict):
                yield from _said(value, f"{path}.", inner.message_type)


def _has_zero(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_zero, value.values()))
    if isinstance(value, list):
        return any(map(_has_zero, value))
    return isinstance(value, str) and "\0" in value
