"""`/.search` of users, groups and both (RFC 7644 section 3.4.3)."""

from dataclasses import replace

from falcon.asgi import Request, Response
from userdirectory.attributes import GROUP, USER, Resource

from scim_gateway.conditions import read_filter
from scim_gateway.context import Gateway, answer
from scim_gateway.errors import ScimError, invalid_cursor
from scim_gateway.groups import list_groups
from scim_gateway.listing import Page, write_list
from scim_gateway.query import Query, read_search
from scim_gateway.remarks import Remarks
from scim_gateway.users import list_users

_LISTS = {"User": list_users, "Group": list_groups}


class Search:
    """`/Users/.search`, `/Groups/.search` and `/.search`."""

    def __init__(self, gateway: Gateway, *resources: Resource) -> None:
        """Search *resources*, one after the other as if they were one list."""
        self._gateway = gateway
        self._resources = resources

    async def on_post(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """List what a SearchRequest asks for."""
        query = read_search(await self._gateway.read_user_body(req))
        resources = _that_understand(query, self._resources, self._gateway.base_url(workspace_id))
        if query.cursor is None:
            page = await self._by_index(req, query, resources, workspace_id)
        elif len(self._resources) == 1:
            page = await _LISTS[self._resources[0].name](self._gateway, req, query, workspace_id)
        else:
            page = await self._by_cursor(req, query, resources, workspace_id)
        answer(resp, write_list(page, query))

    async def _by_index(
        self, req: Request, query: Query, resources: list[Resource], workspace_id: str
    ) -> Page:
        page = Page([], 0)
        for resource in resources:
            skipped = max(0, query.start_index - 1 - page.total)
            wanted = query.count - len(page.documents)
            part = replace(query, start_index=skipped + 1, count=wanted)
            found = await _LISTS[resource.name](self._gateway, req, part, workspace_id)
            page = Page([*page.documents, *found.documents], page.total + found.total)
        return page

    async def _by_cursor(
        self, req: Request, query: Query, resources: list[Resource], workspace_id: str
    ) -> Page:
        """
        Return the page behind a cursor, `User~TOKEN`: a list, and the core's token in it.

        A page ends where a list ends, so that it may be shorter than what was asked for.
        """
        at, token = _place(query.cursor or "", resources)
        documents, total, following = [], 0, ""
        for position, resource in enumerate(resources):
            shown = position == at
            part = replace(query, cursor=token if shown else "", count=query.count if shown else 0)
            found = await _LISTS[resource.name](self._gateway, req, part, workspace_id)
            total += found.total
            if shown:
                documents, following = found.documents, found.next_cursor
        if query.count == 0:
            return Page([], total)
        if following:
            return Page(documents, total, f"{resources[at].name}~{following}")
        rest = resources[at + 1 :]
        return Page(documents, total, f"{rest[0].name}~" if rest else "")


def _place(cursor: str, resources: list[Resource]) -> tuple[int, str]:
    """Return which of *resources* a cursor of several lists is in, and the core's token."""
    if not cursor:
        return 0, ""
    name, _, token = cursor.partition("~")
    for position, resource in enumerate(resources):
        if resource.name == name and "~" in cursor:
            return position, token
    raise invalid_cursor()


def _that_understand(
    query: Query, resources: tuple[Resource, ...], base_url: str
) -> list[Resource]:
    """Return the resources that have what *query* names; the others hold nothing that matches."""
    understood, problem = [], None
    for resource in resources:
        try:
            if query.filter:
                read_filter(query.filter, resource, base_url, Remarks())
            query.order_by(resource)
            understood.append(resource)
        except ScimError as error:
            problem = problem or error
    if problem is not None and not understood:
        raise problem
    return understood


def searches(gateway: Gateway) -> dict[str, Search]:
    """Return the searches by path."""
    return {
        "/Users/.search": Search(gateway, USER),
        "/Groups/.search": Search(gateway, GROUP),
        "/.search": Search(gateway, USER, GROUP),
    }
