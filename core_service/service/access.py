"""What each RPC asks of a credential: one table, and a test that no RPC is missing."""

from userdirectory.v1 import user_directory_pb2, workspace_admin_pb2

USER_DIRECTORY: str = user_directory_pb2.DESCRIPTOR.services_by_name["UserDirectory"].full_name
WORKSPACE_ADMIN: str = workspace_admin_pb2.DESCRIPTOR.services_by_name["WorkspaceAdmin"].full_name

SERVICES = (USER_DIRECTORY, WORKSPACE_ADMIN)

# The scope an RPC needs, by the full name of the RPC.
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
    f"{USER_DIRECTORY}/GetRole": "roles.read",
    f"{USER_DIRECTORY}/ListRoles": "roles.read",
    f"{WORKSPACE_ADMIN}/GetWorkspace": "workspaces.read",
    f"{WORKSPACE_ADMIN}/CreateWorkspace": "workspaces.write",
    f"{WORKSPACE_ADMIN}/PlanPrune": "workspaces.read",
    f"{WORKSPACE_ADMIN}/CommitPrune": "workspaces.write",
}
