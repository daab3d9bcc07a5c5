"""SCIM documents to messages, by plans made once from the attribute table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.v1 import group_pb2, user_pb2
from userdirectory.v1.filter_pb2 import CustomFilter

from scim_gateway import custom, names, quirks, values
from scim_gateway.errors import invalid_value
from scim_gateway.remarks import Remarks

# Extensions whose attributes are each asserted alone: an absent one stays as it is, because the
# product owns it as much as the identity provider does. The others are replaced as a whole.
PARTIAL = frozenset({"workplace"})

Reader = Callable[[Message, Any, Remarks], None]


@dataclass(slots=True)
class Document:
    """
    What a SCIM document asserts.

    Attributes:
        mask: The fields it names, also those without a value: `user_name`, `enterprise`,
            `workplace.teams`.
        remarks: What the policy of the workspace has to judge.
        custom: Names that may be attributes of the workspace, with what they may be.
    """

    mask: list[str] = field(default_factory=list)
    remarks: Remarks = field(default_factory=Remarks)
    custom: list[tuple[str, CustomFilter]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Slot:
    attribute: Attribute
    read: Reader | None  # None: nobody may write the attribute, what is sent is ignored


_Plan = dict[str, _Slot]


def read_user(document: dict[str, Any]) -> tuple[user_pb2.User, Document]:
    """
    Return the user that *document* describes and what it asserts.

    Names and URNs may be in any case; `schemas` is not consulted. `""`, `null`, `[]` and `{}` are
    no value. Attributes that nobody may write are ignored.

    Raises:
        ScimError: 400 invalidValue if a value is of the wrong type.
    """
    user = user_pb2.User()
    read = _read(USER, user, document)
    for name, asked in read.custom:
        user.custom.extend(custom.read(asked, document[name]))
    if read.custom:
        read.mask.append(custom.FIELD)
    return user, read


def read_group(document: dict[str, Any]) -> tuple[group_pb2.Group, Document]:
    """Return the group that *document* describes and what it asserts; as `read_user`."""
    group = group_pb2.Group()
    return group, _read(GROUP, group, document)


def place(message: Message, attribute: Attribute, value: Any, remarks: Remarks) -> None:
    """
    Set the one field of *message* that *attribute* is, however deep; no value leaves it unset.

    A sub-attribute of a multi-valued attribute is set in a new element.

    Raises:
        ScimError: 400 invalidValue if the value is of the wrong type.
    """
    if not values.has_value(value):
        return
    holder, elements = message, None
    for name in attribute.path.split(".")[:-1]:
        inner = getattr(holder, name)
        if holder.DESCRIPTOR.fields_by_name[name].is_repeated:
            elements, inner = inner, inner.add()
        holder = inner
    _READERS[message.DESCRIPTOR.name, attribute.path](holder, value, remarks)
    if elements and not holder.ByteSize():
        del elements[-1]


def _read(resource: Resource, message: Message, document: dict[str, Any]) -> Document:
    read = Document()
    plan = _PLANS[resource.name]
    for name, value in document.items():
        if name in names.DERIVED:
            continue
        slot = plan.get(name) or plan.get(name.lower())
        if slot is not None and slot.read is not None:
            read.mask.append(slot.attribute.path)
            if values.has_value(value):
                slot.read(message, value, read.remarks)
            continue
        attribute = slot.attribute if slot else _qualified(resource, name)
        if attribute is None:
            if asked := custom.find(resource, name):
                read.custom.append((name, asked))
            elif values.has_value(value) and not names.is_derived(resource, name):
                read.remarks.unknown.append(name)
        elif attribute.extension:
            if name.lower() != attribute.urn.lower():
                told = f"{name[:128]} is not spelt right. Send {attribute.urn}."
                read.remarks.deviates("NAME", told)
            _read_extension(resource, message, attribute, value, read)
        elif attribute.mutability != "readOnly":
            told = f"{name[:128]} is a path. Send the object that it leads into."
            read.remarks.deviates("NAME", told)
            read.mask.append(attribute.path)
            place(message, attribute, value, read.remarks)
    read.mask = _outermost(read.mask)
    return read


def _outermost(paths: list[str]) -> list[str]:
    """Return *paths* once each, without those inside of others."""
    whole = dict.fromkeys(paths)
    return [
        path
        for path in whole
        if "." not in path or not any(path.startswith(f"{other}.") for other in whole)
    ]


def _qualified(resource: Resource, name: str) -> Attribute | None:
    """Return the attribute of a name with a URN or a dot, unless it is in a list of elements."""
    if ":" not in name and "." not in name:
        return None
    attribute = names.find(resource, name)
    if attribute is None or names.element_of(resource, attribute) is not None:
        return None
    return attribute


def _read_extension(
    resource: Resource, message: Message, extension: Attribute, value: Any, read: Document
) -> None:
    if values.has_value(value) and not isinstance(value, dict):
        raise invalid_value(f"{extension.urn} is not an object. Send its attributes as one.")
    if extension.path not in PARTIAL:
        read.mask.append(extension.path)
    plan = _PLANS[f"{resource.name}.{extension.path}"]
    for name, inner in (value or {}).items():
        slot = plan.get(name) or plan.get(name.lower())
        if slot is None:
            unknown = f"{extension.urn}:{name}"
            if values.has_value(inner) and not names.is_derived(resource, unknown):
                read.remarks.unknown.append(unknown)
        elif slot.read is not None:
            if extension.path in PARTIAL:
                read.mask.append(slot.attribute.path)
            if values.has_value(inner):
                slot.read(getattr(message, extension.path), inner, read.remarks)


def _fill(
    message: Message, document: dict[str, Any], plan: _Plan, around: str, remarks: Remarks
) -> None:
    for name, value in document.items():
        if not values.has_value(value):
            continue
        slot = plan.get(name) or plan.get(name.lower())
        if slot is None:
            remarks.unknown.append(f"{around}.{name}")
        elif slot.read is not None:
            slot.read(message, value, remarks)


def _reader(attribute: Attribute) -> Reader:
    if attribute.comma_separated:
        return _names_reader(attribute)
    if attribute.type == "complex":
        return _elements_reader(attribute) if attribute.multi_valued else _part_reader(attribute)
    convert = values.CONVERT[attribute.type]
    name, shown = attribute.field.name, attribute.scim_path

    def read(message: Message, value: Any, remarks: Remarks) -> None:
        read_value = convert(value, shown, remarks)
        if read_value != "":
            setattr(message, name, read_value)

    return read


def _names_reader(attribute: Attribute) -> Reader:
    """Read names in one text with commas, or as a list."""
    name, shown = attribute.field.name, attribute.scim_path

    def read(message: Message, value: Any, remarks: Remarks) -> None:
        if isinstance(value, list):
            remarks.deviates("VALUE", f"Attribute {shown} is a list. Send one text with commas.")
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            parts = (part.strip() for part in values.text(text, shown, remarks).split(","))
            getattr(message, name).extend(part for part in parts if part)

    return read


def _part_reader(attribute: Attribute) -> Reader:
    """Read a complex attribute that has one value: `name`, `manager`."""
    name, shown, plan = attribute.field.name, attribute.scim_path, _plan(attribute.children)
    has_text = names.value_of(attribute) is not None

    def read(message: Message, value: Any, remarks: Remarks) -> None:
        value = quirks.only_element(value, shown, remarks)
        if has_text:
            value = quirks.complex_of(value, shown, remarks)
        if not isinstance(value, dict):
            raise invalid_value(f"Attribute {shown} is not an object. Send its parts as one.")
        _fill(getattr(message, name), value, plan, shown, remarks)

    return read


def _elements_reader(attribute: Attribute) -> Reader:
    """Read a complex attribute that has many values: `emails`, `members`."""
    name, shown, plan = attribute.field.name, attribute.scim_path, _plan(attribute.children)
    value_part = names.value_of(attribute)
    required = value_part.field.name if value_part and value_part.mutability == "immutable" else ""

    def read(message: Message, value: Any, remarks: Remarks) -> None:
        value = quirks.elements(value, shown, remarks)
        if not isinstance(value, list):
            raise invalid_value(f"Attribute {shown} is not a list. Send one.")
        target = getattr(message, name)
        for element in value:
            if not values.has_value(element):
                continue
            if value_part is not None:
                element = quirks.complex_of(element, shown, remarks)
            if name == "roles":
                element = quirks.unfolded(element, remarks)
            if not isinstance(element, dict):
                raise invalid_value(f"An element of {shown} is not an object. Send its parts.")
            filled = target.add()
            _fill(filled, element, plan, shown, remarks)
            if required and not getattr(filled, required):
                raise invalid_value(f"An element of {shown} has no value. Send the id.")
            if not filled.ByteSize():
                del target[-1]

    return read


def _plan(attributes: tuple[Attribute, ...]) -> _Plan:
    plan: _Plan = {}
    for attribute in attributes:
        if attribute.in_meta:
            continue
        # Addresses are the server's to make: what a client sends as `$ref` says nothing new.
        ignored = attribute.mutability == "readOnly" or attribute.name == "$ref"
        slot = _Slot(attribute, None if ignored else _reader(attribute))
        plan[attribute.name.lower()] = plan[attribute.name] = slot
    return plan


def _plans() -> dict[str, _Plan]:
    plans = {}
    for resource in (USER, GROUP):
        plans[resource.name] = _plan(resource.attributes)
        for extension in resource.extensions:
            plans[f"{resource.name}.{extension.path}"] = _plan(extension.children)
            for urn in (extension.urn, extension.urn.lower()):
                plans[resource.name][urn] = _Slot(extension, None)
    return plans


def _readers() -> dict[tuple[str, str], Reader]:
    return {
        (resource.name, path): _reader(attribute)
        for resource in (USER, GROUP)
        for path, attribute in resource.by_path.items()
        if not attribute.extension and attribute.type != "dateTime"
    }


_PLANS = _plans()
_READERS = _readers()
