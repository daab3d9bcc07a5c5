"""The fields of users and groups by path, and what counts as a value (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import GROUP, USER, Resource
from userdirectory.errors import DirectoryError

_SHOWN = 128


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a path leads.

    Attributes:
        path: The path: `emails.value`.
        whole: The path without *part*: `emails`.
        parents: The messages on the way: `("enterprise", "manager")`.
        name: The field in the last of them, or in the resource.
        part: The field of the elements where the path leads into a repeated field: `value`.
        field: What *name* is.
        parts: The fields of the message or the elements that *name* is; empty for scalars.
        repeated: Whether *name* is repeated.
        message: Whether *name* is one message and not repeated.
        read_only: Whether only the directory sets it or something around it.
        required: Whether it must have a value.
    """

    path: str
    whole: str
    parents: tuple[str, ...]
    name: str
    part: str
    field: FieldDescriptor
    parts: Mapping[str, FieldDescriptor]
    repeated: bool
    message: bool
    read_only: bool
    required: bool

    def holder(self, resource: Any) -> Any:
        """Return the message of *resource* that has the field *name*."""
        for parent in self.parents:
            resource = getattr(resource, parent)
        return resource

    def prune(self, resource: Any) -> None:
        """Clear the parents in *resource* that have no value left, the innermost first."""
        for depth in range(len(self.parents), 0, -1):
            around = resource
            for parent in self.parents[: depth - 1]:
                around = getattr(around, parent)
            name = self.parents[depth - 1]
            if around.HasField(name) and not has_value(getattr(around, name)):
                around.ClearField(name)


def place_of(resource: Resource, path: str) -> Place:
    """
    Return where *path* leads in *resource*.

    Raises:
        DirectoryError: FIELD_UNKNOWN (`field`).
    """
    place = _PLACES.get((resource.name, path))
    if place is None:
        raise unknown(path)
    return place


def unknown(path: str) -> DirectoryError:
    """Return the error for a path that leads nowhere."""
    path = shown(path)
    message = f"There is no field {path}. Use a field that the contract has."
    return DirectoryError("FIELD_UNKNOWN", message, field=path)


def invalid(path: str, message: str, **metadata: object) -> DirectoryError:
    """Return the error for a field whose value cannot be."""
    return DirectoryError("FIELD_INVALID", message, field=path, **metadata)


def missing(path: str) -> DirectoryError:
    """Return the error for a required field without a value."""
    return invalid(path, f"Field {path} must have a value. Send one or leave the field alone.")


def joined(*parts: str) -> str:
    """Return the path made of *parts*, empty ones left out: `emails.value`."""
    return ".".join(part for part in parts if part)


def shown(text: str) -> str:
    """Return *text* as errors quote what a caller sent: printable, at most 128 characters."""
    printable = "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])
    return printable if len(text) <= _SHOWN else printable + "…"


def writable(message: Message) -> frozenset[str]:
    """Return the names of the fields of *message* that callers can write."""
    return _WRITABLE[message.DESCRIPTOR.full_name]


def has_value(message: Message) -> bool:
    """
    Return whether a field of *message*, however deep, has a value that a caller can write.

    Empty text is no value; neither is what the directory adds, such as a manager's name.
    """
    written = writable(message)
    for field, value in message.ListFields():
        if field.name not in written:
            continue
        if field.is_repeated or isinstance(value, int):
            return True
        if has_value(value) if isinstance(value, Message) else value:
            return True
    return False


def scalar(message: Any, name: str) -> str | bytes | bool | int | None:
    """Return the value of an attribute of *message* that has no parts, None for none or empty."""
    value: str | bytes | bool | int = getattr(message, name)
    if value:
        return value
    return value if isinstance(value, int) and message.HasField(name) else None


def microseconds(time: Timestamp) -> int:
    """Return *time* as microseconds since 1970; parts of one are cut off."""
    return time.seconds * 1_000_000 + time.nanos // 1000


def _places(resource: Resource) -> dict[tuple[str, str], Place]:
    paths: dict[str, Any] = {field.name: field for field in resource.message.DESCRIPTOR.fields}
    paths |= {path: attribute.field for path, attribute in resource.by_path.items()}
    return {(resource.name, path): _place(resource, path, field) for path, field in paths.items()}


def _place(resource: Resource, path: str, field: FieldDescriptor) -> Place:
    attribute = resource.by_path.get(path)
    names = path.split(".")
    around = [resource.by_path[".".join(names[:depth])] for depth in range(1, len(names))]
    inside = bool(around) and around[-1].field.is_repeated
    of = around[-1] if inside else attribute
    return Place(
        path=path,
        whole=".".join(names[:-1]) if inside else path,
        parents=tuple(names[: -2 if inside else -1]),
        name=names[-2 if inside else -1],
        part=names[-1] if inside else "",
        field=around[-1].field if inside else field,
        parts={child.field.name: child.field for child in of.children} if of else {},
        repeated=inside or field.is_repeated,
        message=bool(attribute and attribute.children) and not field.is_repeated,
        read_only=any(a is None or a.mutability == "readOnly" for a in (*around, attribute)),
        required=attribute is not None and attribute.required,
    )


def _writable(*resources: Resource) -> dict[str, frozenset[str]]:
    """Return the names of the fields that callers can write, by the message they are in."""
    names: dict[str, set[str]] = {}
    for attribute in (a for resource in resources for a in resource.by_path.values()):
        field: Any = attribute.field
        of_message = names.setdefault(field.containing_type.full_name, set())
        if attribute.mutability != "readOnly":
            of_message.add(field.name)
    return {message: frozenset(of_message) for message, of_message in names.items()}


_PLACES = _places(USER) | _places(GROUP)
_WRITABLE = _writable(USER, GROUP)
