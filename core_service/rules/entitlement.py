"""What a workspace needs before provisioning may write: a plan, single sign-on, the switch."""

from enum import IntEnum

from userdirectory.errors import DirectoryError


class Plan(IntEnum):
    """A workspace's plan; the numbers are the contract's."""

    UNSPECIFIED = 0
    FREE = 1
    STANDARD = 2
    HOSTED = 3
    ENTERPRISE = 4


class PlanNeeded(IntEnum):
    """The plan that provisioning needs; the numbers are the contract's."""

    NONE = 1
    ANY_PAID = 2
    HOSTED = 3
    ENTERPRISE = 4


class SignOn(IntEnum):
    """The single sign-on a workspace has, or needs; the numbers are the contract's."""

    UNSPECIFIED = 0
    NONE = 1
    OPENID_CONNECT = 2


_PLANS: dict[PlanNeeded, frozenset[Plan]] = {
    PlanNeeded.NONE: frozenset(Plan),
    PlanNeeded.ANY_PAID: frozenset({Plan.STANDARD, Plan.HOSTED, Plan.ENTERPRISE}),
    PlanNeeded.HOSTED: frozenset({Plan.HOSTED}),
    PlanNeeded.ENTERPRISE: frozenset({Plan.ENTERPRISE}),
}


def guard_plan(plan: int, needed: int) -> None:
    """
    Refuse provisioning that a workspace's plan does not include. Ask on every request.

    Raises:
        DirectoryError: NOT_ENTITLED.

    Source: R-009, R-010, R-011.
    """
    had, wanted = Plan(plan), PlanNeeded(needed)
    if had in _PLANS[wanted]:
        return
    plan_name = (had or Plan.FREE).name.lower()
    needed_name = wanted.name.lower()
    raise DirectoryError(
        "NOT_ENTITLED",
        f"The workspace's plan is {plan_name}; provisioning needs {needed_name}. Change the plan.",
        plan=plan_name,
        needed=needed_name,
    )


def guard_sign_on(sign_on: int, needed: int) -> None:
    """
    Refuse what needs single sign-on in a workspace without.

    Ask where an integration or a user is created. Updates and deactivation go on without: a
    missing sign-on must not keep people in.

    Raises:
        DirectoryError: SIGN_ON_MISSING.

    Source: R-013, R-014.
    """
    wanted = SignOn(needed)
    if wanted <= SignOn.NONE or SignOn(sign_on) == wanted:
        return
    name = wanted.name.lower()
    raise DirectoryError(
        "SIGN_ON_MISSING",
        f"Single sign-on by {name} is not set up. Set it up in the product first.",
        needed=name,
    )


def guard_enabled(enabled: bool, integration_id: str) -> None:
    """
    Refuse reads and writes of users and groups through an integration that is switched off.

    Raises:
        DirectoryError: INTEGRATION_OFF.

    Source: R-062, D-22.
    """
    if not enabled:
        raise DirectoryError(
            "INTEGRATION_OFF",
            f"The integration {integration_id} is switched off. Switch it on in the product.",
            integration_id=integration_id,
        )
