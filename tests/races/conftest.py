"""The arenas: every way in which two callers can meet at one database."""

import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest

from tests.processes import Program
from tests.races.arena import Arena, build
from tests.system import System, Systems, gateway

ARENAS = (
    "sqlite-process",
    "sqlite-socket",
    "postgresql-process",
    "postgresql-socket",
    "postgresql-two-cores",
)


@pytest.fixture(params=ARENAS)
async def arena(
    request: pytest.FixtureRequest, systems: Systems, cores: "Cores"
) -> AsyncIterator[Arena]:
    """A fresh workspace, with doors over a channel in the process, over sockets, to two cores."""
    database, way = request.param.split("-", 1)
    system = await systems.on(database)
    async with contextlib.AsyncExitStack() as stack:
        if way == "process":
            channels, base_url = (system.process, system.process), system.base_url
        elif way == "socket":
            first, second = [
                await stack.enter_async_context(_channel(system.address)) for _ in range(2)
            ]
            channels, base_url = (first, second), system.base_url
        else:
            channels, base_url = await cores.running(system)
        yield await build(system.core, channels, base_url, system.service_token)


@pytest.fixture(scope="session")
async def cores() -> AsyncIterator["Cores"]:
    """Two cores as processes of their own; they start when first asked for."""
    async with contextlib.AsyncExitStack() as stack:
        yield Cores(stack)


class Cores:
    """Two core processes on one database, and a gateway before the second."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        """Start nothing yet."""
        self._stack = stack
        self._started: tuple[tuple[grpc.aio.Channel, grpc.aio.Channel], str] | None = None

    async def running(
        self, system: System
    ) -> tuple[tuple[grpc.aio.Channel, grpc.aio.Channel], str]:
        """Return a channel to each core, and the gateway's base URL."""
        if self._started is None:
            programs = [
                self._stack.enter_context(
                    Program(
                        "core_service",
                        "--grpc-port=0",
                        settings={"DATABASE_URL": system.database_url},
                    )
                )
                for _ in range(2)
            ]
            first, second = [
                await self._stack.enter_async_context(_channel(_address(program)))
                for program in programs
            ]
            base_url = await self._stack.enter_async_context(gateway(second))
            self._started = (first, second), base_url
        return self._started


def _address(program: Program) -> str:
    return program.wait_for(r"Serving gRPC at (\S+?)\.?\s")[1]


def _channel(address: str) -> grpc.aio.Channel:
    # Channels with the same options share a connection unless they are told not to.
    return grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
