"""What the metrics count, in real processes and at the storage."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import CollectorRegistry, Metric
from userdirectory.errors import DirectoryError, reasons

from core_service.measures import Measures, Waited
from core_service.metrics import Metrics, Stock
from core_service.opening import make_core
from core_service.service.access import SCOPES
from core_service.storage import store
from core_service.storage.database import Storage, Transaction, open_storage
from scim_gateway.measures import Answered
from scim_gateway.metrics import Metrics as GatewayMetrics
from tests.operability.watched import Watched, labelled
from tests.processes import ROOT
from tests.scim import Scim, person
from tests.storage import rows

LABELS = {
    "method": {*SCOPES, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"},
    "reason": set(reasons()),
    "operation": {"read", "write"},
    "what": {"connection", "writer", "workspace", "row"},
}


@pytest.fixture
def watched(tmp_path: Path, database_url: str) -> Iterator[Watched]:
    """Give core and gateway, on each database, which run."""
    deployment = Watched(tmp_path, database_url, {"METRICS_BY_WORKSPACE": "on"})
    with deployment:
        deployment.wait_until_ready()
        yield deployment


def test_requests_are_counted_by_what_they_were(watched: Watched):
    """RPC and status, method and resource and status; refusals by their reason."""
    with watched.client() as client:
        made = client.post("/Users", person("ada@example.com")).body
        for _ in range(3):
            client.get(f"/Users/{made['id']}")
        client.post("/Users", person("ada@example.com"))
    with Scim(watched.base_url, "wrong") as stranger:
        stranger.get("/Users")
    core, gateway = watched.samples("core"), watched.samples("gateway")
    service = "userdirectory.v1.UserDirectory"

    for rpc, code, times in (
        ("CreateUser", "OK", 1),
        ("CreateUser", "ALREADY_EXISTS", 1),
        ("GetUser", "OK", 3),
        ("ListUsers", "UNAUTHENTICATED", 1),
    ):
        key = labelled("userdirectory_rpc_seconds_count", method=f"{service}/{rpc}", code=code)
        assert core[key] == times
    for reason in ("VALUE_TAKEN", "CREDENTIAL_INVALID"):
        assert core[labelled("userdirectory_refusals_total", reason=reason)] == 1
    for method, resource, status, times in (
        ("POST", "/Users", "201", 1),
        ("POST", "/Users", "409", 1),
        ("GET", "/Users/{id}", "200", 3),
        ("GET", "/Users", "401", 1),
    ):
        labels = {"method": method, "resource": resource, "status": status}
        assert gateway[labelled("scim_request_seconds_count", **labels)] == times
    assert core[labelled("userdirectory_rpcs_in_flight")] == 0
    # The page itself is not a request of the gateway.
    assert gateway[labelled("scim_requests_in_flight")] == 0
    assert gateway[labelled("scim_request_bytes_sum", resource="/Users")] > 200
    assert gateway[labelled("scim_response_bytes_count", resource="/Users")] == 3


def test_the_database_is_counted(watched: Watched):
    """Users, seats, log entries, connections; of each workspace where a setting says so."""
    before = watched.samples("core")
    with watched.client() as client:
        client.post("/Users", person("ada@example.com"))
    after = watched.samples("core")
    workspace = {"workspace_id": watched.place.workspace_id}

    assert before[labelled("userdirectory_users")] == 1
    assert after[labelled("userdirectory_users")] == 2
    assert after[labelled("userdirectory_workspaces")] == 1
    assert after[labelled("userdirectory_seats_used")] == 2
    assert after[labelled("userdirectory_workspace_seats_used", **workspace)] == 2
    assert (
        after[labelled("userdirectory_seats_total")]
        == after[labelled("userdirectory_workspace_seats_total", **workspace)]
        > 2
    )
    assert after[labelled("userdirectory_database_up")] == 1
    most, opened, used = (
        after[labelled(f"userdirectory_storage_connections_{each}")]
        for each in ("max", "open", "in_use")
    )
    assert most >= opened > used == 0
    entries = labelled("userdirectory_log_entries_total")
    assert after[entries] - before[entries] == 1


def test_no_label_is_somebodys_choice(watched: Watched):
    """Whatever is asked for, labels come from lists that end."""
    with watched.client() as client:
        for method, path in (
            ("GET", "/Users/ada@example.com"),
            ("GET", "/nowhere/at/all"),
            ("BREW", "/Users"),
            ("GET", "/w/another/Users"),
            ("DELETE", "/Groups/g1"),
        ):
            client.request(method, path)
    for of in ("core", "gateway"):
        for _, labels in watched.samples(of):
            for name, value in labels:
                assert value in LABELS.get(name, {value}), (name, value)
    resources = {
        dict(labels)["resource"]
        for name, labels in watched.samples("gateway")
        if name == "scim_request_seconds_count"
    }

    assert resources <= {"OTHER", "/Users", "/Users/{id}", "/Groups/{id}", "/readyz"}


class Kept(Measures):
    """Keeps what it is told."""

    def __init__(self) -> None:
        """Have been told nothing."""
        self.reads = 0
        self.log_entries: list[int] = []
        self.waits: dict[Waited, list[float]] = {}
        self.repeats = 0

    def read(self, seconds: float) -> None:
        """Keep a read."""
        self.reads += 1

    def written(self, seconds: float, log_entries: int) -> None:
        """Keep a write."""
        self.log_entries.append(log_entries)

    def waited(self, what: Waited, seconds: float) -> None:
        """Keep a wait."""
        self.waits.setdefault(what, []).append(seconds)

    def repeated(self) -> None:
        """Keep a conflict."""
        self.repeats += 1


async def _filled(url: str, kept: Kept) -> Storage:
    storage = await open_storage(url, pool_size=2, measures=kept)

    async def fill(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace("w1"))
        await store.insert_workspace(tx, rows.workspace("w2"))
        await store.insert_account(tx, rows.account("a1"))
        await store.insert_account(tx, rows.account("a2"))

    await storage.write("", fill)
    return storage


async def test_a_write_that_fails_writes_no_log(database_url: str):
    """Log entries count when they are on disk, not when they are rolled back."""
    kept = Kept()
    storage = await _filled(database_url, kept)
    entry = store.LogRow("w1", 0, 1, "t1", "", "", "CreateUser", "u1", "", b"")

    def work(fails: bool) -> Callable[[Transaction], Awaitable[None]]:
        async def log(tx: Transaction) -> None:
            await store.insert_log(tx, entry)
            await store.insert_log(tx, entry)
            if fails:
                raise DirectoryError("LAST_ADMIN", "No.")

        return log

    await storage.write("w1", work(False))
    with pytest.raises(DirectoryError):
        await storage.write("w1", work(True))
    await storage.read(lambda tx: store.workspace(tx, "w1"))
    await storage.close()

    assert kept.log_entries == [0, 2]
    assert kept.reads == 1
    assert all(seconds >= 0 for waits in kept.waits.values() for seconds in waits)


async def test_the_wait_for_a_turn_is_measured(database_url: str):
    """A write that waits for another one of its workspace waits that long for its turn."""
    kept = Kept()
    storage = await _filled(database_url, kept)
    began = asyncio.Event()

    async def slow(tx: Transaction) -> None:
        began.set()
        await asyncio.sleep(0.2)

    first = asyncio.create_task(storage.write("w1", slow))
    await began.wait()
    await asyncio.gather(first, storage.write("w1", lambda tx: store.workspace(tx, "w1")))
    await storage.close()
    turn: Waited = "writer" if database_url.startswith("sqlite") else "workspace"

    assert 0.1 < max(kept.waits[turn])


async def test_the_wait_for_a_connection_is_measured(new_database: Callable[[str], Awaitable[str]]):
    """With two connections at work the third transaction waits for one; the pool shows them."""
    kept = Kept()
    storage = await _filled(await new_database("postgresql"), kept)
    begun = asyncio.Barrier(3)

    async def slow(tx: Transaction) -> None:
        await begun.wait()
        await asyncio.sleep(0.2)

    at_work = [asyncio.create_task(storage.read(slow)) for _ in range(2)]
    await begun.wait()
    busy = storage.connections()
    await asyncio.gather(*at_work, storage.read(lambda tx: store.workspace(tx, "w1")))
    idle = storage.connections()
    await storage.close()

    assert tuple(busy) == (2, 2, 2)
    assert idle.in_use == 0
    assert 0.1 < max(kept.waits["connection"])


async def test_the_wait_for_another_process_is_measured(
    new_database: Callable[[str], Awaitable[str]],
):
    """A lock that somebody else has on the workspace's row is a wait for the row."""
    url, kept = await new_database("postgresql"), Kept()
    storage = await _filled(url, kept)
    other = await asyncpg.connect(url)
    async with other.transaction():
        await other.execute("SELECT id FROM workspaces WHERE id = 'w1' FOR UPDATE")
        waiting = asyncio.create_task(storage.write("w1", lambda tx: store.workspace(tx, "w1")))
        await asyncio.sleep(0.2)
    await waiting
    await other.close()
    await storage.close()

    assert 0.1 < max(kept.waits["row"])


async def test_conflicts_are_counted(new_database: Callable[[str], Awaitable[str]]):
    """Of two writes that block each other one is tried again."""
    kept = Kept()
    storage = await _filled(await new_database("postgresql"), kept)
    begun, tries = asyncio.Barrier(2), 0

    async def take(workspace_id: str, first: str, second: str) -> None:
        async def work(tx: Transaction) -> None:
            nonlocal tries
            tries += 1
            await store.add_account_users(tx, first, 1)
            if tries <= 2:
                await begun.wait()
            await store.add_account_users(tx, second, 1)

        await storage.write(workspace_id, work)

    await asyncio.gather(take("w1", "a1", "a2"), take("w2", "a2", "a1"))
    await storage.close()

    assert (tries, kept.repeats) == (3, 1)


async def test_the_outbox_is_shown(storage: Storage):
    """How many deliveries wait and fail, and for how long the oldest is overdue."""
    registry = CollectorRegistry()
    core = await make_core(storage)
    now = core.now()

    async def put(tx: Transaction) -> None:
        await store.insert_workspace(tx, rows.workspace("w1"))
        for number, (due_time, error) in enumerate(((now - 90_000_000, "no"), (now + 10**12, ""))):
            row = store.OutboxRow(
                "w1", f"o{number}", "mail", f"k{number}", "{}", due_time, 0, None, error
            )
            await store.put_into_outbox(tx, row)

    await storage.write("w1", put)
    stock = Stock(core, registry, by_workspace=False)
    await stock.refresh()
    shown = {
        sample.name: sample.value for family in registry.collect() for sample in family.samples
    }

    assert shown["userdirectory_outbox_rows"] == 2
    assert shown["userdirectory_outbox_failing_rows"] == 1
    assert 90 <= shown["userdirectory_outbox_lag_seconds"] < 120
    assert "userdirectory_workspace_seats_used" not in shown


async def test_the_document_has_every_metric(storage: Storage):
    """The table of docs/observability.md says of each metric what the page of metrics says."""
    registry = CollectorRegistry()
    core, gateway = Metrics(registry), GatewayMetrics(registry)
    core.call_ended("GetUser", "NOT_FOUND", "USER_NOT_FOUND", 0.1)
    core.read(0.1)
    core.waited("writer", 0.1)
    gateway.answered(Answered("GET", "/Users", 200, 0.1, 0, 100))
    stock = Stock(await make_core(storage), registry, by_workspace=True)
    await storage.write("", lambda tx: store.insert_workspace(tx, rows.workspace("w1")))
    await stock.refresh()
    shown = {
        (_full_name(family), family.type, _labels(family), family.documentation)
        for family in registry.collect()
    }
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\| ([^|]*) \|$", text, re.MULTILINE)
    told = [
        (name, kind, frozenset(labels.replace(",", " ").split()), meaning)
        for name, kind, labels, meaning in table
        if kind in ("counter", "gauge", "histogram")
    ]

    assert len(told) == len(set(told))
    assert shown == set(told)


def _full_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def _labels(family: Metric) -> frozenset[str]:
    return frozenset(label for sample in family.samples for label in sample.labels) - {"le"}
