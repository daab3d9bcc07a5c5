"""
The door of every RPC: who calls, until when, what an error becomes, one log line.

Both channels, the socket and the one within the process, lead through it and answer alike.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import grpc
from google.protobuf.message import Message
from userdirectory import status
from userdirectory.errors import DirectoryError

from core_service.core import Caller, Core
from core_service.identity import Barred, Identity
from core_service.service import idempotency, refusals, texts
from core_service.service.access import SCOPES, WORKSPACE_ADMIN, WRITES
from core_service.service.traffic import Traffic
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
        traffic: The calls under way, of all services of a server together; None: its own alone.
    """

    name: ClassVar[str]
    """The full name of the service: `userdirectory.v1.UserDirectory`."""

    def __init__(self, core: Core, identity: Identity, traffic: Traffic | None = None) -> None:
        """Offer the service over *core* to whom *identity* lets in."""
        self.core = core
        self.identity = identity
        self.traffic = traffic or Traffic()


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
        call = Call(service, use_case.__name__, request, context)
        answer: A | None = None
        with service.traffic.passing():
            async with call.answered():
                caller = await call.enter()
                caller = idempotency.named(caller, call.method, call.metadata, request)
                answer = await use_case(service, request, caller)
                if service.name == WORKSPACE_ADMIN and call.method in WRITES:
                    service.identity.forget(caller.workspace_id)
        return answer

    return method


class Call:
    """One call: who calls, and how it ends."""

    __slots__ = (
        "_trail",
        "caller",
        "context",
        "metadata",
        "method",
        "operation",
        "request",
        "service",
    )

    def __init__(
        self,
        service: Service,
        operation: str,
        request: Message,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> None:
        """Begin a call of the RPC that is named *operation*."""
        self.service = service
        self.operation = operation
        self.method = f"{service.name}/{operation}"
        self.request = request
        self.context = context
        self.metadata = tuple(context.invocation_metadata() or ())
        self._trail = Trail(service.core, self.method, self.metadata)
        self.caller: Caller | None = None
        context.set_trailing_metadata(((status.TRACE_KEY, self.trace_id),))

    @property
    def trace_id(self) -> str:
        """What names the call."""
        return self._trail.trace_id

    async def enter(self) -> Caller:
        """Return who calls and may; the request holds no text that no request may hold."""
        self.caller = replace(await self.authenticate(), request=self.request)
        texts.check(self.request)
        return self.caller

    async def authenticate(self) -> Caller:
        """Return who calls, and that it may now what it asks for."""
        return await self.service.identity.authenticate(
            self.metadata,
            getattr(self.request, "workspace_id", None),
            SCOPES[self.method],
            self.trace_id,
            self.operation,
            self.context.peer(),
        )

    @contextlib.asynccontextmanager
    async def answered(self) -> AsyncIterator[asyncio.Timeout]:
        """
        End the call as what happens meanwhile says, and log it.

        Gives the deadline. Who moves it forward, as a server that stops does, ends the call with
        UNAVAILABLE.
        """
        try:
            async with asyncio.timeout(self.context.time_remaining()) as deadline:
                wanted = deadline.when()
                yield deadline
        except DirectoryError as error:
            if isinstance(error, Barred):
                self.caller = replace(error.caller, request=self.request)
            await self._log_refusal(self.refuse(error))
        except TimeoutError as error:
            if not deadline.expired():
                self.fail(error)
            elif deadline.when() == wanted:
                self.expire()
            else:
                self.stop()
        except asyncio.CancelledError:
            self.abandon()
            raise
        except Exception as error:  # noqa: BLE001 - the one place where everything ends
            self.fail(error)
        else:
            self.log(logging.INFO, "OK")

    async def _log_refusal(self, refusal: DirectoryError) -> None:
        known = self.caller is not None
        caller = self.caller or refusals.stranger(self.metadata, self.trace_id, self.request)
        await refusals.keep(self.service.core, self.request, caller, refusal, known=known)

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

    def stop(self) -> None:
        """Answer that the server stops; another one, or this one later, goes on."""
        self._end(grpc.StatusCode.UNAVAILABLE, "The server stops. Go on at another one, or later.")
        self.log(logging.INFO, "UNAVAILABLE")

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
