"""What differs between two messages of one type, field by field, as the log keeps it."""

from typing import Any

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import USER
from userdirectory.v1.log_pb2 import FieldChange

# Never looked at, whatever message they are in.
_SECRET = frozenset(
    path for path, attribute in USER.by_path.items() if attribute.returned == "never"
)


def differences(before: Message, after: Message) -> list[FieldChange]:
    """
    Return the fields that differ, in the order of their numbers, with their values as JSON.

    The parts of a message within the message are fields of their own (`name.given_name`), as far
    as one level; repeated fields are compared as a whole.
    """
    return _differences(before, after, "")


def json_text(value: Any) -> str:
    """Return a value of JSON as text."""
    return orjson.dumps(value).decode()


def _differences(before: Message, after: Message, prefix: str) -> list[FieldChange]:
    was, now = dict(before.ListFields()), dict(after.ListFields())
    found = []
    for field in sorted(was | now, key=lambda field: field.number):
        old: Any = was.get(field)
        new: Any = now.get(field)
        if old == new or field.name in _SECRET:
            continue
        if _has_parts(field) and not prefix:
            empty = type(old or new)()
            found.extend(_differences(old or empty, new or empty, f"{field.name}."))
        else:
            found.append(
                FieldChange(
                    field=prefix + field.name, before=_text(field, old), after=_text(field, new)
                )
            )
    return found


def _has_parts(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and not field.is_repeated and kind is not Timestamp.DESCRIPTOR


def _text(field: FieldDescriptor, value: Any) -> str:
    if value is None:
        return ""
    if field.is_repeated:
        return json_text([_plain(field, element) for element in value])
    return json_text(_plain(field, value))


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        return {
            part.name: [_plain(part, element) for element in content]
            if part.is_repeated
            else _plain(part, content)
            for part, content in value.ListFields()
            if part.name not in _SECRET
        }
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    return value
