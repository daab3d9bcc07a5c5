"""A call within the process that is answered with a stream."""

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from grpc import StatusCode
from grpc.aio import EOF

from core_service.call import Context, Handler, Running, Sent

WINDOW = 64 * 1024
"""How many bytes may wait to be read before the servicer waits too."""


class StreamCall(Running, grpc.aio.UnaryStreamCall[Any, Any]):
    """
    One call, which runs as a task of its own up to where its reader keeps up.

    What was sent before the end is read before it; after `cancel` and past the deadline nothing is.
    """

    def __init__(
        self, metadata: Sent, timeout: float | None, deserialize: Callable[[bytes], Any]
    ) -> None:
        super().__init__(metadata, timeout, deserialize)
        self._sent: deque[bytes] = deque()
        self._size = 0
        self._moved = asyncio.Event()

    async def read(self) -> Any:
        """Return the next answer, EOF after the last; raise how the call ended if not well."""
        try:
            while not self._sent and not self._ended.done():
                await self._move()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if self._sent:
            message = self._sent.popleft()
            self._size -= len(message)
            self._moved.set()
            return self._deserialize(message)
        self._check()
        return EOF

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._all()

    async def _all(self) -> AsyncIterator[Any]:
        while (message := await self.read()) is not EOF:
            yield message

    async def _answer(self, handler: Handler, message: Any, context: Context) -> None:
        assert isinstance(context, _StreamContext)
        context.serialize = handler.response_serializer
        answers = handler.unary_stream(message, context)
        if inspect.isasyncgen(answers):
            async for answer in answers:
                await context.write(answer)
        else:
            await answers

    def _context(self) -> Context:
        return _StreamContext(self._metadata, self)

    async def send(self, message: bytes) -> None:
        """Put an answer where it is read; wait until there is room for another."""
        self._sent.append(message)
        self._size += len(message)
        self._moved.set()
        while self._size > WINDOW:
            await self._move()

    async def _move(self) -> None:
        """Return when an answer came or went, or the call ended."""
        self._moved.clear()
        await self._moved.wait()

    def _end(self, code: StatusCode, details: str, trailing: Sent = ()) -> None:
        super()._end(code, details, trailing)
        self._moved.set()

    def _stop(self) -> None:
        self._sent.clear()
        super()._stop()


class _StreamContext(Context):
    """What servicers of streams use besides."""

    __slots__ = ("_stream", "serialize")

    def __init__(self, metadata: Sent, call: StreamCall) -> None:
        super().__init__(metadata, call)
        self._stream = call
        self.serialize: Callable[[Any], bytes] = bytes

    async def write(self, message: Any) -> None:
        await self._stream.send(self.serialize(message))
