"""A core that answers what a test says, behind a real socket, and remembers what it was asked."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from userdirectory import status
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2

SERVICES = (
    user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"],
    workspace_admin_pb2.DESCRIPTOR.services_by_name["WorkspaceAdmin"],
)

# An answer, an error with a reason, or the bare status of a call that fails for another cause; a
# stream is a list of answers, which one of the others may end.
Reply = Message | DirectoryError | tuple[grpc.StatusCode, str]
Replies = Reply | list[Reply]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that arrived: the method's name, the request, the metadata."""

    method: str
    request: Any
    metadata: dict[str, str]
    seconds_left: float


@dataclass(slots=True)
class Core:
    """
    What the stand-in was asked and what it answers.

    Attributes:
        asked: The calls in the order of their arrival.
        replies: By method; a function is given the request. Others answer an empty message.
    """

    asked: list[Asked] = field(default_factory=list)
    replies: dict[str, Replies | Callable[[Any], Replies]] = field(default_factory=dict)

    @property
    def only(self) -> Asked:
        """The one call that arrived."""
        assert len(self.asked) == 1, [call.method for call in self.asked]
        return self.asked[0]

    def clear(self) -> None:
        """Forget everything."""
        self.asked.clear()
        self.replies.clear()


def handlers(core: Core) -> list[grpc.GenericRpcHandler]:
    """Return the services of the contract, answered by *core*."""
    return [
        grpc.method_handlers_generic_handler(
            service.full_name,
            {method.name: _handler(core, method) for method in service.methods},
        )
        for service in SERVICES
    ]


def _handler(core: Core, method: Any) -> grpc.RpcMethodHandler:
    request_type = GetMessageClass(method.input_type)
    reply_type = GetMessageClass(method.output_type)

    def reply_to(request: Any, call: grpc.aio.ServicerContext) -> Any:
        metadata = dict(call.invocation_metadata() or ())
        core.asked.append(Asked(method.name, request, metadata, call.time_remaining()))
        reply: Any = core.replies.get(method.name, reply_type())
        if callable(reply) and not isinstance(reply, Message):
            reply = reply(request)
        return reply

    async def answer(request: Any, call: grpc.aio.ServicerContext) -> Message:
        return await _given(reply_to(request, call), call)

    async def stream(request: Any, call: grpc.aio.ServicerContext) -> AsyncIterator[Message]:
        for reply in reply_to(request, call):
            yield await _given(reply, call)

    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(
            stream,
            request_deserializer=request_type.FromString,
            response_serializer=reply_type.SerializeToString,
        )
    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=request_type.FromString,
        response_serializer=reply_type.SerializeToString,
    )


async def _given(reply: Any, call: grpc.aio.ServicerContext) -> Message:
    """Return an answer; end the call if it is an error."""
    if isinstance(reply, DirectoryError):
        details = (status.DETAILS_KEY, status.details(reply))
        trace = ((status.TRACE_KEY, reply.trace_id),) if reply.trace_id else ()
        call.set_trailing_metadata((details, *trace))
        await call.abort(reply.code, reply.message)
    if isinstance(reply, tuple):
        await call.abort(*reply)
    answer: Message = reply
    return answer
