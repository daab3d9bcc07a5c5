"""How the refusals of a service come into the provisioning log, and what they were about."""

import re
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message
from userdirectory.errors import DirectoryError

from core_service import refused, tokens
from core_service.core import Caller, Core
from core_service.refused import Refused

_ID = re.compile(r"[!-~]{1,128}")


async def keep(
    core: Core, request: Message, caller: Caller, error: DirectoryError, *, known: bool = True
) -> None:
    """
    Log that a request was refused; if it cannot be logged, the answer is the same.

    Args:
        known: Whether the caller's credential was good.
    """
    target_id = target_of(request, error)
    await refused.keep(core, Refused(caller, known, target_id, error, core.now()))


def stranger(
    metadata: Iterable[tuple[str, str | bytes]], trace_id: str, request: Message
) -> Caller:
    """Return who calls without a good credential: at most the public id of what looks like one."""
    found = None
    for key, value in metadata:
        if key == "authorization" and isinstance(value, str):
            found = tokens.parse(value.rpartition(" ")[2])
    return Caller(
        workspace_id="",
        integration_id="",
        credential_id=found[0] if found else "",
        scopes=frozenset(),
        trace_id=trace_id,
        operation=request.DESCRIPTOR.name.removesuffix("Request"),
        request=request,
    )


def target_of(request: Message, error: DirectoryError) -> str:
    """Return the id of what a refusal is about: the user it names, else what the request names."""
    named = error.metadata.get("user_id") or _named(request)
    return named if _ID.fullmatch(named) else ""


def _named(request: Any) -> str:
    """Return the id in a request; what is to be created has none."""
    if request.DESCRIPTOR.name.startswith("Create"):
        return ""
    for part in (request, *(value for _, value in request.ListFields())):
        found = getattr(part, "id", "")
        if found and isinstance(found, str):
            return found
    return ""
