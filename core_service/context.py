"""A workspace as the use cases see it: its policy, its roles, its catalogues of names."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from userdirectory.custom import Declared, declared
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2, role_pb2, workspace_pb2

from core_service import policy as policies
from core_service.policy import Policy
from core_service.rules import roles as role_rules
from core_service.rules.roles import RoleFacts
from core_service.rules.standing import Facts, Standing
from core_service.storage import store
from core_service.storage.database import Transaction

KINDS: dict[int, Literal["admin", "regular", "guest"]] = {
    role_pb2.ROLE_KIND_UNSPECIFIED: "regular",
    role_pb2.ROLE_KIND_ADMIN: "admin",
    role_pb2.ROLE_KIND_REGULAR: "regular",
    role_pb2.ROLE_KIND_GUEST: "guest",
}


@dataclass(frozen=True, slots=True)
class Context:
    """
    What the rules need to know of a workspace; the same until the workspace changes.

    Attributes:
        read_at: Version and time of the workspace row that this was read from. The time is there
            because a version that was rolled back is given again.
        create_time: When the workspace was created: another one with its id is not the same.
        message: The workspace, without id, etag and times.
        roles: The roles by id, in order of rank.
        default_role: The role of users created without one (R-152).
        declared: The attributes that the workspace adds to its users (R-130).
    """

    id: str
    read_at: tuple[int, int]
    create_time: int
    message: workspace_pb2.Workspace
    policy: Policy
    roles: dict[str, RoleFacts]
    default_role: RoleFacts
    declared: Declared

    @property
    def roles_as_groups(self) -> bool:
        """Whether SCIM groups are the workspace's roles."""
        return self.policy.groups == policy_pb2.GROUPS_MODE_ROLES

    def has_user_role(self, *, provisions: bool) -> bool:
        """
        Return whether a caller reads and writes `workplace.user_role`.

        Args:
            provisions: Whether a provisioning client calls, for whom it is only where groups are
                roles.
        """
        return self.roles_as_groups or not provisions

    def standing(self, role_id: str, active: bool) -> Standing:
        """Return what the guards must know of a user with this role."""
        kind = self.roles[role_id].kind
        return Standing(admin=kind == "admin", guest=kind == "guest", active=active)

    def facts(self, row: store.WorkspaceRow) -> Facts:
        """Return the counts of the workspace, as its locked row has them."""
        return Facts(
            active_admins=row.active_admins,
            seats_used=row.seats_used,
            seats_total=self.message.seat_plan.total,
            metered=self.policy.seats == policy_pb2.SEATS_METERED,
            automatic_booking=self.message.seat_plan.automatic_booking,
        )


class Contexts:
    """The contexts last used, at most 1000; each is checked against the row."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[str, Context] = OrderedDict()

    async def locked(self, tx: Transaction) -> tuple[Context, store.WorkspaceRow]:
        """
        Return the workspace that a write has locked, with its counts.

        Raises:
            DirectoryError: WORKSPACE_NOT_FOUND.
        """
        if tx.workspace is None:
            raise _not_found("")
        return await self._of(tx, tx.workspace), tx.workspace

    async def read(self, tx: Transaction, workspace_id: str) -> Context:
        """
        Return the workspace for a read.

        Raises:
            DirectoryError: WORKSPACE_NOT_FOUND.
        """
        row = await store.workspace(tx, workspace_id)
        if row is None:
            raise _not_found(workspace_id)
        return await self._of(tx, row)

    def forget(self, workspace_id: str) -> None:
        """Forget a workspace that is gone: another one may get its id, its version and its time."""
        self._kept.pop(workspace_id, None)

    async def _of(self, tx: Transaction, row: store.WorkspaceRow) -> Context:
        kept = self._kept.get(row.id)
        if kept is None or kept.read_at != (row.version, row.update_time):
            kept = make(row, await store.roles(tx, row.id))
            self._kept[row.id] = kept
            while len(self._kept) > 1000:
                self._kept.popitem(last=False)
        return kept


def make(row: store.WorkspaceRow, roles: Iterable[store.RoleRow]) -> Context:
    """Return the context that a workspace's row and its roles, by rank, make."""
    message = workspace_pb2.Workspace.FromString(row.document)
    facts = {role.id: role_facts(role) for role in roles}
    return Context(
        id=row.id,
        read_at=(row.version, row.update_time),
        create_time=row.create_time,
        message=message,
        policy=policies.of(message.policy),
        roles=facts,
        default_role=role_rules.default_role(tuple(facts.values()), message.default_role_id),
        declared=declared(message.custom_attributes),
    )


def role_facts(role: store.RoleRow) -> RoleFacts:
    """Return what the rules must know of a role."""
    return RoleFacts(id=role.id, name=role.name, kind=KINDS[role.kind], rank=role.rank)


def _not_found(workspace_id: str) -> DirectoryError:
    return DirectoryError(
        "WORKSPACE_NOT_FOUND",
        f"No workspace has the id {workspace_id!r}. Check the id, or list the workspaces.",
        id=workspace_id,
    )
