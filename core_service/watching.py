"""
The use case of watching: the changes of a workspace as they happen, from a place in its log on.

The log gives every entry the next number, under the lock of its workspace. So the order of the
numbers is that of the commits, whoever reads up to one and goes on from it misses none, and a
number that is not there was there and is no longer kept.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import history, listing, views
from core_service.context import Context
from core_service.core import Caller, Core
from core_service.group_lookup import groups_by_ids
from core_service.reach import check_scope
from core_service.rules.wording import invalid
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.user_lookup import hidden

POLL_SECONDS = 1.0
"""How often the log is looked at, for what other processes write to it."""
DEFAULT_HEARTBEAT = 15.0
SHORTEST_HEARTBEAT, LONGEST_HEARTBEAT = 1.0, 60.0

_PAGE = 100
# Writes that follow each other closely are read together, not one by one.
_GATHER_SECONDS = 0.02
# What was read longer ago is read again before it is sent, if its reader was slow.
_FRESH_SECONDS = 1.0
_RESOURCES = "users.read groups.read"


async def changes(
    core: Core, caller: Caller, request: api.WatchChangesRequest
) -> AsyncGenerator[api.WatchChangesResponse | None, None]:
    """
    Yield every change from a place on; None at least once a second while there is none.

    The first response comes at once and has no entry: its resume token is where the stream begins.

    Raises:
        DirectoryError: FIELD_INVALID (heartbeat), SCOPE_MISSING, PAGE_TOKEN_INVALID (not ours, or
            what followed is no longer kept), WORKSPACE_NOT_FOUND.
    """
    silence = _heartbeat(request)
    if request.include_resources:
        check_scope(caller.scopes, _RESOURCES)
    watch = await _begin(core, caller, request)
    yield watch.response()
    spoke = time.monotonic()
    with core.news.of(caller.workspace_id) as news:
        while True:
            news.clear()
            page = await watch.read()
            read = time.monotonic()
            for response in page:
                watch.last = response.entry.sequence
                if watch.tells(response):
                    yield response
                    spoke = time.monotonic()
                if time.monotonic() - read > _FRESH_SECONDS:
                    break
            if time.monotonic() - spoke >= silence:
                yield watch.response()
                spoke = time.monotonic()
            else:
                yield None
            if not page:
                await _wait(news, min(POLL_SECONDS, spoke + silence - time.monotonic()))


@dataclass(slots=True)
class _Watch:
    """
    A place in the log of a workspace, which moves on.

    Attributes:
        create_time: When the workspace was created.
        last: The sequence of the last entry before the place.
    """

    core: Core
    caller: Caller
    request: api.WatchChangesRequest
    create_time: int
    last: int

    def response(self) -> api.WatchChangesResponse:
        """Return a response without an entry, with the place as it is now."""
        return api.WatchChangesResponse(resume_token=self._token(self.last))

    def tells(self, response: api.WatchChangesResponse) -> bool:
        """Return whether the request wants to know of an entry."""
        return self.request.include_refusals or not response.entry.reason

    async def read(self) -> list[api.WatchChangesResponse]:
        """Return the entries that follow the place, at most a page, as they are told."""
        # Readers hang up at any moment; a statement that is cut short costs its connection.
        return await asyncio.shield(self.core.storage.read(self._read))

    async def _read(self, tx: Transaction) -> list[api.WatchChangesResponse]:
        context = await self.core.contexts.read(tx, self.caller.workspace_id)
        if context.create_time != self.create_time:
            raise _gone()
        rows = await store.log_after(tx, context.id, self.last, _PAGE)
        if [row.sequence for row in rows] != [self.last + 1 + n for n in range(len(rows))]:
            raise _gone()
        page = [
            api.WatchChangesResponse(
                resume_token=self._token(row.sequence), entry=history.entry(row)
            )
            for row in rows
        ]
        if self.request.include_resources and page:
            await self._add_resources(tx, context, page)
        return page

    async def _add_resources(
        self, tx: Transaction, context: Context, page: list[api.WatchChangesResponse]
    ) -> None:
        targets = {response.entry.target_id for response in page if self.tells(response)} - {""}
        rows = await store.users_by_ids(tx, context.id, sorted(targets))
        seen = [row for row in rows if not hidden(row, self.caller)]
        shown = await views.users(tx, context, seen, provisions=self.caller.provisions)
        users = {user.id: user for user in shown}
        groups = await groups_by_ids(tx, context, sorted(targets - users.keys()))
        for response in page:
            target = response.entry.target_id
            if target in users:
                response.user.CopyFrom(users[target])
            elif target in groups:
                response.group.CopyFrom(groups[target])

    def _token(self, sequence: int) -> str:
        scope = _scope(self.caller, self.create_time)
        return listing.token(self.core.page_key, scope, [sequence])


async def _begin(core: Core, caller: Caller, request: api.WatchChangesRequest) -> _Watch:
    """Return the place that the request names."""

    async def work(tx: Transaction) -> _Watch:
        context = await core.contexts.read(tx, caller.workspace_id)
        oldest, newest = await store.log_ends(tx, caller.workspace_id)
        place = newest
        if request.resume_token:
            scope = _scope(caller, context.create_time)
            place = int(pages.decode_token(core.page_key, scope, request.resume_token)[0] or 0)
            if not oldest - 1 <= place <= newest:
                raise _gone()
        elif request.from_beginning:
            place = await _beginning(tx, caller.workspace_id)
        return _Watch(core, caller, request, context.create_time, place)

    return await core.storage.read(work)


async def _beginning(tx: Transaction, workspace_id: str) -> int:
    """
    Return the place before the oldest entries, without those that retention has left alone.

    It goes by time, which is not to the millisecond the order of the numbers.
    """
    rows = await store.log_after(tx, workspace_id, 0, _PAGE)
    place = last = 0
    for row in rows:
        if row.sequence != last + 1:
            place = row.sequence - 1
        last = row.sequence
    return place


def _scope(caller: Caller, create_time: int) -> str:
    return listing.scope(caller.workspace_id, "changes", None, str(create_time))


def _heartbeat(request: api.WatchChangesRequest) -> float:
    """Return the longest time between two responses, in seconds."""
    if not request.HasField("heartbeat"):
        return DEFAULT_HEARTBEAT
    sent: Duration = request.heartbeat
    seconds = sent.seconds + sent.nanos / 1e9
    if not SHORTEST_HEARTBEAT <= seconds <= LONGEST_HEARTBEAT:
        raise invalid(
            "heartbeat",
            f"A heartbeat every {seconds:g} seconds cannot be had. Ask for 1 to 60 seconds.",
            value=f"{seconds:g}",
        )
    return seconds


async def _wait(news: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()
            await asyncio.sleep(_GATHER_SECONDS)


def _gone() -> DirectoryError:
    return DirectoryError(
        "PAGE_TOKEN_INVALID",
        "What followed the place of the resume token is no longer kept. Begin anew: without a "
        "token, and with a listing of what there is.",
    )
