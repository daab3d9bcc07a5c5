"""Several writes in one call: each its own outcome, references forward and in circles."""

import pytest
from google.protobuf.message import Message
from userdirectory.errors import DirectoryError
from userdirectory.v1 import error_reason_pb2, policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import UserValue
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import User, UserRef

from core_service import batch, groups
from core_service.core import Caller
from tests.people.product import Product, person
from tests.system import System
from tests.workspaces import new_place

STRICT = policy_pb2.PRESET_STRICT_RFC


async def _write(
    product: Product, *operations: api.WriteOperation, most_errors: int = 0
) -> tuple[list[api.WriteResult], list[str]]:
    """Return the results, and the RPCs that were refused."""
    refused: list[str] = []

    async def note(caller: Caller, wanted: Message, error: DirectoryError) -> None:
        refused.append(caller.operation)

    request = api.BatchWriteRequest(operations=operations, fail_on_errors=most_errors)
    answer = await batch.write(product.core, product.provisioning, request, note)
    return list(answer.results), refused


def _user(ref: str, user: User) -> api.WriteOperation:
    return api.WriteOperation(ref=ref, create_user=api.CreateUserRequest(user=user))


def _group(ref: str, *members: str) -> api.WriteOperation:
    wanted = Group(display_name=f"Group {ref}", members=[Member(member_id=id_) for id_ in members])
    return api.WriteOperation(ref=ref, create_group=api.CreateGroupRequest(group=wanted))


async def _members(product: Product, group_id: str) -> list[str]:
    request = api.ListGroupMembersRequest(id=group_id)
    answer = await groups.list_members(product.core, product.caller, request)
    return sorted(member.member_id for member in answer.members)


async def test_a_reference_stands_for_what_a_later_write_creates(directory: System):
    """A group that comes first has the user that comes second."""
    product = Product(directory.core, await new_place(directory.core, STRICT))

    results, _ = await _write(product, _group("g", "bulkId:u"), _user("u", person("u@a.example")))

    assert ["group", "user"] == [result.WhichOneof("outcome") for result in results]
    assert [results[1].user.id] == await _members(product, results[0].group.id)


async def test_references_in_a_circle_are_resolved(directory: System):
    """Two groups, each a member of the other (RFC 7644 section 3.7.1)."""
    product = Product(directory.core, await new_place(directory.core, STRICT))

    results, _ = await _write(product, _group("a", "bulkId:b"), _group("b", "bulkId:a"))

    first, second = (result.group.id for result in results)
    assert [second] == await _members(product, first)
    assert [first] == await _members(product, second)


async def test_a_reference_in_a_later_patch_and_delete(directory: System):
    """What a create makes can be patched and deleted in the same batch."""
    product = Product(directory.core, await new_place(directory.core, STRICT))
    patch = api.PatchUserRequest(user=UserRef(id="bulkId:u"))
    patch.changes.add(set=UserValue(field="title", value=User(title="Chief")))

    results, _ = await _write(
        product,
        _user("u", person("u@a.example")),
        api.WriteOperation(patch_user=patch),
        api.WriteOperation(delete_user=api.DeleteUserRequest(user=UserRef(id="bulkId:u"))),
    )

    assert "Chief" == results[1].user.title
    assert results[0].user.id == results[2].deleted_id


async def test_a_refused_write_leaves_the_others_alone(directory: System):
    """The second of three is refused with its reason; the third is made."""
    product = Product(directory.core, await new_place(directory.core, STRICT))

    results, refused = await _write(
        product,
        _user("a", person("a@a.example")),
        _user("b", person("a@a.example")),
        _user("c", person("c@a.example")),
    )

    taken = error_reason_pb2.ERROR_REASON_VALUE_TAKEN
    assert ["user", "error", "user"] == [result.WhichOneof("outcome") for result in results]
    assert (taken, "user_name") == (results[1].error.reason, results[1].error.metadata["field"])
    assert ["CreateUser"] == refused


async def test_a_batch_stops_after_so_many_refusals(directory: System):
    """With fail_on_errors = 1 nothing is tried after the first refusal."""
    product = Product(directory.core, await new_place(directory.core, STRICT))

    results, _ = await _write(
        product,
        _user("a", User()),
        _user("b", person("b@a.example")),
        most_errors=1,
    )

    assert [0] == [result.index for result in results]


async def test_what_refers_to_a_refused_create_is_refused(directory: System):
    """A member that was never created makes no group, and no error of ours."""
    product = Product(directory.core, await new_place(directory.core, STRICT))

    results, _ = await _write(product, _group("g", "bulkId:u"), _user("u", User()))

    assert ["error", "error"] == [result.WhichOneof("outcome") for result in results]


@pytest.mark.parametrize(
    "operations",
    [
        [api.WriteOperation()],
        [_user("same", person("a@a.example")), _user("same", person("b@a.example"))],
        [_user("", person("a@a.example"))] * 1001,
    ],
)
async def test_a_malformed_batch_is_refused_as_a_whole(
    directory: System, operations: list[api.WriteOperation]
):
    """Nothing of it is made."""
    product = Product(directory.core, await new_place(directory.core, STRICT))

    with pytest.raises(DirectoryError) as refusal:
        await _write(product, *operations)

    assert "FIELD_INVALID" == refusal.value.reason
