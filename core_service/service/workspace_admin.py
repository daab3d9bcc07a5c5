"""The service WorkspaceAdmin: the workspaces themselves."""

from collections.abc import AsyncGenerator

from userdirectory.v1 import workspace_admin_pb2 as pb
from userdirectory.v1.workspace_admin_pb2_grpc import WorkspaceAdminServicer

from core_service import (
    access_tokens,
    accounts,
    checks,
    credentials,
    custom_attributes,
    explaining,
    history,
    integrations,
    name_catalogues,
    policies,
    pruning,
    role_catalogue,
    seats_booking,
    service_credentials,
    watching,
    workspace_removal,
    workspaces,
)
from core_service.core import Caller
from core_service.service.access import WORKSPACE_ADMIN
from core_service.service.door import Service, rpc
from core_service.service.streams import stream


class WorkspaceAdmin(Service, WorkspaceAdminServicer):
    """Answers the RPCs of WorkspaceAdmin; the contract says what each does."""

    name = WORKSPACE_ADMIN

    @rpc
    async def GetWorkspace(
        self, request: pb.GetWorkspaceRequest, caller: Caller
    ) -> pb.GetWorkspaceResponse:
        return await workspaces.get(self.core, caller, request)

    @rpc
    async def ListWorkspaces(
        self, request: pb.ListWorkspacesRequest, caller: Caller
    ) -> pb.ListWorkspacesResponse:
        return await workspaces.list_(self.core, caller, request)

    @rpc
    async def CreateWorkspace(
        self, request: pb.CreateWorkspaceRequest, caller: Caller
    ) -> pb.CreateWorkspaceResponse:
        return await workspaces.create(self.core, caller, request)

    @rpc
    async def UpdateWorkspace(
        self, request: pb.UpdateWorkspaceRequest, caller: Caller
    ) -> pb.UpdateWorkspaceResponse:
        return await workspaces.update(self.core, caller, request)

    @rpc
    async def DeleteWorkspace(
        self, request: pb.DeleteWorkspaceRequest, caller: Caller
    ) -> pb.DeleteWorkspaceResponse:
        return await workspace_removal.delete(self.core, caller, request)

    @rpc
    async def GetPolicy(self, request: pb.GetPolicyRequest, caller: Caller) -> pb.GetPolicyResponse:
        return await policies.get(self.core, caller, request)

    @rpc
    async def UpdatePolicy(
        self, request: pb.UpdatePolicyRequest, caller: Caller
    ) -> pb.UpdatePolicyResponse:
        return await policies.update(self.core, caller, request)

    @rpc
    async def CreateRole(
        self, request: pb.CreateRoleRequest, caller: Caller
    ) -> pb.CreateRoleResponse:
        return await role_catalogue.create(self.core, caller, request)

    @rpc
    async def UpdateRole(
        self, request: pb.UpdateRoleRequest, caller: Caller
    ) -> pb.UpdateRoleResponse:
        return await role_catalogue.update(self.core, caller, request)

    @rpc
    async def ReorderRoles(
        self, request: pb.ReorderRolesRequest, caller: Caller
    ) -> pb.ReorderRolesResponse:
        return await role_catalogue.reorder(self.core, caller, request)

    @rpc
    async def DeleteRole(
        self, request: pb.DeleteRoleRequest, caller: Caller
    ) -> pb.DeleteRoleResponse:
        return await role_catalogue.delete(self.core, caller, request)

    @rpc
    async def CreateTeam(
        self, request: pb.CreateTeamRequest, caller: Caller
    ) -> pb.CreateTeamResponse:
        return await name_catalogues.create_team(self.core, caller, request)

    @rpc
    async def RenameTeam(
        self, request: pb.RenameTeamRequest, caller: Caller
    ) -> pb.RenameTeamResponse:
        return await name_catalogues.rename_team(self.core, caller, request)

    @rpc
    async def DeleteTeam(
        self, request: pb.DeleteTeamRequest, caller: Caller
    ) -> pb.DeleteTeamResponse:
        return await name_catalogues.delete_team(self.core, caller, request)

    @rpc
    async def CreateAbsenceRegion(
        self, request: pb.CreateAbsenceRegionRequest, caller: Caller
    ) -> pb.CreateAbsenceRegionResponse:
        return await name_catalogues.create_region(self.core, caller, request)

    @rpc
    async def RenameAbsenceRegion(
        self, request: pb.RenameAbsenceRegionRequest, caller: Caller
    ) -> pb.RenameAbsenceRegionResponse:
        return await name_catalogues.rename_region(self.core, caller, request)

    @rpc
    async def DeleteAbsenceRegion(
        self, request: pb.DeleteAbsenceRegionRequest, caller: Caller
    ) -> pb.DeleteAbsenceRegionResponse:
        return await name_catalogues.delete_region(self.core, caller, request)

    @rpc
    async def GetAccount(
        self, request: pb.GetAccountRequest, caller: Caller
    ) -> pb.GetAccountResponse:
        return await accounts.get(self.core, caller, request)

    @rpc
    async def CreateIntegration(
        self, request: pb.CreateIntegrationRequest, caller: Caller
    ) -> pb.CreateIntegrationResponse:
        return await integrations.create(self.core, caller, request)

    @rpc
    async def GetIntegration(
        self, request: pb.GetIntegrationRequest, caller: Caller
    ) -> pb.GetIntegrationResponse:
        return await integrations.get(self.core, caller, request)

    @rpc
    async def ListIntegrations(
        self, request: pb.ListIntegrationsRequest, caller: Caller
    ) -> pb.ListIntegrationsResponse:
        return await integrations.list_(self.core, caller, request)

    @rpc
    async def UpdateIntegration(
        self, request: pb.UpdateIntegrationRequest, caller: Caller
    ) -> pb.UpdateIntegrationResponse:
        return await integrations.update(self.core, caller, request)

    @rpc
    async def DeleteIntegration(
        self, request: pb.DeleteIntegrationRequest, caller: Caller
    ) -> pb.DeleteIntegrationResponse:
        return await integrations.delete(self.core, caller, request)

    @rpc
    async def IssueToken(
        self, request: pb.IssueTokenRequest, caller: Caller
    ) -> pb.IssueTokenResponse:
        return await credentials.issue(self.core, caller, request)

    @rpc
    async def RotateToken(
        self, request: pb.RotateTokenRequest, caller: Caller
    ) -> pb.RotateTokenResponse:
        return await credentials.rotate(self.core, caller, request)

    @rpc
    async def RevokeToken(
        self, request: pb.RevokeTokenRequest, caller: Caller
    ) -> pb.RevokeTokenResponse:
        return await credentials.revoke(self.core, caller, request)

    @rpc
    async def CreateAccessToken(
        self, request: pb.CreateAccessTokenRequest, caller: Caller
    ) -> pb.CreateAccessTokenResponse:
        return await access_tokens.create(self.core, caller, request)

    @rpc
    async def CreateServiceCredential(
        self, request: pb.CreateServiceCredentialRequest, caller: Caller
    ) -> pb.CreateServiceCredentialResponse:
        return await service_credentials.create(self.core, caller, request)

    @rpc
    async def ListServiceCredentials(
        self, request: pb.ListServiceCredentialsRequest, caller: Caller
    ) -> pb.ListServiceCredentialsResponse:
        return await service_credentials.list_(self.core, caller, request)

    @rpc
    async def RotateServiceCredential(
        self, request: pb.RotateServiceCredentialRequest, caller: Caller
    ) -> pb.RotateServiceCredentialResponse:
        return await service_credentials.rotate(self.core, caller, request)

    @rpc
    async def RevokeServiceCredential(
        self, request: pb.RevokeServiceCredentialRequest, caller: Caller
    ) -> pb.RevokeServiceCredentialResponse:
        return await service_credentials.revoke(self.core, caller, request)

    @rpc
    async def CheckIntegration(
        self, request: pb.CheckIntegrationRequest, caller: Caller
    ) -> pb.CheckIntegrationResponse:
        return await checks.check(self.core, caller, request)

    @rpc
    async def PlanPrune(self, request: pb.PlanPruneRequest, caller: Caller) -> pb.PlanPruneResponse:
        return await pruning.plan(self.core, caller, request)

    @rpc
    async def CommitPrune(
        self, request: pb.CommitPruneRequest, caller: Caller
    ) -> pb.CommitPruneResponse:
        return await pruning.commit(self.core, caller, request)

    @rpc
    async def ListFailures(
        self, request: pb.ListFailuresRequest, caller: Caller
    ) -> pb.ListFailuresResponse:
        return await history.list_failures(self.core, caller, request)

    @rpc
    async def ListLog(self, request: pb.ListLogRequest, caller: Caller) -> pb.ListLogResponse:
        return await history.list_log(self.core, caller, request)

    @stream
    def WatchChanges(
        self, request: pb.WatchChangesRequest, caller: Caller
    ) -> AsyncGenerator[pb.WatchChangesResponse | None, None]:
        return watching.changes(self.core, caller, request)

    @rpc
    async def ExplainTrace(
        self, request: pb.ExplainTraceRequest, caller: Caller
    ) -> pb.ExplainTraceResponse:
        return await explaining.explain(self.core, caller, request)

    @rpc
    async def DeclareAttributes(
        self, request: pb.DeclareAttributesRequest, caller: Caller
    ) -> pb.DeclareAttributesResponse:
        return await custom_attributes.declare(self.core, caller, request)

    @rpc
    async def GetSeats(self, request: pb.GetSeatsRequest, caller: Caller) -> pb.GetSeatsResponse:
        return await seats_booking.get_seats(self.core, caller, request)
