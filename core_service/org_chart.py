"""The use case of the chart: who reports to whom (R-104, R-138)."""

from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import user_pb2

from core_service import listing
from core_service.core import Caller, Core
from core_service.storage import pages, store
from core_service.storage.database import Transaction
from core_service.user_lookup import find

MOST_LEVELS = 10


async def get(
    core: Core, caller: Caller, request: api.GetOrgChartRequest
) -> api.GetOrgChartResponse:
    """
    Return people level by level, from one user or from all who have no manager.

    Raises:
        DirectoryError: USER_NOT_FOUND, PAGE_TOKEN_INVALID, FIELD_INVALID.
    """
    depth = min(max(request.depth, 0) or 1, MOST_LEVELS)
    scope = listing.scope(caller.workspace_id, "chart", None, f"{request.user_id} {depth}")
    limit = listing.page_size(request.page_size)
    start: tuple[int, str] = (0, "")
    if request.page_token:
        level, last = pages.decode_token(core.page_key, scope, request.page_token)
        start = (int(level or 0), str(last))

    async def work(tx: Transaction) -> api.GetOrgChartResponse:
        found = await _people(tx, caller, request.user_id, depth)
        ahead = [place for place in found if place > start]
        page = ahead[:limit]
        last = page[-1] if len(ahead) > limit else None
        return api.GetOrgChartResponse(
            entries=await _entries(tx, caller.workspace_id, page),
            next_page_token=listing.token(core.page_key, scope, last),
        )

    return await core.storage.read(work)


async def _people(
    tx: Transaction, caller: Caller, top_id: str, depth: int
) -> list[tuple[int, str]]:
    """Return level and id of everybody in the chart, in this order."""
    if top_id:
        level_ids = [(await find(tx, caller, user_pb2.UserRef(id=top_id))).id]
    else:
        level_ids = await store.chart_tops(tx, caller.workspace_id)
    people: list[tuple[int, str]] = []
    for level in range(depth + 1):
        people.extend((level, id_) for id_ in level_ids)
        if not level_ids:
            break
        level_ids = await store.reports_below(tx, caller.workspace_id, level_ids)
    return people


async def _entries(
    tx: Transaction, workspace_id: str, places: list[tuple[int, str]]
) -> list[api.ChartEntry]:
    ids = [id_ for _, id_ in places]
    rows = {row.id: row for row in await store.users_by_ids(tx, workspace_id, ids)}
    counts = await store.report_counts(tx, workspace_id, ids)
    managers = {row.manager_id for row in rows.values() if row.manager_id}
    known = await store.display_names(tx, workspace_id, sorted(managers))
    return [
        api.ChartEntry(
            user_id=id_,
            display_name=rows[id_].display_name or "",
            title=user_pb2.User.FromString(rows[id_].document).title,
            manager_id=manager if (manager := rows[id_].manager_id or "") in known else "",
            level=level,
            report_count=counts.get(id_, 0),
        )
        for level, id_ in places
    ]
