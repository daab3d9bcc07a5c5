"""A core on a database of its own with a server at a socket, which can stop and come back."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from core_service import credentials
from core_service.core import Caller, Core
from core_service.identity import Identity
from core_service.opening import make_core
from core_service.server import Server, start_server
from core_service.settings import read
from core_service.storage.database import open_storage
from tests.workspaces import Place, new_place, under_test


@dataclass
class Serving:
    """
    A core that is served.

    Attributes:
        caller: Who may do all in the workspace.
        token: Of a product that may read the log, users and groups of it.
    """

    core: Core
    place: Place
    caller: Caller
    token: str
    server: Server

    @property
    def address(self) -> str:
        """Where it answers, also after `start`."""
        return self.server.address

    async def stop(self) -> None:
        """Stop the server; the core goes on."""
        await self.server.stop(5)

    async def start(self) -> None:
        """Start a server at the same port."""
        self.server = await _server(self.core, self.server.port)


@contextlib.asynccontextmanager
async def serving(database_url: str) -> AsyncIterator[Serving]:
    """Give a core on a database, with one workspace."""
    storage = await open_storage(database_url)
    try:
        core = await make_core(storage)
        place = await new_place(core)
        # This storage closes before the workspaces of the test are verified.
        under_test.clear()
        caller = Caller(place.workspace_id, "", "", frozenset("*"), "0" * 32, "UpdateUser")
        scopes = "log.read users.read groups.read"
        token = await credentials.issue_service_token(core, "Tests", scopes, place.workspace_id)
        made = Serving(core, place, caller, token, await _server(core, 0))
        try:
            yield made
        finally:
            await made.stop()
    finally:
        await storage.close()


async def _server(core: Core, port: int) -> Server:
    return await start_server(core, Identity(core), read({"grpc_port": str(port)}, {}))
