"""/Users: each method reads, calls the core once, and writes."""

from falcon.asgi import Request, Response
from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.attributes import USER
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.user_pb2 import User, UserRef

from scim_gateway import writes
from scim_gateway.answers import write_user
from scim_gateway.conditions import read_filter
from scim_gateway.context import Gateway, answer
from scim_gateway.listing import Page, write_list
from scim_gateway.preconditions import is_unchanged, required_etag
from scim_gateway.query import Query, read_query
from scim_gateway.remarks import Remarks


async def list_users(gateway: Gateway, req: Request, query: Query, workspace_id: str) -> Page:
    """Return the users that *query* asks for, as documents, and how many there are in all."""
    base_url = gateway.base_url(workspace_id)
    remarks = Remarks()
    condition = read_filter(query.filter, USER, base_url, remarks) if query.filter else None
    if query.count == 0:
        request = rpc.CountUsersRequest(
            workspace_id=workspace_id, filter=condition, deviation=remarks.deviation
        )
        counted = await gateway.call(req, gateway.stubs.directory.CountUsers, request)
        return Page([], counted.count)
    projection = query.projection(USER)
    listed = await gateway.call(
        req,
        gateway.stubs.directory.ListUsers,
        rpc.ListUsersRequest(
            workspace_id=workspace_id,
            filter=condition,
            order_by=query.order_by(USER),
            page_size=query.count,
            page_token=query.cursor or "",
            skip=0 if query.cursor else query.start_index - 1,
            read_mask=projection.mask(),
            deviation=remarks.deviation,
        ),
    )
    documents = [projection.apply(write_user(user, base_url)) for user in listed.users]
    return Page(documents, listed.total_size, listed.next_page_token)


class Users:
    """`/Users`."""

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def on_get(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """List users."""
        query = read_query(req.query_string)
        page = await list_users(self._gateway, req, query, workspace_id)
        answer(resp, write_list(page, query))

    async def on_post(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Create a user, or take over the one that the policy finds for it."""
        query = read_query(req.query_string)
        request = writes.create_user(await self._gateway.read_user_body(req))
        request.workspace_id = workspace_id
        method = self._gateway.stubs.directory.CreateUser
        created = await self._gateway.call(req, method, request)
        _answer(self._gateway, resp, created.user, query, workspace_id, status=201)


class OneUser:
    """`/Users/{id}`."""

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def on_get(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Return one user."""
        query = read_query(req.query_string)
        mask = query.projection(USER).mask()
        user = await self._read(req, identifier, workspace_id, mask)
        if not is_unchanged(req, resp, user.etag):
            _answer(self._gateway, resp, user, query, workspace_id)

    async def on_put(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Replace a user with a document, as the policy says."""
        query = read_query(req.query_string)
        document = await self._gateway.read_user_body(req)
        etag = await self._required_etag(req, identifier, workspace_id)
        request = writes.update_user(document, identifier, etag)
        request.workspace_id = workspace_id
        method = self._gateway.stubs.directory.UpdateUser
        updated = await self._gateway.call(req, method, request)
        _answer(self._gateway, resp, updated.user, query, workspace_id)

    async def on_patch(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Change a user."""
        query = read_query(req.query_string)
        document = await self._gateway.read_user_body(req)
        etag = await self._required_etag(req, identifier, workspace_id)
        request = writes.patch_user(document, identifier, etag)
        request.workspace_id = workspace_id
        method = self._gateway.stubs.directory.PatchUser
        patched = await self._gateway.call(req, method, request)
        _answer(self._gateway, resp, patched.user, query, workspace_id)

    async def on_delete(
        self, req: Request, resp: Response, identifier: str, workspace_id: str = ""
    ) -> None:
        """Delete a user as the policy says."""
        etag = await self._required_etag(req, identifier, workspace_id)
        request = writes.delete_user(identifier, etag)
        request.workspace_id = workspace_id
        await self._gateway.call(req, self._gateway.stubs.directory.DeleteUser, request)
        resp.status = 204

    async def _read(
        self, req: Request, identifier: str, workspace_id: str, mask: FieldMask | None
    ) -> User:
        request = rpc.GetUserRequest(
            workspace_id=workspace_id,
            user=UserRef(id=identifier),
            read_mask=mask,
        )
        reply = await self._gateway.call(req, self._gateway.stubs.directory.GetUser, request)
        user: User = reply.user
        return user

    async def _required_etag(self, req: Request, identifier: str, workspace_id: str) -> str:
        async def read_etag() -> str:
            mask = FieldMask(paths=["id", "etag"])
            return (await self._read(req, identifier, workspace_id, mask)).etag

        return await required_etag(req, read_etag)


def _answer(
    gateway: Gateway,
    resp: Response,
    user: User,
    query: Query,
    workspace_id: str,
    *,
    status: int = 200,
) -> None:
    document = write_user(user, gateway.base_url(workspace_id))
    answer(resp, query.projection(USER).apply(document), status)
    resp.set_header("Location", document["meta"]["location"])
    if user.etag:
        resp.set_header("ETag", user.etag)
