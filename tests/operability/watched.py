"""Core and gateway as two processes whose pages can be read."""

from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.deployment import Deployment
from tests.processes import free_port

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Watched(Deployment):
    """A deployment with pages for who watches it."""

    def __init__(
        self, folder: Path, database_url: str, settings: Mapping[str, str] | None = None
    ) -> None:
        """Make the workspace; start nothing yet."""
        self._pages = {"core": free_port(), "gateway": free_port()}
        ports = {
            "METRICS_PORT": str(self._pages["core"]),
            "SCIM_METRICS_PORT": str(self._pages["gateway"]),
        }
        super().__init__(folder, database_url, {**ports, **(settings or {})})

    def page(self, of: str, path: str) -> tuple[int, str]:
        """Return status and text of a page of the `core` or the `gateway`."""
        return page(self._pages[of], path)

    def samples(self, of: str) -> Samples:
        """Return the metrics of the `core` or the `gateway`."""
        return samples(self.page(of, "/metrics")[1])


def page(port: int, path: str) -> tuple[int, str]:
    """Return status and text of what is served at a port of this machine."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def samples(text: str) -> Samples:
    """Return the samples of a page of metrics by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return the key of a sample."""
    return name, frozenset(labels.items())
