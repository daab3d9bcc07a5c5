"""What is counted while the gateway works; here nothing is, see `scim_gateway.metrics`."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """
    A request that was answered.

    Attributes:
        method: One that HTTP knows, in capitals, else `OTHER`.
        resource: The address without the base URL, ids left open: `/Users/{id}`; else `OTHER`.
        received: How long the client said its body is, in bytes; 0 for no body.
        sent: The bytes of the answer's body.
    """

    method: str
    resource: str
    status: int
    seconds: float
    received: int
    sent: int


class Measures:
    """Takes note of what happens and forgets it."""

    def follow(self, running: Callable[[], int]) -> None:
        """Note who knows how many requests are being answered."""

    def answered(self, request: Answered) -> None:
        """Note a request that was answered."""
