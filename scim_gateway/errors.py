"""Errors as SCIM clients see them (RFC 7644 section 3.12)."""

import re

import grpc
from userdirectory.attributes import GROUP, USER
from userdirectory.errors import DirectoryError
from userdirectory.status import error_of_call

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"
UNAUTHENTICATED = (
    "The credential is missing, unknown, expired or revoked. "
    "Send a valid token in the header `Authorization: Bearer TOKEN`."
)

# Reason of the directory: HTTP status and scimType. A test compares the keys with the contract.
STATUSES: dict[str, tuple[int, str]] = {
    "USER_NOT_FOUND": (404, ""),
    "GROUP_NOT_FOUND": (404, ""),
    "ROLE_NOT_FOUND": (404, ""),
    "WORKSPACE_NOT_FOUND": (404, ""),
    "VALUE_TAKEN": (409, "uniqueness"),
    "ETAG_MISMATCH": (412, ""),
    "WRITE_CONFLICT": (503, ""),
    "STORAGE_UNAVAILABLE": (503, ""),
    "FIELD_INVALID": (400, "invalidValue"),
    "FIELD_READ_ONLY": (400, "mutability"),
    "FIELD_UNKNOWN": (400, "invalidPath"),
    "FILTER_INVALID": (400, "invalidFilter"),
    "NO_TARGET": (400, "noTarget"),
    "PAGE_TOKEN_INVALID": (400, "invalidCursor"),
    "NAME_UNKNOWN": (400, "invalidValue"),
    # And by what deviates: `_DEVIATIONS`.
    "PROTOCOL_DEVIATION": (400, "invalidSyntax"),
    "SECOND_ROLE": (400, "invalidValue"),
    "ROLE_NOT_REMOVABLE": (400, "mutability"),
    "REGION_NOT_REMOVABLE": (400, "mutability"),
    "ACCOUNT_SHARED": (400, "mutability"),
    "GUEST_RESTRICTED": (403, ""),
    "LAST_ADMIN": (403, ""),
    "ADMIN_ROLE_LOCKED": (403, ""),
    "ROLE_CATALOGUE": (403, ""),
    # Never 429: Entra would pause the whole job for it.
    "NO_SEAT": (403, ""),
    "LIMIT_REACHED": (403, ""),
    "INVOICE_PENDING": (403, ""),
    "INTEGRATION_OFF": (403, ""),
    "NOT_ENTITLED": (403, ""),
    "SIGN_ON_MISSING": (403, ""),
    "RATE_LIMITED": (429, ""),
    "CREDENTIAL_MISSING": (401, ""),
    "CREDENTIAL_INVALID": (401, ""),
    "SCOPE_MISSING": (403, ""),
    # Another workspace looks like none.
    "WORKSPACE_MISMATCH": (404, ""),
    "SUBJECT_MISSING": (501, ""),
}
# Seconds until a client may try again. Okta understands whole seconds only, no dates.
RETRY_AFTER = {"WRITE_CONFLICT": 1, "STORAGE_UNAVAILABLE": 5, "RATE_LIMITED": 1}

# scimType of PROTOCOL_DEVIATION by its kind, where that is not the structure of the body.
_DEVIATIONS = {
    "NAME": "invalidPath",
    "VALUE": "invalidValue",
    "FILTER": "invalidFilter",
    "READ_ONLY": "mutability",
}

_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


class ScimError(Exception):
    """
    A request that is answered with a SCIM error.

    Args:
        status: The HTTP status.
        scim_type: One of RFC 7644 table 9 or of RFC 9865 section 2.1, empty where none fits.
        detail: One sentence on what is wrong, one on what to do.
        retry_after: Whole seconds for the header Retry-After; None leaves it out.

    Attributes:
        challenge: What a 401 says in WWW-Authenticate.
    """

    challenge = "Bearer"

    def __init__(
        self, status: int, scim_type: str, detail: str, *, retry_after: int | None = None
    ) -> None:
        """Make an error."""
        super().__init__(detail)
        self.status = status
        self.scim_type = scim_type
        self.detail = detail
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        headers = {"WWW-Authenticate": self.challenge} if self.status == 401 else {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers

    def body(self, trace_id: str) -> dict[str, object]:
        """Return the SCIM Error message; `detail` names the trace, because people copy only it."""
        body: dict[str, object] = {
            "schemas": [SCHEMA],
            "status": str(self.status),
            "detail": f"{self.detail} (trace {trace_id})",
        }
        if self.scim_type:
            body["scimType"] = self.scim_type
        return body


def invalid_value(detail: str) -> ScimError:
    """Return the error for a value that is of the wrong type or incompatible."""
    return ScimError(400, "invalidValue", detail)


def invalid_syntax(detail: str) -> ScimError:
    """Return the error for a body that is not the JSON that is wanted."""
    return ScimError(400, "invalidSyntax", detail)


def invalid_filter(detail: str) -> ScimError:
    """Return the error for a filter that cannot be read or evaluated."""
    return ScimError(400, "invalidFilter", detail)


def invalid_path(detail: str) -> ScimError:
    """Return the error for the path of a PATCH that cannot be read."""
    return ScimError(400, "invalidPath", detail)


def invalid_cursor() -> ScimError:
    """Return the error for a cursor that was never given out (RFC 9865 section 2.1)."""
    detail = "The cursor is not from this list. Begin with an empty one, and change nothing else."
    return ScimError(400, "invalidCursor", detail)


def unauthenticated() -> ScimError:
    """Return the error for a missing or unusable credential; the same for both."""
    return ScimError(401, "", UNAUTHENTICATED)


def of_call(error: BaseException) -> ScimError | None:
    """
    Return the SCIM error for a failed call of the core, None if it is no failure we can name.

    Without a reason of the directory only the code of the call is known: the core is away
    (503), did not answer in time (504), or refused the size of a message (413).
    """
    if not isinstance(error, grpc.RpcError):
        return None
    known = error_of_call(error)
    if known is not None:
        return of_directory(known)
    code = error.code()
    if code in _AWAY:
        return ScimError(503, "", "The directory is not available. Try again later.", retry_after=5)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return ScimError(
            504,
            "",
            "The directory did not answer in time. The request may have been carried out.",
            retry_after=5,
        )
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        # gRPC's own words: "Received message larger than max"; else too many calls at once.
        if "larger than max" in (error.details() or ""):
            return ScimError(413, "", "The request or its answer is too large. Ask for less.")
        return ScimError(503, "", "The directory is busy. Try again later.", retry_after=1)
    return None


def of_directory(error: DirectoryError) -> ScimError:
    """Return the SCIM error for a refusal of the directory, with names that SCIM clients know."""
    status, scim_type = STATUSES[error.reason]
    if error.reason == "PROTOCOL_DEVIATION":
        scim_type = _DEVIATIONS.get(error.metadata.get("kind", ""), scim_type)
    if status == 401:
        return unauthenticated()
    retry_after = RETRY_AFTER.get(error.reason)
    told = error.metadata.get("retry_after_seconds", "")
    if told.isascii() and told.isdigit():
        retry_after = max(1, int(told))
    return ScimError(status, scim_type, _in_scim_names(error), retry_after=retry_after)


def _in_scim_names(error: DirectoryError) -> str:
    field = error.metadata.get("field", "")
    attribute = USER.by_path.get(field) or GROUP.by_path.get(field)
    if attribute is None or attribute.extension:
        return error.message
    return re.sub(rf"(?<![\w.]){re.escape(field)}(?!\w|\.\w)", attribute.scim_path, error.message)
