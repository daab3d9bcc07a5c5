"""Leaving another tool behind: by a plan, and only what that tool brought."""

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1 import workspace_admin_pb2 as admin

from core_service import groups, pruning
from tests.people.product import Product, person
from tests.system import System
from tests.workspaces import new_place

MIRROR = policy_pb2.PRESET_GROUP_MIRROR


async def _plan(product: Product) -> admin.PlanPruneResponse:
    return await pruning.plan(product.core, product.caller, admin.PlanPruneRequest(source="tool"))


async def _commit(product: Product, plan: str) -> admin.CommitPruneResponse:
    request = admin.CommitPruneRequest(source="tool", plan=plan)
    return await pruning.commit(product.core, product.caller, request)


async def _group(product: Product, name: str, source: str) -> str:
    request = api.CreateGroupRequest()
    request.group.display_name = name
    request.group.source = source
    return (await groups.create(product.core, product.caller, request)).group.id


@pytest.mark.rule("R-043", "R-042")
async def test_what_nobody_took_up_goes_and_the_rest_stays(directory: System):
    """Users of the tool that provisioning linked stay, as do those made in the product."""
    product = Product(directory.core, await new_place(directory.core, MIRROR))
    left = await product.create(person("left@a.example", source="tool"))
    taken = await product.create(person("taken@a.example", source="tool"))
    own = await product.create(person("own@a.example"))
    linked = await product.create(person("taken@a.example"), provisioning=True)
    group = await _group(product, "Old crew", "tool")
    kept = await _group(product, "Own crew", "")

    plan = await _plan(product)
    done = await _commit(product, plan.plan)

    assert ([left.id], [group]) == (list(plan.user_ids), list(plan.group_ids))
    assert (1, 1) == (done.user_count, done.group_count)
    assert linked.id == taken.id
    gone = await product.get(left.id)
    assert (False, True) == (gone.active, gone.HasField("delete_time"))
    assert (await product.get(taken.id)).active
    assert (await product.get(own.id)).active
    listed = await groups.list_(product.core, product.caller, api.ListGroupsRequest())
    assert [kept] == [found.id for found in listed.groups]


@pytest.mark.rule("R-043")
async def test_a_plan_that_no_longer_holds_is_refused(directory: System):
    """Somebody taken up since the plan was made: nothing goes."""
    product = Product(directory.core, await new_place(directory.core, MIRROR))
    left = await product.create(person("left@a.example", source="tool"))
    plan = await _plan(product)
    await product.create(person("left@a.example"), provisioning=True)

    with pytest.raises(DirectoryError) as refusal:
        await _commit(product, plan.plan)

    assert "ETAG_MISMATCH" == refusal.value.reason
    assert (await product.get(left.id)).active


@pytest.mark.rule("R-043")
async def test_provisioning_cannot_say_that_a_user_came_from_a_tool(directory: System):
    """Only a product sets the source, so that no integration can plan anybody's removal."""
    product = Product(directory.core, await new_place(directory.core, MIRROR))

    await product.create(person("x@a.example", source="tool"), provisioning=True)

    assert [] == list((await _plan(product)).user_ids)
