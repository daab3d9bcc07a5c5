"""The use case of custom attributes: declaring those that a workspace adds to its users (R-130)."""

from collections.abc import Iterable, Iterator

from userdirectory.attributes import GROUP, USER
from userdirectory.custom import TYPES, Declaration, Declared, declared
from userdirectory.v1 import filter_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api
from userdirectory.v1.custom_pb2 import CUSTOM_TYPE_STRING, CustomAttribute

from core_service import views
from core_service.core import Caller, Core
from core_service.rules import custom
from core_service.rules.wording import invalid
from core_service.storage import pages
from core_service.storage.database import Transaction
from core_service.workspace_writes import change
from core_service.writing import Write

_BUILT_IN = tuple(
    urn
    for resource in (USER, GROUP)
    for urn in (resource.urn, *(extension.urn for extension in resource.extensions))
)


async def declare(
    core: Core, caller: Caller, request: api.DeclareAttributesRequest
) -> api.DeclareAttributesResponse:
    """
    Declare all the attributes that the workspace adds to its users.

    Raises:
        DirectoryError: FIELD_INVALID for a declaration that cannot be, and for one that users have
            values of and that would be gone or of another type; ETAG_MISMATCH.
    """
    wanted = checked(request.attributes)

    async def work(tx: Transaction) -> api.DeclareAttributesResponse:
        write = await Write.begin(core, tx, caller)
        views.check_etag(write.row.version, request.etag)
        for attribute in _broken(write.context.declared, declared(wanted)):
            await _guard_use(write, attribute.urn, attribute.name)

        def edit(message: workspace_pb2.Workspace) -> None:
            del message.custom_attributes[:]
            message.custom_attributes.extend(wanted)

        row = write.row
        if list(write.context.message.custom_attributes) != wanted:
            row = await change(write, edit)
        return api.DeclareAttributesResponse(attributes=wanted, etag=views.etag(row.version))

    return await core.write(caller, work)


def checked(sent: Iterable[CustomAttribute]) -> list[CustomAttribute]:
    """
    Return declarations as they are kept.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    kept = []
    for each in sent:
        copy = CustomAttribute()
        copy.CopyFrom(each)
        copy.DiscardUnknownFields()
        if copy.type not in range(len(TYPES)):
            raise invalid(
                "attributes.type", f"{copy.type} is no type. Choose another.", value=copy.type
            )
        copy.type = copy.type or CUSTOM_TYPE_STRING
        kept.append(copy)
    found = [(next(iter(declared([each]).by_key.values())), _wording(each)) for each in kept]
    custom.check(found, _BUILT_IN)
    return kept


def _wording(attribute: CustomAttribute) -> custom.Wording:
    return custom.Wording(attribute.canonical_values, attribute.description)


def _broken(before: Declared, after: Declared) -> Iterator[Declaration]:
    """Yield the declarations whose values would have none, or another one, to keep."""
    for key, was in before.by_key.items():
        now = after.by_key.get(key)
        same = now is not None and (was.path, was.type, was.multi_valued, was.case_exact) == (
            now.path,
            now.type,
            now.multi_valued,
            now.case_exact,
        )
        if not same:
            yield was


async def _guard_use(write: Write, urn: str, name: str) -> None:
    """Refuse while somebody has a value, also who is away and may come back."""
    count = await pages.count_users(
        write.tx,
        write.workspace_id,
        filter_pb2.Filter(custom=filter_pb2.CustomFilter(urn=urn, name=name)),
        roles_as_groups=write.context.roles_as_groups,
        include_unlinked=True,
        declared=write.context.declared,
    )
    if count:
        raise invalid(
            "attributes",
            f"{count} users have values of {urn}:{name}. Clear them first, or declare it as it is.",
            count=count,
        )
