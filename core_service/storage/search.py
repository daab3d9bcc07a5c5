"""The values of a user that filters compare, as the JSON text beside its columns."""

from base64 import b64encode
from typing import Any

import orjson
from google.protobuf.message import Message
from userdirectory.attributes import USER, Attribute
from userdirectory.custom import key
from userdirectory.text import fold
from userdirectory.v1 import user_pb2
from userdirectory.v1.custom_pb2 import CustomElement, CustomValue

from core_service.fields import microseconds

# Made on read, from other rows.
_DERIVED = frozenset({"workplace.user_role"})


def search_text(user: user_pb2.User) -> str:
    """
    Return the comparable values of *user* as JSON.

    Keys are the names of the fields, nested as the message; repeated fields are arrays. Text is
    folded unless the attribute is case exact, bytes are base64, a text that is empty is left out
    (in an array of texts it is null), and so is a message without values. Passwords and what is
    derived on read are never in it. Custom attributes are an array with an object for each value:
    `key`, which names the attribute, and `flag`, `number`, `time` (microseconds), or both `text`
    (folded) and `exact`: what is declared of them is not known here.
    """
    values = _values(user, _FIELDS)
    if user.custom:
        values["custom"] = [_custom(each, e) for each in user.custom for e in each.elements]
    return orjson.dumps(values).decode()


def _custom(stored: CustomValue, element: CustomElement) -> dict[str, Any]:
    kind = element.WhichOneof("value") or "text"
    value: Any = getattr(element, kind)
    named = {"key": key(stored.urn, stored.name)}
    if kind == "text":
        return {**named, "text": fold(value), "exact": value}
    return {**named, kind: microseconds(value) if kind == "time" else value}


def _stored(attributes: tuple[Attribute, ...]) -> dict[str, Attribute]:
    return {
        attribute.field.name: attribute
        for attribute in attributes
        if attribute.mutability != "readOnly"
        and attribute.returned != "never"
        and attribute.path not in _DERIVED
    }


_FIELDS = _stored(USER.attributes + USER.extensions)
_PARTS = {path: _stored(attribute.children) for path, attribute in USER.by_path.items()}


def _values(message: Message, fields: dict[str, Attribute]) -> dict[str, Any]:
    values = {}
    for field, value in message.ListFields():
        attribute = fields.get(field.name)
        if attribute is None:
            continue
        if field.is_repeated:
            values[field.name] = [_value(element, attribute) for element in value]
            continue
        comparable = _value(value, attribute)
        if comparable is not None and comparable != {}:
            values[field.name] = comparable
    return values


def _value(value: Any, attribute: Attribute) -> Any:
    """Return *value* as it is compared, None if it is an empty text."""
    if isinstance(value, str):
        return (value if attribute.case_exact else fold(value)) or None
    if isinstance(value, bytes):
        return b64encode(value).decode() or None
    if isinstance(value, Message):
        return _values(value, _PARTS[attribute.path])
    return value
