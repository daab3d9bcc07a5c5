"""
A channel to services in the same process and event loop: the semantics of a socket without one.

Messages are serialised and parsed on the way, so that neither side sees what the other does with
its message afterwards; that costs about three microseconds a call. Metadata, deadlines,
cancellation, limits and errors are those of a socket, and the same tests run over both.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import grpc

from core_service.call import Call, Handler, Running, Sent
from core_service.stream_call import StreamCall

R = TypeVar("R", bound=Running)
_KEY = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")


class InProcessChannel(grpc.aio.Channel):
    """
    Offers the services that were added to it, as a server would, to stubs made with it.

    `add_XServicer_to_server(servicer, channel)` adds a service. Callers send one message: the
    contract has no streams of requests.
    """

    def __init__(self) -> None:
        """Make a channel without services."""
        self._handlers: dict[str, Handler] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Do nothing; `add_registered_method_handlers` gets the same handlers by name."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Offer the methods of a service; generated code calls this."""
        for name, handler in method_handlers.items():
            if not handler.request_streaming:
                self._handlers[f"/{service_name}/{name}"] = handler

    def unary_unary(  # type: ignore[override]  # the stub file leaves out _registered_method
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        _registered_method: bool | None = False,
    ) -> "_Method":
        """Return what a stub calls for *method*: `/package.Service/Method`."""
        return _Method(self, method, request_serializer, response_deserializer)

    def unary_stream(  # type: ignore[override]  # the stub file leaves out _registered_method
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        _registered_method: bool | None = False,
    ) -> "_StreamMethod":
        """Return what a stub calls for *method*, which is answered with a stream."""
        return _StreamMethod(self, method, request_serializer, response_deserializer)

    def begin(self, call: Running, method: str, request: bytes) -> None:
        """Start a call; only the methods of stubs do."""
        if self._closed:
            raise grpc.aio.UsageError("Channel is closed.")
        task = call.start(self._handlers.get(method), request)
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, grace: float | None = None) -> None:
        """
        Refuse new calls, let those that run end, and return when none runs any more.

        Args:
            grace: After so many seconds the calls that still run are cancelled; None: at once.
        """
        self._closed = True
        if self._tasks and grace:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: ARG002
        """Return READY, or SHUTDOWN after `close`."""
        state = grpc.ChannelConnectivity
        return state.SHUTDOWN if self._closed else state.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Return at once if the state differs; it changes by `close` alone and is not awaited."""
        if self.get_state() is last_observed_state:
            raise NotImplementedError("The state of a channel in the process does not change.")

    async def channel_ready(self) -> None:
        """Return at once: there is nothing to connect to."""

    async def __aenter__(self) -> Self:
        """Return the channel."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the channel."""
        await self.close()

    def stream_unary(self, *_: object, **__: object) -> Any:
        """Return what raises NotImplementedError when it is called: nobody sends a stream."""
        return _no_stream

    stream_stream = stream_unary


def _no_stream(*_: object, **__: object) -> NoReturn:
    raise NotImplementedError("Streams of requests need a socket; the contract has none.")


class _Calling:
    """One method of a stub."""

    def __init__(
        self,
        channel: InProcessChannel,
        method: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
    ) -> None:
        self._channel = channel
        self._method = method
        self._serialize = serialize
        self._deserialize = deserialize

    def _begin(
        self,
        kind: type[R],
        request: Any,
        metadata: Iterable[tuple[str, str | bytes]] | None,
        timeout: float | None,
    ) -> R:
        call = kind(_sendable(metadata or ()), timeout, self._deserialize)
        self._channel.begin(call, self._method, self._serialize(request))
        return call


class _Method(_Calling, grpc.aio.UnaryUnaryMultiCallable[Any, Any]):
    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.CallCredentials | None = None,  # noqa: ARG002
        wait_for_ready: bool | None = None,  # noqa: ARG002
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> Call:
        return self._begin(Call, request, metadata, timeout)


class _StreamMethod(_Calling, grpc.aio.UnaryStreamMultiCallable[Any, Any]):
    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str | bytes]] | None = None,
        credentials: grpc.CallCredentials | None = None,  # noqa: ARG002
        wait_for_ready: bool | None = None,  # noqa: ARG002
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> StreamCall:
        return self._begin(StreamCall, request, metadata, timeout)


def _sendable(metadata: Iterable[tuple[str, str | bytes]]) -> Sent:
    """Return *metadata* as it arrives; ValueError or TypeError if no socket would carry it."""
    arrived = []
    for key, value in metadata:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"Metadata keys are lower-case letters, digits, '-', '_', '.': {key!r}"
            )
        if key.endswith("-bin"):
            if not isinstance(value, bytes):
                raise TypeError(f"Metadata whose key ends with '-bin' is bytes: {key!r}")
        else:
            value = value.decode("ascii") if isinstance(value, bytes) else value
            if not _VALUE.fullmatch(value):
                raise ValueError(f"The metadata value of {key!r} has characters that HTTP has not.")
        arrived.append((key, value))
    return tuple(arrived)
