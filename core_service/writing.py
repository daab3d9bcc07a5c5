"""One write in progress: what its use case, the rules' facts and the answer's notices share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from userdirectory.errors import DirectoryError
from userdirectory.v1 import log_pb2, notice_pb2, policy_pb2, workspace_pb2
from userdirectory.v1 import user_directory_pb2 as api

from core_service import deviations, seats_booking
from core_service.context import Context
from core_service.core import Caller, Core
from core_service.rules import admins, seats
from core_service.rules.standing import Facts, Standing
from core_service.storage import store
from core_service.storage.database import Transaction

Asserting = (
    api.CreateUserRequest
    | api.UpdateUserRequest
    | api.PatchUserRequest
    | api.CreateGroupRequest
    | api.UpdateGroupRequest
    | api.PatchGroupRequest
)
"""The requests with what a document says of a user or group."""


@dataclass(slots=True)
class Write:
    """
    A write inside its transaction, with the workspace locked.

    Attributes:
        facts: The workspace's counts, with what this write has added so far.
        now: The time of the write, in microseconds since 1970.
        notices: What was done differently from what was asked, and what followed from it, for the
            answer and the log.
        changes: What was changed and is not in the log yet.
        logged: How many of the notices are in the log.
        outcomes: What the policy decided on without a notice, names of `notice_rules.OUTCOMES`.
    """

    core: Core
    tx: Transaction
    context: Context
    caller: Caller
    row: store.WorkspaceRow
    facts: Facts
    now: int
    notices: list[notice_pb2.Notice] = field(default_factory=list)
    changes: list[log_pb2.FieldChange] = field(default_factory=list)
    logged: int = 0
    outcomes: dict[str, None] = field(default_factory=dict)

    @classmethod
    async def begin(cls, core: Core, tx: Transaction, caller: Caller) -> Write:
        """
        Return the write of *caller* in the workspace that *tx* has locked.

        Raises:
            DirectoryError: WORKSPACE_NOT_FOUND.
        """
        context, row = await core.contexts.locked(tx)
        return cls(core, tx, context, caller, row, context.facts(row), core.now())

    @property
    def workspace_id(self) -> str:
        """The workspace."""
        return self.context.id

    def notice(self, code: str, message: str, field: str = "") -> None:
        """
        Tell the caller of something done differently.

        Args:
            code: The name of a `NoticeCode` without its prefix.
            message: One sentence for people.
            field: The field it is about.
        """
        self.notices.append(
            notice_pb2.Notice(code=f"NOTICE_CODE_{code}", message=message, field=field)
        )

    def decided(self, outcome: str) -> None:
        """Note that the policy decided on *outcome*, a name of `notice_rules.OUTCOMES`."""
        self.outcomes[outcome] = None

    def check_reading(self, request: Asserting) -> None:
        """
        Refuse or pass over what the caller could not read as the protocol says.

        Raises:
            DirectoryError: PROTOCOL_DEVIATION, FIELD_UNKNOWN.
        """
        deviations.check(self.context.policy, request)
        self.check_unknown(request.unknown_attributes)

    def check_unknown(self, names: Iterable[str]) -> None:
        """
        Refuse or note attributes that the contract does not know, as the policy says (D-42).

        Raises:
            DirectoryError: FIELD_UNKNOWN.
        """
        unknown = ", ".join(dict.fromkeys(names))
        if not unknown:
            return
        if self.context.policy.unknown_attributes == policy_pb2.UNKNOWN_ATTRIBUTES_REFUSE:
            raise DirectoryError(
                "FIELD_UNKNOWN",
                f"There is no attribute {unknown}. Leave it out, or see the schemas for the names.",
                field=unknown,
            )
        self.notice("ATTRIBUTES_IGNORED", f"Unknown attributes were left out: {unknown}.", unknown)

    async def bury(self, id_: str) -> None:
        """Keep of something that is gone its id, when it went, and by which request (R-171)."""
        grave = store.TombstoneRow(self.workspace_id, id_, self.now, self.caller.trace_id)
        await store.insert_tombstone(self.tx, grave)

    async def stand(self, *changes: tuple[Standing | None, Standing | None, str]) -> None:
        """
        Guard what the standing of users counts for, and count it.

        Args:
            changes: For each user what it was (None for one who did not exist), what it will be
                (None for one who will not exist), and its id.

        Raises:
            DirectoryError: ADMIN_ROLE_LOCKED, LAST_ADMIN, NO_SEAT.
        """
        locked = self.context.policy.admin_role == policy_pb2.ADMIN_ROLE_PRODUCT_ONLY
        for before, after, user_id in changes:
            admins.guard_lock(
                before,
                after,
                product_only=locked,
                by_provisioning=self.caller.provisions,
                user_id=user_id if before else "",
            )
        moves = [(_admin(after) - _admin(before), user_id) for before, after, user_id in changes]
        losers = [user_id for move, user_id in moves if move < 0]
        gaining = sum(move > 0 for move, _ in moves)
        admins.guard_many(len(losers), gaining, self.facts, "".join(losers[:1]))
        taking = sum(_seat(after) - _seat(before) for before, after, _ in changes)
        booked = seats.guard_many(taking, self.facts)
        if booked:
            await self.book(booked)
        await self.count(
            users=sum((after is not None) - (before is not None) for before, after, _ in changes),
            active_admins=gaining - len(losers),
            seats_used=taking,
        )

    async def count(
        self, *, users: int = 0, active_admins: int = 0, seats_used: int = 0, groups: int = 0
    ) -> None:
        """Add to the workspace's counts."""
        self.facts = replace(
            self.facts,
            active_admins=self.facts.active_admins + active_admins,
            seats_used=self.facts.seats_used + seats_used,
        )
        if users or active_admins or seats_used or groups:
            await store.add_counts(
                self.tx,
                self.workspace_id,
                users=users,
                active_admins=active_admins,
                seats_used=seats_used,
                groups=groups,
            )

    async def book(self, seats_more: int) -> None:
        """Add seats to what the workspace pays for, to be invoiced soon (R-046, R-048)."""
        row = await store.workspace(self.tx, self.workspace_id)
        assert row is not None
        message = workspace_pb2.Workspace.FromString(row.document)
        message.seat_plan.total += seats_more
        self.row = row._replace(
            version=row.version + 1,
            update_time=self.now,
            document=message.SerializeToString(deterministic=True),
        )
        await store.update_workspace(self.tx, self.row)
        await seats_booking.book(self.core, self.tx, self.workspace_id, seats_more, self.now)
        self.facts = replace(self.facts, seats_total=message.seat_plan.total)
        self.notice(
            "SEAT_BOOKED",
            f"Seats booked: {seats_more}. The workspace pays for {message.seat_plan.total} now.",
        )


def _admin(standing: Standing | None) -> int:
    return int(standing is not None and standing.is_active_admin)


def _seat(standing: Standing | None) -> int:
    return int(standing is not None and standing.holds_seat)
