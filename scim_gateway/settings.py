"""What the gateway is told at start."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from userdirectory.logs import FORMS, LEVELS

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings of one gateway, read once and passed down.

    Attributes:
        core: Where the core listens: `127.0.0.1:50051`, `dns:///core:50051`.
        core_authority: File with the certificates to trust the core by; empty calls it in plain.
        core_certificate: File with the gateway's own certificate for the core, if it wants one.
        core_key: File with the private key to it.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        prefix: The path in front of every resource: `/scim/v2`.
        public_url: The base URL that identity providers are given, prefix included; addresses in
            answers are made from it and never from the Host header. Empty means host, port and
            prefix.
        documentation_url: Where people find help; empty leaves it out of the discovery documents.
        rpc_timeout_seconds: How long the core may take for one call. Okta and Entra hang up at 60.
        max_body_bytes: The largest body of a request.
        max_group_body_bytes: The same for groups, whose members take about 100 bytes each. The
            core takes messages of 4 MiB.
        patch_answer_members: A PATCH of a group with more members is answered 204 without a body,
            so that its cost is that of the change and not of the group.
        tls_certificate: File with the certificate chain; empty serves plain HTTP.
        tls_key: File with the private key.
        drain_seconds: How long requests are still accepted after a signal to stop, while `/readyz`
            says no, so that load balancers notice.
        shutdown_seconds: How long requests that have begun may go on after that.
        max_requests: Beyond so many requests at once, answer 503.
        body_timeout_seconds: How long a client may take to send the body of a request.
        log_level: The least that is logged: DEBUG, INFO, WARNING, ERROR.
        log_format: How: text, or json for one JSON object a line.
        metrics_host: Where to listen for those who watch this process.
        metrics_port: The port of `/metrics`; none by default.
    """

    core: str = "127.0.0.1:50051"
    core_authority: str = ""
    core_certificate: str = ""
    core_key: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    prefix: str = "/scim/v2"
    public_url: str = ""
    documentation_url: str = ""
    rpc_timeout_seconds: float = 30.0
    max_body_bytes: int = _MEBIBYTE
    max_group_body_bytes: int = 4 * _MEBIBYTE
    patch_answer_members: int = 100
    tls_certificate: str = ""
    tls_key: str = ""
    drain_seconds: float = 0.0
    shutdown_seconds: int = 20
    max_requests: int = 1000
    body_timeout_seconds: float = 30.0
    log_level: str = "INFO"
    log_format: str = "text"
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None

    @property
    def base_url(self) -> str:
        """The base URL that identity providers are given, without a slash at the end."""
        scheme = "https" if self.tls_certificate else "http"
        url = self.public_url or f"{scheme}://{self.host}:{self.port}{self.prefix}"
        return url.rstrip("/")


def problems(settings: Settings) -> list[str]:
    """Return everything that is wrong with *settings*, one sentence each; empty if they fit."""
    return list(_problems(settings))


def _problems(settings: Settings) -> Iterator[str]:
    if not settings.core:
        yield "The address of the core is empty. Name it, as in 127.0.0.1:50051."
    if not 0 <= settings.port <= 65535:
        yield f"Port {settings.port} is none. Use 1 to 65535, or 0 for a free one."
    if not 0 <= (settings.metrics_port or 0) <= 65535:
        yield f"metrics_port {settings.metrics_port} is none. Use 1 to 65535, or 0 for a free one."
    for name, known in (("log_level", LEVELS), ("log_format", FORMS)):
        if getattr(settings, name) not in known:
            yield f"{name} is {getattr(settings, name)!r}. Use one of {', '.join(known)}."
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", settings.prefix):
        yield f"Prefix {settings.prefix!r} is no path. Begin it with a slash, as in /scim/v2."
    for name in ("public_url", "documentation_url"):
        url = getattr(settings, name)
        if url and not _is_web_address(url):
            yield f"{name} is {url!r}. Use an address that begins with http:// or https://."
    for name, least, most in _RANGES:
        value = getattr(settings, name)
        if not least <= value <= most:
            yield f"{name} is {value}. Use {least} to {most}."
    for certificate, key in (("tls_certificate", "tls_key"), ("core_certificate", "core_key")):
        if bool(getattr(settings, certificate)) != bool(getattr(settings, key)):
            yield f"Only one of {certificate} and {key} is set. Set both or none."
    for name in _FILES:
        file = getattr(settings, name)
        if file and not Path(file).is_file():
            yield f"{name} is {file!r}, where no file is. Correct the path."


def _is_web_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query


_RANGES = (
    ("rpc_timeout_seconds", 0.1, 55),
    ("max_body_bytes", 1024, 10 * _MEBIBYTE),
    ("max_group_body_bytes", 1024, 10 * _MEBIBYTE),
    ("patch_answer_members", 0, 10_000),
    ("drain_seconds", 0, 600),
    ("shutdown_seconds", 0, 600),
    ("max_requests", 1, 1_000_000),
    ("body_timeout_seconds", 0.1, 600),
)
_FILES = ("tls_certificate", "tls_key", "core_authority", "core_certificate", "core_key")
