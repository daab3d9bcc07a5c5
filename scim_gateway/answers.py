"""Messages to SCIM documents: no nulls, no empty values, addresses from the configured base."""

import base64
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.v1 import group_pb2, user_pb2

from scim_gateway import custom

# Puts the value of one field into the document, given the base URL.
_Writer = Callable[[dict[str, Any], Any, str], None]
# By field number: the name in the document, and what writes the value unless it is put as it is.
_Plan = dict[int, tuple[str, _Writer | None]]


def write_user(user: user_pb2.User, base_url: str) -> dict[str, Any]:
    """
    Return the SCIM document of *user*.

    Args:
        user: The user; fields that a read mask left out are not in the document.
        base_url: What clients were given as base URL, without a slash at the end.
    """
    document = _write(USER, user, base_url)
    custom.write(document, user.custom)
    return document


def write_group(group: group_pb2.Group, base_url: str) -> dict[str, Any]:
    """Return the SCIM document of *group*; as `write_user`."""
    return _write(GROUP, group, base_url)


def location(resource: Resource, identifier: str, base_url: str) -> str:
    """Return the address of a resource: `https://.../Users/3f2a`."""
    shown = identifier if identifier.isalnum() else quote(identifier, safe="")
    return f"{base_url}/{resource.name}s/{shown}"


def rfc3339(time: Timestamp) -> str:
    """Return *time* in UTC to the millisecond: `2026-01-31T09:30:00.123Z`."""
    days, seconds = divmod(time.seconds, 86_400)
    minutes, seconds = divmod(seconds, 60)
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return f"{_date(days)}T{clock}.{time.nanos // 1_000_000:03d}Z"


@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def _write(resource: Resource, message: Any, base_url: str) -> dict[str, Any]:
    document: dict[str, Any] = {"schemas": [resource.urn], "id": message.id}
    _put(document, message, _PLANS[resource.name], base_url)
    document["meta"] = _meta(resource, message, base_url)
    return document


def _put(document: dict[str, Any], message: Message, plan: _Plan, base_url: str) -> None:
    for field, value in message.ListFields():
        step = plan.get(field.number)
        if step is None:
            continue
        name, write = step
        if write is not None:
            write(document, value, base_url)
        elif value != "":
            document[name] = value


def _meta(resource: Resource, message: Any, base_url: str) -> dict[str, str]:
    meta = {"resourceType": resource.name}
    if message.HasField("create_time"):
        meta["created"] = rfc3339(message.create_time)
    if message.HasField("update_time"):
        meta["lastModified"] = rfc3339(message.update_time)
    meta["location"] = location(resource, message.id, base_url)
    if message.etag:
        meta["version"] = message.etag
    return meta


def _writer(attribute: Attribute) -> _Writer | None:
    if attribute.extension:
        return _extension_writer(attribute)
    if attribute.type == "complex":
        return _elements_writer(attribute) if attribute.multi_valued else _part_writer(attribute)
    name = attribute.name
    if attribute.comma_separated:
        convert: Callable[[Any], Any] = ", ".join
    elif attribute.type == "binary":
        convert = _base64
    else:
        return None

    def write(document: dict[str, Any], value: Any, base_url: str) -> None:  # noqa: ARG001
        if value:
            document[name] = convert(value)

    return write


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _extension_writer(attribute: Attribute) -> _Writer:
    urn, plan = attribute.urn, _plan(attribute.children)

    def write(document: dict[str, Any], value: Message, base_url: str) -> None:
        inner: dict[str, Any] = {}
        _put(inner, value, plan, base_url)
        if inner:
            document["schemas"].append(urn)
            document[urn] = inner

    return write


def _part_writer(attribute: Attribute) -> _Writer:
    name, plan = attribute.name, _plan(attribute.children)
    refer = _REFER.get(attribute.path)

    def write(document: dict[str, Any], value: Message, base_url: str) -> None:
        inner: dict[str, Any] = {}
        _put(inner, value, plan, base_url)
        if refer is not None:
            refer(inner, base_url)
        if inner:
            document[name] = inner

    return write


def _elements_writer(attribute: Attribute) -> _Writer:
    name, plan = attribute.name, _plan(attribute.children)
    refer = _REFER.get(attribute.path)

    def write(document: dict[str, Any], value: Any, base_url: str) -> None:
        elements = []
        for element in value:
            inner: dict[str, Any] = {}
            _put(inner, element, plan, base_url)
            if inner:
                if refer is not None:
                    refer(inner, base_url)
                elements.append(inner)
        if elements:
            document[name] = elements

    return write


def _refer_to_group(element: dict[str, Any], base_url: str) -> None:
    element["$ref"] = location(GROUP, element["value"], base_url)


def _refer_to_member(element: dict[str, Any], base_url: str) -> None:
    kind = GROUP if element.get("type") == "Group" else USER
    element["$ref"] = location(kind, element["value"], base_url)


def _refer_to_manager(element: dict[str, Any], base_url: str) -> None:
    # Only managers that exist have a name; the id of a stranger leads nowhere.
    if "displayName" in element and "value" in element:
        element["$ref"] = location(USER, element["value"], base_url)


_REFER: dict[str, Callable[[dict[str, Any], str], None]] = {
    "groups": _refer_to_group,
    "members": _refer_to_member,
    "enterprise.manager": _refer_to_manager,
}


def _plan(attributes: tuple[Attribute, ...]) -> _Plan:
    return {
        attribute.field.number: (attribute.name, _writer(attribute))
        for attribute in attributes
        if not attribute.in_meta and attribute.returned != "never" and attribute.name != "$ref"
    }


_PLANS: dict[str, _Plan] = {
    resource.name: _plan((*resource.attributes, *resource.extensions)) for resource in (USER, GROUP)
}
