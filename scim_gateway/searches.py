"""`/.search` of users, groups and both (RFC 7644 section 3.4.3)."""

from dataclasses import replace

from falcon.asgi import Request, Response
from userdirectory.attributes import GROUP, USER, Resource

from scim_gateway.conditions import read_filter
from scim_gateway.context import Gateway, answer
from scim_gateway.errors import ScimError
from scim_gateway.groups import list_groups
from scim_gateway.listing import Page, write_list
from scim_gateway.query import Query, read_search
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
        document = await self._gateway.read_user_body(req)
        query = read_search(document)
        resources = _that_understand(query, self._resources, self._gateway.base_url(workspace_id))
        page = Page([], 0)
        for resource in resources:
            skipped = max(0, query.start_index - 1 - page.total)
            wanted = query.count - len(page.documents)
            part = replace(query, start_index=skipped + 1, count=wanted)
            found = await _LISTS[resource.name](self._gateway, req, part, workspace_id)
            page = Page([*page.documents, *found.documents], page.total + found.total)
        answer(resp, write_list(page, query))


def _that_understand(
    query: Query, resources: tuple[Resource, ...], base_url: str
) -> list[Resource]:
    """Return the resources that have what *query* names; the others hold nothing that matches."""
    understood, problem = [], None
    for resource in resources:
        try:
            if query.filter:
                read_filter(query.filter, resource, base_url)
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
