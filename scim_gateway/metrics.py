"""The gateway's metrics for Prometheus; imported only where they are on."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge, Histogram

from scim_gateway.measures import Answered, Measures

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""The buckets of durations."""

BYTES = (0, *(256 * 4**power for power in range(8)))
"""The buckets of sizes: up to 4 MiB."""


class Metrics(Measures):
    """
    Counts and times, for a page of metrics.

    Args:
        registry: Where the metrics are shown.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Have counted nothing yet."""
        labels = ("method", "resource", "status")
        self._requests = Histogram(
            "scim_request_seconds", _TOOK, labels, registry=registry, buckets=SECONDS
        )
        self._received = _sizes(registry, "scim_request_bytes", _RECEIVED)
        self._sent = _sizes(registry, "scim_response_bytes", _SENT)
        self._running = Gauge("scim_requests_in_flight", _RUNNING, registry=registry)

    def follow(self, running: Callable[[], int]) -> None:
        """Show what *running* returns as the requests in flight."""
        self._running.set_function(running)

    def answered(self, request: Answered) -> None:
        """Count and time a request."""
        self._requests.labels(request.method, request.resource, request.status).observe(
            request.seconds
        )
        self._received.labels(request.resource).observe(request.received)
        self._sent.labels(request.resource).observe(request.sent)


# What the metrics mean; docs/observability.md has the same sentences.
_TOOK = "How long requests took, from their head to their answer."
_RECEIVED = "How many bytes the bodies of requests have, as clients say."
_SENT = "How many bytes the bodies of answers have."
_RUNNING = "Requests that are being answered."


def _sizes(registry: CollectorRegistry, name: str, text: str) -> Histogram:
    return Histogram(name, text, ("resource",), registry=registry, buckets=BYTES)
