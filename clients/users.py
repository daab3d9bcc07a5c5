"""
What to ask the directory about users, each method of the clients once.

Every write has the parameter `idempotency_key`, which names it: the directory carries out a write
once however often it is sent, and gives the answer again. Empty, the default, is a new name for
each call, so that the client can send it again by itself; one's own makes a write safe to repeat
after a crash or by another process; with None a write is sent once and never again.
"""

from collections.abc import Iterable

from userdirectory.v1 import user_directory_pb2 as pb
from userdirectory.v1.change_pb2 import UserChange
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.user_pb2 import User, UserRef, Workplace

from clients.steps import MOST_IDS, Call, Pages, Steps, mask


def get_user(user_id: str) -> Steps[User]:
    """Return the user with this id; USER_NOT_FOUND."""
    answer: pb.GetUserResponse = yield Call(pb.GetUserRequest(user=UserRef(id=user_id)))
    return answer.user


def find_user(user_name: str) -> Steps[User]:
    """Return the user with this name, in upper or lower case; USER_NOT_FOUND."""
    request = pb.GetUserRequest(user=UserRef(user_name=user_name))
    answer: pb.GetUserResponse = yield Call(request)
    return answer.user


def batch_get_users(user_ids: Iterable[str]) -> Steps[list[User]]:
    """Return the users with these ids, in this order; USER_NOT_FOUND if one is missing."""
    ids, found = list(user_ids), list[User]()
    for start in range(0, len(ids), MOST_IDS):
        request = pb.BatchGetUsersRequest(ids=ids[start : start + MOST_IDS])
        answer: pb.BatchGetUsersResponse = yield Call(request)
        found.extend(answer.users)
    return found


def list_users(
    filter_: Filter | None = None, *, order_by: str = "", page_size: int = 100
) -> Pages[User]:
    """Yield the users that pass the filter, page by page; FILTER_INVALID, FIELD_UNKNOWN."""
    request = pb.ListUsersRequest(filter=filter_, order_by=order_by, page_size=page_size)
    return Pages(request, "users")


def count_users(filter_: Filter | None = None) -> Steps[int]:
    """Return how many users pass the filter, all without one; FILTER_INVALID."""
    answer: pb.CountUsersResponse = yield Call(pb.CountUsersRequest(filter=filter_))
    return answer.count


def create_user(user: User, *, idempotency_key: str | None = "") -> Steps[pb.CreateUserResponse]:
    """Create a user; the answer says whether one existed, and what was done differently."""
    answer: pb.CreateUserResponse = yield Call(pb.CreateUserRequest(user=user), idempotency_key)
    return answer


def update_user(
    user: User, *fields: str, idempotency_key: str | None = ""
) -> Steps[pb.UpdateUserResponse]:
    """
    Set *fields* (`name.given_name`) of the user `user.id`; without any, those that have a value.

    Fields that are named and have no value are removed. With `user.etag` the user is written only
    if nobody else has meanwhile: ETAG_MISMATCH.
    """
    request = pb.UpdateUserRequest(user=user, update_mask=mask(*fields))
    answer: pb.UpdateUserResponse = yield Call(request, idempotency_key)
    return answer


def replace_user(user: User, *, idempotency_key: str | None = "") -> Steps[pb.UpdateUserResponse]:
    """
    Make the user `user.id` what *user* is; what has no value is removed, where it may be.

    Read, change and send back with `user.etag`, so that nobody else's change is lost.
    """
    request = pb.UpdateUserRequest(user=user, update_mask=mask("*"))
    answer: pb.UpdateUserResponse = yield Call(request, idempotency_key)
    return answer


def patch_user(
    user_id: str,
    changes: Iterable[UserChange],
    *,
    etag: str = "",
    idempotency_key: str | None = "",
) -> Steps[pb.PatchUserResponse]:
    """Apply changes in order, all or none; ETAG_MISMATCH if the user is not at *etag*."""
    request = pb.PatchUserRequest(user=UserRef(id=user_id), changes=changes, etag=etag)
    answer: pb.PatchUserResponse = yield Call(request, idempotency_key)
    return answer


def set_role(
    user_id: str, role: str, *, etag: str = "", idempotency_key: str | None = ""
) -> Steps[pb.UpdateUserResponse]:
    """
    Give a user a role, by its id or its exact name; everyone has exactly one.

    NAME_UNKNOWN if there is no such role, LAST_ADMIN for the last active admin, ADMIN_ROLE_LOCKED
    where only the product makes admins, NO_SEAT for a guest who would need one. Where groups are
    not roles, the policy may have the wish of an identity provider ignored: see `notices`.
    """
    listed: pb.ListRolesResponse = yield Call(pb.ListRolesRequest())
    # Users hold the name of their role, so that a name goes as it is, for the directory to judge.
    name = next((known.name for known in listed.roles if known.id == role), role)
    user = User(id=user_id, etag=etag, workplace=Workplace(user_role=name))
    request = pb.UpdateUserRequest(user=user, update_mask=mask("workplace.user_role"))
    answer: pb.UpdateUserResponse = yield Call(request, idempotency_key)
    return answer


def delete_user(user_id: str, *, etag: str = "", idempotency_key: str | None = "") -> Steps[None]:
    """
    Delete a user: a product for good, an identity provider as the policy says.

    USER_NOT_FOUND, LAST_ADMIN, ETAG_MISMATCH.
    """
    request = pb.DeleteUserRequest(user=UserRef(id=user_id), etag=etag)
    yield Call(request, idempotency_key)


def list_deleted_users(*, page_size: int = 100) -> Pages[User]:
    """Yield who was deleted or unlinked and can be restored, in order of id. For products."""
    return Pages(pb.ListDeletedUsersRequest(page_size=page_size), "users")


def restore_user(
    user_id: str, *, idempotency_key: str | None = ""
) -> Steps[pb.RestoreUserResponse]:
    """Make a deleted user active again, with id, groups and data; NO_SEAT. For products."""
    answer: pb.RestoreUserResponse = yield Call(pb.RestoreUserRequest(id=user_id), idempotency_key)
    return answer


def purge_user(user_id: str, *, idempotency_key: str | None = "") -> Steps[None]:
    """Remove a user for good; only the id and the time are kept. LAST_ADMIN. For products."""
    yield Call(pb.PurgeUserRequest(id=user_id), idempotency_key)


def get_org_chart(
    user_id: str = "", *, depth: int = 1, page_size: int = 100
) -> Pages[pb.ChartEntry]:
    """Yield who reports to a user, level by level, at most 10 deep; without a user from the top."""
    request = pb.GetOrgChartRequest(user_id=user_id, depth=depth, page_size=page_size)
    return Pages(request, "entries")
