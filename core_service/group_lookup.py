"""Groups by id, whether they are rows of their own or roles, and the error for one that is gone."""

from collections.abc import Sequence

from userdirectory.errors import DirectoryError
from userdirectory.v1 import group_pb2

from core_service import role_groups, views
from core_service.context import Context
from core_service.rules.wording import shown
from core_service.storage import store
from core_service.storage.database import Transaction


async def groups_by_ids(
    tx: Transaction, context: Context, ids: Sequence[str]
) -> dict[str, group_pb2.Group]:
    """Return the groups of these ids that there are, without members; by id."""
    if context.roles_as_groups:
        return await role_groups.by_ids(tx, context, ids)
    return {row.id: views.group(row) for row in await store.groups_by_ids(tx, context.id, ids)}


async def missing(tx: Transaction, workspace_id: str, group_id: str) -> DirectoryError:
    """
    Return the error for a group that is not there.

    Of one that was, a role too, it says so: identity providers keep the id of a deleted role until
    their groups are read anew (R-148).
    """
    if await store.tombstone(tx, workspace_id, group_id) is None:
        message = f"No group has the id {shown(group_id)!r}. List the groups to find the right one."
    else:
        message = (
            f"The group {group_id} was deleted. Re-sync the groups in the identity provider, "
            "so that it learns which there are."
        )
    return DirectoryError("GROUP_NOT_FOUND", message, id=group_id)
