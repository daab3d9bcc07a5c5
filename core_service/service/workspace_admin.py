"""The service WorkspaceAdmin: the workspaces themselves."""

from userdirectory.v1 import workspace_admin_pb2 as pb
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminServicer

from core_service import pruning, workspaces
from core_service.core import Caller
from core_service.service.access import WORKSPACE_ADMIN
from core_service.service.door import Service, rpc


class WorkspaceAdmin(Service, WorkspaceAdminServicer):
    """Answers the RPCs of WorkspaceAdmin; the contract says what each does."""

    name = WORKSPACE_ADMIN

    @rpc
    async def GetWorkspace(
        self, request: pb.GetWorkspaceRequest, caller: Caller
    ) -> pb.GetWorkspaceResponse:
        return await workspaces.get(self.core, caller, request)

    @rpc
    async def CreateWorkspace(
        self, request: pb.CreateWorkspaceRequest, caller: Caller
    ) -> pb.CreateWorkspaceResponse:
        return await workspaces.create(self.core, caller, request)

    @rpc
    async def PlanPrune(self, request: pb.PlanPruneRequest, caller: Caller) -> pb.PlanPruneResponse:
        return await pruning.plan(self.core, caller, request)

    @rpc
    async def CommitPrune(
        self, request: pb.CommitPruneRequest, caller: Caller
    ) -> pb.CommitPruneResponse:
        return await pruning.commit(self.core, caller, request)
