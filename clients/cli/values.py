"""How people write values of the contract, and read them: words, times, durations, settings."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import typer
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.v1.policy_pb2 import Policy

_DURATION = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SETTINGS: dict[str, Any] = {
    field.name: field for field in Policy.DESCRIPTOR.fields if field.name != "preset"
}


def word(enum: EnumDescriptor, number: int) -> str:
    """Return a value of an enum as people write it: `single-role` for PRESET_SINGLE_ROLE."""
    value = enum.values_by_number.get(number)
    return _word(enum, value.name) if value else str(number)


def words(enum: EnumDescriptor) -> list[str]:
    """Return all values of an enum as people write them, without the unspecified one."""
    return [_word(enum, value.name) for value in enum.values if value.number]


def number(enum: EnumDescriptor, text: str) -> int:
    """Return the number of a value, written as a word or in full; 0 for an empty text."""
    if not text:
        return 0
    wanted = text.upper().replace("-", "_").removeprefix(_prefix(enum))
    value = enum.values_by_name.get(_prefix(enum) + wanted)
    if value is None or not value.number:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(words(enum))}.")
    return int(value.number)


def duration(text: str) -> Duration | None:
    """Return the duration that is written `30s`, `15m`, `1h`, `7d` or `2w`; None for no text."""
    if not text:
        return None
    found = _DURATION.fullmatch(text)
    if found is None and text != "0":
        raise typer.BadParameter(f"{text!r} is not a duration. Write 30s, 15m, 1h, 7d or 2w.")
    answer = Duration()
    if found is not None:
        answer.FromTimedelta(timedelta(**{_UNITS[found[2]]: int(found[1])}))
    return answer


def instant(text: str, now: datetime | None = None) -> Timestamp | None:
    """
    Return the time that is written as so long ago, `2h`, or in ISO 8601; None for no text.

    Args:
        text: A time without an offset is local.
        now: What `2h` is before. Default: the clock's.
    """
    if not text:
        return None
    answer = Timestamp()
    if _DURATION.fullmatch(text):
        ago = duration(text)
        assert ago is not None
        answer.FromDatetime((now or datetime.now(UTC)) - ago.ToTimedelta())
        return answer
    try:
        answer.FromDatetime(datetime.fromisoformat(text).astimezone(UTC))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time. Write how long ago, 2h, or a time, 2026-01-31T09:30."
        ) from None
    return answer


def local(message: Any, field: str, missing: str = "") -> str:
    """Return the time in *field* of *message* as the clock on the wall shows it."""
    if not message.HasField(field):
        return missing
    time: Timestamp = getattr(message, field)
    return time.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def day(message: Any, field: str, missing: str) -> str:
    """Return the day of the time in *field* of *message*, where the clock on the wall is."""
    return local(message, field).partition(" ")[0] or missing


def setting(name: str, value: str) -> str:
    """Return the value of a setting as people write it: `link` for ON_EXISTING_LINK."""
    field = _SETTINGS.get(name)
    return _word(field.enum_type, value) if field is not None and field.enum_type else value


def setting_names() -> list[str]:
    """Return the names of all settings that a policy can override."""
    return list(_SETTINGS)


def assign(policy: Policy, assignment: str) -> str:
    """
    Set one setting of *policy* from `name=value`; return its name.

    The value is a word, a number, `true` or `false`, or a list with commas, as the setting is.
    """
    name, equals, value = assignment.partition("=")
    field = named_setting(name)
    if not equals:
        raise typer.BadParameter(f"{assignment!r} sets nothing. Write {field.name}=VALUE.")
    try:
        _put(policy, field, value)
    except (ValueError, KeyError):
        raise typer.BadParameter(f"{value!r} is not a value of {field.name}.") from None
    return field.name


def named_setting(name: str) -> FieldDescriptor:
    """Return the setting with this name."""
    field: FieldDescriptor | None = _SETTINGS.get(name.replace("-", "_"))
    if field is None:
        raise typer.BadParameter(f"{name!r} is no setting. There are {', '.join(_SETTINGS)}.")
    return field


def _put(policy: Policy, field: FieldDescriptor, value: str) -> None:
    if field.enum_type:
        setattr(policy, field.name, number(field.enum_type, value or "?"))
    elif field.message_type:
        items = [item.strip() for item in value.split(",") if item.strip()]
        listed = getattr(policy, field.name)
        listed.SetInParent()
        getattr(listed, field.message_type.fields[0].name).extend(items)
    elif field.type == FieldDescriptor.TYPE_BOOL:
        setattr(policy, field.name, _FLAGS[value.lower()])
    else:
        setattr(policy, field.name, int(value))


def _word(enum: EnumDescriptor, name: str) -> str:
    return name.removeprefix(_prefix(enum)).lower().replace("_", "-")


def _prefix(enum: EnumDescriptor) -> str:
    zero: str = enum.values_by_number[0].name
    return zero.removesuffix("UNSPECIFIED")


def listed(values: Sequence[str]) -> str:
    """Return several values as one text."""
    return ", ".join(values)
