"""Which writes a caller may name with `idempotency-key`, and how the name is read."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from userdirectory.errors import DirectoryError

from core_service.core import Caller
from core_service.once import FIELD, Once
from core_service.service.access import FILES, USER_DIRECTORY, WORKSPACE_ADMIN, WRITES

_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)
# A batch is as many transactions as it has writes, and no one of them answers for all; with a
# workspace goes all that is kept of it.
_KEPT_NOWHERE = frozenset({f"{USER_DIRECTORY}/BatchWrite", f"{WORKSPACE_ADMIN}/DeleteWorkspace"})


def _answers_secretly(method: MethodDescriptor) -> bool:
    """Return whether the answer holds a secret, which is shown once and kept nowhere."""
    return any(field.GetOptions().debug_redact for field in method.output_type.fields)


# What the writes that may be named answer, by the full name of the RPC.
ANSWERS: dict[str, type[Message]] = {
    name: GetMessageClass(method.output_type)
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
    if (name := f"{service.full_name}/{method.name}") in WRITES - _KEPT_NOWHERE
    and not _answers_secretly(method)
}


def named(
    caller: Caller, method: str, metadata: Iterable[tuple[str, str | bytes]], request: Message
) -> Caller:
    """
    Return *caller* with the name that the metadata gives this write.

    Reads need none, since they may be repeated anyway; what is sent with one is not looked at.

    Args:
        method: The full name of the RPC.

    Raises:
        DirectoryError: FIELD_INVALID for a key that is none, for two of them, and for a write that
            cannot have one.
    """
    keys = [value for name, value in metadata if name == FIELD]
    if not keys or method not in WRITES:
        return caller
    if method not in ANSWERS:
        raise DirectoryError(
            "FIELD_INVALID",
            "This request cannot have a key: its answer is kept nowhere. Send it without one.",
            field=FIELD,
        )
    key = keys[0]
    if len(keys) > 1 or not isinstance(key, str) or not _KEY.fullmatch(key):
        raise DirectoryError(
            "FIELD_INVALID",
            "The key is not one of 1 to 128 visible ASCII characters. Send a UUID.",
            field=FIELD,
        )
    return replace(caller, once=Once(key, _digest(method, request), ANSWERS[method]))


def _digest(method: str, request: Message) -> bytes:
    """
    Return the SHA-256 of a request without its secrets.

    The rest of a request is known to whoever reads the database, so that a password could be
    guessed from a digest with it as fast as SHA-256 is computed.
    """
    told = type(request)()
    told.CopyFrom(request)
    _clear_secrets(told)
    told_bytes = told.SerializeToString(deterministic=True)
    return hashlib.sha256(method.encode() + b"\0" + told_bytes).digest()


def _clear_secrets(message: Message) -> None:
    for field, value in message.ListFields():
        if field.GetOptions().debug_redact:
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for part in value if field.is_repeated else (value,):
                _clear_secrets(part)
