"""
How clients watch a workspace: one stream of changes, over as many connections as it takes.

The stream goes on behind the last response that was handed out whenever the directory is away. So
each change is handed out at least once and in order; what the consumer has dealt with, only the
consumer knows: it keeps the resume token of that.
"""

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, NamedTuple

import grpc
import tenacity
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.log_pb2 import LogEntry
from userdirectory.v1.user_pb2 import User
from userdirectory.v1.workspace_admin_pb2 import WatchChangesRequest, WatchChangesResponse

from clients.calls import Client
from clients.steps import Stream

_LONGEST_WAIT_SECONDS = 15.0


class Change(NamedTuple):
    """
    What the directory tells of a workspace.

    Attributes:
        entry: What happened; None if nothing did for a while, or where a stream begins.
        resource: What the entry is about, as it is now; None if it is gone or was not asked for.
        resume_token: Where to go on once this is dealt with.
    """

    entry: LogEntry | None
    resource: User | Group | None
    resume_token: str


class _EndedError(Exception):
    """The directory ended a stream without a word; it goes on at another connection."""


def watch_changes(
    resume_token: str = "",
    *,
    from_beginning: bool = False,
    include_refusals: bool = False,
    include_resources: bool = False,
    heartbeat_seconds: float = 15.0,
) -> Stream[Change]:
    """
    Yield the changes of the workspace behind a place, for ever, and where each leads to.

    The first one has no entry and says where the stream begins; so does one after a while in
    which nothing happened. While the directory is away the iterator waits and goes on behind
    what it yielded last, so that each change comes at least once and in order. Keep the resume
    token of what you have dealt with; it is good for any later call.

    Args:
        resume_token: Behind what to begin; empty: with what happens from now on.
        from_beginning: Begin with the oldest entry that is kept, if there is no token.
        include_refusals: Also what was refused.
        include_resources: With the user or group as it is then.
        heartbeat_seconds: The longest silence: 1 to 60.

    Raises:
        DirectoryError: PAGE_TOKEN_INVALID if what followed the place is no longer kept: list
            what there is and begin anew; CREDENTIAL_INVALID, SCOPE_MISSING, FIELD_INVALID.
    """
    heartbeat = Duration()
    heartbeat.FromNanoseconds(round(heartbeat_seconds * 1e9))
    request = WatchChangesRequest(
        resume_token=resume_token,
        from_beginning=from_beginning,
        heartbeat=heartbeat,
        include_refusals=include_refusals,
        include_resources=include_resources,
    )
    return Stream(request)


def watch(
    client: Client, method: Callable[..., Any], request: WatchChangesRequest
) -> Generator[Change, None, None]:
    """Yield what *method* of a stub tells, for ever; what refuses it is raised."""
    for response in responses(client, method, request):
        yield _change(response)


def responses(
    client: Client,
    method: Callable[..., Any],
    request: WatchChangesRequest,
    *,
    on_pause: Callable[[float], None] | None = None,
    waits_to_begin: bool = True,
) -> Generator[WatchChangesResponse, None, None]:
    """
    Yield the responses of *method* of a stub, for ever; what refuses it is raised.

    Args:
        request: Where to begin; its `resume_token` is moved on.
        on_pause: Told that the directory is away, and the seconds until the next try.
        waits_to_begin: Whether to wait also for the first response while the directory is away.
    """
    call: Any = None
    began = waits_to_begin

    def read() -> WatchChangesResponse:
        nonlocal call
        try:
            if call is None:
                call = method(request, metadata=client.metadata)
            response: WatchChangesResponse = next(call)
        except StopIteration:
            call = None
            raise _EndedError from None
        except grpc.RpcError:
            call = None
            raise
        return response

    client.name_workspace(request)
    retrying = tenacity.Retrying(**_tries(lambda error: began and _is_away(error), on_pause))
    try:
        while True:
            try:
                response = retrying(read)
            except grpc.RpcError as error:
                client.refuse(error)
            began = True
            request.resume_token = response.resume_token
            yield response
    finally:
        if call is not None:
            call.cancel()


async def watch_async(
    client: Client, method: Callable[..., Any], request: WatchChangesRequest
) -> AsyncGenerator[Change, None]:
    """Yield what *method* of an asyncio stub tells, for ever; what refuses it is raised."""
    call: Any = None

    async def read() -> WatchChangesResponse:
        nonlocal call
        try:
            if call is None:
                call = method(request, metadata=client.metadata)
            response = await call.read()
        except grpc.RpcError:
            call = None
            raise
        if not isinstance(response, WatchChangesResponse):  # it is EOF
            call = None
            raise _EndedError
        return response

    client.name_workspace(request)
    retrying = tenacity.AsyncRetrying(**_tries(_is_away))
    try:
        while True:
            try:
                response: WatchChangesResponse = await retrying(read)
            except grpc.RpcError as error:
                client.refuse(error)
            request.resume_token = response.resume_token
            yield _change(response)
    finally:
        if call is not None:
            call.cancel()


def _tries(
    again: Callable[[BaseException], bool], on_pause: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Return when a stream connects again, as arguments of tenacity: for ever, if it is away."""

    def tell(state: tenacity.RetryCallState) -> None:
        if on_pause is not None and state.next_action is not None:
            on_pause(state.next_action.sleep)

    return {
        "retry": tenacity.retry_if_exception(again),
        "wait": tenacity.wait_random_exponential(multiplier=0.2, max=_LONGEST_WAIT_SECONDS),
        "before_sleep": tell,
        "reraise": True,
    }


def _is_away(error: BaseException) -> bool:
    if isinstance(error, grpc.RpcError):
        return bool(error.code() is grpc.StatusCode.UNAVAILABLE)
    return isinstance(error, _EndedError)


def _change(response: WatchChangesResponse) -> Change:
    kind = response.WhichOneof("resource")
    return Change(
        entry=response.entry if response.HasField("entry") else None,
        resource=getattr(response, kind) if kind else None,
        resume_token=response.resume_token,
    )
