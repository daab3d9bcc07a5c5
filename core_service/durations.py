"""How long credentials are good, as requests say it, in microseconds."""

from google.protobuf.duration_pb2 import Duration
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service.rules.wording import invalid

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

_LONGEST = 36_500 * DAY


def overlap(request: api.RotateTokenRequest | api.RotateServiceCredentialRequest) -> int:
    """
    Return how long what is replaced stays good: an hour if nothing is said.

    Raises:
        DirectoryError: FIELD_INVALID unless it is 0 to 24 hours.
    """
    if not request.HasField("overlap"):
        return HOUR
    return _micros("overlap", request.overlap, least=0, most=DAY)


def expire_time(
    request: api.IssueTokenRequest
    | api.RotateTokenRequest
    | api.CreateServiceCredentialRequest
    | api.RotateServiceCredentialRequest,
    now: int,
) -> int | None:
    """
    Return when what is made at *now* ends; None for never.

    Raises:
        DirectoryError: FIELD_INVALID for a lifetime of less than a second or of centuries.
    """
    if not request.HasField("lifetime"):
        return None
    return now + _micros("lifetime", request.lifetime, least=SECOND, most=_LONGEST)


def _micros(field: str, duration: Duration, least: int, most: int) -> int:
    micros = duration.seconds * SECOND + duration.nanos // 1000
    if not least <= micros <= most:
        raise invalid(
            field,
            f"The {field} is {least // SECOND} to {most // SECOND} seconds. Send another.",
            limit=most // SECOND,
        )
    return micros
