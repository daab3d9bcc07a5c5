"""Rows to begin with, each with what its test is about and defaults for the rest."""

from userdirectory.text import fold, name_key
from userdirectory.v1 import user_pb2, workspace_pb2

from core_service.storage import store

ADMIN, REGULAR, GUEST = 1, 2, 3


def workspace(id: str = "w1", message: workspace_pb2.Workspace | None = None) -> store.WorkspaceRow:
    """Return a workspace without users."""
    document = (message or workspace_pb2.Workspace()).SerializeToString()
    return store.WorkspaceRow(id, 1, 0, 0, document, 0, 0, 0, 0)


def role(
    id: str = "regular",
    name: str = "",
    *,
    workspace_id: str = "w1",
    kind: int = REGULAR,
    rank: int = 1,
) -> store.RoleRow:
    """Return a role named like its id."""
    name = name or id
    return store.RoleRow(workspace_id, id, name, name_key(name), fold(name), kind, rank, 1, 0, 0)


def account(id: str, email: str = "") -> store.AccountRow:
    """Return an account that no workspace has a user of."""
    email = email or f"{id}@example.com"
    return store.AccountRow(id, email, fold(email), "", "", None, 0, 0)


def user(
    id: str, message: user_pb2.User | None = None, *, workspace_id: str = "w1", **values: object
) -> store.UserRow:
    """Return the row of *message*, by default of an active user with only a name."""
    message = message or user_pb2.User(user_name=f"{id}@example.com", active=True)
    manager_id = message.enterprise.manager.user_id or None
    row = store.UserRow(
        workspace_id=workspace_id,
        id=id,
        account_id=f"account-{id}",
        user_name=message.user_name,
        user_name_key=fold(message.user_name),
        external_id=message.external_id or None,
        display_name=message.display_name or None,
        active=message.active,
        role_id="regular",
        manager_id=manager_id,
        integration_id="",
        last_sync_time=None,
        last_trace_id=None,
        delete_time=None,
        unlink_time=None,
        version=1,
        create_time=0,
        update_time=0,
        source="",
        document=message.SerializeToString(),
        search=store.search_text(message),
    )
    return row._replace(**values)


def group(
    id: str, display_name: str = "", *, workspace_id: str = "w1", unique: bool = True
) -> store.GroupRow:
    """Return a group without members, named like its id."""
    name = display_name or id
    key = fold(name.strip())
    return store.GroupRow(
        workspace_id, id, name, key, key if unique else None, None, 0, 1, 0, 0, ""
    )
