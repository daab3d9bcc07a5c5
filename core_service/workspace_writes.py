"""How the row of a workspace changes inside a write, so that every process notices."""

from collections.abc import Callable

from userdirectory.v1 import workspace_pb2

from core_service import journal
from core_service.storage import store
from core_service.writing import Write


async def change(
    write: Write, edit: Callable[[workspace_pb2.Workspace], None] | None = None
) -> store.WorkspaceRow:
    """
    Change a workspace and raise its version, which makes every process read it anew.

    Args:
        edit: Changes the message in place; None if only rows beside it change, such as roles.

    Returns:
        The row as it is now, with the counts of this write.
    """
    row = await store.workspace(write.tx, write.workspace_id)
    assert row is not None  # it is locked
    message = workspace_pb2.Workspace.FromString(row.document)
    before = workspace_pb2.Workspace.FromString(row.document)
    if edit is not None:
        edit(message)
    row = row._replace(
        version=row.version + 1,
        update_time=write.now,
        document=message.SerializeToString(deterministic=True),
    )
    await store.update_workspace(write.tx, row)
    await journal.resource(write, row.id, before, message)
    return row
