"""Two workspaces that share people, everyone who calls them, and all their rows."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import grpc
import sqlalchemy as sa
from google.protobuf.message import Message
from userdirectory import status
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, role_pb2, user_directory_pb2
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminStub

from core_service import credentials, refused, verify
from core_service.channel import InProcessChannel
from core_service.identity import Identity
from core_service.opening import make_core
from core_service.service import add_services
from core_service.storage import tables
from core_service.storage.columns import METADATA
from core_service.storage.database import Storage, Transaction, open_storage
from core_service.storage.plans import SCAN
from core_service.storage.statements import param
from tests.workspaces import connect, new_place, under_test

# The log notes refusals, credentials when they were last used; nothing else may.
_KEPT = [
    table
    for table in METADATA.sorted_tables
    if table.name not in ("log", "credentials", "settings", "alembic_version")
]


def _all_of(table: sa.Table) -> sa.Select[Any]:
    """Return what selects the rows of two workspaces; accounts are in none."""
    select = sa.select(table).order_by(*table.primary_key.columns)
    if table is not tables.accounts:
        column = table.c.id if table is tables.workspaces else table.c.workspace_id
        select = select.where(sa.or_(column == param("first"), column == param("second")))
    return select.execution_options(**{SCAN: True})


_ROWS = {table.name: _all_of(table) for table in _KEPT}
_PEOPLE = user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"].methods_by_name
# Reasons that are never a caller's fault, and never happen to one caller alone.
_OURS = ("WRITE_CONFLICT", "STORAGE_UNAVAILABLE")

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Who:
    """
    A caller.

    Attributes:
        canary: A text that only this workspace has; `foreign` only the other.
        product: Whether it is the product, which may everything and names the workspace.
    """

    workspace_id: str
    token: str
    canary: str
    foreign: str
    product: bool


class House:
    """
    A directory with two workspaces, A with few seats and B with many, two integrations in each.

    Attributes:
        outcomes: How often each reason was given, and OK.

    Args:
        url: Its database, where nothing else may be at work.
    """

    def __init__(self, url: str) -> None:
        """Open the database and make the workspaces."""
        self._loop = asyncio.new_event_loop()
        self.outcomes: Counter[str] = Counter()
        self.run(self._open(url))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what *work* makes, on the loop of this house."""
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        """Close the database, where nobody need look any more."""
        under_test.clear()
        self.run(self._close())
        self._loop.close()

    async def _open(self, url: str) -> None:
        self.storage: Storage = await open_storage(url, pool_size=2)
        self._core = await make_core(self.storage)
        self._channel = InProcessChannel()
        self._identity = Identity(self._core)
        add_services(self._core, self._identity, self._channel)
        self._stubs = (UserDirectoryStub(self._channel), WorkspaceAdminStub(self._channel))
        product = await credentials.issue_service_token(self._core, "Tests", "*")
        marks = [f"canary{secrets.token_hex(4)}" for _ in range(2)]
        self.domain = f"{secrets.token_hex(4)}.example"
        self.whos: list[Who] = []
        self.workspace_ids: list[str] = []
        self.users: list[str] = []
        self.groups: list[str] = []
        self.roles: list[str] = []
        self.owner: dict[str, str] = {}
        for mark, foreign, seats in ((marks[0], marks[1], 2), (marks[1], marks[0], 100)):
            place = await new_place(self._core, policy_pb2.PRESET_SINGLE_ROLE, seats=seats)
            self.workspace_ids.append(place.workspace_id)
            self.users.append(place.admin_id)
            self.roles += place.roles.values()
            self.owner |= dict.fromkeys((place.admin_id, *place.roles.values()), place.workspace_id)
            _, second = await connect(self._core, place.workspace_id)
            for token in (product, place.token, second):
                who = Who(place.workspace_id, token, mark, foreign, token == product)
                self.whos.append(who)

    async def _close(self) -> None:
        await self._channel.close()
        await self._identity.uses.settled()
        await refused.settle(self._core)
        await self.storage.close()

    def ask(self, who: Who, request: Message) -> Any:
        """
        Return the answer to *request*, None if it was refused.

        Asserted is that a refusal has a reason and changed no row, that no answer tells of the
        other workspace, and that nobody is served what belongs to the other.
        """
        if who.product:
            request.workspace_id = who.workspace_id  # type: ignore[attr-defined]
        before = self.rows()
        answer, refusal = self.run(self._call(who, request))
        told = ""
        if refusal is not None:
            assert refusal.reason not in _OURS, (refusal, request)
            assert before == self.rows(), (refusal, request)
            told = _told(refusal)
        self.outcomes[refusal.reason if refusal else "OK"] += 1
        sent = request.SerializeToString()
        got = b"" if answer is None else answer.SerializeToString()
        assert who.foreign.encode() not in got, (request, answer)
        assert who.foreign not in told, (request, told)
        if answer is not None:
            self._learn(who, answer)
            named = [id_ for id_ in self.owner if id_.encode() in got]
            strange = [id_ for id_ in named if self.owner[id_] != who.workspace_id]
            # A manager or a name that the caller made of an id is an echo and no news.
            assert all(id_.encode() in sent or id_ in self.echoes(who) for id_ in strange), request
        return answer

    def echoes(self, who: Who) -> set[str]:
        """Return the ids that users of *who*'s workspace name as their managers."""
        users = self.rows()["users"]
        at = list(tables.users.c.keys()).index("manager_id")
        return {row[at] for row in users if row[0] == who.workspace_id and row[at]}

    async def _call(self, who: Who, request: Message) -> tuple[Any, DirectoryError | None]:
        name = request.DESCRIPTOR.name.removesuffix("Request")
        stub = self._stubs[name not in _PEOPLE]
        metadata = (("authorization", f"Bearer {who.token}"),)
        try:
            return await getattr(stub, name)(request, metadata=metadata, timeout=20), None
        except grpc.aio.AioRpcError as error:
            known = status.error_of_call(error)
            if known is None:
                raise
            return None, known

    def _learn(self, who: Who, answer: Any) -> None:
        """Remember whose the ids of an answer are."""
        for field, kept in (("user", self.users), ("group", self.groups), ("role", self.roles)):
            if field in answer.DESCRIPTOR.fields_by_name and answer.HasField(field):
                id_ = getattr(answer, field).id
                if id_ not in self.owner:
                    self.owner[id_] = who.workspace_id
                    kept.append(id_)

    def rows(self) -> Rows:
        """Return every row of both, but those of the log and the credentials, and all accounts."""

        async def work(tx: Transaction) -> Rows:
            ids = dict(zip(("first", "second"), self.workspace_ids, strict=True))
            return {
                name: await tx.all(select, {} if name == "accounts" else ids)
                for name, select in _ROWS.items()
            }

        return self.run(self.storage.read(work))  # type: ignore[no-any-return]

    def findings(self, *, everywhere: bool) -> list[str]:
        """Return what `verify` finds in the two workspaces, or in all and the accounts."""
        ids = None if everywhere else self.workspace_ids
        return self.run(verify.findings(self.storage, ids))  # type: ignore[no-any-return]

    def active_admins(self) -> dict[str, int]:
        """Return how many active users each workspace has whose role is for admins."""
        rows, count = self.rows(), dict.fromkeys(self.workspace_ids, 0)
        kind = list(tables.roles.c.keys()).index("kind")
        kinds = {row[1]: row[kind] for row in rows["roles"]}
        names = list(tables.users.c.keys())
        for row in rows["users"]:
            user = dict(zip(names, row, strict=True))
            if user["workspace_id"] in count and user["active"]:
                admin = kinds[user["role_id"]] == role_pb2.ROLE_KIND_ADMIN
                count[user["workspace_id"]] += admin
        return count


def _told(error: DirectoryError) -> str:
    return " ".join((error.message, *error.metadata, *error.metadata.values()))
