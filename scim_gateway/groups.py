"""/Groups: each method reads, calls the core once (and again for very many members), and writes."""

from falcon.asgi import Request, Response
from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.attributes import GROUP
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.group_pb2 import Group

from scim_gateway import writes
from scim_gateway.answers import location, write_group
from scim_gateway.conditions import read_filter
from scim_gateway.context import Gateway, answer
from scim_gateway.listing import Page, write_list
from scim_gateway.preconditions import is_unchanged, required_etag
from scim_gateway.projection import Projection
from scim_gateway.query import Query, read_query
from scim_gateway.remarks import Remarks

_MEMBER_PAGE = 10_000


async def list_groups(gateway: Gateway, req: Request, query: Query, workspace_id: str) -> Page:
    """Return the groups that *query* asks for, as documents, and how many there are in all."""
    base_url = gateway.base_url(workspace_id)
    remarks = Remarks()
    condition = read_filter(query.filter, GROUP, base_url, remarks) if query.filter else None
    if query.count == 0:
        request = rpc.CountGroupsRequest(
            workspace_id=workspace_id, filter=condition, deviation=remarks.deviation
        )
        counted = await gateway.call(req, gateway.stubs.directory.CountGroups, request)
        return Page([], counted.count)
    projection = query.projection(GROUP)
    listed = await gateway.call(
        req,
        gateway.stubs.directory.ListGroups,
        rpc.ListGroupsRequest(
            workspace_id=workspace_id,
            filter=condition,
            order_by=query.order_by(GROUP),
            page_size=query.count,
            page_token=query.cursor or "",
            skip=0 if query.cursor else query.start_index - 1,
            read_mask=_mask(projection),
            deviation=remarks.deviation,
        ),
    )
    documents = []
    for group in listed.groups:
        await _complete(gateway, req, group, projection, workspace_id)
        documents.append(projection.apply(write_group(group, base_url)))
    return Page(documents, listed.total_size, listed.next_page_token)


class Groups:
    """`/Groups`."""

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def on_get(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """List groups."""
        query = read_query(req.query_string)
        page = await list_groups(self._gateway, req, query, workspace_id)
        answer(resp, write_list(page, query))

    async def on_post(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Create a group."""
        projection = read_query(req.query_string).projection(GROUP)
        request = writes.create_group(await self._gateway.read_group_body(req))
        request.workspace_id = workspace_id
        request.read_mask.CopyFrom(_mask(projection))
        method = self._gateway.stubs.directory.CreateGroup
        created = await self._gateway.call(req, method, request)
        await _complete(self._gateway, req, created.group, projection, workspace_id)
        _answer(self._gateway, resp, created.group, projection, workspace_id, status=201)


class OneGroup:
    """`/Groups/{id}`."""

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def on_get(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Return one group."""
        projection = read_query(req.query_string).projection(GROUP)
        read = await self._read(req, identifier, workspace_id, _mask(projection))
        if is_unchanged(req, resp, read.group.etag):
            return
        if read.next_member_page_token:
            await _add_members(
                self._gateway, req, read.group, read.next_member_page_token, workspace_id
            )
        _answer(self._gateway, resp, read.group, projection, workspace_id)

    async def on_put(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Replace a group's name and members; its externalId too, if one is sent."""
        projection = read_query(req.query_string).projection(GROUP)
        document = await self._gateway.read_group_body(req)
        etag = await self._required_etag(req, identifier, workspace_id)
        request = writes.update_group(document, identifier, etag)
        request.workspace_id = workspace_id
        request.read_mask.CopyFrom(_mask(projection))
        method = self._gateway.stubs.directory.UpdateGroup
        updated = await self._gateway.call(req, method, request)
        await _complete(self._gateway, req, updated.group, projection, workspace_id)
        _answer(self._gateway, resp, updated.group, projection, workspace_id)

    async def on_patch(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """
        Change a group.

        The change does not load the members. A small group is answered with all of them, which
        asks the core a second time; a large one with 204, unless the client says in `attributes`
        or `excludedAttributes` what it wants.
        """
        query = read_query(req.query_string)
        projection = query.projection(GROUP)
        document = await self._gateway.read_group_body(req)
        etag = await self._required_etag(req, identifier, workspace_id)
        request = writes.patch_group(document, identifier, etag)
        request.workspace_id = workspace_id
        request.read_mask.CopyFrom(_mask(query.without("members").projection(GROUP)))
        method = self._gateway.stubs.directory.PatchGroup
        patched = await self._gateway.call(req, method, request)
        group = patched.group
        too_many = group.member_count > self._gateway.settings.patch_answer_members
        if too_many and projection.plain:
            resp.status = 204
            resp.set_header("ETag", group.etag)
            where = location(GROUP, group.id, self._gateway.base_url(workspace_id))
            resp.set_header("Location", where)
            return
        await _complete(self._gateway, req, group, projection, workspace_id)
        _answer(self._gateway, resp, group, projection, workspace_id)

    async def on_delete(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Delete a group for good."""
        etag = await self._required_etag(req, identifier, workspace_id)
        request = writes.delete_group(identifier, etag)
        request.workspace_id = workspace_id
        await self._gateway.call(req, self._gateway.stubs.directory.DeleteGroup, request)
        resp.status = 204

    async def _read(
        self, req: Request, identifier: str, workspace_id: str, mask: FieldMask
    ) -> rpc.GetGroupResponse:
        request = rpc.GetGroupRequest(workspace_id=workspace_id, id=identifier, read_mask=mask)
        reply = await self._gateway.call(req, self._gateway.stubs.directory.GetGroup, request)
        read: rpc.GetGroupResponse = reply
        return read

    async def _required_etag(self, req: Request, identifier: str, workspace_id: str) -> str:
        async def read_etag() -> str:
            mask = FieldMask(paths=["id", "etag"])
            return (await self._read(req, identifier, workspace_id, mask)).group.etag

        return await required_etag(req, read_etag)


def _mask(projection: Projection) -> FieldMask:
    """Return the fields to ask for: the core's default has no members, SCIM's has."""
    mask = projection.mask(every_field=True)
    return FieldMask(paths=[*(mask.paths if mask else ()), "member_count"])


async def _complete(
    gateway: Gateway, req: Request, group: Group, projection: Projection, workspace_id: str
) -> None:
    """Read all members of a group that came with fewer than it has, if they are wanted."""
    if projection.shows("members") and len(group.members) < group.member_count:
        del group.members[:]
        await _add_members(gateway, req, group, "", workspace_id)


async def _add_members(
    gateway: Gateway, req: Request, group: Group, page_token: str, workspace_id: str
) -> None:
    """Read the members of *group* from *page_token* on; empty begins at the first."""
    while True:
        request = rpc.ListGroupMembersRequest(
            workspace_id=workspace_id,
            id=group.id,
            page_size=_MEMBER_PAGE,
            page_token=page_token,
        )
        page = await gateway.call(req, gateway.stubs.directory.ListGroupMembers, request)
        group.members.extend(page.members)
        page_token = page.next_page_token
        if not page_token:
            return


def _answer(
    gateway: Gateway,
    resp: Response,
    group: Group,
    projection: Projection,
    workspace_id: str,
    *,
    status: int = 200,
) -> None:
    document = write_group(group, gateway.base_url(workspace_id))
    answer(resp, projection.apply(document), status)
    resp.set_header("Location", document["meta"]["location"])
    if group.etag:
        resp.set_header("ETag", group.etag)
