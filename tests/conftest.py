"""What tests of the whole have in common: databases, and directories that run on them."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop

from tests.system import System, Systems

pytest_plugins = ["tests.storage_fixtures"]

DATABASES = ("sqlite", "postgresql")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], Any]]:
    """Run the tests on the event loop that the programs use."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
async def systems(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Systems]:
    """The directories of this run, one on each database, started when first asked for."""
    async with contextlib.AsyncExitStack() as stack:
        yield Systems(stack, new_database)


@pytest.fixture(scope="session", params=DATABASES)
async def directory(request: pytest.FixtureRequest, systems: Systems) -> System:
    """A whole directory in this process, on each database."""
    return await systems.on(request.param)
