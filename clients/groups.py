"""
What to ask the directory about groups and roles, each method of the clients once.

`idempotency_key` is what it is for users, see `clients.users`.
"""

from collections.abc import Iterable

from userdirectory.v1 import user_directory_pb2 as pb
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.role_pb2 import Role

from clients.steps import MOST_IDS, Call, Pages, Steps, mask


def get_group(group_id: str) -> Steps[Group]:
    """Return the group with this id, without its members; GROUP_NOT_FOUND."""
    answer: pb.GetGroupResponse = yield Call(pb.GetGroupRequest(id=group_id))
    return answer.group


def batch_get_groups(group_ids: Iterable[str]) -> Steps[list[Group]]:
    """Return the groups with these ids, in this order; GROUP_NOT_FOUND if one is missing."""
    ids, found = list(group_ids), list[Group]()
    for start in range(0, len(ids), MOST_IDS):
        request = pb.BatchGetGroupsRequest(ids=ids[start : start + MOST_IDS])
        answer: pb.BatchGetGroupsResponse = yield Call(request)
        found.extend(answer.groups)
    return found


def list_groups(
    filter_: Filter | None = None, *, order_by: str = "", page_size: int = 100
) -> Pages[Group]:
    """Yield the groups that pass the filter, without members, page by page."""
    request = pb.ListGroupsRequest(filter=filter_, order_by=order_by, page_size=page_size)
    return Pages(request, "groups")


def count_groups(filter_: Filter | None = None) -> Steps[int]:
    """Return how many groups pass the filter, all without one; FILTER_INVALID."""
    answer: pb.CountGroupsResponse = yield Call(pb.CountGroupsRequest(filter=filter_))
    return answer.count


def list_members(group_id: str, *, page_size: int = 1000) -> Pages[Member]:
    """Yield the members of a group in order of id, page by page; GROUP_NOT_FOUND."""
    return Pages(pb.ListGroupMembersRequest(id=group_id, page_size=page_size), "members")


def create_group(
    group: Group, *, idempotency_key: str | None = ""
) -> Steps[pb.CreateGroupResponse]:
    """Create a group with its members; ROLE_CATALOGUE where groups are roles."""
    request = pb.CreateGroupRequest(group=group)
    answer: pb.CreateGroupResponse = yield Call(request, idempotency_key)
    return answer


def update_group(
    group: Group, *fields: str, idempotency_key: str | None = ""
) -> Steps[pb.UpdateGroupResponse]:
    """Set *fields* (none: those with a value) of the group `group.id`; ETAG_MISMATCH."""
    request = pb.UpdateGroupRequest(group=group, update_mask=mask(*fields))
    answer: pb.UpdateGroupResponse = yield Call(request, idempotency_key)
    return answer


def replace_group(
    group: Group, *, idempotency_key: str | None = ""
) -> Steps[pb.UpdateGroupResponse]:
    """
    Make the group `group.id` what *group* is, members included; ETAG_MISMATCH.

    Whoever is not among `group.members` leaves: for single members use `add_members`.
    """
    request = pb.UpdateGroupRequest(group=group, update_mask=mask("*"))
    answer: pb.UpdateGroupResponse = yield Call(request, idempotency_key)
    return answer


def patch_group(
    group_id: str,
    changes: Iterable[GroupChange],
    *,
    etag: str = "",
    idempotency_key: str | None = "",
) -> Steps[pb.PatchGroupResponse]:
    """Apply changes in order, all or none; ETAG_MISMATCH if the group is not at *etag*."""
    request = pb.PatchGroupRequest(id=group_id, changes=changes, etag=etag)
    answer: pb.PatchGroupResponse = yield Call(request, idempotency_key)
    return answer


def add_members(
    group_id: str, member_ids: Iterable[str], *, idempotency_key: str | None = ""
) -> Steps[pb.PatchGroupResponse]:
    """
    Add users or groups to a group, at most 10000 at once; who is in it already stays.

    It costs as much as the members that are added, however large the group is.
    """
    change = GroupChange(add=_members(member_ids))
    request = pb.PatchGroupRequest(id=group_id, changes=[change])
    answer: pb.PatchGroupResponse = yield Call(request, idempotency_key)
    return answer


def remove_members(
    group_id: str, member_ids: Iterable[str], *, idempotency_key: str | None = ""
) -> Steps[pb.PatchGroupResponse]:
    """Take users or groups out of a group, at most 10000 at once; who is not in it is left out."""
    change = GroupChange(discard=_members(member_ids))
    request = pb.PatchGroupRequest(id=group_id, changes=[change])
    answer: pb.PatchGroupResponse = yield Call(request, idempotency_key)
    return answer


def delete_group(group_id: str, *, etag: str = "", idempotency_key: str | None = "") -> Steps[None]:
    """Delete a group for good; its members stay. GROUP_NOT_FOUND, ETAG_MISMATCH."""
    yield Call(pb.DeleteGroupRequest(id=group_id, etag=etag), idempotency_key)


def get_role(role_id: str) -> Steps[Role]:
    """Return the role with this id; ROLE_NOT_FOUND."""
    answer: pb.GetRoleResponse = yield Call(pb.GetRoleRequest(id=role_id))
    return answer.role


def list_roles() -> Steps[list[Role]]:
    """Return the roles by rank."""
    answer: pb.ListRolesResponse = yield Call(pb.ListRolesRequest())
    return list(answer.roles)


def _members(ids: Iterable[str]) -> GroupValue:
    members = [Member(member_id=id_) for id_ in ids]
    return GroupValue(field="members", value=Group(members=members))
