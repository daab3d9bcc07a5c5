"""A whole directory in this process: storage, core, gateway, on sockets of the loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import grpc
import uvicorn
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from core_service import credentials
from core_service import settings as core_settings
from core_service.channel import InProcessChannel
from core_service.core import Core
from core_service.identity import Identity
from core_service.opening import make_core, recording
from core_service.rate_limits import Limits
from core_service.server import start_server
from core_service.service import add_services
from core_service.storage.database import open_storage
from scim_gateway.app import Stubs, create_app
from scim_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class System:
    """
    A directory that runs.

    Attributes:
        database_url: Its database.
        core: The core, for what has no RPC.
        process: A channel to the core within this process.
        address: Where the core answers gRPC: `127.0.0.1:41234`.
        base_url: Where the gateway answers SCIM.
        service_token: A credential for everything in all workspaces.
    """

    database_url: str
    core: Core
    process: grpc.aio.Channel
    address: str
    base_url: str
    service_token: str


class Systems:
    """The directories of a test run, one on each database, started when first asked for."""

    def __init__(
        self, stack: contextlib.AsyncExitStack, new_database: Callable[[str], Awaitable[str]]
    ) -> None:
        """
        Start nothing yet.

        Args:
            stack: Ends what is started.
            new_database: Returns the URL of an empty database of a kind: `sqlite`.
        """
        self._stack = stack
        self._new_database = new_database
        self._started: dict[str, System] = {}

    async def on(self, kind: str) -> System:
        """Return the directory on a database of a kind: `sqlite` or `postgresql`."""
        if kind not in self._started:
            url = await self._new_database(kind)
            self._started[kind] = await self._stack.enter_async_context(running(url))
        return self._started[kind]


@contextlib.asynccontextmanager
async def running(database_url: str, *, limits: Limits | None = None) -> AsyncIterator[System]:
    """
    Give a directory on a database, whose gateway reaches the core within the process.

    Args:
        limits: What callers may ask in a time; None for as much as they like.
    """
    async with contextlib.AsyncExitStack() as stack:
        storage = await open_storage(database_url)
        stack.push_async_callback(storage.close)
        core = await make_core(storage)
        await stack.enter_async_context(recording(core, 5.0))
        identity = Identity(core, limits=limits)
        process = InProcessChannel()
        add_services(core, identity, process)  # type: ignore[arg-type]
        stack.push_async_callback(process.close)
        server = await start_server(core, identity, core_settings.read({"grpc_port": "0"}, {}))
        stack.push_async_callback(server.stop, 5.0)
        yield System(
            database_url=database_url,
            core=core,
            process=process,
            address=server.address,
            base_url=await stack.enter_async_context(gateway(process)),
            service_token=await credentials.issue_service_token(core, "Tests", "*"),
        )


@contextlib.asynccontextmanager
async def gateway(channel: grpc.aio.Channel) -> AsyncIterator[str]:
    """Give the base URL of a gateway in front of the core at *channel*."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        base_url = f"http://127.0.0.1:{port}/scim/v2"
        stubs = Stubs(UserDirectoryStub(channel), WorkspaceAdminStub(channel))
        app = create_app(stubs, Settings(port=port, public_url=base_url))
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            http="httptools",
            ws="none",
            proxy_headers=False,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.wait_for(server.ready.wait(), 10)
            yield base_url
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """A server that says when it is ready and leaves the signals to the tests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
