"""A core on each database, called over both channels, and the streams of its changes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration
from userdirectory.v1.log_pb2 import LogEntry
from userdirectory.v1.workspace_admin_pb2 import WatchChangesRequest, WatchChangesResponse
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from core_service.core import Caller
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.storage.tables import workspaces
from core_service.storage.tables_history import log
from core_service.tokens import parse
from tests.contract.conftest import bearer, clock, core, identity, storage, world
from tests.history.conftest import Office, office_in

__all__ = ["clock", "core", "identity", "storage", "world"]

SECONDS = 20.0
"""How long a test waits for what must come."""

_MINE = sa.bindparam("workspace_id", type_=sa.Text())
_PURGE = sa.delete(log).where(
    log.c.workspace_id == _MINE,
    log.c.sequence < sa.bindparam("before", type_=sa.BigInteger()),
    log.c.sequence >= sa.bindparam("since", type_=sa.BigInteger()),
)
_DROP = sa.delete(workspaces).where(workspaces.c.id == _MINE)


class Stream:
    """
    The changes of a workspace, as a product reads them.

    Attributes:
        token: The resume token of the last response.
    """

    def __init__(self, office: Office, token: str = "", product: str = "", **wanted: Any) -> None:
        """Begin to watch behind *token*, as *product*; *wanted* are fields of the request."""
        request = WatchChangesRequest(
            workspace_id=office.place.workspace_id, resume_token=token, **wanted
        )
        metadata = bearer(product or office.product)
        self.call = WorkspaceAdminStub(office.world.channel).WatchChanges(
            request, metadata=metadata
        )
        self.token = ""

    async def response(self) -> WatchChangesResponse:
        """Return the next response, which may say nothing."""
        response = await self.call.read()
        self.token = response.resume_token
        return response

    async def change(self) -> WatchChangesResponse:
        """Return the next response with an entry."""
        async with asyncio.timeout(SECONDS):
            while not (response := await self.response()).HasField("entry"):
                pass
        return response

    async def entries(self, count: int) -> list[LogEntry]:
        """Return the next entries."""
        return [(await self.change()).entry for _ in range(count)]


@contextlib.asynccontextmanager
async def watching(office: Office, token: str = "", **wanted: Any) -> AsyncIterator[Stream]:
    """Give a stream that has begun: what is written from now on is in it."""
    stream = Stream(office, token, **wanted)
    try:
        first = await stream.response()
        assert not first.HasField("entry")
        yield stream
    finally:
        stream.call.cancel()


def heartbeat(seconds: float) -> Duration:
    """Return a duration."""
    return Duration(seconds=int(seconds), nanos=round((seconds - int(seconds)) * 1e9))


@pytest.fixture
async def office(world) -> Office:
    """A fresh workspace."""
    return await office_in(world)


async def purge(office: Office, before: int, since: int = 0) -> None:
    """Delete the entries with a smaller sequence, as retention does, but none before *since*."""
    await _run(office, _PURGE, before=before, since=since)


async def drop(office: Office) -> None:
    """Delete the workspace."""
    await _run(office, _DROP)


async def revoke(office: Office, token: str) -> None:
    """Revoke a credential."""
    public_id, _ = parse(token)

    async def work(tx: Transaction) -> None:
        row = await store.credential(tx, public_id)
        await store.update_credential(tx, row._replace(revoke_time=office.world.clock.micros))

    await office.world.core.storage.write("", work)


async def row_of(office: Office) -> store.WorkspaceRow:
    """Return the row of the workspace."""
    workspace_id = office.place.workspace_id
    row = await office.world.core.storage.read(lambda tx: store.workspace(tx, workspace_id))
    assert row is not None
    return row


async def insert(office: Office, row: store.WorkspaceRow) -> None:
    """Insert a workspace."""
    await office.world.core.storage.write("", lambda tx: store.insert_workspace(tx, row))


async def fill(office: Office, count: int, size: int) -> None:
    """Add entries of so many bytes to the log."""
    document = LogEntry(message="x" * size).SerializeToString()
    row = store.LogRow(office.place.workspace_id, 0, 0, "", "", "", "X", "", "", document)

    async def work(tx: Transaction) -> None:
        for _ in range(count):
            await store.insert_log(tx, row)

    await office.world.core.storage.write(office.place.workspace_id, work)


def product_of(office: Office) -> Caller:
    """Return a caller who may do all in the workspace."""
    return Caller(office.place.workspace_id, "", "", frozenset("*"), "0" * 32, "Tests")


async def _run(office: Office, statement: sa.Delete, **values: Any) -> None:
    values["workspace_id"] = office.place.workspace_id
    await office.world.core.storage.write("", lambda tx: tx.run(statement, values))
