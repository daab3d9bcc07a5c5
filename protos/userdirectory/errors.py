"""The one error with a meaning, and what each reason is on the wire."""

import grpc

from userdirectory.v1.error_reason_pb2 import ErrorReason

DOMAIN = "userdirectory"
_PREFIX = "ERROR_REASON_"


class DirectoryError(Exception):
    """
    A request that the directory refuses.

    Args:
        reason: The name of an `ErrorReason` without its prefix: `LAST_ADMIN`.
        message: One sentence on what is wrong with the value in question, one on what to do.
        metadata: Everything that varies in the message, by the keys the contract names.

    Attributes:
        trace_id: Of the request, where a directory answered it; else empty.
    """

    def __init__(self, reason: str, message: str, **metadata: object) -> None:
        """Make an error; KeyError if the contract has no such reason."""
        super().__init__(message)
        CODES[reason]
        self.reason = reason
        self.message = message
        self.trace_id = ""
        self.metadata = {key: str(value) for key, value in metadata.items()}

    @property
    def code(self) -> grpc.StatusCode:
        """The gRPC status code of the reason."""
        return CODES[self.reason]

    @property
    def full_reason(self) -> str:
        """The reason as ErrorInfo carries it: `ERROR_REASON_LAST_ADMIN`."""
        return _PREFIX + self.reason


_C = grpc.StatusCode

CODES: dict[str, grpc.StatusCode] = {
    "USER_NOT_FOUND": _C.NOT_FOUND,
    "GROUP_NOT_FOUND": _C.NOT_FOUND,
    "ROLE_NOT_FOUND": _C.NOT_FOUND,
    "WORKSPACE_NOT_FOUND": _C.NOT_FOUND,
    "VALUE_TAKEN": _C.ALREADY_EXISTS,
    "ETAG_MISMATCH": _C.ABORTED,
    "WRITE_CONFLICT": _C.ABORTED,
    "STORAGE_UNAVAILABLE": _C.UNAVAILABLE,
    "FIELD_INVALID": _C.INVALID_ARGUMENT,
    "FIELD_READ_ONLY": _C.INVALID_ARGUMENT,
    "FIELD_UNKNOWN": _C.INVALID_ARGUMENT,
    "FILTER_INVALID": _C.INVALID_ARGUMENT,
    "NO_TARGET": _C.FAILED_PRECONDITION,
    "PAGE_TOKEN_INVALID": _C.INVALID_ARGUMENT,
    "NAME_UNKNOWN": _C.INVALID_ARGUMENT,
    "PROTOCOL_DEVIATION": _C.INVALID_ARGUMENT,
    "SECOND_ROLE": _C.INVALID_ARGUMENT,
    "ROLE_NOT_REMOVABLE": _C.FAILED_PRECONDITION,
    "REGION_NOT_REMOVABLE": _C.FAILED_PRECONDITION,
    "ACCOUNT_SHARED": _C.FAILED_PRECONDITION,
    "GUEST_RESTRICTED": _C.FAILED_PRECONDITION,
    "LAST_ADMIN": _C.FAILED_PRECONDITION,
    "ADMIN_ROLE_LOCKED": _C.FAILED_PRECONDITION,
    "ROLE_CATALOGUE": _C.FAILED_PRECONDITION,
    "NO_SEAT": _C.RESOURCE_EXHAUSTED,
    "LIMIT_REACHED": _C.RESOURCE_EXHAUSTED,
    "INVOICE_PENDING": _C.FAILED_PRECONDITION,
    "INTEGRATION_OFF": _C.FAILED_PRECONDITION,
    "NOT_ENTITLED": _C.PERMISSION_DENIED,
    "SIGN_ON_MISSING": _C.FAILED_PRECONDITION,
    "RATE_LIMITED": _C.RESOURCE_EXHAUSTED,
    "CREDENTIAL_MISSING": _C.UNAUTHENTICATED,
    "CREDENTIAL_INVALID": _C.UNAUTHENTICATED,
    "SCOPE_MISSING": _C.PERMISSION_DENIED,
    "WORKSPACE_MISMATCH": _C.PERMISSION_DENIED,
    "SUBJECT_MISSING": _C.UNIMPLEMENTED,
}


def reasons() -> list[str]:
    """Return every reason of the contract without its prefix, UNSPECIFIED left out."""
    return [name.removeprefix(_PREFIX) for name in ErrorReason.keys()[1:]]
