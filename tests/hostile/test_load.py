"""Many slow requests at once: each ends in time, and who asks for something else is served."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
from userdirectory.v1 import policy_pb2
from userdirectory.v1.user_directory_pb2 import CreateUserRequest, GetUserRequest
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import User, UserRef

from core_service import verify
from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.identity import Identity
from core_service.opening import make_core
from core_service.service import add_services
from core_service.storage.database import open_storage
from tests.contract.conftest import bearer
from tests.hostile.conftest import assert_refused
from tests.scim import Answer, Scim, person
from tests.storage_fixtures import NewDatabase
from tests.system import Systems, gateway
from tests.workspaces import Place, new_place, under_test

PASSWORDS = 200
POOL, SLOW, WORKSPACES = 5, 50, 10
BOUND_SECONDS = 20.0
"""More than a write tries again and waits for a lock and a connection, less than any deadline."""


async def test_passwords_are_hashed_a_few_at_a_time(systems: Systems):
    """D06: while 200 users are created with passwords, reads take less than a second."""
    directory = await systems.on("sqlite")
    place = await new_place(directory.core, policy_pb2.PRESET_STRICT_RFC)
    stub, metadata = UserDirectoryStub(directory.process), bearer(place.token)
    creating = [
        asyncio.ensure_future(
            stub.CreateUser(
                CreateUserRequest(user=User(user_name=f"u{number}", password="correct horse")),
                metadata=metadata,
                timeout=60,
            )
        )
        for number in range(PASSWORDS)
    ]
    taken = []
    while not all(each.done() for each in creating):
        began = time.perf_counter()
        await stub.GetUser(GetUserRequest(user=UserRef(id=place.admin_id)), metadata=metadata)
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(0.01)
    made = {(await each).user.id for each in creating}

    assert len(made) == PASSWORDS
    assert len(taken) > 20
    assert sorted(taken)[int(len(taken) * 0.99)] < 1


@contextlib.asynccontextmanager
async def narrow(url: str) -> AsyncIterator[tuple[Core, str]]:
    """Give a core with few connections, and the base URL of its gateway."""
    async with contextlib.AsyncExitStack() as stack:
        storage = await open_storage(url, pool_size=POOL)
        stack.push_async_callback(storage.close)
        core = await make_core(storage)
        channel = await stack.enter_async_context(InProcessChannel())
        add_services(core, Identity(core), channel)  # type: ignore[arg-type]
        yield core, await stack.enter_async_context(gateway(channel))


@contextlib.asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Hold the rows of all workspaces, so that no write of theirs goes on."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM workspaces FOR UPDATE")
            yield
    finally:
        await connection.close()


def create(base_url: str, place: Place, name: str) -> tuple[Answer, float]:
    """Return the answer to creating a user, and how many seconds it took."""
    began = time.perf_counter()
    with Scim(base_url, place.token, 40) as client:
        answer = client.post("/Users", person(f"{name}@{place.workspace_id}.example"))
        return answer, time.perf_counter() - began


async def test_slow_requests_do_not_pile_up(new_database: NewDatabase):
    """F06, F07: 50 that wait for a lock on 5 connections are 503 in time; then all is well."""
    url = await new_database("postgresql")
    loop = asyncio.get_running_loop()
    async with narrow(url) as (core, base_url):
        places = [await new_place(core) for _ in range(WORKSPACES)]
        with ThreadPoolExecutor(SLOW) as clients:

            def all_create(times: int, name: str) -> list[asyncio.Future[tuple[Answer, float]]]:
                return [
                    loop.run_in_executor(clients, create, base_url, place, f"{name}{number}")
                    for place in places
                    for number in range(times)
                ]

            async with locked(url):
                slow = await asyncio.gather(*all_create(SLOW // WORKSPACES, "slow"))
            later = await asyncio.gather(*all_create(1, "later"))
        left = await _open_transactions(url)
        found = await verify.findings(core.storage)
    under_test.clear()  # their storage is closed

    for answer, seconds in slow:
        assert_refused(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
        assert seconds < BOUND_SECONDS
    assert {answer.status for answer, _ in later} == {201}
    assert left == 0
    assert found == []


async def _open_transactions(url: str) -> int:
    """Return how many other connections to the database are in a transaction."""
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        return count
    finally:
        await connection.close()
