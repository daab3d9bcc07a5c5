"""Which refusals the provisioning log keeps, and what they were about."""

import asyncio
import logging
import re
from typing import Any

from google.protobuf.message import Message
from userdirectory.errors import DirectoryError

from core_service import journal
from core_service.core import Caller, Core
from core_service.service.access import WRITES

log = logging.getLogger(__name__)

# Said of the moment and not of the request; logging them would be one more try at what is away.
PASSING = frozenset({"RATE_LIMITED", "STORAGE_UNAVAILABLE", "WRITE_CONFLICT"})
# Said of the integration, so that they are kept for reads too.
STANDING = frozenset({"INTEGRATION_OFF", "NOT_ENTITLED"})

_ID = re.compile(r"[!-~]{1,128}")
_SECONDS = 2.0


async def keep(
    core: Core, method: str, request: Message, caller: Caller | None, error: DirectoryError
) -> None:
    """
    Log that a request was refused; if it cannot be logged, the answer is the same.

    Args:
        method: The full name of the RPC.
        caller: Who asked; None if nobody knows.
    """
    if caller is None or not caller.workspace_id or error.reason in PASSING:
        return
    if method not in WRITES and error.reason not in STANDING:
        return
    try:
        async with asyncio.timeout(_SECONDS):
            await journal.refused(core, caller, target_of(request, error), error)
    except Exception:  # the answer is given; what fails here is ours
        log.exception(
            "A refusal could not be logged: trace_id=%(trace_id)s", {"trace_id": caller.trace_id}
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
