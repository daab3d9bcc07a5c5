"""Requests that deviate from the protocol though their meaning is plain."""

from typing import Protocol

from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2
from userdirectory.v1.deviation_pb2 import Deviation, DeviationKind

from core_service.policy import Policy


class Request(Protocol):
    """A request made from what clients of a protocol send."""

    @property
    def deviation(self) -> Deviation:
        """What deviates; of no kind if nothing does."""


def check(policy: Policy, request: Request) -> None:
    """
    Refuse what deviates from the protocol, where the policy says so.

    Raises:
        DirectoryError: PROTOCOL_DEVIATION (`kind`).
    """
    deviation = request.deviation
    if deviation.kind and policy.deviations == policy_pb2.DEVIATIONS_REFUSE:
        kind = DeviationKind.Name(deviation.kind).removeprefix("DEVIATION_KIND_")
        message = deviation.message or "The request deviates from the protocol. Correct it."
        raise DirectoryError("PROTOCOL_DEVIATION", message, kind=kind)
