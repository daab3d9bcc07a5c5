"""
The door of every RPC: who calls, until when, what an error becomes, one log line.

Both channels, the socket and the one within the process, lead through it and answer alike.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import grpc
from google.protobuf.message import Message
from userdirectory import status
from userdirectory.errors import DirectoryError

from core_service.core import Caller, Core
from core_service.identity import Barred, Identity
from core_service.service import idempotency, refusals, texts
from core_service.service.access import SCOPES, WORKSPACE_ADMIN, WRITES
from core_service.service.trail import Trail

# What a caller may cause to be sent in trailing metadata, in bytes of UTF-8: gRPC sends the
# message twice, percent-encoded once, and clients refuse metadata of more than 8 KiB.
_MESSAGE_LIMIT = 800
_VALUE_LIMIT = 400

# The caller's clock may say a little earlier than ours that its time is over.
_CLOCKS_DIFFER_SECONDS = 0.05

# Ours to repair, so that they are logged as errors.
_OURS = frozenset({"STORAGE_UNAVAILABLE"})

S = TypeVar("S", bound="Service")
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


class Service:
    """
    What every servicer has.

    Args:
        core: What the use cases work with.
        identity: Who knows the credentials.
    """

    name: ClassVar[str]
    """The full name of the service: `userdirectory.v1.UserDirectory`."""

    def __init__(self, core: Core, identity: Identity) -> None:
        """Offer the service over *core* to whom *identity* lets in."""
        self.core = core
        self.identity = identity


def rpc(
    use_case: Callable[[S, Q, Caller], Awaitable[A]],
) -> Callable[[S, Q, "grpc.aio.ServicerContext[Q, A]"], Awaitable[A | None]]:
    """
    Return *use_case* as the method of a servicer, which is named like the RPC.

    Every answer carries `trace-id`. A DirectoryError becomes its status with ErrorInfo; anything
    else is logged with its traceback and answered INTERNAL with the trace id and no text of ours.
    Past the caller's deadline the work is cancelled: DEADLINE_EXCEEDED.
    """

    @functools.wraps(use_case)
    async def method(service: S, request: Q, context: "grpc.aio.ServicerContext[Q, A]") -> A | None:
        call = _Call(f"{service.name}/{use_case.__name__}", context, service.core)
        try:
            async with asyncio.timeout(context.time_remaining()) as deadline:
                caller = await service.identity.authenticate(
                    call.metadata,
                    getattr(request, "workspace_id", None),
                    SCOPES[call.method],
                    call.trace_id,
                    use_case.__name__,
                    context.peer(),
                )
                call.caller = caller
                texts.check(request)
                caller = idempotency.named(caller, call.method, call.metadata, request)
                answer = await use_case(service, request, caller)
        except DirectoryError as error:
            if isinstance(error, Barred):
                call.caller = error.caller
            refusal = call.refuse(error)
            await refusals.keep(service.core, call.method, request, call.caller, refusal)
        except TimeoutError as error:
            if deadline.expired():
                call.expire()
            else:
                call.fail(error)
        except asyncio.CancelledError:
            call.abandon()
            raise
        except Exception as error:  # noqa: BLE001 - the one place where everything ends
            call.fail(error)
        else:
            if service.name == WORKSPACE_ADMIN and call.method in WRITES:
                service.identity.forget(caller.workspace_id)
            call.log(logging.INFO, "OK")
            return answer
        return None

    return method


class _Call:
    """One call: who calls, and how it ends."""

    __slots__ = ("_trail", "caller", "context", "metadata", "method")

    def __init__(
        self, method: str, context: "grpc.aio.ServicerContext[Any, Any]", core: Core
    ) -> None:
        self.method = method
        self.context = context
        self.metadata = tuple(context.invocation_metadata() or ())
        self._trail = Trail(core, method, self.metadata)
        self.caller: Caller | None = None
        context.set_trailing_metadata(((status.TRACE_KEY, self.trace_id),))

    @property
    def trace_id(self) -> str:
        """What names the call."""
        return self._trail.trace_id

    def refuse(self, error: DirectoryError) -> DirectoryError:
        """Answer that the directory does not do it, and why; return what was answered."""
        refusal = _shortened(error)
        details = (status.DETAILS_KEY, status.details(refusal))
        self.context.set_trailing_metadata(((status.TRACE_KEY, self.trace_id), details))
        self._end(refusal.code, refusal.message)
        if refusal.reason in _OURS:
            self.log(logging.ERROR, refusal.code.name, refusal.reason, error=error)
        else:
            self.log(logging.INFO, refusal.code.name, refusal.reason)
        return refusal

    def expire(self) -> None:
        """Answer that the caller's time is over."""
        self._end(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        self.log(logging.INFO, "DEADLINE_EXCEEDED")

    def abandon(self) -> None:
        """Note that nobody waits for the answer any more, most often because the time is over."""
        remaining = self.context.time_remaining()
        late = remaining is not None and remaining < _CLOCKS_DIFFER_SECONDS
        self.log(logging.INFO, "DEADLINE_EXCEEDED" if late else "CANCELLED")

    def fail(self, error: Exception) -> None:
        """Answer that something broke here, without a word of what."""
        text = f"Something went wrong here. Tell support the trace id {self.trace_id}."
        self._end(grpc.StatusCode.INTERNAL, text)
        self.log(logging.ERROR, "INTERNAL", error=error)

    def log(
        self, level: int, code: str, reason: str = "", *, error: Exception | None = None
    ) -> None:
        """End the trail of this call."""
        self._trail.end(self.caller, level, code, reason, error)

    def _end(self, code: grpc.StatusCode, text: str) -> None:
        self.context.set_code(code)
        self.context.set_details(text)


def _shortened(error: DirectoryError) -> DirectoryError:
    """Return *error* with no more text than fits into trailing metadata."""
    metadata = {key: _cut(value, _VALUE_LIMIT) for key, value in error.metadata.items()}
    return DirectoryError(error.reason, _cut(error.message, _MESSAGE_LIMIT), **metadata)


def _cut(text: str, limit: int) -> str:
    if len(text) * 4 <= limit:
        return text
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore") + "..."
