"""
The tables, the only list of columns beside the contract.

Every row begins with the workspace it belongs to, so that tenants cannot meet; accounts, settings,
workspaces and credentials are looked up by ids of their own. Times are microseconds since 1970.
A `*_key` column is text as it is compared, made by `userdirectory.text` and by no database.
"""

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from core_service.storage.expressions import TEXT, Json

METADATA = sa.MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "fk": "%(table_name)s_%(column_0_name)s_fkey"}
)
_NO_ROWID = {"sqlite_with_rowid": False}


def _id() -> Any:
    return Field(primary_key=True, sa_type=TEXT)


def _text() -> Any:
    return Field(sa_type=TEXT)


def _maybe_text() -> Any:
    return Field(default=None, sa_type=TEXT)


def _whole() -> Any:
    return Field(sa_type=sa.BigInteger)


def _maybe_whole() -> Any:
    return Field(default=None, sa_type=sa.BigInteger)


def _bytes() -> Any:
    return Field(sa_type=sa.LargeBinary)


class Table(SQLModel):
    """What the tables share: their metadata."""

    metadata: ClassVar[sa.MetaData] = METADATA


class Setting(Table, table=True):
    """What the installation was given once: the key of page tokens."""

    __tablename__ = "settings"
    name: str = _id()
    value: str = _text()


class Workspace(Table, table=True):
    """A workspace; writes in it lock this row."""

    __tablename__ = "workspaces"
    id: str = _id()
    version: int = _whole()
    create_time: int = _whole()
    update_time: int = _whole()
    document: bytes = _bytes()
    users_count: int = _whole()
    active_admins: int = _whole()
    seats_used: int = _whole()
    groups_count: int = _whole()


class Account(Table, table=True):
    """A person's login, one for each e-mail, in every workspace the same."""

    __tablename__ = "accounts"
    __table_args__ = (sa.UniqueConstraint("email_key", name="accounts_email"),)
    id: str = _id()
    email: str = _text()
    email_key: str = _text()
    given_name: str = _text()
    family_name: str = _text()
    password_hash: str | None = _maybe_text()
    users_count: int = _whole()
    create_time: int = _whole()


class Role(Table, table=True):
    """A permission role; `name_key` is its name trimmed and in NFC, `name_fold` its name folded."""

    __tablename__ = "roles"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "name_key", name="roles_name"),)
    workspace_id: str = _id()
    id: str = _id()
    name: str = _text()
    name_key: str = _text()
    name_fold: str = _text()
    kind: int = _whole()
    rank: int = _whole()
    version: int = _whole()
    create_time: int = _whole()
    update_time: int = _whole()


class User(Table, table=True):
    """
    A person in one workspace.

    `document` is the serialised User without what is derived; `search` has its comparable values.
    """

    __tablename__ = "users"
    __table_args__ = (
        sa.UniqueConstraint("workspace_id", "user_name_key", name="users_user_name"),
        sa.UniqueConstraint("workspace_id", "account_id", name="users_account"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "role_id"], ["roles.workspace_id", "roles.id"], name="users_role_fkey"
        ),
        sa.Index("users_role", "workspace_id", "role_id", "id"),
        # These three hold only the rows that are looked for.
        sa.Index(
            "users_external_id",
            "workspace_id",
            "external_id",
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        ),
        sa.Index(
            "users_manager",
            "workspace_id",
            "manager_id",
            sqlite_where=sa.text("manager_id IS NOT NULL"),
            postgresql_where=sa.text("manager_id IS NOT NULL"),
        ),
        sa.Index(
            "users_visible",
            "workspace_id",
            "id",
            # SQLite counts in the index alone only if the index has the column of its condition.
            "unlink_time",
            sqlite_where=sa.text("unlink_time IS NULL"),
            postgresql_where=sa.text("unlink_time IS NULL"),
        ),
    )
    workspace_id: str = _id()
    id: str = _id()
    account_id: str = _text()
    user_name: str = _text()
    user_name_key: str = _text()
    external_id: str | None = _maybe_text()
    display_name: str | None = _maybe_text()
    active: bool = Field(sa_type=sa.Boolean)
    role_id: str = _text()
    manager_id: str | None = _maybe_text()
    integration_id: str = _text()
    last_sync_time: int | None = _maybe_whole()
    last_trace_id: str | None = _maybe_text()
    delete_time: int | None = _maybe_whole()
    unlink_time: int | None = _maybe_whole()
    version: int = _whole()
    create_time: int = _whole()
    update_time: int = _whole()
    document: bytes = _bytes()
    search: str = Field(sa_type=Json)
    source: str = Field(sa_type=TEXT, sa_column_kwargs={"server_default": ""})


class UserEmail(Table, table=True):
    """An e-mail address of a user, to look users up by."""

    __tablename__ = "user_emails"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["users.workspace_id", "users.id"],
            name="user_emails_user_fkey",
            ondelete="CASCADE",
        ),
        sa.Index("user_emails_user", "workspace_id", "user_id"),
        _NO_ROWID,
    )
    workspace_id: str = _id()
    value_key: str = _id()
    user_id: str = _id()


class Group(Table, table=True):
    """
    A named set of users.

    `name_key` is the trimmed name folded; `unique_key` is the same where the workspace wants
    unique names, else NULL.
    """

    __tablename__ = "groups"
    __table_args__ = (
        sa.UniqueConstraint("workspace_id", "unique_key", name="groups_name"),
        sa.Index("groups_name_key", "workspace_id", "name_key"),
    )
    workspace_id: str = _id()
    id: str = _id()
    display_name: str = _text()
    name_key: str = _text()
    unique_key: str | None = _maybe_text()
    external_id: str | None = _maybe_text()
    member_count: int = _whole()
    version: int = _whole()
    create_time: int = _whole()
    update_time: int = _whole()
    source: str = Field(sa_type=TEXT, sa_column_kwargs={"server_default": ""})


class Membership(Table, table=True):
    """A member of a group; `member_type` is 1 for a user, 2 for a group."""

    __tablename__ = "memberships"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["workspace_id", "group_id"],
            ["groups.workspace_id", "groups.id"],
            name="memberships_group_fkey",
            ondelete="CASCADE",
        ),
        sa.Index("memberships_member", "workspace_id", "member_id", "group_id"),
        _NO_ROWID,
    )
    workspace_id: str = _id()
    group_id: str = _id()
    member_id: str = _id()
    member_type: int = _whole()


class Integration(Table, table=True):
    """A connection of a workspace with one identity provider."""

    __tablename__ = "integrations"
    workspace_id: str = _id()
    id: str = _id()
    provider: int = _whole()
    label: str = _text()
    enabled: bool = Field(sa_type=sa.Boolean)
    create_time: int = _whole()


class Credential(Table, table=True):
    """
    A token; only the digest of its secret is kept.

    `workspace_id` is empty for a service credential of all workspaces, `integration_id` for any
    service credential.
    """

    __tablename__ = "credentials"
    __table_args__ = (sa.Index("credentials_integration", "workspace_id", "integration_id"),)
    id: str = _id()
    workspace_id: str = _text()
    integration_id: str = _text()
    digest: bytes = _bytes()
    scopes: str = _text()
    label: str = _text()
    create_time: int = _whole()
    expire_time: int | None = _maybe_whole()
    revoke_time: int | None = _maybe_whole()
    last_use_time: int | None = _maybe_whole()


class Log(Table, table=True):
    """What a request did or why it was refused; `document` is a serialised LogEntry."""

    __tablename__ = "log"
    __table_args__ = (
        sa.Index("log_trace", "workspace_id", "trace_id"),
        sa.Index("log_target", "workspace_id", "target_id", "sequence"),
        sa.Index("log_reason", "workspace_id", "reason", "time"),
    )
    workspace_id: str = _id()
    sequence: int = Field(
        primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    time: int = _whole()
    trace_id: str = _text()
    integration_id: str = _text()
    credential_id: str = _text()
    operation: str = _text()
    target_id: str = _text()
    reason: str = _text()
    document: bytes = _bytes()


class Tombstone(Table, table=True):
    """What is kept of a purged user or a deleted group: its id, when it went, and by what."""

    __tablename__ = "tombstones"
    workspace_id: str = _id()
    id: str = _id()
    time: int = _whole()
    trace_id: str = _text()


class Outbox(Table, table=True):
    """
    Something to tell the product around us, delivered after the write that said so.

    `port` is `mail` or `billing`; `key` makes it happen once; `done_time` is NULL until delivered.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        sa.UniqueConstraint("workspace_id", "port", "key", name="outbox_key"),
        sa.Index("outbox_due", "done_time", "due_time"),
    )
    workspace_id: str = _id()
    id: str = _id()
    port: str = _text()
    key: str = _text()
    payload: str = _text()
    due_time: int = _whole()
    attempts: int = _whole()
    done_time: int | None = _maybe_whole()
    last_error: str = _text()


class InvoiceWindow(Table, table=True):
    """Seats booked within 30 minutes of the first; `invoice_time` is NULL until invoiced."""

    __tablename__ = "invoice_windows"
    __table_args__ = (sa.Index("invoice_windows_close", "invoice_time", "close_time"),)
    workspace_id: str = _id()
    id: str = _id()
    open_time: int = _whole()
    close_time: int = _whole()
    seats: int = _whole()
    invoice_time: int | None = _maybe_whole()


class SeenRoleName(Table, table=True):
    """When an integration last sent the name of a role as a value."""

    __tablename__ = "seen_role_names"
    workspace_id: str = _id()
    name_key: str = _id()
    integration_id: str = _id()
    last_time: int = _whole()


def _table(name: str) -> sa.Table:
    return METADATA.tables[name]


settings = _table("settings")
workspaces = _table("workspaces")
accounts = _table("accounts")
roles = _table("roles")
users = _table("users")
user_emails = _table("user_emails")
groups = _table("groups")
memberships = _table("memberships")
integrations = _table("integrations")
credentials = _table("credentials")
log = _table("log")
tombstones = _table("tombstones")
outbox = _table("outbox")
invoice_windows = _table("invoice_windows")
seen_role_names = _table("seen_role_names")

TAKEN: dict[str, tuple[str, str]] = {
    "accounts_email": ("email", "email"),
    "groups_name": ("display_name", "display_name"),
    "roles_name": ("name", "name"),
    "users_account": ("user_name", "user_name"),
    "users_user_name": ("user_name", "user_name"),
    "workspaces_pkey": ("id", "id"),
}
"""What a unique constraint says is taken: the field, and the column that has its value."""
