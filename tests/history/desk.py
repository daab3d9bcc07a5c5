"""An identity provider at its desk: what it asks, what hinders it, what it must be told."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from google.protobuf.message import Message
from userdirectory import status
from userdirectory.v1 import policy_pb2
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from tests.contract.conftest import bearer
from tests.scim import PATCH_OP, Answer, Scim, person
from tests.system import System
from tests.workspaces import Place, new_place

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SYNTAX = "RFC 7644 section 3.12"
BUSY = "RFC 9110 section 15.6.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    A refusal, and what its explanation must say.

    Attributes:
        detail: What the caller was told; for a SCIM client all that is known.
        rpc: The RPC whose request the explanation has.
        settings: Name, value and whether the workspace overrides its preset.
        token: What the caller showed; the explanation names its public id.
        known: Whether the credential was good, so that the actor is known.
    """

    detail: str
    rpc: str
    rule: str
    settings: tuple[tuple[str, str, bool], ...] = ()
    token: str = ""
    workspace_id: str = ""
    known: bool = True


@dataclass(slots=True)
class Desk:
    """An identity provider before a directory: new workspaces, and what it asks."""

    system: System
    kind: str

    async def place(self, preset: str = "SINGLE_ROLE", **settings: Any) -> Place:
        """Return a new workspace."""
        return await new_place(
            self.system.core, policy_pb2.Preset.Value(f"PRESET_{preset}"), **settings
        )

    async def ask(
        self,
        token: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        within: str = "",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a SCIM request; *within* names a workspace in the address."""
        base_url = self.system.base_url + (f"/w/{within}" if within else "")
        with Scim(base_url, token) as scim:
            return await asyncio.to_thread(scim.request, method, path, body, headers)

    async def made(self, place: Place, name: str = "grace", **attributes: Any) -> str:
        """Return the id of a new user."""
        sent = person(f"{name}@{place.workspace_id}.example", **attributes)
        answer = await self.ask(place.token, "POST", "/Users", sent)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    async def patch(self, place: Place, user_id: str, **operation: Any) -> Answer:
        """Return the answer to a PATCH of one operation."""
        body = {"schemas": [PATCH_OP], "Operations": [operation]}
        return await self.ask(place.token, "PATCH", f"/Users/{user_id}", body)

    async def call(self, token: str, request: Message) -> Any:
        """Return the answer to a request of a product, of whichever service it is."""
        name = request.DESCRIPTOR.name.removesuffix("Request")
        stubs = UserDirectoryStub(self.system.process), WorkspaceAdminStub(self.system.process)
        method = next(getattr(stub, name) for stub in stubs if hasattr(stub, name))
        return await method(request, metadata=bearer(token) if token else (), timeout=20)

    async def by_grpc(self, token: str, request: Message) -> str:
        """Return what a product is told, with the trace id that its client adds."""
        try:
            await self.call(token, request)
        except grpc.aio.AioRpcError as error:
            trailing = dict(error.trailing_metadata())
            return f"{error.details()} (trace {trailing[status.TRACE_KEY]})"
        raise AssertionError("The request was not refused.")


Cause = Callable[[Desk], Awaitable[Case]]


def marker(kept: dict[str, Cause]) -> Callable[[str], Callable[[Cause], Cause]]:
    """Return a decorator that keeps a cause by the name of its reason, and of its field if any."""

    def causes(name: str) -> Callable[[Cause], Cause]:
        def mark(function: Cause) -> Cause:
            kept[name] = function
            return function

        return mark

    return causes


def case_of(place: Place, answer: Answer, rpc: str, rule: str, *settings: Any) -> Case:
    assert answer.status >= 400, answer
    return Case(
        detail=answer.body["detail"],
        rpc=rpc,
        rule=rule,
        settings=settings,
        token=place.token,
        workspace_id=place.workspace_id,
    )


async def refused_create(desk: Desk, place: Place, rule: str, *settings: Any, **sent: Any) -> Case:
    wanted = person(f"grace@{place.workspace_id}.example", **sent)
    answer = await desk.ask(place.token, "POST", "/Users", wanted)
    return case_of(place, answer, "CreateUser", rule, *settings)


@contextlib.asynccontextmanager
async def held(desk: Desk, place: Place) -> AsyncIterator[None]:
    """Hold what a write must have: the workspace's row, or SQLite's lock."""
    url = desk.system.database_url
    if desk.kind == "sqlite":
        other = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()
        return
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    lock = "SELECT id FROM workspaces WHERE id = $1 FOR UPDATE"
    await connection.execute(lock, place.workspace_id)
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()


@contextlib.asynccontextmanager
async def read_only(desk: Desk) -> AsyncIterator[None]:
    """Let the database take no writes."""
    await _writable(desk, "off")
    try:
        yield
    finally:
        await _writable(desk, "on")


async def _writable(desk: Desk, state: str) -> None:
    if desk.kind == "sqlite":
        writer = desk.system.core.storage._writer._connection  # type: ignore[attr-defined]
        writer.execute(f"PRAGMA query_only = {'off' if state == 'on' else 'on'}")
        return
    url = desk.system.database_url
    connection = await asyncpg.connect(
        url, server_settings={"default_transaction_read_only": "off"}
    )
    name = await connection.fetchval("SELECT current_database()")
    read_only = "off" if state == "on" else "on"
    await connection.execute(
        f'ALTER DATABASE "{name}" SET default_transaction_read_only = {read_only}'
    )
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'user-directory' AND datname = current_database()"
    )
    await connection.close()
