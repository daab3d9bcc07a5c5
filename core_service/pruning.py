"""The use cases of leaving another tool behind: what nobody took up goes, by a plan (R-043)."""

import hashlib

from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import group_writes, user_writes
from core_service.core import Caller, Core
from core_service.logins import Secrets
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write

MOST = 10_000


async def plan(core: Core, caller: Caller, request: api.PlanPruneRequest) -> api.PlanPruneResponse:
    """
    Return what would go: users and groups of a source that provisioning has not taken up.

    Raises:
        DirectoryError: FIELD_INVALID without a source, WORKSPACE_NOT_FOUND.
    """
    _check_source(request.source)

    async def work(tx: Transaction) -> api.PlanPruneResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        return await _plan(tx, context.id, request.source)

    return await core.storage.read(work)


async def commit(
    core: Core, caller: Caller, request: api.CommitPruneRequest
) -> api.CommitPruneResponse:
    """
    Carry a plan out: its users go to the deleted users, its groups are deleted.

    Raises:
        DirectoryError: FIELD_INVALID without a source, ETAG_MISMATCH if the plan does not hold any
            more, LAST_ADMIN.
    """
    _check_source(request.source)

    async def work(tx: Transaction) -> api.CommitPruneResponse:
        write = await Write.begin(core, tx, caller)
        planned = await _plan(tx, write.workspace_id, request.source)
        if planned.plan != request.plan:
            raise DirectoryError(
                "ETAG_MISMATCH",
                "The plan does not hold any more. Plan again and look at what would go.",
                etag=planned.plan,
            )
        for row in await store.users_by_ids(tx, write.workspace_id, planned.user_ids):
            await _recycle(write, row)
        for group_id in planned.group_ids:
            await group_writes.delete(write, group_id, "")
        return api.CommitPruneResponse(
            user_count=len(planned.user_ids), group_count=len(planned.group_ids)
        )

    return await core.write(caller, work)


async def _plan(tx: Transaction, workspace_id: str, source: str) -> api.PlanPruneResponse:
    users, groups = await store.left_of_source(tx, workspace_id, source, MOST)
    digest = hashlib.sha256(repr((workspace_id, source, users, groups)).encode()).hexdigest()
    return api.PlanPruneResponse(
        user_ids=[id_ for id_, _ in users], group_ids=[id_ for id_, _ in groups], plan=digest
    )


async def _recycle(write: Write, row: store.UserRow) -> None:
    before = await user_writes.shown(write, row)
    wanted = user_pb2.User()
    wanted.CopyFrom(before)
    wanted.active = False
    await user_writes.rewrite(
        write, row, before, wanted, Secrets(sent=False, hash=""), recycles=True
    )


def _check_source(source: str) -> None:
    if not source:
        raise DirectoryError(
            "FIELD_INVALID",
            "A source is required. Name the tool whose users and groups are meant.",
            field="source",
        )
