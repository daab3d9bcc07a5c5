"""The service UserDirectory: people, groups and roles."""

from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as pb
from userdirectory.v1.user_directory_pb2_grpc import UserDirectoryServicer

from core_service import batch, deleted_users, groups, org_chart, role_catalogue, users
from core_service.core import Caller
from core_service.service import refusals
from core_service.service.access import USER_DIRECTORY
from core_service.service.door import Service, rpc


class UserDirectory(Service, UserDirectoryServicer):
    """Answers the RPCs of UserDirectory; the contract says what each does."""

    name = USER_DIRECTORY

    @rpc
    async def GetUser(self, request: pb.GetUserRequest, caller: Caller) -> pb.GetUserResponse:
        return await users.get(self.core, caller, request)

    @rpc
    async def BatchGetUsers(
        self, request: pb.BatchGetUsersRequest, caller: Caller
    ) -> pb.BatchGetUsersResponse:
        return await users.batch_get(self.core, caller, request)

    @rpc
    async def ListUsers(self, request: pb.ListUsersRequest, caller: Caller) -> pb.ListUsersResponse:
        return await users.list_(self.core, caller, request)

    @rpc
    async def CountUsers(
        self, request: pb.CountUsersRequest, caller: Caller
    ) -> pb.CountUsersResponse:
        return await users.count(self.core, caller, request)

    @rpc
    async def CreateUser(
        self, request: pb.CreateUserRequest, caller: Caller
    ) -> pb.CreateUserResponse:
        return await users.create(self.core, caller, request)

    @rpc
    async def UpdateUser(
        self, request: pb.UpdateUserRequest, caller: Caller
    ) -> pb.UpdateUserResponse:
        return await users.update(self.core, caller, request)

    @rpc
    async def PatchUser(self, request: pb.PatchUserRequest, caller: Caller) -> pb.PatchUserResponse:
        return await users.patch(self.core, caller, request)

    @rpc
    async def DeleteUser(
        self, request: pb.DeleteUserRequest, caller: Caller
    ) -> pb.DeleteUserResponse:
        return await users.delete(self.core, caller, request)

    @rpc
    async def ListDeletedUsers(
        self, request: pb.ListDeletedUsersRequest, caller: Caller
    ) -> pb.ListDeletedUsersResponse:
        return await deleted_users.list_(self.core, caller, request)

    @rpc
    async def RestoreUser(
        self, request: pb.RestoreUserRequest, caller: Caller
    ) -> pb.RestoreUserResponse:
        return await deleted_users.restore(self.core, caller, request)

    @rpc
    async def PurgeUser(self, request: pb.PurgeUserRequest, caller: Caller) -> pb.PurgeUserResponse:
        return await deleted_users.purge(self.core, caller, request)

    @rpc
    async def GetOrgChart(
        self, request: pb.GetOrgChartRequest, caller: Caller
    ) -> pb.GetOrgChartResponse:
        return await org_chart.get(self.core, caller, request)

    @rpc
    async def GetGroup(self, request: pb.GetGroupRequest, caller: Caller) -> pb.GetGroupResponse:
        return await groups.get(self.core, caller, request)

    @rpc
    async def BatchGetGroups(
        self, request: pb.BatchGetGroupsRequest, caller: Caller
    ) -> pb.BatchGetGroupsResponse:
        return await groups.batch_get(self.core, caller, request)

    @rpc
    async def ListGroups(
        self, request: pb.ListGroupsRequest, caller: Caller
    ) -> pb.ListGroupsResponse:
        return await groups.list_(self.core, caller, request)

    @rpc
    async def CountGroups(
        self, request: pb.CountGroupsRequest, caller: Caller
    ) -> pb.CountGroupsResponse:
        return await groups.count(self.core, caller, request)

    @rpc
    async def CreateGroup(
        self, request: pb.CreateGroupRequest, caller: Caller
    ) -> pb.CreateGroupResponse:
        return await groups.create(self.core, caller, request)

    @rpc
    async def UpdateGroup(
        self, request: pb.UpdateGroupRequest, caller: Caller
    ) -> pb.UpdateGroupResponse:
        return await groups.update(self.core, caller, request)

    @rpc
    async def PatchGroup(
        self, request: pb.PatchGroupRequest, caller: Caller
    ) -> pb.PatchGroupResponse:
        return await groups.patch(self.core, caller, request)

    @rpc
    async def DeleteGroup(
        self, request: pb.DeleteGroupRequest, caller: Caller
    ) -> pb.DeleteGroupResponse:
        return await groups.delete(self.core, caller, request)

    @rpc
    async def ListGroupMembers(
        self, request: pb.ListGroupMembersRequest, caller: Caller
    ) -> pb.ListGroupMembersResponse:
        return await groups.list_members(self.core, caller, request)

    @rpc
    async def BatchWrite(
        self, request: pb.BatchWriteRequest, caller: Caller
    ) -> pb.BatchWriteResponse:
        async def refused(asking: Caller, wanted: Message, error: DirectoryError) -> None:
            await refusals.keep(self.core, wanted, asking, error)

        return await batch.write(self.core, caller, request, refused)

    @rpc
    async def GetRole(self, request: pb.GetRoleRequest, caller: Caller) -> pb.GetRoleResponse:
        return await role_catalogue.get(self.core, caller, request)

    @rpc
    async def ListRoles(self, request: pb.ListRolesRequest, caller: Caller) -> pb.ListRolesResponse:
        return await role_catalogue.list_(self.core, caller, request)
