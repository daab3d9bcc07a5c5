"""What the log is owed: refusals that the database could not take when they happened."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Bucket:
    """
    Lets so many through in a second, and at once as many as had their turn and did not come.

    Args:
        per_second: How many in the long run.
        burst: How many at once.
        clock: Seconds that never go back.
    """

    def __init__(
        self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin full."""
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._filled = clock()

    def take(self) -> bool:
        """Return whether one more may pass now."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._filled) * self._per_second)
        self._filled = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class Owed:
    """
    The refusals of one process on their way into the log.

    Attributes:
        waiting: Those that the database did not take yet, the oldest first.
        writing: The writes under way.
        more: Set while something waits.
        bucket: What anybody may cause is kept only as far as this lets it through.
    """

    waiting: deque[Any] = field(default_factory=deque)
    writing: set[asyncio.Task[None]] = field(default_factory=set)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    bucket: Bucket = field(default_factory=lambda: Bucket(per_second=20, burst=100))
