"""The core's metrics for Prometheus; imported only where they are on."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from userdirectory.errors import DirectoryError
from userdirectory.v1.workspace_pb2 import Workspace

from core_service.core import Core
from core_service.measures import Measures, Waited
from core_service.storage.store_figures import Figures, figures

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""The buckets of every duration."""

_PREFIX = "userdirectory_"
_MICROS = 1_000_000


class Metrics(Measures):
    """
    Counts and times, for a page of metrics.

    Args:
        registry: Where the metrics are shown.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Have counted nothing yet."""
        self._running = 0
        self._calls = _histogram(registry, "rpc_seconds", _CALLS, "method", "code")
        self._refusals = _counter(registry, "refusals", _REFUSALS, "reason")
        self._work = _histogram(registry, "storage_seconds", _WORK, "operation")
        self._waits = _histogram(registry, "storage_wait_seconds", _WAITS, "what")
        self._repeats = _counter(registry, "storage_conflicts", _CONFLICTS)
        self._log = _counter(registry, "log_entries", _LOG)
        running = Gauge(_PREFIX + "rpcs_in_flight", _RUNNING, registry=registry)
        running.set_function(lambda: self._running)

    def call_began(self) -> None:
        """Count a call in flight."""
        self._running += 1

    def call_ended(self, method: str, code: str, reason: str, seconds: float) -> None:
        """Count and time a call."""
        self._running -= 1
        self._calls.labels(method, code).observe(seconds)
        if reason:
            self._refusals.labels(reason).inc()

    def read(self, seconds: float) -> None:
        """Count and time a read."""
        self._work.labels("read").observe(seconds)

    def written(self, seconds: float, log_entries: int) -> None:
        """Count and time a write."""
        self._work.labels("write").observe(seconds)
        self._log.inc(log_entries)

    def waited(self, what: Waited, seconds: float) -> None:
        """Count and time a wait."""
        self._waits.labels(what).observe(seconds)

    def repeated(self) -> None:
        """Count a conflict."""
        self._repeats.inc()


class Stock(Collector):
    """
    What there is in the database and how it is reached, looked up for every page.

    Args:
        core: Whose storage it is.
        registry: Where the metrics are shown.
        by_workspace: Whether seats are shown for each workspace too; the page grows with them.
    """

    def __init__(self, core: Core, registry: CollectorRegistry, *, by_workspace: bool) -> None:
        """Know nothing yet."""
        self._core = core
        self._by_workspace = by_workspace
        self._known: Figures | None = None
        registry.register(self)

    async def refresh(self) -> None:
        """Look up what there is."""
        try:
            self._known = await self._core.storage.read(figures)
        except DirectoryError:
            self._known = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the metrics; those of a database that is away are left out."""
        connections = self._core.storage.connections()
        for name, text in _CONNECTIONS.items():
            value = getattr(connections, name)
            yield GaugeMetricFamily(f"{_PREFIX}storage_connections_{name}", text, value)
        yield GaugeMetricFamily(_PREFIX + "database_up", _UP, int(self._known is not None))
        if self._known is None:
            return
        for name, (text, value_of) in _FIGURES.items():
            yield GaugeMetricFamily(_PREFIX + name, text, value_of(self._known))
        lag = max(0, self._core.now() - (self._known.due_time or self._core.now()))
        yield GaugeMetricFamily(_PREFIX + "outbox_lag_seconds", _LAG, lag / _MICROS)
        if self._by_workspace:
            yield from _seats(self._known)


def _seats(known: Figures) -> Iterator[GaugeMetricFamily]:
    for name, text, values in (
        ("used", _SEATS_USED, [row.seats_used for row in known.workspaces]),
        ("total", _SEATS_TOTAL, _seat_totals(known)),
    ):
        family = GaugeMetricFamily(
            f"{_PREFIX}workspace_seats_{name}", text, labels=["workspace_id"]
        )
        for row, value in zip(known.workspaces, values, strict=True):
            family.add_metric([row.id], value)
        yield family


def _seat_totals(known: Figures) -> Sequence[int]:
    return [Workspace.FromString(row.document).seat_plan.total for row in known.workspaces]


def _counter(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Counter:
    return Counter(_PREFIX + name, text, labels, registry=registry)


def _histogram(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Histogram:
    return Histogram(_PREFIX + name, text, labels, registry=registry, buckets=SECONDS)


# What the metrics mean; docs/observability.md has the same sentences.
_CALLS = "How long calls took, from their arrival to their answer."
_REFUSALS = "Calls that were refused, by reason of the contract; CREDENTIAL_... are failed log-ins."
_WORK = "How long transactions took that succeeded, waiting included."
_WAITS = "How long transactions waited for their connection, turn or lock."
_CONFLICTS = "Writes that met another one and were tried again."
_LOG = "Entries of the provisioning log that were written."
_RUNNING = "Calls that are being answered."
_UP = "1 if the database answered when the page was made, else 0."
_LAG = "How long the oldest delivery of the outbox is overdue."
_SEATS_USED = "Seats that are taken in a workspace, with METRICS_BY_WORKSPACE=on."
_SEATS_TOTAL = "Seats that a workspace has paid for, with METRICS_BY_WORKSPACE=on."

_CONNECTIONS = {
    "max": "Connections to the database that may be open; on SQLite those that read.",
    "open": "Connections to the database that are open.",
    "in_use": "Connections to the database that are at work.",
}

_FIGURES: dict[str, tuple[str, Callable[[Figures], int]]] = {
    "outbox_rows": ("Deliveries that wait in the outbox.", lambda known: known.waiting),
    "outbox_failing_rows": (
        "Deliveries in the outbox whose last try failed.",
        lambda known: known.failing,
    ),
    "workspaces": ("Workspaces there are.", lambda known: len(known.workspaces)),
    "users": (
        "Users of all workspaces.",
        lambda known: sum(row.users_count for row in known.workspaces),
    ),
    "seats_used": (
        "Seats that are taken in all workspaces.",
        lambda known: sum(row.seats_used for row in known.workspaces),
    ),
    "seats_total": (
        "Seats that all workspaces have paid for.",
        lambda known: sum(_seat_totals(known)),
    ),
}
