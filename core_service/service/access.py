"""What each RPC asks of a credential: one table, and a test that no RPC is missing."""

from google.protobuf.descriptor_pb2 import MethodOptions
from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2

from core_service.rules.scopes import EXCHANGE

USER_DIRECTORY: str = user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"].full_name
WORKSPACE_ADMIN: str = workspace_admin_pb2.DESCRIPTOR.services_by_name["WorkspaceAdmin"].full_name

SERVICES = (USER_DIRECTORY, WORKSPACE_ADMIN)
FILES = (user_directory_pb2.DESCRIPTOR, workspace_admin_pb2.DESCRIPTOR)

# The RPCs that change something, by their full names.
WRITES = frozenset(
    f"{service.full_name}/{method.name}"
    for file in FILES
    for service in file.services_by_name.values()
    for method in service.methods
    if method.GetOptions().idempotency_level != MethodOptions.NO_SIDE_EFFECTS
)

# The scope an RPC needs, or several with blanks between, by the full name of the RPC.
SCOPES: dict[str, str] = {
    f"{USER_DIRECTORY}/GetUser": "users.read",
    f"{USER_DIRECTORY}/BatchGetUsers": "users.read",
    f"{USER_DIRECTORY}/ListUsers": "users.read",
    f"{USER_DIRECTORY}/CountUsers": "users.read",
    f"{USER_DIRECTORY}/CreateUser": "users.write",
    f"{USER_DIRECTORY}/UpdateUser": "users.write",
    f"{USER_DIRECTORY}/PatchUser": "users.write",
    f"{USER_DIRECTORY}/DeleteUser": "users.write",
    f"{USER_DIRECTORY}/ListDeletedUsers": "users.admin",
    f"{USER_DIRECTORY}/RestoreUser": "users.admin",
    f"{USER_DIRECTORY}/PurgeUser": "users.admin",
    f"{USER_DIRECTORY}/GetOrgChart": "users.read",
    f"{USER_DIRECTORY}/GetGroup": "groups.read",
    f"{USER_DIRECTORY}/BatchGetGroups": "groups.read",
    f"{USER_DIRECTORY}/ListGroups": "groups.read",
    f"{USER_DIRECTORY}/CountGroups": "groups.read",
    f"{USER_DIRECTORY}/CreateGroup": "groups.write",
    f"{USER_DIRECTORY}/UpdateGroup": "groups.write",
    f"{USER_DIRECTORY}/PatchGroup": "groups.write",
    f"{USER_DIRECTORY}/DeleteGroup": "groups.write",
    f"{USER_DIRECTORY}/ListGroupMembers": "groups.read",
    f"{USER_DIRECTORY}/BatchWrite": "users.write groups.write",
    f"{USER_DIRECTORY}/GetRole": "roles.read",
    f"{USER_DIRECTORY}/ListRoles": "roles.read",
    f"{WORKSPACE_ADMIN}/GetWorkspace": "workspaces.read",
    f"{WORKSPACE_ADMIN}/ListWorkspaces": "workspaces.read",
    f"{WORKSPACE_ADMIN}/CreateWorkspace": "workspaces.write",
    f"{WORKSPACE_ADMIN}/UpdateWorkspace": "workspaces.write",
    f"{WORKSPACE_ADMIN}/DeleteWorkspace": "workspaces.write",
    f"{WORKSPACE_ADMIN}/GetPolicy": "workspaces.read",
    f"{WORKSPACE_ADMIN}/UpdatePolicy": "workspaces.write",
    f"{WORKSPACE_ADMIN}/CreateRole": "workspaces.write",
    f"{WORKSPACE_ADMIN}/UpdateRole": "workspaces.write",
    f"{WORKSPACE_ADMIN}/ReorderRoles": "workspaces.write",
    f"{WORKSPACE_ADMIN}/DeleteRole": "workspaces.write",
    f"{WORKSPACE_ADMIN}/CreateTeam": "workspaces.write",
    f"{WORKSPACE_ADMIN}/RenameTeam": "workspaces.write",
    f"{WORKSPACE_ADMIN}/DeleteTeam": "workspaces.write",
    f"{WORKSPACE_ADMIN}/CreateAbsenceRegion": "workspaces.write",
    f"{WORKSPACE_ADMIN}/RenameAbsenceRegion": "workspaces.write",
    f"{WORKSPACE_ADMIN}/DeleteAbsenceRegion": "workspaces.write",
    f"{WORKSPACE_ADMIN}/DeclareAttributes": "workspaces.write",
    f"{WORKSPACE_ADMIN}/GetAccount": "accounts.read",
    f"{WORKSPACE_ADMIN}/CreateIntegration": "workspaces.write",
    f"{WORKSPACE_ADMIN}/GetIntegration": "workspaces.read",
    f"{WORKSPACE_ADMIN}/ListIntegrations": "workspaces.read",
    f"{WORKSPACE_ADMIN}/UpdateIntegration": "workspaces.write",
    f"{WORKSPACE_ADMIN}/DeleteIntegration": "workspaces.write",
    f"{WORKSPACE_ADMIN}/IssueToken": "workspaces.write",
    f"{WORKSPACE_ADMIN}/RotateToken": "workspaces.write",
    f"{WORKSPACE_ADMIN}/RevokeToken": "workspaces.write",
    f"{WORKSPACE_ADMIN}/CreateAccessToken": EXCHANGE,
    f"{WORKSPACE_ADMIN}/CreateServiceCredential": "credentials.write",
    f"{WORKSPACE_ADMIN}/ListServiceCredentials": "credentials.read",
    f"{WORKSPACE_ADMIN}/RotateServiceCredential": "credentials.write",
    f"{WORKSPACE_ADMIN}/RevokeServiceCredential": "credentials.write",
    f"{WORKSPACE_ADMIN}/CheckIntegration": "workspaces.read",
    f"{WORKSPACE_ADMIN}/PlanPrune": "workspaces.read",
    f"{WORKSPACE_ADMIN}/CommitPrune": "workspaces.write",
    f"{WORKSPACE_ADMIN}/GetSeats": "seats.read",
    f"{WORKSPACE_ADMIN}/ListFailures": "log.read",
    f"{WORKSPACE_ADMIN}/ListLog": "log.read",
    f"{WORKSPACE_ADMIN}/WatchChanges": "log.read",
    f"{WORKSPACE_ADMIN}/ExplainTrace": "log.read",
}
