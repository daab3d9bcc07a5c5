"""The use cases of the provisioning log: what was done, and what was refused and why."""

from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.v1 import log_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import listing, views
from core_service.core import Caller, Core
from core_service.storage import pages, store
from core_service.storage.database import Transaction

DAY = 86_400 * 1_000_000
"""A day in microseconds."""
MOST_USERS = 100
PREFIX = "ERROR_REASON_"
"""What the names of reasons begin with in the log."""

RULES: dict[str, str] = {
    "USER_NOT_FOUND": "",
    "GROUP_NOT_FOUND": "R-148",
    "ROLE_NOT_FOUND": "R-148",
    "WORKSPACE_NOT_FOUND": "",
    "VALUE_TAKEN": "R-162",
    "ETAG_MISMATCH": "",
    "WRITE_CONFLICT": "",
    "STORAGE_UNAVAILABLE": "",
    "FIELD_INVALID": "",
    "FIELD_READ_ONLY": "",
    "FIELD_UNKNOWN": "R-094",
    "FILTER_INVALID": "",
    "NO_TARGET": "",
    "PAGE_TOKEN_INVALID": "",
    "NAME_UNKNOWN": "R-124",
    "SECOND_ROLE": "R-144",
    "ROLE_NOT_REMOVABLE": "R-151",
    "REGION_NOT_REMOVABLE": "R-121",
    "ACCOUNT_SHARED": "R-161",
    "GUEST_RESTRICTED": "R-155",
    "LAST_ADMIN": "R-150",
    "ADMIN_ROLE_LOCKED": "R-154",
    "ROLE_CATALOGUE": "R-143",
    "NO_SEAT": "R-044",
    "LIMIT_REACHED": "R-174",
    "INVOICE_PENDING": "R-049",
    "INTEGRATION_OFF": "R-062",
    "NOT_ENTITLED": "R-009",
    "SIGN_ON_MISSING": "R-013",
    "RATE_LIMITED": "",
    "CREDENTIAL_MISSING": "R-060",
    "CREDENTIAL_INVALID": "R-060",
    "SCOPE_MISSING": "",
    "WORKSPACE_MISMATCH": "R-016",
    "SUBJECT_MISSING": "",
}
"""The rule behind each reason; empty where the reason stands for no single one."""

# Reasons that name the user in their metadata, whatever was asked.
_ABOUT_USERS = frozenset(
    {
        "ACCOUNT_SHARED",
        "ADMIN_ROLE_LOCKED",
        "GUEST_RESTRICTED",
        "LAST_ADMIN",
        "REGION_NOT_REMOVABLE",
        "ROLE_NOT_REMOVABLE",
    }
)
# Operations whose target is a user.
_ON_USERS = ("UpdateUser", "PatchUser", "DeleteUser", "RestoreUser", "PurgeUser")
_LATEST = 2**63 - 1


async def list_log(core: Core, caller: Caller, request: api.ListLogRequest) -> api.ListLogResponse:
    """
    Return a page of the log, newest first.

    Raises:
        DirectoryError: PAGE_TOKEN_INVALID, FIELD_INVALID (page size), WORKSPACE_NOT_FOUND.
    """
    since = _micros(request.since)
    shape = repr((request.trace_id, request.target_id, since))
    scope = listing.scope(caller.workspace_id, "log", None, shape)
    before = None
    if request.page_token:
        before = int(pages.decode_token(core.page_key, scope, request.page_token)[0] or 0)
    limit = listing.page_size(request.page_size)

    async def work(tx: Transaction) -> api.ListLogResponse:
        await core.contexts.read(tx, caller.workspace_id)
        rows = await store.log_page(
            tx,
            caller.workspace_id,
            trace_id=request.trace_id,
            target_id=request.target_id,
            since=since,
            before=before,
            limit=limit + 1,
        )
        last = [rows[limit - 1].sequence] if len(rows) > limit else None
        return api.ListLogResponse(
            entries=[entry(row) for row in rows[:limit]],
            next_page_token=listing.token(core.page_key, scope, last),
        )

    return await core.storage.read(work)


async def list_failures(
    core: Core, caller: Caller, request: api.ListFailuresRequest
) -> api.ListFailuresResponse:
    """
    Return why requests of integrations were refused, the most frequent reason first (R-180).

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """
    since = _micros(request.since) if request.HasField("since") else core.now() - DAY

    async def work(tx: Transaction) -> api.ListFailuresResponse:
        await core.contexts.read(tx, caller.workspace_id)
        found = await store.refusals(tx, caller.workspace_id, since)
        failures = [await _failure(tx, caller.workspace_id, refusal, since) for refusal in found]
        return api.ListFailuresResponse(failures=failures)

    return await core.storage.read(work)


def entry(row: store.LogRow) -> log_pb2.LogEntry:
    """Return the entry of *row*."""
    message = log_pb2.LogEntry.FromString(row.document)
    message.sequence = row.sequence
    message.time.CopyFrom(views.timestamp(row.time))
    message.trace_id = row.trace_id
    message.integration_id = row.integration_id
    message.credential_id = row.credential_id
    message.operation = row.operation
    message.target_id = row.target_id
    message.reason = row.reason
    return message


async def _failure(
    tx: Transaction, workspace_id: str, refusal: store.Refusals, since: int
) -> api.Failure:
    name = refusal.reason.removeprefix(PREFIX)
    operations = None if name in _ABOUT_USERS else _ON_USERS
    user_ids = await store.refused_targets(
        tx, workspace_id, refusal.reason, since, operations, MOST_USERS
    )
    row = await store.log_entry(tx, workspace_id, refusal.last)
    assert row is not None  # the same snapshot has just counted it
    last = entry(row)
    return api.Failure(
        reason=refusal.reason,
        rule=RULES[name],
        count=refusal.times,
        user_ids=user_ids,
        last_message=last.message,
        last_trace_id=last.trace_id,
        last_time=last.time,
    )


def _micros(time: Timestamp) -> int:
    """Return an instant in microseconds, brought into the range that the database has."""
    return max(0, min(time.seconds * 1_000_000 + time.nanos // 1000, _LATEST))
