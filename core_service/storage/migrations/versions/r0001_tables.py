"""
The first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
JSON = sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "settings",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="settings_pkey"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("update_time", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("users_count", sa.BigInteger, nullable=False),
        sa.Column("active_admins", sa.BigInteger, nullable=False),
        sa.Column("seats_used", sa.BigInteger, nullable=False),
        sa.Column("groups_count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="workspaces_pkey"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.Column("given_name", TEXT, nullable=False),
        sa.Column("family_name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=True),
        sa.Column("users_count", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="accounts_pkey"),
        sa.UniqueConstraint("email_key", name="accounts_email"),
    )
    op.create_table(
        "roles",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("name_fold", TEXT, nullable=False),
        sa.Column("kind", sa.BigInteger, nullable=False),
        sa.Column("rank", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("update_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="roles_pkey"),
        sa.UniqueConstraint("workspace_id", "name_key", name="roles_name"),
    )
    op.create_table(
        "users",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("account_id", TEXT, nullable=False),
        sa.Column("user_name", TEXT, nullable=False),
        sa.Column("user_name_key", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("display_name", TEXT, nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("role_id", TEXT, nullable=False),
        sa.Column("manager_id", TEXT, nullable=True),
        sa.Column("integration_id", TEXT, nullable=False),
        sa.Column("last_sync_time", sa.BigInteger, nullable=True),
        sa.Column("last_trace_id", TEXT, nullable=True),
        sa.Column("delete_time", sa.BigInteger, nullable=True),
        sa.Column("unlink_time", sa.BigInteger, nullable=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("update_time", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("search", JSON, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="users_pkey"),
        sa.UniqueConstraint("workspace_id", "account_id", name="users_account"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "role_id"],
            ["roles.workspace_id", "roles.id"],
            name="users_role_fkey",
        ),
        sa.UniqueConstraint("workspace_id", "user_name_key", name="users_user_name"),
    )
    op.create_index(
        "users_external_id",
        "users",
        ["workspace_id", "external_id"],
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "users_manager",
        "users",
        ["workspace_id", "manager_id"],
        sqlite_where=sa.text("manager_id IS NOT NULL"),
        postgresql_where=sa.text("manager_id IS NOT NULL"),
    )
    op.create_index("users_role", "users", ["workspace_id", "role_id", "id"])
    op.create_index(
        "users_visible",
        "users",
        ["workspace_id", "id", "unlink_time"],
        sqlite_where=sa.text("unlink_time IS NULL"),
        postgresql_where=sa.text("unlink_time IS NULL"),
    )
    op.create_table(
        "user_emails",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("value_key", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "value_key", "user_id", name="user_emails_pkey"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["users.workspace_id", "users.id"],
            name="user_emails_user_fkey",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("user_emails_user", "user_emails", ["workspace_id", "user_id"])
    op.create_table(
        "groups",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("unique_key", TEXT, nullable=True),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("member_count", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("update_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="groups_pkey"),
        sa.UniqueConstraint("workspace_id", "unique_key", name="groups_name"),
    )
    op.create_index("groups_name_key", "groups", ["workspace_id", "name_key"])
    op.create_table(
        "memberships",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("group_id", TEXT, nullable=False),
        sa.Column("member_id", TEXT, nullable=False),
        sa.Column("member_type", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "group_id", "member_id", name="memberships_pkey"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "group_id"],
            ["groups.workspace_id", "groups.id"],
            name="memberships_group_fkey",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("memberships_member", "memberships", ["workspace_id", "member_id", "group_id"])
    op.create_table(
        "integrations",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("provider", sa.BigInteger, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="integrations_pkey"),
    )
    op.create_table(
        "credentials",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("integration_id", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("create_time", sa.BigInteger, nullable=False),
        sa.Column("expire_time", sa.BigInteger, nullable=True),
        sa.Column("revoke_time", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="credentials_pkey"),
    )
    op.create_index("credentials_integration", "credentials", ["workspace_id", "integration_id"])
