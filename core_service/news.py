"""Wakes those in this process who wait for something to be written in a workspace."""

import asyncio
import contextlib
from collections.abc import Iterator


class News:
    """
    Tells who waits that there may be something new.

    It says neither what nor how much, and nothing of other processes: who is woken looks, and who
    is not looks now and then.
    """

    def __init__(self) -> None:
        """Begin with nobody who waits."""
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextlib.contextmanager
    def of(self, workspace_id: str) -> Iterator[asyncio.Event]:
        """Give an event that every write of a workspace sets; clear it before looking."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(workspace_id, set())
        waiting.add(event)
        try:
            yield event
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(workspace_id, None)

    def tell(self, workspace_id: str) -> None:
        """Wake those who wait for a workspace: a write of it is on disk."""
        for event in self._waiting.get(workspace_id, ()):
            event.set()
