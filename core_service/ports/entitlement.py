"""Who says whether a workspace may be provisioned."""

from typing import Protocol

from core_service.policy import Policy
from core_service.ports.workspace import WorkspaceFacts
from core_service.rules import entitlement


class Entitlement(Protocol):
    """Knows what a customer has bought."""

    async def allows(self, workspace: WorkspaceFacts, policy: Policy) -> None:
        """
        Return if the workspace may be provisioned.

        Asked on every call of an integration: an implementation that asks elsewhere keeps the
        answer for some seconds. What it says holds from the next call on.

        Raises:
            DirectoryError: NOT_ENTITLED (`plan`, `needed`).

        Source: R-009, R-010, R-011.
        """


class PlanEntitlement:
    """Goes by the plan that the workspace has in the directory."""

    async def allows(self, workspace: WorkspaceFacts, policy: Policy) -> None:
        """Compare the workspace's plan with the one that its policy needs."""
        entitlement.guard_plan(workspace.plan, policy.plan_needed)
