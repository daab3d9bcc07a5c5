"""What is counted while the core works; here nothing is, see `core_service.metrics`."""

from typing import Literal

Waited = Literal["connection", "writer", "workspace", "row"]
"""
What work waits for before it begins: a connection; SQLite's one writer; its turn among the writes
of its workspace in this process; the lock on the workspace's row, which other processes take too.
"""


class Measures:
    """Takes note of what happens and forgets it."""

    def call_began(self) -> None:
        """Note that a call came in."""

    def call_ended(self, method: str, code: str, reason: str, seconds: float) -> None:
        """
        Note how a call ended.

        Args:
            method: The full name of the RPC.
            code: The name of its status.
            reason: Why it was refused, a reason of the contract; empty if it was not.
        """

    def read(self, seconds: float) -> None:
        """Note a read, from asking for a connection to its answer."""

    def written(self, seconds: float, log_entries: int) -> None:
        """Note a write that is on disk, with how many entries of the provisioning log."""

    def waited(self, what: Waited, seconds: float) -> None:
        """Note how long work waited."""

    def repeated(self) -> None:
        """Note that a write met another one and is tried again."""
