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
    source: str


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
    source: str


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
    last_use_time: int | None
    subject: str
    parent_id: str


class LogRow(NamedTuple):
    """A row of `log`; `document` is a serialised LogEntry, `reason` empty for what was done."""

    workspace_id: str
    sequence: int
    time: int
    trace_id: str
    integration_id: str
    credential_id: str
    operation: str
    target_id: str
    reason: str
    document: bytes


class IdempotencyKeyRow(NamedTuple):
    """A row of `idempotency_keys`; `digest` is that of the request, `answer` its response."""

    workspace_id: str
    credential_id: str
    key: str
    digest: bytes
    answer: bytes
    time: int


class TombstoneRow(NamedTuple):
    """A row of `tombstones`."""

    workspace_id: str
    id: str
    time: int
    trace_id: str


class OutboxRow(NamedTuple):
    """A row of `outbox`; `payload` is JSON."""

    workspace_id: str
    id: str
    port: str
    key: str
    payload: str
    due_time: int
    attempts: int
    done_time: int | None
    last_error: str


class InvoiceWindowRow(NamedTuple):
    """A row of `invoice_windows`."""

    workspace_id: str
    id: str
    open_time: int
    close_time: int
    seats: int
    invoice_time: int | None


class SeenRoleNameRow(NamedTuple):
    """A row of `seen_role_names`."""

    workspace_id: str
    name_key: str
    integration_id: str
    last_time: int
