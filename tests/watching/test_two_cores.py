"""Two cores on one PostgreSQL: who watches at one sees what the other writes."""

import asyncio
import time

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1.user_pb2 import Name, User

from clients.directory import AsyncDirectory
from core_service import credentials
from core_service.storage import store
from core_service.tokens import parse
from tests.processes import Program, free_port
from tests.watching.serving import serving

SECONDS = 30.0


def start(database_url: str, folder) -> tuple[Program, str]:
    """Return a core as a process of its own, and where it will answer."""
    port = free_port()
    flags = f"--grpc-port={port}", f"--data={folder}"
    return Program("core_service", *flags, settings={"DATABASE_URL": database_url}), (
        f"127.0.0.1:{port}"
    )


async def test_writes_and_revocations_reach_the_other_process(new_database, tmp_path):
    """A write is told within two seconds, a revoked credential ends the stream within five."""
    database_url = await new_database("postgresql")
    async with serving(database_url) as at:
        writer = await credentials.issue_service_token(at.core, "W", "*", at.place.workspace_id)
        one, there = start(database_url, tmp_path)
        two, here = start(database_url, tmp_path)
        with one, two:
            one.wait_for("Serving gRPC")
            two.wait_for("Serving gRPC")
            async with AsyncDirectory(there, writer) as far, AsyncDirectory(here, at.token) as near:
                changes = near.watch_changes()
                await anext(changes)
                made = await _create(far, at.place.workspace_id)
                written = time.monotonic()
                told = await _next_entry(changes)
                seen = time.monotonic() - written
                await _revoke(at, at.token)
                revoked = time.monotonic()
                with pytest.raises(DirectoryError) as caught:
                    await _next_entry(changes)
                ended = time.monotonic() - revoked

    assert (told.entry.operation, told.entry.target_id) == ("CreateUser", made.id)
    assert seen < 2
    assert caught.value.reason == "CREDENTIAL_INVALID"
    assert ended < 5


async def test_a_core_with_watchers_stops_when_it_is_told(new_database, tmp_path):
    """SIGTERM ends it with 0 long before the grace time of 20 seconds; the client waits on."""
    database_url = await new_database("sqlite")
    async with serving(database_url) as at:
        program, address = start(database_url, tmp_path)
        with program:
            program.wait_for("Serving gRPC")
            async with AsyncDirectory(address, at.token) as directory:
                changes = directory.watch_changes()
                await anext(changes)
                began = time.monotonic()
                program.signal()
                status = await asyncio.to_thread(program.ended)
                took = time.monotonic() - began
                waiting = asyncio.create_task(anext(changes))
                done, _ = await asyncio.wait((waiting,), timeout=0.5)
                waiting.cancel()

    assert status == 0
    assert took < 5
    assert not done


async def _create(directory: AsyncDirectory, workspace_id: str) -> User:
    name = Name(given_name="Grace", family_name="Tester")
    user = User(user_name=f"grace@{workspace_id}.example", name=name)
    return (await directory.create_user(user)).user


async def _next_entry(changes):
    async with asyncio.timeout(SECONDS):
        while (change := await anext(changes)).entry is None:
            pass
    return change


async def _revoke(at, token: str) -> None:
    public_id, _ = parse(token)

    async def work(tx) -> None:
        row = await store.credential(tx, public_id)
        await store.update_credential(tx, row._replace(revoke_time=at.core.now()))

    await at.core.storage.write("", work)
