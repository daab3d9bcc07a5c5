"""
The tables of the directory; with those of its history the only list of columns there is beside
the contract.

Every row begins with the workspace it belongs to, so that tenants cannot meet; accounts, settings,
workspaces and credentials are looked up by ids of their own. Times are microseconds since 1970.
A `*_key` column is text as it is compared, made by `userdirectory.text` and by no database.
"""

import sqlalchemy as sa
from sqlmodel import Field

from core_service.storage.columns import (
    METADATA,
    NO_ROWID,
    Table,
    key,
    maybe_text,
    maybe_whole,
    raw,
    text,
    whole,
)
from core_service.storage.expressions import TEXT, Json


class Setting(Table, table=True):
    """What the installation was given once: the key of page tokens."""

    __tablename__ = "settings"
    name: str = key()
    value: str = text()


class Workspace(Table, table=True):
    """A workspace; writes in it lock this row."""

    __tablename__ = "workspaces"
    id: str = key()
    version: int = whole()
    create_time: int = whole()
    update_time: int = whole()
    document: bytes = raw()
    users_count: int = whole()
    active_admins: int = whole()
    seats_used: int = whole()
    groups_count: int = whole()


class Account(Table, table=True):
    """A person's login, one for each e-mail, in every workspace the same."""

    __tablename__ = "accounts"
    __table_args__ = (sa.UniqueConstraint("email_key", name="accounts_email"),)
    id: str = key()
    email: str = text()
    email_key: str = text()
    given_name: str = text()
    family_name: str = text()
    password_hash: str | None = maybe_text()
    users_count: int = whole()
    create_time: int = whole()


class Role(Table, table=True):
    """A permission role; `name_key` is its name trimmed and in NFC, `name_fold` its name folded."""

    __tablename__ = "roles"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "name_key", name="roles_name"),)
    workspace_id: str = key()
    id: str = key()
    name: str = text()
    name_key: str = text()
    name_fold: str = text()
    kind: int = whole()
    rank: int = whole()
    version: int = whole()
    create_time: int = whole()
    update_time: int = whole()


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
    workspace_id: str = key()
    id: str = key()
    account_id: str = text()
    user_name: str = text()
    user_name_key: str = text()
    external_id: str | None = maybe_text()
    display_name: str | None = maybe_text()
    active: bool = Field(sa_type=sa.Boolean)
    role_id: str = text()
    manager_id: str | None = maybe_text()
    integration_id: str = text()
    last_sync_time: int | None = maybe_whole()
    last_trace_id: str | None = maybe_text()
    delete_time: int | None = maybe_whole()
    unlink_time: int | None = maybe_whole()
    version: int = whole()
    create_time: int = whole()
    update_time: int = whole()
    document: bytes = raw()
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
        NO_ROWID,
    )
    workspace_id: str = key()
    value_key: str = key()
    user_id: str = key()


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
    workspace_id: str = key()
    id: str = key()
    display_name: str = text()
    name_key: str = text()
    unique_key: str | None = maybe_text()
    external_id: str | None = maybe_text()
    member_count: int = whole()
    version: int = whole()
    create_time: int = whole()
    update_time: int = whole()
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
        NO_ROWID,
    )
    workspace_id: str = key()
    group_id: str = key()
    member_id: str = key()
    member_type: int = whole()


class Integration(Table, table=True):
    """A connection of a workspace with one identity provider."""

    __tablename__ = "integrations"
    workspace_id: str = key()
    id: str = key()
    provider: int = whole()
    label: str = text()
    enabled: bool = Field(sa_type=sa.Boolean)
    create_time: int = whole()


class Credential(Table, table=True):
    """
    A token; only the digest of its secret is kept.

    `workspace_id` is empty for a service credential of all workspaces, `integration_id` for any
    service credential; `parent_id` is the credential that an access token is for, else empty.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        sa.Index("credentials_integration", "workspace_id", "integration_id"),
        sa.Index("credentials_parent", "parent_id"),
    )
    id: str = key()
    workspace_id: str = text()
    integration_id: str = text()
    digest: bytes = raw()
    scopes: str = text()
    label: str = text()
    create_time: int = whole()
    expire_time: int | None = maybe_whole()
    revoke_time: int | None = maybe_whole()
    last_use_time: int | None = maybe_whole()
    subject: str = Field(sa_type=TEXT, sa_column_kwargs={"server_default": ""})
    parent_id: str = Field(sa_type=TEXT, sa_column_kwargs={"server_default": ""})


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

TAKEN: dict[str, tuple[str, str]] = {
    "accounts_email": ("email", "email"),
    "groups_name": ("display_name", "display_name"),
    "roles_name": ("name", "name"),
    "users_account": ("user_name", "user_name"),
    "users_user_name": ("user_name", "user_name"),
    "workspaces_pkey": ("id", "id"),
}
"""What a unique constraint says is taken: the field, and the column that has its value."""
