"""How much a caller may ask in a time: each credential, and who fails to show one."""

import ipaddress
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from userdirectory.errors import DirectoryError

from core_service.settings import Settings

CLIENT_ADDRESS = "client-address"
"""The metadata in which a gateway names the address of its own client."""
FAILING = frozenset({"CREDENTIAL_MISSING", "CREDENTIAL_INVALID"})
"""Why an attempt fails that could be one of many guesses."""

_MOST_BUCKETS = 10_000
_ADDRESS_CHARACTERS = 64
_PEER = re.compile(r"(?:ipv4:|ipv6:\[)(.+?)\]?:\d+")


@dataclass(frozen=True, slots=True)
class Rate:
    """
    How often something may be done.

    Attributes:
        per_second: In the long run, more than 0.
        burst: At once after a pause, at least 1.
    """

    per_second: float
    burst: int


FAILURES_OF_CLIENT = Rate(per_second=10, burst=50)
"""More than any person or connection test, and nothing to guess a secret with."""
FAILURES_OF_PEER = Rate(per_second=100, burst=500)
"""For all clients that a peer names together: inventing addresses gains no more than this."""


class Buckets:
    """
    Token buckets by key.

    A bucket that has filled up again is forgotten, for it is like a new one. When there are too
    many, those that were not used for the longest time go.

    Args:
        rate: How a bucket fills, and what it holds.
        clock: Seconds that never go back.
        most: How many are kept.
    """

    def __init__(
        self, rate: Rate, clock: Callable[[], float], *, most: int = _MOST_BUCKETS
    ) -> None:
        """Begin with every bucket full."""
        self._rate = rate
        self._clock = clock
        self._most = most
        # What is missing in each bucket, and when that was so; the last used is the last.
        self._missing: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return len(self._missing)

    def take(self, key: str) -> float:
        """Take a token; return 0, or in how many seconds there is one if there is none now."""
        now = self._clock()
        missing = self._left(self._missing.pop(key, (0.0, now)), now)
        lacking = missing + 1 - self._rate.burst
        self._missing[key] = (missing if lacking > 0 else missing + 1, now)
        self._tidy(now)
        return max(0.0, lacking / self._rate.per_second)

    def _left(self, kept: tuple[float, float], now: float) -> float:
        missing, since = kept
        return max(0.0, missing - (now - since) * self._rate.per_second)

    def _tidy(self, now: float) -> None:
        while len(self._missing) > self._most or not self._left(
            next(iter(self._missing.values())), now
        ):
            self._missing.popitem(last=False)


class Limits:
    """
    Refuses who asks too much; each process counts for itself.

    Args:
        credential: What each credential may ask; None for as much as it likes.
        clock: Seconds that never go back.
    """

    def __init__(
        self, credential: Rate | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin as if nobody had asked anything yet."""
        self._credentials = None if credential is None else Buckets(credential, clock)
        self._clients = Buckets(FAILURES_OF_CLIENT, clock)
        self._peers = Buckets(FAILURES_OF_PEER, clock)

    def admit(self, credential_id: str) -> None:
        """
        Count a request with a credential that is good.

        Args:
            credential_id: Whose bucket it takes from: that of the credential itself, for an access
                token that of the credential it was made with.

        Raises:
            DirectoryError: RATE_LIMITED.
        """
        if self._credentials is not None:
            wait = self._credentials.take(credential_id)
            if wait:
                raise _limited("Too many requests came with this credential.", wait)

    def failed(self, peer: str, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """
        Count an attempt without a credential that is good.

        Args:
            peer: Who is connected, as gRPC names it: `ipv4:192.0.2.7:41234`.
            metadata: Of the attempt; `client-address` names who is behind a gateway. Anybody can
                name one, and takes from no bucket of another peer's clients.

        Raises:
            DirectoryError: RATE_LIMITED.
        """
        host = _host(peer)
        named = [value for key, value in metadata if key == CLIENT_ADDRESS]
        client = _network(str(named[0])) if named else ""
        wait = self._clients.take(f"{host} {client}") or self._peers.take(host)
        if wait:
            raise _limited("Too many requests came from here without a good credential.", wait)


def limits_of(settings: Settings) -> Limits:
    """Return the limits that a core was started with."""
    if settings.rate_limit == 0:
        return Limits(None)
    return Limits(Rate(settings.rate_limit, settings.rate_burst))


def _host(peer: str) -> str:
    found = _PEER.fullmatch(unquote(peer))
    return _network(found[1]) if found else peer[:_ADDRESS_CHARACTERS]


def _network(address: str) -> str:
    """Return an address as it is counted: of IPv6 the /64, which is what one site has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:_ADDRESS_CHARACTERS]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


def _limited(what: str, wait: float) -> DirectoryError:
    seconds = max(1, math.ceil(wait))
    return DirectoryError(
        "RATE_LIMITED",
        f"{what} Wait for {seconds} s, then try again.",
        retry_after_seconds=seconds,
    )
