"""A call within the process: runs as a task, and looks to its caller like a call of a socket."""

import asyncio
import logging
from collections.abc import Callable, Generator, Iterable
from typing import Any, NoReturn, TypeAlias

import grpc
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata

from core_service.transport import METADATA_LIMIT, RECEIVE_LIMIT

log = logging.getLogger(__name__)

Handler: TypeAlias = Any  # grpc.RpcMethodHandler, whose functions may all be None
Sent: TypeAlias = tuple[tuple[str, str | bytes], ...]

PEER = "process"
"""Who is connected where there is no socket; gRPC's own are `ipv4:...`, `ipv6:...`, `unix:...`."""


class Running:
    """What calls of every kind have: a task, a deadline, an end."""

    def __init__(
        self, metadata: Sent, timeout: float | None, deserialize: Callable[[bytes], Any]
    ) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._metadata = metadata
        self._deserialize = deserialize
        self._deadline = None if timeout is None else loop.time() + timeout
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = loop.create_future()
        self._callbacks: list[Callable[[Any], None]] = []
        self._code = StatusCode.OK
        self._details = ""
        self._trailing: Sent = ()
        self._cancelled = False

    def start(self, handler: Handler | None, request: bytes) -> asyncio.Task[None] | None:
        """Begin the work; return its task, None if the call is over before it began."""
        refusal = _refusal(handler, self._metadata, request)
        if refusal:
            self._end(*refusal)
        elif self._deadline is not None and self._deadline <= self._loop.time():
            self._expire()
        else:
            assert handler is not None  # _refusal has seen to it
            if self._deadline is not None:
                self._timer = self._loop.call_at(self._deadline, self._expire)
            self._task = self._loop.create_task(self._work(handler, request))
        return self._task

    async def _work(self, handler: Handler, request: bytes) -> None:
        context = self._context()
        try:
            await self._answer(handler, handler.request_deserializer(request), context)
        except asyncio.CancelledError:
            self._end(StatusCode.CANCELLED, "The call was cancelled where it was answered.")
            raise
        except grpc.aio.AbortError:
            self._end(context.status, context.text, context.trailing)
        except Exception:
            # Our servicers let nothing through; another's text must not reach the caller.
            log.exception("A handler failed outside of its door.")
            self._end(StatusCode.UNKNOWN, "Something went wrong.")
        else:
            self._end(context.status, context.text, context.trailing)

    def _context(self) -> "Context":
        return Context(self._metadata, self)

    async def _answer(self, handler: Handler, message: Any, context: "Context") -> None:
        """Let the handler answer and take its answer."""
        raise NotImplementedError

    def _end(self, code: StatusCode, details: str, trailing: Sent = ()) -> None:
        if self._ended.done():
            return
        self._code, self._details, self._trailing = code, details, trailing
        self._ended.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        for callback in self._callbacks:
            callback(self)

    def _expire(self) -> None:
        self._end(StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        self._stop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def cancel(self) -> bool:
        if self._ended.done():
            return False
        self._cancelled = True
        self._end(StatusCode.CANCELLED, "Locally cancelled by application!")
        self._stop()
        return True

    def _check(self) -> None:
        """Raise what a call that has ended raises, if it ended badly."""
        if self._cancelled:
            raise asyncio.CancelledError
        if self._code is not StatusCode.OK:
            raise AioRpcError(self._code, Metadata(), Metadata(*self._trailing), self._details)

    def cancelled(self) -> bool:
        return self._cancelled

    def done(self) -> bool:
        return self._ended.done()

    def time_remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - self._loop.time())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        if self._ended.done():
            callback(self)
        else:
            self._callbacks.append(callback)

    async def initial_metadata(self) -> Metadata:
        return Metadata()

    async def trailing_metadata(self) -> Metadata:
        await asyncio.shield(self._ended)
        return Metadata(*self._trailing)

    async def code(self) -> StatusCode:
        await asyncio.shield(self._ended)
        return self._code

    async def details(self) -> str:
        await asyncio.shield(self._ended)
        return self._details

    async def wait_for_connection(self) -> None:
        """Return at once: there is nothing to connect to."""


class Call(Running, grpc.aio.UnaryUnaryCall[Any, Any]):
    """One call, which runs as a task of its own whether or not anyone awaits it."""

    _response: Any = None

    async def _answer(self, handler: Handler, message: Any, context: "Context") -> None:
        answer = await handler.unary_unary(message, context)
        if context.status is StatusCode.OK:
            self._response = self._deserialize(handler.response_serializer(answer))

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            yield from asyncio.shield(self._ended).__await__()
        except asyncio.CancelledError:
            self.cancel()
            raise
        self._check()
        return self._response


class Context:
    """What servicers use of `grpc.aio.ServicerContext`."""

    __slots__ = ("_call", "_metadata", "status", "text", "trailing")

    def __init__(self, metadata: Sent, call: Running) -> None:
        """Be the context of *call*."""
        self._metadata = metadata
        self._call = call
        self.status = StatusCode.OK
        self.text = ""
        self.trailing: Sent = ()

    def peer(self) -> str:
        return PEER

    def invocation_metadata(self) -> Sent:
        return self._metadata

    def time_remaining(self) -> float | None:
        return self._call.time_remaining()

    def set_trailing_metadata(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        self.trailing = tuple(metadata)

    def set_code(self, code: StatusCode) -> None:
        self.status = code

    def set_details(self, details: str) -> None:
        self.text = details

    async def abort(
        self,
        code: StatusCode,
        details: str = "",
        trailing_metadata: Iterable[tuple[str, str | bytes]] = (),
    ) -> NoReturn:
        self.status, self.text = code, details
        self.trailing = tuple(trailing_metadata) or self.trailing
        raise grpc.aio.AbortError


def _refusal(
    handler: Handler | None, metadata: Sent, request: bytes
) -> tuple[StatusCode, str] | None:
    """Return how a server refuses a call before any servicer sees it, None if it does not."""
    if handler is None:
        return StatusCode.UNIMPLEMENTED, "Method not found!"
    if sum(len(key) + len(value) for key, value in metadata) > METADATA_LIMIT:
        return StatusCode.RESOURCE_EXHAUSTED, "received metadata size exceeds hard limit"
    if len(request) > RECEIVE_LIMIT:
        sizes = f"({len(request)} vs. {RECEIVE_LIMIT})"
        return StatusCode.RESOURCE_EXHAUSTED, f"SERVER: Received message larger than max {sizes}"
    return None
