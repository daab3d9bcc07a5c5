"""What a workspace needs before provisioning may write."""

import pytest
from userdirectory.v1 import policy_pb2, workspace_pb2

from core_service.rules import entitlement
from core_service.rules.entitlement import Plan, PlanNeeded, SignOn

EVERY = list(Plan)
INCLUDED = {
    PlanNeeded.NONE: set(EVERY),
    PlanNeeded.ANY_PAID: {Plan.STANDARD, Plan.HOSTED, Plan.ENTERPRISE},
    PlanNeeded.HOSTED: {Plan.HOSTED},
    PlanNeeded.ENTERPRISE: {Plan.ENTERPRISE},
}


@pytest.mark.rule("R-009", "R-010", "R-011")
@pytest.mark.parametrize("needed", list(PlanNeeded))
@pytest.mark.parametrize("plan", EVERY)
def test_a_plan_includes_provisioning_or_not(refused, plan, needed):
    """Every plan against every need; no plan is the free plan."""
    if plan in INCLUDED[needed]:
        assert entitlement.guard_plan(plan, needed) is None
    else:
        name = "free" if plan is Plan.UNSPECIFIED else plan.name.lower()
        with refused("NOT_ENTITLED", plan=name, needed=needed.name.lower()):
            entitlement.guard_plan(plan, needed)


@pytest.mark.rule("R-013", "R-014")
@pytest.mark.parametrize("sign_on", [SignOn.UNSPECIFIED, SignOn.NONE])
def test_needed_single_sign_on_must_be_there(refused, sign_on):
    """Without it nothing is set up."""
    with refused("SIGN_ON_MISSING", needed="openid_connect"):
        entitlement.guard_sign_on(sign_on, SignOn.OPENID_CONNECT)


@pytest.mark.rule("R-013")
@pytest.mark.parametrize(
    ("sign_on", "needed"),
    [
        (SignOn.OPENID_CONNECT, SignOn.OPENID_CONNECT),
        (SignOn.NONE, SignOn.NONE),
        (SignOn.UNSPECIFIED, SignOn.NONE),
        (SignOn.OPENID_CONNECT, SignOn.NONE),
    ],
)
def test_single_sign_on_that_is_there_or_not_needed_passes(sign_on, needed):
    """More than needed is fine."""
    assert entitlement.guard_sign_on(sign_on, needed) is None


@pytest.mark.rule("R-062", "D-22")
def test_an_integration_that_is_off_is_refused(refused):
    """The switch stops reads and writes."""
    assert entitlement.guard_enabled(True, "i1") is None
    with refused("INTEGRATION_OFF", integration_id="i1"):
        entitlement.guard_enabled(False, "i1")


@pytest.mark.parametrize(
    ("ours", "contract", "prefix"),
    [
        (Plan, workspace_pb2.Plan, "PLAN_"),
        (SignOn, workspace_pb2.SignOn, "SIGN_ON_"),
        (SignOn, policy_pb2.SignOnNeeded, "SIGN_ON_NEEDED_"),
        (PlanNeeded, policy_pb2.PlanNeeded, "PLAN_NEEDED_"),
    ],
)
def test_the_numbers_are_the_contracts(ours, contract, prefix):
    """A plan or a need that the contract gains must be decided about here."""
    theirs = {name.removeprefix(prefix): number for name, number in contract.items()}
    if "UNSPECIFIED" not in ours.__members__:
        del theirs["UNSPECIFIED"]

    assert theirs == {member.name: member.value for member in ours}
