"""What no text in a request may hold, whichever field it is in."""

from google.protobuf.message import Message
from userdirectory.errors import DirectoryError


def check(request: Message) -> None:
    """
    Refuse U+0000 in any text, which databases treat differently.

    Raises:
        DirectoryError: FIELD_INVALID (`field`).
    """
    # Most requests have no zero byte at all; one may also come from a number or a flag.
    if b"\0" in request.SerializeToString():
        _check(request, "")


def _check(message: Message, path: str) -> None:
    for field, value in message.ListFields():
        name = f"{path}.{field.name}" if path else field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        for part in value if field.is_repeated else (value,):
            if isinstance(part, Message):
                _check(part, name)
            elif isinstance(part, str) and "\0" in part:
                raise DirectoryError(
                    "FIELD_INVALID",
                    f"The text of {name} holds the character U+0000. Leave it out.",
                    field=name,
                )
