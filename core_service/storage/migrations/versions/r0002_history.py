"""
The history: the log, tombstones, the outbox, invoice windows, names of roles that were sent.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables of the history, and the columns that came with them."""
    op.add_column("users", sa.Column("source", TEXT, nullable=False, server_default=""))
    op.add_column("groups", sa.Column("source", TEXT, nullable=False, server_default=""))
    op.add_column("credentials", sa.Column("last_use_time", sa.BigInteger, nullable=True))
    op.add_column("credentials", sa.Column("subject", TEXT, nullable=False, server_default=""))
    op.create_table(
        "log",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("trace_id", TEXT, nullable=False),
        sa.Column("integration_id", TEXT, nullable=False),
        sa.Column("credential_id", TEXT, nullable=False),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("target_id", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "sequence", name="log_pkey"),
    )
    op.create_index("log_trace", "log", ["workspace_id", "trace_id"])
    op.create_index("log_target", "log", ["workspace_id", "target_id", "sequence"])
    op.create_index("log_reason", "log", ["workspace_id", "reason", "time"])
    op.create_table(
        "tombstones",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("trace_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="tombstones_pkey"),
    )
    op.create_table(
        "outbox",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("port", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.Column("due_time", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("done_time", sa.BigInteger, nullable=True),
        sa.Column("last_error", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="outbox_pkey"),
        sa.UniqueConstraint("workspace_id", "port", "key", name="outbox_key"),
    )
    op.create_index("outbox_due", "outbox", ["done_time", "due_time"])
    op.create_table(
        "invoice_windows",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("open_time", sa.BigInteger, nullable=False),
        sa.Column("close_time", sa.BigInteger, nullable=False),
        sa.Column("seats", sa.BigInteger, nullable=False),
        sa.Column("invoice_time", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="invoice_windows_pkey"),
    )
    op.create_index("invoice_windows_close", "invoice_windows", ["invoice_time", "close_time"])
    op.create_table(
        "seen_role_names",
        sa.Column("workspace_id", TEXT, nullable=False),
        sa.Column("name_key", TEXT, nullable=False),
        sa.Column("integration_id", TEXT, nullable=False),
        sa.Column("last_time", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "name_key", "integration_id", name="seen_role_names_pkey"
        ),
    )
