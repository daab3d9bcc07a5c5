"""What a document asks the core to write: the same alone and as an operation of a bulk request."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.user_pb2 import UserRef

from scim_gateway.documents import read_group, read_user
from scim_gateway.patch import read_group_changes, read_user_changes

# What a group's document always says, also by leaving it out.
# Witness: keycloak-plugin-put (a document without members empties the group).
_WHOLE_GROUP = ("display_name", "members")


def create_user(document: dict[str, Any]) -> rpc.CreateUserRequest:
    """
    Return the request for `POST /Users`.

    Raises:
        ScimError: 400; as `read_user`.
    """
    user, read = read_user(document)
    remarks = read.remarks
    return rpc.CreateUserRequest(
        user=user, unknown_attributes=remarks.unknown, deviation=remarks.deviation
    )


def update_user(document: dict[str, Any], identifier: str, etag: str) -> rpc.UpdateUserRequest:
    """
    Return the request for `PUT /Users/{id}`.

    Args:
        etag: The one that the user must have; empty for any.

    Raises:
        ScimError: 400; as `read_user`.
    """
    user, read = read_user(document)
    user.id, user.etag = identifier, etag
    return rpc.UpdateUserRequest(
        user=user,
        update_mask=FieldMask(paths=read.mask),
        whole=True,
        unknown_attributes=read.remarks.unknown,
        deviation=read.remarks.deviation,
    )


def patch_user(document: dict[str, Any], identifier: str, etag: str) -> rpc.PatchUserRequest:
    """
    Return the request for `PATCH /Users/{id}`; as `update_user`.

    Raises:
        ScimError: 400 or 413; as `read_user_changes`.
    """
    changes, remarks = read_user_changes(document)
    return rpc.PatchUserRequest(
        user=UserRef(id=identifier),
        changes=changes,
        etag=etag,
        unknown_attributes=remarks.unknown,
        deviation=remarks.deviation,
    )


def delete_user(identifier: str, etag: str) -> rpc.DeleteUserRequest:
    """Return the request for `DELETE /Users/{id}`; as `update_user`."""
    return rpc.DeleteUserRequest(user=UserRef(id=identifier), etag=etag)


def create_group(document: dict[str, Any]) -> rpc.CreateGroupRequest:
    """
    Return the request for `POST /Groups`.

    Raises:
        ScimError: 400; as `read_group`.
    """
    group, read = read_group(document)
    remarks = read.remarks
    return rpc.CreateGroupRequest(
        group=group, unknown_attributes=remarks.unknown, deviation=remarks.deviation
    )


def update_group(document: dict[str, Any], identifier: str, etag: str) -> rpc.UpdateGroupRequest:
    """
    Return the request for `PUT /Groups/{id}`, which replaces name and members in any case.

    Args:
        etag: The one that the group must have; empty for any.

    Raises:
        ScimError: 400; as `read_group`.
    """
    group, read = read_group(document)
    group.id, group.etag = identifier, etag
    return rpc.UpdateGroupRequest(
        group=group,
        update_mask=FieldMask(paths=sorted({*read.mask, *_WHOLE_GROUP})),
        unknown_attributes=read.remarks.unknown,
        deviation=read.remarks.deviation,
    )


def patch_group(document: dict[str, Any], identifier: str, etag: str) -> rpc.PatchGroupRequest:
    """
    Return the request for `PATCH /Groups/{id}`; as `update_group`.

    Raises:
        ScimError: 400 or 413; as `read_group_changes`.
    """
    changes, remarks = read_group_changes(document)
    return rpc.PatchGroupRequest(
        id=identifier,
        changes=changes,
        etag=etag,
        unknown_attributes=remarks.unknown,
        deviation=remarks.deviation,
    )


def delete_group(identifier: str, etag: str) -> rpc.DeleteGroupRequest:
    """Return the request for `DELETE /Groups/{id}`; as `update_group`."""
    return rpc.DeleteGroupRequest(id=identifier, etag=etag)
