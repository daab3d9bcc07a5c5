"""A write that its caller named happens once: whoever repeats it gets the answer it had."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message
from userdirectory.errors import DirectoryError

from core_service.storage import store
from core_service.storage.database import Transaction

FIELD = "idempotency-key"
KEPT_MICROS = 24 * 60 * 60 * 1_000_000
"""How long an answer is kept: older keys are free again."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Once:
    """
    A write that its caller named.

    Attributes:
        key: The name, as `idempotency-key` brought it.
        digest: That of the RPC and its request: the same key for another request is a mistake.
        answer: The type of the answer.
    """

    key: str
    digest: bytes
    answer: type[Message]


async def perform(
    tx: Transaction,
    workspace_id: str,
    credential_id: str,
    once: Once,
    now: int,
    work: Callable[[Transaction], Awaitable[T]],
) -> T:
    """
    Return what *work* makes, or made when the same write was asked for before.

    The key is taken before the work begins, so that also where no workspace is locked a second
    caller waits for the first. What *work* raises frees the key again: refusals are not kept.

    Raises:
        DirectoryError: FIELD_INVALID if the key was used for another request, or if its answer
            told of a user who is purged; and what *work* raises.
    """
    row = store.IdempotencyKeyRow(
        workspace_id, credential_id, once.key, digest=once.digest, answer=b"", time=now
    )
    if await store.claim_key(tx, row, now - KEPT_MICROS):
        answer = await work(tx)
        assert isinstance(answer, once.answer)
        await store.keep_answer(tx, row._replace(answer=answer.SerializeToString()))
        return answer
    taken = await store.key_taken(tx, workspace_id, credential_id, once.key)
    assert taken is not None  # nothing but time frees a key, and then it is claimed
    if not taken.digest:
        raise DirectoryError(
            "FIELD_INVALID",
            "The request with this key was carried out, and a user in its answer is purged since. "
            "Read what is there now.",
            field=FIELD,
        )
    if taken.digest != once.digest:
        raise DirectoryError(
            "FIELD_INVALID",
            "The key was used for another request. Give each request a key of its own.",
            field=FIELD,
        )
    return once.answer.FromString(taken.answer)  # type: ignore[return-value]  # as *work* made it


async def forget(tx: Transaction, workspace_id: str, user_id: str) -> None:
    """
    Forget every kept answer that shows something of a purged user.

    Whatever a message shows of a user, it names by id: itself, a member, a manager. The keys stay
    taken, so that a late repetition does not bring the person back. It reads all that the workspace
    keeps, which is a day's: 0.4 seconds for 100,000 answers.
    """
    await store.forget_answers_about(tx, workspace_id, user_id)
