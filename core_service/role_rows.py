"""Rows of roles, made of what was sent."""

from collections.abc import Sequence

from userdirectory.text import fold, name_key
from userdirectory.v1 import role_pb2

from core_service.context import KINDS
from core_service.core import Core
from core_service.rules import names
from core_service.rules import roles as rules
from core_service.rules.roles import RoleFacts
from core_service.rules.wording import invalid
from core_service.storage import store


def checked(sent: Sequence[role_pb2.Role]) -> list[role_pb2.Role]:
    """
    Return the roles of a new workspace, by rank; of those sent none: Admin, Member, Guest.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    roles = list(sent) or [
        role_pb2.Role(name="Admin", kind=role_pb2.ROLE_KIND_ADMIN),
        role_pb2.Role(name="Member", kind=role_pb2.ROLE_KIND_REGULAR),
        role_pb2.Role(name="Guest", kind=role_pb2.ROLE_KIND_GUEST),
    ]
    rules.guard_catalogue(
        [
            RoleFacts(id="", name=role.name, kind=KINDS[kind_of(role.kind)], rank=rank)
            for rank, role in enumerate(roles, start=1)
        ]
    )
    return roles


def new_row(
    core: Core, workspace_id: str, role: role_pb2.Role, rank: int, now: int
) -> store.RoleRow:
    """
    Return the row of a role to be made.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    row = store.RoleRow(
        workspace_id=workspace_id,
        id=core.new_id(),
        name="",
        name_key="",
        name_fold="",
        kind=kind_of(role.kind),
        rank=rank,
        version=1,
        create_time=now,
        update_time=now,
    )
    return named(row, role.name)


def named(row: store.RoleRow, name: str) -> store.RoleRow:
    """
    Return *row* under another name; an empty one leaves the name as it is.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    if not name:
        return row
    name = names.text("role.name", name_key(name))
    return row._replace(name=name, name_key=name_key(name), name_fold=fold(name))


def kind_of(sent: int) -> int:
    """
    Return a RoleKind as it is kept.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    if sent not in KINDS:
        raise invalid("role.kind", f"{sent} is no kind of role. Choose another.", value=sent)
    return sent or role_pb2.ROLE_KIND_REGULAR
