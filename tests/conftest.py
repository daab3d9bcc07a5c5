"""What tests of the whole have in common: databases, and directories that run on them."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from core_service import verify
from tests import workspaces
from tests.system import System, Systems

pytest_plugins = ["tests.rules_table", "tests.storage_fixtures"]

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
async def systems(new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Systems]:
    """The directories of this run, one on each database, started when first asked for."""
    async with contextlib.AsyncExitStack() as stack:
        yield Systems(stack, new_database)


@pytest.fixture(autouse=True)
async def verified(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """After every test, find that each workspace it made keeps all the rules."""
    workspaces.under_test.clear()
    yield
    if request.node.get_closest_marker("violates") is None:
        for core, workspace_id in workspaces.under_test:
            assert [] == await verify.findings(core.storage, [workspace_id])


@pytest.fixture(scope="session", params=DATABASES)
async def directory(request: pytest.FixtureRequest, systems: Systems) -> System:
    """A whole directory in this process, on each database."""
    return await systems.on(request.param)
