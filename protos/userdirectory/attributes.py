"""
The attribute table: what the options of the contract's fields say, as values.

The message is the schema. Everything that must know the attributes (discovery, documents, filters,
paths, changes, storage) reads them here; there is no second list. Source: RFC 7643 section 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from userdirectory.v1 import attribute_pb2, group_pb2, user_pb2

_TIMESTAMP = "google.protobuf.Timestamp"
_MUTABILITY = ("readWrite", "readOnly", "immutable", "writeOnly")
# The stubs of protobuf know extensions by another name than the generated modules do.
_ATTRIBUTE: Any = attribute_pb2.attribute
_URN: Any = attribute_pb2.schema_urn
_RETURNED = ("default", "always", "never", "request")


@dataclass(frozen=True, slots=True)
class Attribute:
    """
    One attribute of a resource.

    Attributes:
        path: Where the value is in the message: `emails.value`.
        urn: The schema that lists the attribute.
        scim_path: The name within that schema: `emails.value`, `manager.value`, `meta.created`.
        type: `string`, `boolean`, `integer`, `dateTime`, `binary`, `reference` or `complex`.
        mutability: `readWrite`, `readOnly`, `immutable` or `writeOnly`.
        returned: `default`, `always`, `never` or `request`.
        extension: Whether this is a schema extension's container and not an attribute itself.
        children: The sub-attributes of a complex attribute, the attributes of an extension.
    """

    path: str
    urn: str
    scim_path: str
    type: str
    multi_valued: bool
    mutability: str
    returned: str
    unique: bool
    required: bool
    case_exact: bool
    canonical_values: tuple[str, ...]
    reference_types: tuple[str, ...]
    comma_separated: bool
    extension: bool
    description: str
    field: FieldDescriptor
    children: tuple["Attribute", ...]

    @property
    def name(self) -> str:
        """The attribute's own name, without that of the attribute it is part of."""
        return self.scim_path.rpartition(".")[2]

    @property
    def in_meta(self) -> bool:
        """Whether the attribute is part of SCIM's `meta`, which is no message of its own."""
        return self.scim_path.startswith("meta.")


@dataclass(frozen=True, slots=True)
class Resource:
    """
    The attributes of one kind of resource.

    Attributes:
        name: `User` or `Group`.
        urn: The schema of the core attributes.
        attributes: The core attributes.
        extensions: One container for each schema extension.
        by_path: Every attribute, sub-attributes and containers included, by path in the message.
        by_name: Every attribute but containers, by lower-case URN and lower-case SCIM path.
    """

    name: str
    urn: str
    message: type[Message]
    attributes: tuple[Attribute, ...]
    extensions: tuple[Attribute, ...]
    by_path: dict[str, Attribute] = field(repr=False)
    by_name: dict[tuple[str, str], Attribute] = field(repr=False)

    def named(self, scim_path: str, urn: str = "") -> Attribute | None:
        """
        Return the attribute that SCIM clients call *scim_path*, None if there is none.

        Args:
            scim_path: `userName`, `emails.value`; letters in any case.
            urn: The schema, letters in any case; empty means the core schema.
        """
        return self.by_name.get(((urn or self.urn).lower(), scim_path.lower()))

    def extension(self, urn: str) -> Attribute | None:
        """Return the container of the extension *urn*, letters in any case; None if unknown."""
        return next((e for e in self.extensions if e.urn.lower() == urn.lower()), None)


def _resource(message: type[Message]) -> Resource:
    descriptor: Any = message.DESCRIPTOR
    urn = _schema_urn(descriptor)
    children = _children(descriptor, urn, "", "")
    by_path: dict[str, Attribute] = {}
    by_name: dict[tuple[str, str], Attribute] = {}
    for attribute in _walk(children):
        by_path[attribute.path] = attribute
        if not attribute.extension:
            by_name[attribute.urn.lower(), attribute.scim_path.lower()] = attribute
    return Resource(
        name=descriptor.name,
        urn=urn,
        message=message,
        attributes=tuple(child for child in children if not child.extension),
        extensions=tuple(child for child in children if child.extension),
        by_path=by_path,
        by_name=by_name,
    )


def _children(message: Any, urn: str, path: str, scim_path: str) -> tuple[Attribute, ...]:
    return tuple(
        _attribute(field_, urn, path, scim_path)
        for field_ in message.fields
        if field_.GetOptions().HasExtension(_ATTRIBUTE)
    )


def _attribute(field_: FieldDescriptor, urn: str, path: str, scim_path: str) -> Attribute:
    options: attribute_pb2.Attribute = field_.GetOptions().Extensions[_ATTRIBUTE]
    path = f"{path}.{field_.name}" if path else field_.name
    name = options.scim_name or field_.json_name
    message: Any = field_.message_type
    complex_ = message is not None and message.full_name != _TIMESTAMP
    extension_urn = _schema_urn(message) if complex_ else ""
    if extension_urn:
        urn, inner = extension_urn, ""
    else:
        inner = f"{scim_path}.{name}" if scim_path else name
    return Attribute(
        path=path,
        urn=urn,
        scim_path=inner,
        type=_type(field_, options),
        multi_valued=field_.is_repeated and not options.comma_separated,
        mutability=_MUTABILITY[options.mutability],
        returned=_RETURNED[options.returned],
        unique=options.unique,
        required=options.required,
        case_exact=options.case_exact,
        canonical_values=tuple(options.canonical_values),
        reference_types=tuple(options.reference_types),
        comma_separated=options.comma_separated,
        extension=bool(extension_urn),
        description=_comments().get(f"{_owner(field_)}.{field_.name}", ""),
        field=field_,
        children=_children(message, urn, path, inner) if complex_ else (),
    )


def _owner(field_: FieldDescriptor) -> str:
    return field_.containing_type.name if field_.containing_type else ""


def _type(field_: FieldDescriptor, options: attribute_pb2.Attribute) -> str:
    if options.reference_types:
        return "reference"
    if field_.message_type is not None:
        return "dateTime" if field_.message_type.full_name == _TIMESTAMP else "complex"
    return {
        FieldDescriptor.TYPE_STRING: "string",
        FieldDescriptor.TYPE_BOOL: "boolean",
        FieldDescriptor.TYPE_BYTES: "binary",
        FieldDescriptor.TYPE_INT32: "integer",
        FieldDescriptor.TYPE_INT64: "integer",
    }[field_.type]


def _schema_urn(message: Any) -> str:
    return str(message.GetOptions().Extensions[_URN])


def _walk(attributes: tuple[Attribute, ...]) -> Iterator[Attribute]:
    for attribute in attributes:
        yield attribute
        yield from _walk(attribute.children)


@cache
def _comments() -> dict[str, str]:
    """Return the leading comment of every field: `{"User.user_name": "The name ..."}`."""
    data = resources.files("userdirectory.v1").joinpath("contract.binpb").read_bytes()
    comments = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        for location in file.source_code_info.location:
            path = list(location.path)
            if len(path) == 4 and path[0] == 4 and path[2] == 2:
                message = file.message_type[path[1]]
                text = " ".join(location.leading_comments.split())
                comments[f"{message.name}.{message.field[path[3]].name}"] = text
    return comments


USER = _resource(user_pb2.User)
GROUP = _resource(group_pb2.Group)
