"""The door of RPCs that answer with a stream; for the rest it is the door of all others."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

import grpc
from userdirectory.errors import DirectoryError

from core_service.core import Caller
from core_service.service.door import A, Call, Q, S

_LOOK_SECONDS = 0.5


def stream(
    use_case: Callable[[S, Q, Caller], AsyncGenerator[A | None, None]],
) -> Callable[[S, Q, "grpc.aio.ServicerContext[Q, A]"], Awaitable[None]]:
    """
    Return *use_case* as the method of a servicer, which is named like the RPC.

    As `rpc`, and for as long as the stream lives: its credential is looked at anew, so that the
    stream ends soon after it was revoked; when the server stops it ends at once, UNAVAILABLE. The
    next answer is made when the last one has been taken, so that a slow reader costs no memory.

    Args:
        use_case: Yields the answers, and None at least once a second while there is none.
    """

    @functools.wraps(use_case)
    async def method(service: S, request: Q, context: "grpc.aio.ServicerContext[Q, A]") -> None:
        call = Call(service, use_case.__name__, request, context)
        async with call.answered() as deadline:
            with service.traffic.streaming(deadline):
                caller = await call.enter()
                async with contextlib.aclosing(use_case(service, request, caller)) as answers:
                    await _send(call, answers)

    return method


async def _send(call: Call, answers: AsyncGenerator[A | None, None]) -> None:
    looked = time.monotonic()
    try:
        async for answer in answers:
            if time.monotonic() - looked >= _LOOK_SECONDS:
                await call.authenticate()
                looked = time.monotonic()
            if answer is not None:
                await _write(call, answer)
    except DirectoryError as error:
        if error.reason == "WORKSPACE_NOT_FOUND" and call.caller is not None:
            # It took its credentials with it: who had one of them is told that of it.
            call.service.identity.forget(call.caller.workspace_id)
            await call.authenticate()
        raise


async def _write(call: Call, answer: A) -> None:
    try:
        await call.context.write(answer)
    except grpc.aio.InternalError as error:
        # The reader hung up; that the work is cancelled for it is on the way.
        raise asyncio.CancelledError from error
