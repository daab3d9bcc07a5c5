"""What a product says of a workspace's plan and sign-on."""

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_pb2

from core_service import policy
from core_service.ports import PlanEntitlement, WorkspaceFacts, WorkspaceSignOn, sign_on
from tests.scim import person


@pytest.mark.rule("R-009")
async def test_a_plan_that_lapses_stops_the_next_call(house):
    """The port is asked on every call of an integration; nothing is written after its no."""
    place = await house.place()
    scim = house.scim(place)
    before = await scim.request("POST", "/Users", person("grace@example.com"))
    house.gate.closed.add(place.workspace_id)
    refused = await scim.request("POST", "/Users", person("alan@example.com"))
    read = await scim.request("GET", "/Users")
    by_product = await house.door(place).named("alan@example.com")

    assert (before.status, refused.status, read.status) == (201, 403, 403)
    assert "(trace " in refused.body["detail"]
    assert by_product == []


@pytest.mark.rule("R-009")
async def test_discovery_works_without_a_plan(house):
    """An identity provider can see what it talks to before anything is bought."""
    place = await house.place()
    house.gate.closed.add(place.workspace_id)
    answer = await house.scim(place).request("GET", "/ServiceProviderConfig")

    assert answer.status == 200


FREE = WorkspaceFacts("w", workspace_pb2.PLAN_FREE, workspace_pb2.SIGN_ON_NONE)
BOUGHT = WorkspaceFacts("w", workspace_pb2.PLAN_ENTERPRISE, workspace_pb2.SIGN_ON_OPENID_CONNECT)


@pytest.mark.rule("R-009", "R-010", "R-011")
async def test_by_default_the_workspaces_plan_decides():
    """What the workspace says of its plan against what its policy needs."""
    await PlanEntitlement().allows(BOUGHT, policy.SINGLE_ROLE)
    await PlanEntitlement().allows(FREE, policy.STRICT_RFC)
    with pytest.raises(DirectoryError, match="needs enterprise") as caught:
        await PlanEntitlement().allows(FREE, policy.SINGLE_ROLE)

    assert caught.value.reason == "NOT_ENTITLED"


@pytest.mark.rule("R-013")
async def test_by_default_the_workspaces_sign_on_decides():
    """What needs single sign-on is refused without, and not where the policy needs none."""
    port = WorkspaceSignOn()
    await sign_on.guard(port, BOUGHT, policy.SINGLE_ROLE)
    await sign_on.guard(port, FREE, policy.ORG_CHART)
    with pytest.raises(DirectoryError, match="not set up") as caught:
        await sign_on.guard(port, FREE, policy.SINGLE_ROLE)

    assert caught.value.reason == "SIGN_ON_MISSING"


@pytest.mark.rule("R-013")
async def test_a_product_may_know_better(house):
    """The product's port is asked, whatever the workspace says."""
    await sign_on.guard(house.gate, FREE, policy.SINGLE_ROLE)
    house.gate.closed.add("w")
    with pytest.raises(DirectoryError, match="not set up"):
        await sign_on.guard(house.gate, BOUGHT, policy.SINGLE_ROLE)
