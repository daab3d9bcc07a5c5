"""
Refusals in the log: each a row in a transaction of its own, or kept until one can be written.

Who is refused is answered all the same: what the database does not take now waits in memory, at
most `MOST_WAITING` refusals, and `run` writes it when the database is back.
"""

import asyncio
import logging
from dataclasses import dataclass

from userdirectory.errors import DirectoryError
from userdirectory.v1 import log_pb2

from core_service import decisions, log_rows
from core_service.core import Caller, Core
from core_service.storage import store
from core_service.storage.database import Transaction

log = logging.getLogger(__name__)

MOST_WAITING = 1000

# Said of the moment, in which the database takes no row either.
_OF_THE_MOMENT = frozenset({"STORAGE_UNAVAILABLE", "WRITE_CONFLICT"})
_PATIENCE_SECONDS = 2.0
_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Refused:
    """
    A request that was refused.

    Attributes:
        caller: Who asked.
        known: Whether the credential was good; if not, `caller` has no workspace, and at most the
            public id of a credential that looks like one.
        target_id: What it was about; empty if it has no id.
        time: When, in microseconds since 1970.
    """

    caller: Caller
    known: bool
    target_id: str
    error: DirectoryError
    time: int

    @property
    def by_anybody(self) -> bool:
        """Whether such refusals can be caused without end."""
        return not self.known or self.error.reason == "RATE_LIMITED"


async def keep(core: Core, refused: Refused) -> None:
    """
    Write a refusal, or keep it for `run`.

    Returns after two seconds also if the row is not written yet.
    """
    owed = core.owed
    if refused.by_anybody and not owed.bucket.take():
        return
    if refused.error.reason in _OF_THE_MOMENT:
        _owe(core, refused)
        return
    # Who stops waiting does not stop the write, of which it would not be known if it happened.
    writing = asyncio.create_task(_write_or_owe(core, refused))
    owed.writing.add(writing)
    writing.add_done_callback(owed.writing.discard)
    await asyncio.wait([writing], timeout=_PATIENCE_SECONDS)


async def run(core: Core) -> None:
    """Write what waits as soon as the database takes it, until cancelled."""
    while True:
        await core.owed.more.wait()
        if not await settle(core):
            await asyncio.sleep(_AGAIN_SECONDS)


async def settle(core: Core) -> bool:
    """Write what waits, in its order; return whether nothing waits any more."""
    owed = core.owed
    if owed.writing:
        await asyncio.wait(set(owed.writing))
    while owed.waiting:
        refused = owed.waiting[0]
        try:
            await write(core, refused, again=True)
        except DirectoryError as error:
            log.info("Refusals wait to be logged: reason=%s", error.reason)
            return False
        except Exception:  # noqa: BLE001 - one row that cannot be written keeps no other waiting
            _lose(refused)
        if owed.waiting and owed.waiting[0] is refused:
            owed.waiting.popleft()
    owed.more.clear()
    return True


async def write(core: Core, refused: Refused, *, again: bool = False) -> None:
    """
    Log a refusal.

    A workspace that does not exist has its refusals with those of nobody.

    Args:
        again: Whether an earlier attempt may have written it without our knowing.

    Raises:
        DirectoryError: STORAGE_UNAVAILABLE, WRITE_CONFLICT.
    """
    caller, error = refused.caller, refused.error
    decision = decisions.of_refusal(error, caller.operation)

    async def work(tx: Transaction) -> None:
        entry = log_pb2.LogEntry(message=error.message, rule=decision.rule)
        if not refused.known:
            entry.actor = log_pb2.ACTOR_KIND_UNKNOWN
        workspace_id = ""
        if tx.workspace is not None:
            context, _ = await core.contexts.locked(tx)
            workspace_id = context.id
            entry.settings.extend(log_rows.settings(context, decision.settings))
        row = log_rows.row(
            caller, workspace_id, refused.time, refused.target_id, entry, reason=error.full_reason
        )
        if again and await store.has_log(tx, row):
            return
        insert = store.insert_log if workspace_id else store.insert_log_of_nobody
        await insert(tx, row)

    await core.storage.write(caller.workspace_id, work)
    core.news.tell(caller.workspace_id)


async def _write_or_owe(core: Core, refused: Refused) -> None:
    try:
        await write(core, refused)
    except DirectoryError:
        _owe(core, refused)
    except Exception:  # noqa: BLE001 - the answer is given; what fails here is ours
        _lose(refused)


def _owe(core: Core, refused: Refused) -> None:
    owed = core.owed
    if len(owed.waiting) >= MOST_WAITING:
        log.error("Too many refusals wait: trace_id=%s", owed.waiting.popleft().caller.trace_id)
    owed.waiting.append(refused)
    owed.more.set()


def _lose(refused: Refused) -> None:
    log.exception("A refusal could not be logged: trace_id=%s", refused.caller.trace_id)
