"""The calls under way at a server: what it must wait for when it stops, and what it ends."""

import asyncio
import contextlib
from collections.abc import Iterator


class Traffic:
    """The calls under way: those that have an end of their own, and streams, which have none."""

    def __init__(self) -> None:
        """Begin without calls."""
        self._calls = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._streams: set[asyncio.Timeout] = set()
        self._stopped = False

    @contextlib.contextmanager
    def passing(self) -> Iterator[None]:
        """Count a call that ends by itself."""
        self._calls += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()

    @contextlib.contextmanager
    def streaming(self, deadline: asyncio.Timeout) -> Iterator[None]:
        """Keep the deadline of a stream, to move it forward when the server stops."""
        self._streams.add(deadline)
        try:
            if self._stopped:
                _end(deadline)
            yield
        finally:
            self._streams.discard(deadline)

    def end_streams(self) -> None:
        """End every stream, also those that come from now on."""
        self._stopped = True
        for deadline in self._streams:
            _end(deadline)

    async def quiet(self) -> None:
        """Return when no call is under way but streams."""
        await self._quiet.wait()


def _end(deadline: asyncio.Timeout) -> None:
    if not deadline.expired():
        deadline.reschedule(asyncio.get_running_loop().time())
