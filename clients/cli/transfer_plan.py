"""What an import has to do: lines of a file compared with who is in the directory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from userdirectory.text import fold
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import UserChange
from userdirectory.v1.filter_pb2 import Comparison, Filter, FilterList
from userdirectory.v1.user_pb2 import User, UserRef

from clients.cli.transfer_columns import Column
from clients.cli.transfer_lines import Line
from clients.cli.transfer_table import JSON, MANAGER, MANAGER_ID, roots

CREATED, UPDATED, UNCHANGED, REFUSED, WRONG = (
    "created",
    "updated",
    "unchanged",
    "refused",
    "wrong",
)
OUTCOMES = (CREATED, UPDATED, UNCHANGED, REFUSED, WRONG)
"""What can become of a line."""

MOST = 100
"""How many people are asked for at once; the contract takes 200 comparisons in a filter."""

_FIELDS = ["user_name", *roots(JSON)]

Ask = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one field: its name, and its value before and after; empty for none."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line was not taken; without a trace id if the directory was not asked."""

    reason: str
    message: str
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """
    What one line leads to.

    Attributes:
        outcome: Of `OUTCOMES`, if nothing is refused.
        changes: What differs; empty for somebody who stays as is.
        write: What is to be sent, None for nothing.
        user_id: Of who is there already; empty for others.
        deferred: Whether the manager is given later, who is not there yet but in the file.
        refusal: Why nothing can be sent.
    """

    line: Line
    outcome: str
    changes: tuple[Change, ...] = ()
    write: api.WriteOperation | None = None
    user_id: str = ""
    deferred: bool = False
    refusal: Refusal | None = None


class Planner:
    """
    Compares lines with the directory.

    Args:
        ask: Returns the response to a request.
        in_file: The keys of everybody in the file, who may be managers before they are there.
        clear_empty: Whether empty cells take values away.
    """

    def __init__(self, ask: Ask, in_file: Iterable[str], *, clear_empty: bool) -> None:
        """Know nobody yet."""
        self._ask = ask
        self._in_file = frozenset(in_file)
        self._clear_empty = clear_empty
        self._ids: dict[str, str] = {}

    def plan(self, lines: Sequence[Line]) -> list[Step]:
        """Return what each of at most 100 lines leads to, as the directory is now."""
        there = self._look_up(line.user.user_name for line in lines)
        managers = (line.manager for line in lines if line.manager)
        self._look_up(name for name in managers if fold(name) not in self._ids)
        return [self._step(line, there.get(line.key)) for line in lines]

    def plan_manager(self, lines: Sequence[Line]) -> list[Step]:
        """Return what at most 100 lines lead to that are done but for their managers."""
        there = self._look_up(line.user.user_name for line in lines)
        managers = (line.manager for line in lines)
        self._look_up(name for name in managers if fold(name) not in self._ids)
        return [self._manager_step(line, there.get(line.key)) for line in lines]

    def _look_up(self, user_names: Iterable[str]) -> dict[str, User]:
        wanted = list(dict.fromkeys(user_names))
        if not wanted:
            return {}
        request = api.ListUsersRequest(filter=any_of("user_name", wanted), page_size=1000)
        request.read_mask.paths.extend(_FIELDS)
        there = {fold(user.user_name): user for user in self._ask(request).users}
        self._ids.update((key, user.id) for key, user in there.items())
        return there

    def _step(self, line: Line, before: User | None) -> Step:
        manager_id = self._ids.get(fold(line.manager), "") if line.manager else ""
        deferred = bool(line.manager) and not manager_id
        if deferred and fold(line.manager) not in self._in_file:
            return Step(line, REFUSED, refusal=nobody(line.manager))
        if before is None:
            return _create(line, manager_id, deferred=deferred)
        changed, steps = self._changes(line, before)
        was = before.enterprise.manager
        if manager_id != was.user_id and (
            manager_id or (self._clear_empty and line.clears_manager)
        ):
            steps.append(manage(manager_id))
        if deferred or len(steps) > len(changed):
            changed.append(Change(MANAGER, was.display_name or was.user_id, line.manager))
        write = api.WriteOperation(patch_user=_patch(before.id, steps)) if steps else None
        outcome = UPDATED if changed else UNCHANGED
        return Step(line, outcome, tuple(changed), write, before.id, deferred)

    def _changes(self, line: Line, before: User) -> tuple[list[Change], list[UserChange]]:
        changed, steps = [], []
        for column in line.columns:
            if column.differs(before, line.user):
                changed.append(_change(column, before, line.user))
                steps.append(column.change(before, line.user))
        for column in line.cleared if self._clear_empty else ():
            if column.text(before):
                changed.append(_change(column, before, User()))
                steps.append(column.removal(before))
        return changed, steps

    def _manager_step(self, line: Line, before: User | None) -> Step:
        manager_id = self._ids.get(fold(line.manager), "")
        if before is None:
            return Step(line, REFUSED, refusal=nobody(line.user.user_name))
        if not manager_id:
            return Step(line, REFUSED, user_id=before.id, refusal=nobody(line.manager))
        was = before.enterprise.manager
        if manager_id == was.user_id:
            return Step(line, UNCHANGED, user_id=before.id)
        write = api.WriteOperation(patch_user=_patch(before.id, [manage(manager_id)]))
        change = Change(MANAGER, was.display_name or was.user_id, line.manager)
        return Step(line, UPDATED, (change,), write, before.id)


def any_of(path: str, texts: Iterable[str]) -> Filter:
    """Return a filter that those pass whose field is one of *texts*."""
    tests = [Filter(equal=Comparison(field=path, text=text)) for text in texts]
    return Filter(any_of=FilterList(filters=tests))


def manage(manager_id: str) -> UserChange:
    """Return the change that gives a user a manager, or none for an empty id."""
    change = UserChange()
    if manager_id:
        change.set.field = MANAGER_ID
        change.set.value.enterprise.manager.user_id = manager_id
    else:
        change.remove.field = MANAGER_ID
    return change


def nobody(user_name: str) -> Refusal:
    """Return why a line is not taken that needs somebody whom nobody knows."""
    return Refusal(
        "USER_NOT_FOUND",
        f"No user is called {user_name}. Give them a line of their own, or mend the name.",
    )


def _create(line: Line, manager_id: str, *, deferred: bool) -> Step:
    write = api.WriteOperation(create_user=api.CreateUserRequest(user=line.user))
    if manager_id:
        write.create_user.user.enterprise.manager.user_id = manager_id
    changes = [_change(column, User(), line.user) for column in line.columns]
    if line.manager:
        changes.append(Change(MANAGER, "", line.manager))
    return Step(line, CREATED, tuple(changes), write, deferred=deferred)


def _patch(user_id: str, steps: Iterable[UserChange]) -> api.PatchUserRequest:
    return api.PatchUserRequest(user=UserRef(id=user_id), changes=steps)


def _change(column: Column, before: User, after: User) -> Change:
    return Change(column.name, column.shown(before), column.shown(after))
