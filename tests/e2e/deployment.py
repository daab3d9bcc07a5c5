"""Core and gateway as two processes that can be killed and started again at the same ports."""

import asyncio
import copy
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from userdirectory.v1 import policy_pb2

from core_service import credentials, verify
from core_service.opening import make_core
from core_service.storage.database import open_storage
from tests.processes import START_SECONDS, Program, free_port
from tests.scim import Scim
from tests.workspaces import Place, new_place, under_test


class Deployment:
    """
    A core, a gateway and a workspace.

    Args:
        folder: For the data besides the database.
        database_url: The database, empty.
        settings: The environment of both programs.

    Attributes:
        place: The workspace, with preset `strict-rfc`: what is deleted is gone.
        service_token: A credential for everything.
    """

    def __init__(
        self, folder: Path, database_url: str, settings: Mapping[str, str] | None = None
    ) -> None:
        """Make the workspace; start nothing yet."""
        self._settings = dict(settings or {})
        self._folder = folder
        self.database_url = database_url
        self._ports = free_port(), free_port()
        self.place, self.service_token = asyncio.run(self._prepare())
        self.core: Program
        self.gateway: Program

    def beside(self) -> Self:
        """Return another core and gateway on the same database; start nothing yet."""
        other = copy.copy(self)
        other._ports = free_port(), free_port()
        return other

    async def _prepare(self) -> tuple[Place, str]:
        storage = await open_storage(self.database_url)
        try:
            core = await make_core(storage)
            place = await new_place(core, policy_pb2.PRESET_STRICT_RFC)
            # This storage closes at once; `findings` opens another one.
            under_test.clear()
            return place, await credentials.issue_service_token(core, "Tests", "*")
        finally:
            await storage.close()

    @property
    def grpc_address(self) -> str:
        """Where the core answers."""
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def gateway_address(self) -> str:
        """Where the gateway answers."""
        return f"127.0.0.1:{self._ports[1]}"

    @property
    def base_url(self) -> str:
        """Where the gateway answers SCIM."""
        return f"http://{self.gateway_address}/scim/v2"

    def start_core(self) -> None:
        """Start the core and return when it serves."""
        self.core = Program(
            "core_service",
            f"--grpc-port={self._ports[0]}",
            f"--data={self._folder}",
            settings=self._settings | {"DATABASE_URL": self.database_url},
        )
        self.core.wait_for("Serving gRPC")

    def start_gateway(self) -> None:
        """Start the gateway and return when it serves."""
        self.gateway = Program(
            "scim_gateway",
            f"--core={self.grpc_address}",
            f"--port={self._ports[1]}",
            f"--public-url={self.base_url}",
            settings=self._settings,
        )
        self.gateway.wait_for("Listening on")

    def wait_until_ready(self) -> None:
        """Return when the gateway reaches the core, as whoever balances load would wait."""
        ends = time.monotonic() + START_SECONDS
        with self._prober() as client:
            while client.get("/readyz").status != 200:
                assert time.monotonic() < ends, self.gateway.output
                time.sleep(0.02)

    def findings(self) -> list[str]:
        """Return what `verify` finds in the database: empty if every rule is kept."""
        return asyncio.run(self._verify())

    async def _verify(self) -> list[str]:
        storage = await open_storage(self.database_url)
        try:
            return await verify.findings(storage, [self.place.workspace_id])
        finally:
            await storage.close()

    def wait_until_alive(self) -> None:
        """Return when the gateway has answered a request on a new connection."""
        with self._prober() as client:
            assert client.get("/healthz").status == 200

    def _prober(self) -> Scim:
        return Scim(f"http://127.0.0.1:{self._ports[1]}", "")

    def client(self) -> Scim:
        """Return a client of the workspace's integration."""
        return Scim(self.base_url, self.place.token)

    def __enter__(self) -> Self:
        """Start both; show what they printed if the test fails."""
        self.start_core()
        self.start_gateway()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End both."""
        self.gateway.__exit__(kind, error, traceback)
        self.core.__exit__(kind, error, traceback)
