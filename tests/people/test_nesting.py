"""Groups in groups: who is in a group through another, and what such a reader sees change."""

import pytest
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import User

from core_service import groups
from tests.people.product import Product, person
from tests.system import System
from tests.workspaces import new_place

STRICT = policy_pb2.PRESET_STRICT_RFC


async def _group(product: Product, name: str, *members: str) -> str:
    wanted = Group(display_name=name, members=[Member(member_id=id_) for id_ in members])
    request = api.CreateGroupRequest(group=wanted)
    return (await groups.create(product.core, product.provisioning, request)).group.id


async def _patch(product: Product, group_id: str, change: GroupChange) -> None:
    request = api.PatchGroupRequest(id=group_id, changes=[change])
    await groups.patch(product.core, product.provisioning, request)


def _groups(user: User) -> dict[str, str]:
    return {membership.group_id: membership.type for membership in user.groups}


@pytest.mark.rule("D-26")
async def test_a_user_is_in_the_groups_around_their_group(directory: System):
    """Direct in one, indirect in those around it, also where they form a circle."""
    product = Product(directory.core, await new_place(directory.core, STRICT))
    user = await product.create(person("g@a.example"), provisioning=True)
    inner = await _group(product, "Inner", user.id)
    middle = await _group(product, "Middle", inner)
    outer = await _group(product, "Outer", middle)
    await _patch(
        product,
        inner,
        GroupChange(
            add=GroupValue(field="members", value=Group(members=[Member(member_id=outer)]))
        ),
    )

    shown = _groups(await product.get(user.id))

    assert {inner: "direct", middle: "indirect", outer: "indirect"} == shown


@pytest.mark.rule("D-26")
@pytest.mark.parametrize("change", ["nest", "rename", "delete"])
async def test_a_change_around_a_group_raises_the_version_of_its_users(
    directory: System, change: str
):
    """What a reader of the user sees changed, so the etag does."""
    product = Product(directory.core, await new_place(directory.core, STRICT))
    user = await product.create(person("g@a.example"), provisioning=True)
    inner = await _group(product, "Inner", user.id)
    outer = await _group(product, "Outer", *([] if change == "nest" else [inner]))
    before = await product.get(user.id)

    if change == "nest":
        added = Group(members=[Member(member_id=inner)])
        await _patch(product, outer, GroupChange(add=GroupValue(field="members", value=added)))
    elif change == "rename":
        renamed = Group(display_name="Outside")
        await _patch(
            product, outer, GroupChange(set=GroupValue(field="display_name", value=renamed))
        )
    else:
        request = api.DeleteGroupRequest(id=outer)
        await groups.delete(product.core, product.provisioning, request)
    after = await product.get(user.id)

    assert before.groups != after.groups
    assert before.etag != after.etag
