"""How a core is watched: its metrics, and pages at a port of their own that show them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from userdirectory.errors import DirectoryError

from core_service.core import Core
from core_service.measures import Measures
from core_service.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger(__name__)

_READY_SECONDS = 3.0


class Monitoring:
    """
    Metrics of a core if the settings ask for them; else nothing of it is imported.

    Attributes:
        registry: The metrics; None if they are off.
        measures: What the core tells of what happens.
    """

    def __init__(self, settings: Settings) -> None:
        """Make the metrics."""
        self._settings = settings
        self.registry: CollectorRegistry | None = None
        self.measures = Measures()
        if settings.metrics_port is not None:
            from userdirectory.monitoring import new_registry

            from core_service.metrics import Metrics

            self.registry = new_registry()
            self.measures = Metrics(self.registry)

    @asynccontextmanager
    async def pages(self, core: Core, stop: asyncio.Event) -> AsyncIterator[None]:
        """
        Serve `/metrics`, `/healthz` and `/readyz` meanwhile, if metrics are on.

        Args:
            stop: Set when the process was told to stop: it is not ready any more.

        Raises:
            OSError: This process cannot listen at the port.
        """
        if self.registry is None or self._settings.metrics_port is None:
            yield
            return
        from userdirectory.monitoring import Pages, served

        from core_service.metrics import Stock

        stock = Stock(core, self.registry, by_workspace=self._settings.metrics_by_workspace)

        async def ready() -> bool:
            return not stop.is_set() and await _takes_writes(core)

        pages = Pages(self.registry, stock.refresh, ready)
        host = self._settings.metrics_host
        async with served(pages, host, self._settings.metrics_port) as port:
            log.info("Serving metrics at http://%s:%d/metrics.", host, port)
            yield


async def _takes_writes(core: Core) -> bool:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await core.storage.ping()
    except (DirectoryError, TimeoutError):
        return False
    return True
