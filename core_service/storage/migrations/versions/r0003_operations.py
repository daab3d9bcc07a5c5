"""
Operations: access tokens, idempotency keys, and the log by trace and by time.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table and the indexes."""
    op.add_column("credentials", sa.Column("parent_id", TEXT, nullable=False, server_default=""))
    op.create_index("credentials_parent", "credentials", ["parent_id"])
    op.drop_index("log_trace", "log")
    op.create_index("log_trace", "log", ["trace_id", "workspace_id"])
    op.create_index("log_time", "log", ["workspace_id", "time"])
    op.create_table(
        "idempotency_keys",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("credential_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "credential_id", "key", name="idempotency_keys_pkey"
        ),
    )
    op.create_index("idempotency_keys_time", "idempotency_keys", ["workspace_id", "time"])
