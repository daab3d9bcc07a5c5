"""
The use case of a batch: several writes in one call, each a transaction of its own.

References between them (`bulkId:REF`, RFC 7644 section 3.7.2) are resolved here: a write waits for
what it needs; in a circle the first create is made without the references that cannot be resolved
yet, and gets them by a patch as soon as they can.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue, UserChange, UserValue
from userdirectory.v1.user_pb2 import User, UserRef

from core_service import groups, users
from core_service.core import Caller, Core

MOST = 1000
PREFIX = "bulkId:"

_ID_FIELDS = frozenset({"id", "user_id", "member_id", "text"})
_USE_CASES: dict[str, Callable[[Core, Caller, Any], Awaitable[Any]]] = {
    "create_user": users.create,
    "update_user": users.update,
    "patch_user": users.patch,
    "delete_user": users.delete,
    "create_group": groups.create,
    "update_group": groups.update,
    "patch_group": groups.patch,
    "delete_group": groups.delete,
}
OPERATIONS = {kind: "".join(word.title() for word in kind.split("_")) for kind in _USE_CASES}
"""The RPC that each kind of write is: `CreateUser`."""

Refused = Callable[[Caller, Message, DirectoryError], Awaitable[None]]


async def write(
    core: Core, caller: Caller, request: api.BatchWriteRequest, refused: Refused
) -> api.BatchWriteResponse:
    """
    Make every write that can be made, and tell what became of each.

    Args:
        refused: Told of each write that is refused: the caller with its RPC, its request and why.

    Raises:
        DirectoryError: FIELD_INVALID for more than 1000 writes, a write without content, a
            reference that is named twice.
    """
    return await _Batch(core, caller, request, refused).run()


class _Batch:
    """One batch: what is still to be made, what the references stand for."""

    def __init__(
        self, core: Core, caller: Caller, request: api.BatchWriteRequest, refused: Refused
    ) -> None:
        _check(request)
        self._core = core
        self._caller = caller
        self._refused = refused
        self._most_errors = request.fail_on_errors
        self._waiting = dict(enumerate(request.operations))
        self._refs = {operation.ref for operation in request.operations if operation.ref}
        self._ids: dict[str, str] = {}
        self._failed: set[str] = set()
        self._results: dict[int, api.WriteResult] = {}
        self._owed: list[tuple[int, str, str, list[str]]] = []

    async def run(self) -> api.BatchWriteResponse:
        """Make the writes."""
        errors = 0
        while self._waiting and not (0 < self._most_errors <= errors):
            index, operation = self._next()
            del self._waiting[index]
            result = await self._make(index, operation)
            errors += result.WhichOneof("outcome") == "error"
            self._results[index] = result
            await self._settle()
        return api.BatchWriteResponse(results=[self._results[key] for key in sorted(self._results)])

    def _next(self) -> tuple[int, api.WriteOperation]:
        """Return the first write that needs nothing, else the first create of a circle."""
        for index, operation in self._waiting.items():
            if not self._open(operation):
                return index, operation
        for index, operation in self._waiting.items():
            if operation.ref and (operation.WhichOneof("write") or "").startswith("create"):
                return index, operation
        return next(iter(self._waiting.items()))

    def _open(self, operation: api.WriteOperation) -> list[str]:
        """Return the references of a write that stand for nothing yet, and still may."""
        return [
            ref
            for _, _, ref in _references(operation)
            if ref in self._refs and ref not in self._ids and ref not in self._failed
        ]

    async def _make(self, index: int, operation: api.WriteOperation) -> api.WriteResult:
        kind = operation.WhichOneof("write") or ""
        wanted = getattr(operation, kind)
        caller = replace(self._caller, operation=OPERATIONS[kind], request=wanted)
        try:
            owed = self._resolve(operation)
            answer = await _USE_CASES[kind](self._core, caller, wanted)
        except DirectoryError as error:
            if operation.ref:
                self._failed.add(operation.ref)
            await self._refused(caller, wanted, error)
            return api.WriteResult(index=index, error=_error(error))
        result = _result(index, kind, wanted, answer)
        if operation.ref:
            self._ids[operation.ref] = getattr(result, result.WhichOneof("outcome") or "").id
        if owed:
            self._owed.append((index, kind, self._ids[operation.ref], owed))
        return result

    def _resolve(self, operation: api.WriteOperation) -> list[str]:
        """Put ids in the place of references; take out, and return, those of a circle."""
        owed = []
        creates = (operation.WhichOneof("write") or "").startswith("create")
        for message, field, ref in list(_references(operation)):
            if ref in self._ids:
                setattr(message, field, self._ids[ref])
            elif ref in self._refs and ref not in self._failed and creates and operation.ref:
                owed.append(ref)
            else:
                raise DirectoryError(
                    "FIELD_INVALID",
                    f"The reference {PREFIX}{ref} stands for nothing that was created. "
                    "Send the operation that creates it, or mend it.",
                    field=field,
                    value=PREFIX + ref,
                )
        if owed:
            _take_out(operation)
        return owed

    async def _settle(self) -> None:
        """Give what was made without its references those that can be resolved now."""
        still = []
        for index, kind, id_, refs in self._owed:
            ready = [self._ids[ref] for ref in refs if ref in self._ids]
            rest = [ref for ref in refs if ref not in self._ids and ref not in self._failed]
            if ready:
                answer = await self._give(kind, id_, ready)
                self._results[index] = _result(index, kind, None, answer)
            if rest:
                still.append((index, kind, id_, rest))
        self._owed = still

    async def _give(self, kind: str, id_: str, ids: list[str]) -> Any:
        if kind == "create_group":
            value = GroupValue(field="members")
            for member_id in ids:
                value.value.members.add(member_id=member_id)
            patch = api.PatchGroupRequest(id=id_, changes=[GroupChange(add=value)])
            caller = replace(self._caller, operation="PatchGroup", request=patch)
            return await groups.patch(self._core, caller, patch)
        user = User()
        user.enterprise.manager.user_id = ids[-1]
        change = UserChange(set=UserValue(field="enterprise.manager.user_id", value=user))
        patched = api.PatchUserRequest(user=UserRef(id=id_), changes=[change])
        caller = replace(self._caller, operation="PatchUser", request=patched)
        return await users.patch(self._core, caller, patched)


def _references(message: Message) -> Iterator[tuple[Message, str, str]]:
    """Give every reference in a message: where it is, the field, and what it names."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry:
                continue
            for part in value if field.is_repeated else (value,):
                yield from _references(part)
        elif field.name in _ID_FIELDS and isinstance(value, str) and value.startswith(PREFIX):
            yield message, field.name, value.removeprefix(PREFIX)


def _take_out(operation: api.WriteOperation) -> None:
    """Take the references out of a create that cannot have them yet."""
    if operation.WhichOneof("write") == "create_user":
        manager = operation.create_user.user.enterprise.manager
        if manager.user_id.startswith(PREFIX):
            manager.ClearField("user_id")
        return
    group = operation.create_group.group
    kept = [member for member in group.members if not member.member_id.startswith(PREFIX)]
    del group.members[:]
    group.members.extend(kept)


def _result(index: int, kind: str, wanted: Any, answer: Any) -> api.WriteResult:
    if kind == "delete_user":
        return api.WriteResult(index=index, deleted_id=wanted.user.id)
    if kind == "delete_group":
        return api.WriteResult(index=index, deleted_id=wanted.id)
    if kind.endswith("user"):
        return api.WriteResult(index=index, user=answer.user)
    return api.WriteResult(index=index, group=answer.group)


def _error(error: DirectoryError) -> api.WriteError:
    return api.WriteError(reason=error.full_reason, message=error.message, metadata=error.metadata)


def _check(request: api.BatchWriteRequest) -> None:
    refs = [operation.ref for operation in request.operations if operation.ref]
    problem = ""
    if len(request.operations) > MOST:
        problem = f"{len(request.operations)} writes are too many; send at most {MOST} at once."
    elif any(operation.WhichOneof("write") is None for operation in request.operations):
        problem = "A write has no content. Say what to do."
    elif len(set(refs)) < len(refs):
        problem = "A reference is named twice. Give each create its own."
    elif request.fail_on_errors < 0:
        problem = "`fail_on_errors` is a number of refusals; 0 never stops."
    if problem:
        raise DirectoryError("FIELD_INVALID", problem, field="operations", limit=MOST)
