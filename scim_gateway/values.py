"""Single JSON values to the types of the attribute table."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from scim_gateway import quirks
from scim_gateway.errors import invalid_value
from scim_gateway.remarks import Remarks


def has_value(value: object) -> bool:
    """Return whether *value* is one: `null`, `""`, `[]` and `{}` are none (RFC 7643 2.5)."""
    return value is not None and value != "" and value != [] and value != {}


def text(value: Any, name: str, remarks: Remarks) -> str:
    """
    Return *value* if it is text, empty for null.

    Args:
        value: What was sent.
        name: The attribute, for the error.
        remarks: Where a list of one is noted.

    Raises:
        ScimError: 400 invalidValue if it is something else; numbers are not turned into text.
    """
    if not isinstance(value, str):
        value = quirks.only_element(value, name, remarks)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise invalid_value(f"Attribute {name} is not text. Send a JSON string.")
    return value


def flag(value: Any, name: str, remarks: Remarks) -> bool:
    """Return *value* if it is true or false; as `text`."""
    found = quirks.boolean(quirks.only_element(value, name, remarks), name, remarks)
    if found is None:
        raise invalid_value(f"Attribute {name} is neither true nor false. Send one of them.")
    return found


def octets(value: Any, name: str, remarks: Remarks) -> bytes:
    """Return what *value* is in base64, blanks and line ends aside; as `text`."""
    try:
        return base64.b64decode("".join(text(value, name, remarks).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_value(f"Attribute {name} is not base64. Encode it so.") from error


# By type of the attribute table; the others are complex or nobody writes them.
CONVERT: dict[str, Callable[[Any, str, Remarks], Any]] = {
    "string": text,
    "reference": text,
    "boolean": flag,
    "binary": octets,
}
