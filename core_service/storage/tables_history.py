"""The tables of what happened and of what is still to be told."""

import sqlalchemy as sa
from sqlmodel import Field

from core_service.storage.columns import METADATA, Table, key, maybe_whole, raw, text, whole


class Log(Table, table=True):
    """What a request did or why it was refused; `document` is a serialised LogEntry."""

    __tablename__ = "log"
    __table_args__ = (
        sa.Index("log_trace", "trace_id", "workspace_id"),
        sa.Index("log_time", "workspace_id", "time"),
        sa.Index("log_target", "workspace_id", "target_id", "sequence"),
        sa.Index("log_reason", "workspace_id", "reason", "time"),
    )
    workspace_id: str = key()
    sequence: int = Field(
        primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    time: int = whole()
    trace_id: str = text()
    integration_id: str = text()
    credential_id: str = text()
    operation: str = text()
    target_id: str = text()
    reason: str = text()
    document: bytes = raw()


class IdempotencyKey(Table, table=True):
    """A write that its caller named, with what it was answered, so that it happens once."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.Index("idempotency_keys_time", "workspace_id", "time"),)
    workspace_id: str = key()
    credential_id: str = key()
    key: str = key()
    digest: bytes = raw()
    answer: bytes = raw()
    time: int = whole()


class Tombstone(Table, table=True):
    """What is kept of a purged user or a deleted group: its id, when it went, and by what."""

    __tablename__ = "tombstones"
    workspace_id: str = key()
    id: str = key()
    time: int = whole()
    trace_id: str = text()


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
    workspace_id: str = key()
    id: str = key()
    port: str = text()
    key: str = text()
    payload: str = text()
    due_time: int = whole()
    attempts: int = whole()
    done_time: int | None = maybe_whole()
    last_error: str = text()


class InvoiceWindow(Table, table=True):
    """Seats booked within 30 minutes of the first; `invoice_time` is NULL until invoiced."""

    __tablename__ = "invoice_windows"
    __table_args__ = (sa.Index("invoice_windows_close", "invoice_time", "close_time"),)
    workspace_id: str = key()
    id: str = key()
    open_time: int = whole()
    close_time: int = whole()
    seats: int = whole()
    invoice_time: int | None = maybe_whole()


class SeenRoleName(Table, table=True):
    """When an integration last sent the name of a role as a value."""

    __tablename__ = "seen_role_names"
    workspace_id: str = key()
    name_key: str = key()
    integration_id: str = key()
    last_time: int = whole()


log = METADATA.tables["log"]
idempotency_keys = METADATA.tables["idempotency_keys"]
tombstones = METADATA.tables["tombstones"]
outbox = METADATA.tables["outbox"]
invoice_windows = METADATA.tables["invoice_windows"]
seen_role_names = METADATA.tables["seen_role_names"]
