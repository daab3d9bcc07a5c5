"""The row that the log keeps of a request: its columns, and the LogEntry of what has no column."""

from collections.abc import Iterable

from userdirectory.v1 import log_pb2, policy_pb2

from core_service import asked, policy_settings
from core_service.context import Context
from core_service.core import Caller
from core_service.storage import store


def row(
    caller: Caller,
    workspace_id: str,
    time: int,
    target_id: str,
    entry: log_pb2.LogEntry,
    *,
    reason: str = "",
) -> store.LogRow:
    """
    Return a row of the log, whose sequence is still to be given.

    Args:
        target_id: The user, group, role or workspace; empty if there is none.
        entry: What has no column; it gets the request.
        reason: Why it was refused, in full; empty for what was done.
    """
    request = asked.packed(caller.request)
    if request is not None:
        entry.request.CopyFrom(request)
    return store.LogRow(
        workspace_id=workspace_id,
        sequence=0,
        time=time,
        trace_id=caller.trace_id,
        integration_id=caller.integration_id,
        credential_id=caller.credential_id,
        operation=caller.operation,
        target_id=target_id,
        reason=reason,
        document=entry.SerializeToString(deterministic=True),
    )


def settings(context: Context, names: Iterable[str]) -> list[policy_pb2.PolicySetting]:
    """Return settings of a workspace by name, with their values and where these come from."""
    wanted = tuple(names)
    if not wanted:
        return []
    return policy_settings.shown(context.policy, context.message.policy, wanted)
