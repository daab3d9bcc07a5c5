"""
What was asked, as the log keeps it: the request without secrets.

A secret is a field that is never returned, such as a password, and what a filter compares one with.
Names that a reference to somebody else carries are left out too: they are looked up when they are
shown, and nobody would find them here when that person is purged (R-171).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from userdirectory.v1 import attribute_pb2, filter_pb2, group_pb2, user_pb2

MOST_BYTES = 4096
"""The longest request that is kept."""

_ATTRIBUTE: Any = attribute_pb2.attribute
_NEVER = attribute_pb2.RETURNED_NEVER
_COMPARISON = filter_pb2.Comparison.DESCRIPTOR
_NAMES_OF_OTHERS = frozenset(
    (message.DESCRIPTOR.full_name, "display_name")
    for message in (group_pb2.Member, user_pb2.Manager)
)


def packed(request: Message | None) -> AnyMessage | None:
    """Return *request* without secrets; None if there is none or it is longer than 4 KiB."""
    if request is None or request.ByteSize() > MOST_BYTES:
        return None
    request = without_secrets(request)
    return AnyMessage(
        type_url=f"type.googleapis.com/{request.DESCRIPTOR.full_name}",
        value=request.SerializeToString(deterministic=True),
    )


def without_secrets(request: Message) -> Message:
    """Return *request* without secrets; the same message if it has none."""
    request.DiscardUnknownFields()  # nobody knows what is in them
    if not _has_secret(request):
        return request
    copy: Message = type(request)()
    copy.CopyFrom(request)
    _clear(copy)
    return copy


def _has_secret(message: Message) -> bool:
    fields, parts = _plan(message.DESCRIPTOR)
    for name, presence in fields:
        if message.HasField(name) if presence else getattr(message, name):
            return True
    if message.DESCRIPTOR is _COMPARISON:
        return _compares_secret(message)
    for name, repeated in parts:
        if repeated:
            if any(_has_secret(part) for part in getattr(message, name)):
                return True
        elif message.HasField(name) and _has_secret(getattr(message, name)):
            return True
    return False


def _clear(message: Message) -> None:
    fields, parts = _plan(message.DESCRIPTOR)
    for name, _ in fields:
        message.ClearField(name)
    if message.DESCRIPTOR is _COMPARISON and _compares_secret(message):
        message.ClearField("text")
    for name, repeated in parts:
        if repeated:
            for part in getattr(message, name):
                _clear(part)
        elif message.HasField(name):
            _clear(getattr(message, name))


def _compares_secret(comparison: Any) -> bool:
    return bool(comparison.text) and comparison.field.rpartition(".")[2] in _secret_names()


@cache
def _secret_names() -> frozenset[str]:
    fields: Sequence[Any] = user_pb2.User.DESCRIPTOR.fields
    return frozenset(field.name for field in fields if _is_secret(field))


@cache
def _plan(kind: Descriptor) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    """
    Return where a kind of message may have secrets.

    Returns:
        The fields that are secrets, with whether they have presence, and those whose messages may
        have some, with whether they are repeated.
    """
    fields: Sequence[Any] = kind.fields
    return (
        tuple((field.name, bool(field.has_presence)) for field in fields if _is_secret(field)),
        tuple(
            (field.name, bool(field.is_repeated))
            for field in fields
            if field.message_type is not None and _reaches_secret(field.message_type, frozenset())
        ),
    )


def _reaches_secret(kind: Descriptor, seen: frozenset[str]) -> bool:
    if kind is _COMPARISON:
        return True
    if kind.full_name in seen:
        return False
    seen |= {kind.full_name}
    fields: Sequence[Any] = kind.fields
    return any(
        _is_secret(field)
        or (field.message_type is not None and _reaches_secret(field.message_type, seen))
        for field in fields
    )


def _is_secret(field: FieldDescriptor) -> bool:
    owner = field.containing_type.full_name if field.containing_type is not None else ""
    options: attribute_pb2.Attribute = field.GetOptions().Extensions[_ATTRIBUTE]
    return options.returned == _NEVER or (owner, field.name) in _NAMES_OF_OTHERS
