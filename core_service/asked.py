"""
What was asked, as the log keeps it: the request without secrets.

A secret is a field that is never returned, such as a password, and what a filter compares one with.
Names that a reference to somebody else carries are left out too: they are looked up when they are
shown, and nobody would find them here when that person is purged (R-171).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    request.DiscardUnknownFields()  # nobody knows what is in them
    value = request.SerializeToString(deterministic=True)
    # Filters are many messages, of which hardly any is about a secret.
    compares = any(name in value for name in _secret_names())
    if _has_secret(request, compares):
        copy: Message = type(request)()
        copy.CopyFrom(request)
        _clear(copy, compares)
        value = copy.SerializeToString(deterministic=True)
    return AnyMessage(type_url=f"type.googleapis.com/{request.DESCRIPTOR.full_name}", value=value)


def _has_secret(message: Any, compares: bool) -> bool:
    plan = _plan(message.DESCRIPTOR, compares)
    for name, presence in plan.secrets:
        if message.HasField(name) if presence else getattr(message, name):
            return True
    if plan.compares and _compares_secret(message):
        return True
    return any(_has_secret(part, compares) for part in _parts(message, plan))


def _clear(message: Any, compares: bool) -> None:
    plan = _plan(message.DESCRIPTOR, compares)
    for name, _ in plan.secrets:
        message.ClearField(name)
    if plan.compares and _compares_secret(message):
        message.ClearField("text")
    for part in _parts(message, plan):
        _clear(part, compares)


def _parts(message: Any, plan: "_Plan") -> Iterator[Any]:
    for choice in plan.choices:
        name = message.WhichOneof(choice)
        if name in plan.chosen:
            yield getattr(message, name)
    for name in plan.single:
        if message.HasField(name):
            yield getattr(message, name)
    for name in plan.repeated:
        yield from getattr(message, name)


def _compares_secret(comparison: Any) -> bool:
    return bool(comparison.text) and comparison.field.rpartition(".")[2].encode() in _secret_names()


@cache
def _secret_names() -> frozenset[bytes]:
    fields: Sequence[Any] = user_pb2.User.DESCRIPTOR.fields
    return frozenset(field.name.encode() for field in fields if _is_secret(field))


@dataclass(frozen=True, slots=True)
class _Plan:
    """
    Where a kind of message may have secrets.

    Attributes:
        secrets: The fields that are secrets, and whether they have presence.
        compares: Whether it compares a field, which may be one that is never returned.
        choices: The oneofs that have some of `chosen`.
        chosen: The fields of these whose messages may have secrets.
        single: The other fields of one message that may have secrets.
        repeated: The fields of several messages that may have secrets.
    """

    secrets: tuple[tuple[str, bool], ...]
    compares: bool
    choices: tuple[str, ...]
    chosen: frozenset[str]
    single: tuple[str, ...]
    repeated: tuple[str, ...]


@cache
def _plan(kind: Descriptor, compares: bool) -> _Plan:
    """Return where messages of a kind may have secrets, with or without what filters compare."""
    fields: Sequence[Any] = kind.fields
    parts = [
        field
        for field in fields
        if field.message_type is not None
        and _reaches_secret(field.message_type, compares, frozenset())
    ]
    chosen = [field for field in parts if field.containing_oneof is not None]
    loose = [field for field in parts if field.containing_oneof is None]
    return _Plan(
        secrets=tuple((f.name, bool(f.has_presence)) for f in fields if _is_secret(f)),
        compares=kind is _COMPARISON,
        choices=tuple(dict.fromkeys(field.containing_oneof.name for field in chosen)),
        chosen=frozenset(field.name for field in chosen),
        single=tuple(field.name for field in loose if not field.is_repeated),
        repeated=tuple(field.name for field in loose if field.is_repeated),
    )


def _reaches_secret(kind: Descriptor, compares: bool, seen: frozenset[str]) -> bool:
    if kind is _COMPARISON:
        return compares
    if kind.full_name in seen:
        return False
    seen |= {kind.full_name}
    fields: Sequence[Any] = kind.fields
    return any(
        _is_secret(field)
        or (field.message_type is not None and _reaches_secret(field.message_type, compares, seen))
        for field in fields
    )


def _is_secret(field: FieldDescriptor) -> bool:
    owner = field.containing_type.full_name if field.containing_type is not None else ""
    options: attribute_pb2.Attribute = field.GetOptions().Extensions[_ATTRIBUTE]
    return options.returned == _NEVER or (owner, field.name) in _NAMES_OF_OTHERS
