"""`/Me`: the person whose credential it is (RFC 7644 section 3.11)."""

from falcon.asgi import Request, Response
from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.user_pb2 import UserRef

from scim_gateway.context import Gateway
from scim_gateway.users import OneUser


class Me:
    """
    `/Me`, an alias of the user that the credential names as its subject.

    A credential of an identity provider names nobody, and is answered 501.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway
        self._one = OneUser(gateway)

    async def on_get(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Return the user."""
        await self._one.on_get(req, resp, await self._id(req, workspace_id), workspace_id)

    async def on_put(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Replace the user with a document, as the policy says."""
        await self._one.on_put(req, resp, await self._id(req, workspace_id), workspace_id)

    async def on_patch(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Change the user."""
        await self._one.on_patch(req, resp, await self._id(req, workspace_id), workspace_id)

    async def on_delete(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Delete the user as the policy says."""
        await self._one.on_delete(req, resp, await self._id(req, workspace_id), workspace_id)

    async def _id(self, req: Request, workspace_id: str) -> str:
        found = await self._gateway.call(
            req,
            self._gateway.stubs.directory.GetUser,
            rpc.GetUserRequest(
                workspace_id=workspace_id,
                user=UserRef(me=True),
                read_mask=FieldMask(paths=["id"]),
            ),
        )
        return str(found.user.id)
