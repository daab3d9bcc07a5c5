"""
The use cases of teams and absence regions, which are names that users have.

A user's document and its comparable values hold the names themselves, so that renaming rewrites
the users who have one, in the same transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message
from userdirectory.text import name_key
from userdirectory.v1 import filter_pb2, user_pb2, workspace_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service.core import Caller, Core
from core_service.rules import regions, teams
from core_service.rules.wording import invalid, shown, unknown_name
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.workspace_writes import change
from core_service.writing import Write

_PAGE = 500

A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """
    A list of names of a workspace.

    Attributes:
        field: Where the workspace has it.
        what: What has such names, for people.
        check: Returns the names as they are kept, or refuses them.
        having: Returns the filter of the users who have a name.
        rename: Gives a user another name instead of one; an empty one takes it away.
    """

    field: str
    what: str
    check: Callable[[Sequence[str]], list[str]]
    having: Callable[[str], filter_pb2.Filter]
    rename: Callable[[user_pb2.User, str, str], None]

    def names(self, message: workspace_pb2.Workspace) -> Any:
        """Return the repeated field of the workspace."""
        return getattr(message, self.field)


async def create_team(
    core: Core, caller: Caller, request: api.CreateTeamRequest
) -> api.CreateTeamResponse:
    """
    Add a team.

    Raises:
        DirectoryError: FIELD_INVALID for a name that is blank, there already, or has a comma.
    """
    return await _create(
        core, caller, _TEAMS, request.name, lambda names: api.CreateTeamResponse(teams=names)
    )


async def rename_team(
    core: Core, caller: Caller, request: api.RenameTeamRequest
) -> api.RenameTeamResponse:
    """
    Rename a team; its users stay in it.

    Raises:
        DirectoryError: NAME_UNKNOWN, FIELD_INVALID.
    """
    return await _rename(
        core, caller, _TEAMS, request, lambda names: api.RenameTeamResponse(teams=names)
    )


async def delete_team(
    core: Core, caller: Caller, request: api.DeleteTeamRequest
) -> api.DeleteTeamResponse:
    """
    Remove a team; its users leave it.

    Raises:
        DirectoryError: NAME_UNKNOWN.
    """

    async def work(tx: Transaction) -> api.DeleteTeamResponse:
        write = await Write.begin(core, tx, caller)
        name = _known(write, _TEAMS, request.name)
        await _rewrite(write, _TEAMS, name, "")
        return api.DeleteTeamResponse(teams=await _without(write, _TEAMS, name))

    return await core.write(caller, work)


async def create_region(
    core: Core, caller: Caller, request: api.CreateAbsenceRegionRequest
) -> api.CreateAbsenceRegionResponse:
    """
    Add an absence region.

    Raises:
        DirectoryError: FIELD_INVALID for a name that is blank or there already.
    """
    return await _create(
        core,
        caller,
        _REGIONS,
        request.name,
        lambda names: api.CreateAbsenceRegionResponse(absence_regions=names),
    )


async def rename_region(
    core: Core, caller: Caller, request: api.RenameAbsenceRegionRequest
) -> api.RenameAbsenceRegionResponse:
    """
    Rename an absence region; its users stay in it.

    Raises:
        DirectoryError: NAME_UNKNOWN, FIELD_INVALID.
    """
    return await _rename(
        core,
        caller,
        _REGIONS,
        request,
        lambda names: api.RenameAbsenceRegionResponse(absence_regions=names),
    )


async def delete_region(
    core: Core, caller: Caller, request: api.DeleteAbsenceRegionRequest
) -> api.DeleteAbsenceRegionResponse:
    """
    Remove an absence region that no user has, not even one who is away and may come back.

    Raises:
        DirectoryError: NAME_UNKNOWN; FIELD_INVALID while users have it, who cannot lose it (D-13).
    """

    async def work(tx: Transaction) -> api.DeleteAbsenceRegionResponse:
        write = await Write.begin(core, tx, caller)
        name = _known(write, _REGIONS, request.name)
        count = await pages.count_users(
            tx,
            write.workspace_id,
            _REGIONS.having(name),
            roles_as_groups=write.context.roles_as_groups,
            include_unlinked=True,
        )
        if count:
            raise invalid(
                "name",
                f"{count} users are in the absence region {shown(name)}. "
                "Give them another one first, or rename it.",
                value=shown(name),
                count=count,
            )
        names = await _without(write, _REGIONS, name)
        return api.DeleteAbsenceRegionResponse(absence_regions=names)

    return await core.write(caller, work)


async def _create(
    core: Core,
    caller: Caller,
    catalogue: _Catalogue,
    name: str,
    answer: Callable[[list[str]], A],
) -> A:
    async def work(tx: Transaction) -> A:
        write = await Write.begin(core, tx, caller)
        known = catalogue.names(write.context.message)
        return answer(await _keep(write, catalogue, catalogue.check([*known, name])))

    return await core.write(caller, work)


async def _rename(
    core: Core,
    caller: Caller,
    catalogue: _Catalogue,
    request: api.RenameTeamRequest | api.RenameAbsenceRegionRequest,
    answer: Callable[[list[str]], A],
) -> A:
    async def work(tx: Transaction) -> A:
        write = await Write.begin(core, tx, caller)
        old = _known(write, catalogue, request.name)
        known = catalogue.names(write.context.message)
        names = catalogue.check([request.new_name if each == old else each for each in known])
        new = name_key(request.new_name)
        if new != old:
            await _rewrite(write, catalogue, old, new)
            await _keep(write, catalogue, names)
        return answer(names)

    return await core.write(caller, work)


def _known(write: Write, catalogue: _Catalogue, name: str) -> str:
    """Return the name of the catalogue that *name* is but for blanks around it."""
    known = list(catalogue.names(write.context.message))
    wanted = name_key(name)
    if wanted not in known:
        raise unknown_name("name", catalogue.what, name, known)
    return wanted


async def _without(write: Write, catalogue: _Catalogue, name: str) -> list[str]:
    known = catalogue.names(write.context.message)
    return await _keep(write, catalogue, [each for each in known if each != name])


async def _keep(write: Write, catalogue: _Catalogue, names: list[str]) -> list[str]:
    def edit(message: workspace_pb2.Workspace) -> None:
        catalogue.names(message)[:] = names

    await change(write, edit)
    return names


async def _rewrite(write: Write, catalogue: _Catalogue, old: str, new: str) -> None:
    """Give the users who have a name the new one, and raise their versions."""
    async for rows in _having(write, catalogue.having(old)):
        rewritten = []
        for row in rows:
            document = user_pb2.User.FromString(row.document)
            catalogue.rename(document, old, new)
            if not document.workplace.ListFields():
                document.ClearField("workplace")
            rewritten.append(
                row._replace(
                    document=document.SerializeToString(deterministic=True),
                    search=store.search_text(document),
                )
            )
        await store.update_documents(write.tx, rewritten, write.now)
        await asyncio.sleep(0)  # let reads have a turn; on SQLite nothing above waits


async def _having(
    write: Write, filter_: filter_pb2.Filter
) -> AsyncIterator[Sequence[store.UserRow]]:
    """Yield the users who pass, those who are away too; each page may be changed at once."""
    query: pages.PageQuery | None = pages.PageQuery(filter=filter_, limit=_PAGE)
    while query is not None:
        page = await pages.list_users(
            write.tx,
            write.workspace_id,
            query,
            roles_as_groups=write.context.roles_as_groups,
            include_unlinked=True,
        )
        yield page.rows
        after = page.after
        query = pages.PageQuery(filter=filter_, limit=_PAGE, after=after) if after else None


def _in_team(name: str) -> filter_pb2.Filter:
    equal = filter_pb2.Filter(equal=filter_pb2.Comparison(field="value", text=name))
    return filter_pb2.Filter(element=filter_pb2.ElementFilter(field=teams.FIELD, where=equal))


def _in_region(name: str) -> filter_pb2.Filter:
    return filter_pb2.Filter(equal=filter_pb2.Comparison(field=regions.FIELD, text=name))


def _rename_team(user: user_pb2.User, old: str, new: str) -> None:
    names = [new if name == old else name for name in user.workplace.teams]
    user.workplace.teams[:] = [name for name in names if name]


def _rename_region(user: user_pb2.User, _old: str, new: str) -> None:
    user.workplace.absence_region = new


_TEAMS = _Catalogue("teams", "team", teams.catalogue, _in_team, _rename_team)
_REGIONS = _Catalogue(
    "absence_regions", "absence region", regions.catalogue, _in_region, _rename_region
)
