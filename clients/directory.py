"""
The directory as other programs use it: `AsyncDirectory` for asyncio, `Directory` for threads.

The two have the same methods. What calls have in common stands in `clients.calls`.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Self, TypeVar

import grpc
import tenacity
from google.protobuf.message import Message
from userdirectory.v1 import user_directory_pb2 as pb
from userdirectory.v1.change_pb2 import GroupChange, UserChange
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.role_pb2 import Role
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryStub
from userdirectory.v1.user_pb2 import User, UserRef

from clients.blocking import Directory
from clients.calls import OPTIONS, Client, Tls, mask

__all__ = ["AsyncDirectory", "Directory", "Tls"]

A = TypeVar("A", bound=Message)


class AsyncDirectory:
    """
    The directory, for asyncio.

    Every method raises DirectoryError when the directory refuses, and grpc.RpcError, whose
    `code()` tells why, when it does not answer: UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL.

        async with AsyncDirectory("127.0.0.1:50051", token) as directory:
            user = await directory.find_user("ada@example.com")

    Args:
        target: `host:port`, or a channel, which is then the caller's to close.
        token: The credential.
        workspace_id: The workspace; empty means the credential's own.
        timeout_seconds: How long a call may take, further tries included.
        tls: How to secure the connection; None: not at all.
    """

    def __init__(
        self,
        target: str | grpc.aio.Channel,
        token: str,
        *,
        workspace_id: str = "",
        timeout_seconds: float = 10.0,
        tls: Tls | None = None,
    ) -> None:
        """Make a client; ValueError if the token cannot be sent."""
        self._client = Client(token, workspace_id, timeout_seconds)
        self._own = isinstance(target, str)
        self._channel = _async_channel(target, tls) if isinstance(target, str) else target
        self._stub: Any = UserDirectoryStub(self._channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> Self:
        """Return the directory."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection, unless it was given."""
        if self._own:
            await self._channel.close()

    async def get_user(self, user_id: str) -> User:
        """Return the user with this id; USER_NOT_FOUND."""
        request = pb.GetUserRequest(user=UserRef(id=user_id))
        return (await self._call(request, pb.GetUserResponse)).user

    async def find_user(self, user_name: str) -> User:
        """Return the user with this name, in upper or lower case; USER_NOT_FOUND."""
        request = pb.GetUserRequest(user=UserRef(user_name=user_name))
        return (await self._call(request, pb.GetUserResponse)).user

    async def list_users(
        self, filter_: Filter | None = None, *, order_by: str = "", page_size: int = 100
    ) -> AsyncIterator[User]:
        """Yield the users that pass the filter, page by page; FILTER_INVALID, FIELD_UNKNOWN."""
        request = pb.ListUsersRequest(filter=filter_, order_by=order_by, page_size=page_size)
        while True:
            page = await self._call(request, pb.ListUsersResponse)
            for user in page.users:
                yield user
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def create_user(self, user: User) -> pb.CreateUserResponse:
        """Create a user; the answer says whether one existed, and what was done differently."""
        return await self._call(pb.CreateUserRequest(user=user), pb.CreateUserResponse)

    async def update_user(self, user: User, *fields: str) -> pb.UpdateUserResponse:
        """Set *fields* (`name.given_name`; none: those with a value) of the user `user.id`."""
        request = pb.UpdateUserRequest(user=user, update_mask=mask(fields))
        return await self._call(request, pb.UpdateUserResponse)

    async def patch_user(
        self, user_id: str, changes: Iterable[UserChange], *, etag: str = ""
    ) -> pb.PatchUserResponse:
        """Apply changes in order, all or none; ETAG_MISMATCH if the user is not at *etag*."""
        request = pb.PatchUserRequest(user=UserRef(id=user_id), changes=changes, etag=etag)
        return await self._call(request, pb.PatchUserResponse)

    async def delete_user(self, user_id: str, *, etag: str = "") -> None:
        """Delete a user as the policy says; USER_NOT_FOUND, LAST_ADMIN, ETAG_MISMATCH."""
        request = pb.DeleteUserRequest(user=UserRef(id=user_id), etag=etag)
        await self._call(request, pb.DeleteUserResponse)

    async def get_group(self, group_id: str) -> Group:
        """Return the group with this id, without its members; GROUP_NOT_FOUND."""
        return (await self._call(pb.GetGroupRequest(id=group_id), pb.GetGroupResponse)).group

    async def list_groups(
        self, filter_: Filter | None = None, *, order_by: str = "", page_size: int = 100
    ) -> AsyncIterator[Group]:
        """Yield the groups that pass the filter, without members, page by page."""
        request = pb.ListGroupsRequest(filter=filter_, order_by=order_by, page_size=page_size)
        while True:
            page = await self._call(request, pb.ListGroupsResponse)
            for group in page.groups:
                yield group
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def list_members(self, group_id: str, *, page_size: int = 1000) -> AsyncIterator[Member]:
        """Yield the members of a group in order of id, page by page; GROUP_NOT_FOUND."""
        request = pb.ListGroupMembersRequest(id=group_id, page_size=page_size)
        while True:
            page = await self._call(request, pb.ListGroupMembersResponse)
            for member in page.members:
                yield member
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def create_group(self, group: Group) -> pb.CreateGroupResponse:
        """Create a group with its members; ROLE_CATALOGUE where groups are roles."""
        return await self._call(pb.CreateGroupRequest(group=group), pb.CreateGroupResponse)

    async def update_group(self, group: Group, *fields: str) -> pb.UpdateGroupResponse:
        """Set *fields* (none: those with a value) of the group `group.id`."""
        request = pb.UpdateGroupRequest(group=group, update_mask=mask(fields))
        return await self._call(request, pb.UpdateGroupResponse)

    async def patch_group(
        self, group_id: str, changes: Iterable[GroupChange], *, etag: str = ""
    ) -> pb.PatchGroupResponse:
        """Apply changes in order, all or none; ETAG_MISMATCH if the group is not at *etag*."""
        request = pb.PatchGroupRequest(id=group_id, changes=changes, etag=etag)
        return await self._call(request, pb.PatchGroupResponse)

    async def delete_group(self, group_id: str, *, etag: str = "") -> None:
        """Delete a group for good; its members stay. GROUP_NOT_FOUND, ETAG_MISMATCH."""
        await self._call(pb.DeleteGroupRequest(id=group_id, etag=etag), pb.DeleteGroupResponse)

    async def list_roles(self) -> list[Role]:
        """Return the roles by rank."""
        return list((await self._call(pb.ListRolesRequest(), pb.ListRolesResponse)).roles)

    async def _call(self, request: Message, _: type[A]) -> A:
        method, terms = self._client.prepare(request)
        try:
            async for attempt in tenacity.AsyncRetrying(**self._client.tries(method)):
                with attempt:
                    answer: A = await getattr(self._stub, method)(request, **terms())
        except grpc.RpcError as error:
            self._client.refuse(error)
        self._client.budget.answered()
        return answer


def _async_channel(target: str, tls: Tls | None) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(target, options=OPTIONS)
    return grpc.aio.secure_channel(target, tls.credentials(), options=OPTIONS)
