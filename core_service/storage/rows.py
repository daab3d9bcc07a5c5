"""Rows as the statements return them: named values in the order of the columns."""

from typing import NamedTuple


class WorkspaceRow(NamedTuple):
    """A row of `workspaces`; `document` is a serialised Workspace, times are microseconds."""

    id: str
    version: int
    create_time: int
    update_time: int
    document: bytes
    users_count: int
    active_admins: int
    seats_used: int
    groups_count: int


class AccountRow(NamedTuple):
    """A row of `accounts`; `users_count` is how many workspaces have a user of it."""

    id: str
    email: str
    email_key: str
    given_name: str
    family_name: str
    password_hash: str | None
    users_count: int
    create_time: int


class RoleRow(NamedTuple):
    """A row of `roles`; `kind` is a RoleKind."""

    workspace_id: str
    id: str
    name: str
    name_key: str
    name_fold: str
    kind: int
    rank: int
    version: int
    create_time: int
    update_time: int


class UserRow(NamedTuple):
    """A row of `users`; `document` is a serialised User, `search` made by `search_text`."""

    workspace_id: str
    id: str
    account_id: str
    user_name: str
    user_name_key: str
    external_id: str | None
    display_name: str | None
    active: bool
    role_id: str
    manager_id: str | None
    integration_id: str
    last_sync_time: int | None
    last_trace_id: str | None
    delete_time: int | None
    unlink_time: int | None
    version: int
    create_time: int
    update_time: int
    document: bytes
    search: str


class GroupRow(NamedTuple):
    """A row of `groups`; `unique_key` is None where names need not be unique."""

    workspace_id: str
    id: str
    display_name: str
    name_key: str
    unique_key: str | None
    external_id: str | None
    member_count: int
    version: int
    create_time: int
    update_time: int


class MemberRow(NamedTuple):
    """A member of a group; `member_type` is 1 for a user, 2 for a group."""

    member_id: str
    member_type: int
    display_name: str


class IntegrationRow(NamedTuple):
    """A row of `integrations`; `provider` is a Provider."""

    workspace_id: str
    id: str
    provider: int
    label: str
    enabled: bool
    create_time: int


class CredentialRow(NamedTuple):
    """A row of `credentials`; `digest` is the secret's SHA-256, `scopes` has blanks between."""

    id: str
    workspace_id: str
    integration_id: str
    digest: bytes
    scopes: str
    label: str
    create_time: int
    expire_time: int | None
    revoke_time: int | None
