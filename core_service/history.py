"""The use cases of the provisioning log: what was done, and what was refused and why."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.v1 import log_pb2
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.error_reason_pb2 import ErrorReason

from core_service import decisions, listing, views
from core_service.core import Caller, Core
from core_service.refusal_rules import REFUSALS
from core_service.rules.wording import invalid
from core_service.storage import pages, store
from core_service.storage.database import Transaction

DAY = 86_400 * 1_000_000
"""A day in microseconds."""
MOST_USERS = 100
PREFIX = "ERROR_REASON_"
"""What the names of reasons begin with in the log."""

RULES: dict[str, str] = {reason: decision.rule for reason, decision in REFUSALS.items()}
"""The rule behind each reason in general; a reason that stands for several has more of them."""

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
        DirectoryError: PAGE_TOKEN_INVALID, FIELD_INVALID (page size, reason, outcome),
            WORKSPACE_NOT_FOUND.
    """
    wanted = _filter(request)
    scope = listing.scope(caller.workspace_id, "log", None, repr(wanted))
    before = None
    if request.page_token:
        before = int(pages.decode_token(core.page_key, scope, request.page_token)[0] or 0)
    limit = listing.page_size(request.page_size)

    async def work(tx: Transaction) -> api.ListLogResponse:
        await core.contexts.read(tx, caller.workspace_id)
        rows = await store.log_page(tx, caller.workspace_id, wanted, before=before, limit=limit + 1)
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
    message.workspace_id = row.workspace_id
    message.actor = message.actor or _actor(row)
    message.rule = message.rule or decisions.rule_of(row.reason)
    return message


def _actor(row: store.LogRow) -> log_pb2.ActorKind:
    if row.integration_id:
        return log_pb2.ACTOR_KIND_IDENTITY_PROVIDER
    return log_pb2.ACTOR_KIND_PRODUCT if row.credential_id else log_pb2.ACTOR_KIND_DIRECTORY


def _filter(request: api.ListLogRequest) -> store.LogFilter:
    """Return which entries a request is for."""
    reason = ErrorReason.Name(_known("reason", ErrorReason, request.reason))
    outcome = _known("outcome", api.LogOutcome, request.outcome)
    return store.LogFilter(
        trace_id=request.trace_id,
        target_id=request.target_id,
        integration_id=request.integration_id,
        operation=request.operation,
        reason=reason if request.reason else "",
        refused=outcome == api.LOG_OUTCOME_REFUSED if outcome else None,
        since=_micros(request.since),
        until=_micros(request.until) if request.HasField("until") else store.MOST_MICROS,
    )


def _known(field: str, kind: Any, number: int) -> Any:
    """
    Return the number of an enum if the contract has it.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    if number not in kind.values():
        raise invalid(field, f"{number} is no {field}. Choose another.", value=number)
    return number


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
    return max(0, min(time.seconds * 1_000_000 + time.nanos // 1000, store.MOST_MICROS))
