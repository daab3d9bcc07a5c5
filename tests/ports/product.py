"""A product around the directory, for tests: ports that remember what they were told."""

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
import sqlalchemy as sa
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service.core import Core
from core_service.outbox import SECOND, Worker
from core_service.storage import store, tables_history
from core_service.storage.database import Transaction
from core_service.storage.statements import where
from tests.contract.conftest import Clock, set_workspace
from tests.races.arena import Door, ScimDoor
from tests.workspaces import Place, new_place

MINUTE = 60 * SECOND


@dataclass
class Accounting:
    """
    Makes invoices, by window: a window that comes twice is one invoice, and counted.

    Attributes:
        failures: What the next calls for a workspace raise, the first one first.
    """

    calls: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, list[Exception]] = field(default_factory=dict)

    async def invoice(self, **invoice: Any) -> None:
        """Remember the call, and raise if it is to fail."""
        self.calls.append(invoice)
        if failures := self.failures.get(invoice["workspace_id"]):
            raise failures.pop(0)

    def of(self, place: Place) -> list[dict[str, Any]]:
        """Return the calls for a workspace."""
        return [each for each in self.calls if each["workspace_id"] == place.workspace_id]

    def seats(self, place: Place) -> list[int]:
        """Return the seats of each call for a workspace."""
        return [each["seats"] for each in self.of(place)]


@dataclass
class PostOffice:
    """
    Remembers mails by workspace.

    Attributes:
        failures: What the next calls for a workspace raise, the first one first.
    """

    sent: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[str, list[Exception]] = field(default_factory=dict)

    async def send(self, **letter: str) -> None:
        """Remember the mail, or raise if it is to fail."""
        if failures := self.failures.get(letter["workspace_id"]):
            raise failures.pop(0)
        self.sent[letter["workspace_id"]].append(letter)

    def to(self, place: Place) -> list[dict[str, str]]:
        """Return the mails to people of a workspace."""
        return self.sent[place.workspace_id]


@dataclass
class Gate:
    """Lets every workspace in but those that are closed, whatever plan they have."""

    closed: set[str] = field(default_factory=set)

    async def allows(self, workspace: Any, policy: Any) -> None:
        """Refuse a workspace that is closed."""
        if workspace.id in self.closed:
            raise DirectoryError("NOT_ENTITLED", "Not bought.", plan="none", needed="some")

    async def is_set_up(self, workspace: Any) -> bool:
        """Return whether the workspace is open."""
        return workspace.id not in self.closed


@dataclass
class House:
    """A directory and the product around it."""

    core: Core
    clock: Clock
    billing: Accounting
    mail: PostOffice
    gate: Gate
    channel: grpc.aio.Channel
    base_url: str
    token: str

    async def place(
        self, preset: str = "SINGLE_ROLE", *, seats: int = 1_000, books: bool = False
    ) -> Place:
        """Return a new workspace with one admin, who holds a seat."""
        place = await new_place(self.core, policy_pb2.Preset.Value(f"PRESET_{preset}"), seats=seats)
        if books:
            plan = workspace_pb2.SeatPlan(automatic_booking=True)
            await self.change(place, workspace_pb2.Workspace(seat_plan=plan))
        return place

    async def change(self, place: Place, values: workspace_pb2.Workspace) -> None:
        """Merge *values* into a workspace, as its administration would."""
        await set_workspace(self.core, place.workspace_id, values)

    def door(self, place: Place) -> Door:
        """Return how the product writes to a workspace."""
        return Door(self.channel, self.token, place.workspace_id)

    def scim(self, place: Place) -> ScimDoor:
        """Return how the workspace's identity provider writes to it."""
        return ScimDoor(self.base_url, place.token)

    async def seats(self, place: Place) -> api.GetSeatsResponse:
        """Return the seats of a workspace."""
        return await self.door(place).seats()

    async def counts(self, place: Place) -> tuple[int, int, int]:
        """Return how many seats are used, paid for and free."""
        seats = await self.seats(place)
        return seats.used, seats.total, seats.free

    async def deliver(self) -> None:
        """Let a worker deliver what is due."""
        await Worker(self.core, chance=lambda: 1.0).deliver_due()

    async def delivery(self, place: Place) -> store.OutboxRow:
        """Return the one delivery that a workspace ever had."""
        (row,) = await self.deliveries(place)
        return row

    async def deliveries(self, place: Place) -> list[store.OutboxRow]:
        """Return all deliveries of a workspace, done ones too."""
        values = {"workspace_id": place.workspace_id}
        rows = await self.core.storage.read(lambda tx: tx.all(_DELIVERIES, values))
        return [store.OutboxRow._make(row) for row in rows]

    @contextlib.asynccontextmanager
    async def counted(self, place: Place, **counts: int) -> AsyncIterator[None]:
        """Let a workspace count more than it has, for as long as this lasts."""
        for sign in (1, -1):
            more = {name: sign * count for name, count in counts.items()}
            await self.core.storage.write(
                place.workspace_id, partial(_add, workspace_id=place.workspace_id, **more)
            )
            if sign == 1:
                yield


async def _add(tx: Transaction, workspace_id: str, **more: int) -> None:
    await store.add_counts(tx, workspace_id, **more)


_DELIVERIES = where(sa.select(tables_history.outbox), tables_history.outbox, "workspace_id")
