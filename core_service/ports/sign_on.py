"""Who says whether a workspace has its single sign-on."""

from typing import Protocol

from core_service.policy import Policy
from core_service.ports.workspace import WorkspaceFacts
from core_service.rules import entitlement
from core_service.rules.entitlement import SignOn as Kind


class SignOn(Protocol):
    """Knows how the people of a workspace sign in."""

    async def is_set_up(self, workspace: WorkspaceFacts) -> bool:
        """
        Return whether the customer's single sign-on by OpenID Connect works for the workspace.

        Source: R-013, R-014.
        """


class WorkspaceSignOn:
    """Goes by what the workspace says in the directory."""

    async def is_set_up(self, workspace: WorkspaceFacts) -> bool:
        """Return whether the workspace names OpenID Connect."""
        return workspace.sign_on == Kind.OPENID_CONNECT


async def guard(port: SignOn, workspace: WorkspaceFacts, policy: Policy) -> None:
    """
    Refuse what needs single sign-on in a workspace without; see `rules.entitlement.guard_sign_on`.

    Raises:
        DirectoryError: SIGN_ON_MISSING.
    """
    if policy.sign_on_needed <= Kind.NONE:
        return
    had = Kind.OPENID_CONNECT if await port.is_set_up(workspace) else Kind.NONE
    entitlement.guard_sign_on(had, policy.sign_on_needed)
