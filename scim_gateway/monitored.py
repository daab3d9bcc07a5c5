"""How a gateway is watched: its metrics, at a port of their own."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from scim_gateway.measures import Measures
from scim_gateway.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger(__name__)


@asynccontextmanager
async def monitored(settings: Settings) -> AsyncIterator[Measures]:
    """
    Give what the gateway tells what happens; serve `/metrics` meanwhile if the settings say so.

    Raises:
        OSError: This process cannot listen at the port.
    """
    if settings.metrics_port is None:
        yield measures_in(None)
        return
    from userdirectory.monitoring import Pages, new_registry, served

    registry = new_registry()
    host = settings.metrics_host
    async with served(Pages(registry), host, settings.metrics_port) as port:
        log.info("Serving metrics at http://%s:%d/metrics.", host, port)
        yield measures_in(registry)


def measures_in(registry: "CollectorRegistry | None") -> Measures:
    """Return what the gateway tells what happens, for the metrics of *registry*; None: nobody."""
    if registry is None:
        return Measures()
    from scim_gateway.metrics import Metrics

    return Metrics(registry)
