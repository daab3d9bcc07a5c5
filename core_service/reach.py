"""How far a credential reaches: to which workspace, and to which RPCs."""

import re

from userdirectory.errors import DirectoryError

from core_service.rules import scopes

OWN_WORKSPACE = frozenset({"GetWorkspace", "GetPolicy", "ListRoles"})
"""What every credential may ask of its own workspace without a scope: discovery depends on it."""
OWN_OR_ALL = frozenset(
    {
        "CreateAccessToken",
        "CreateServiceCredential",
        "ExplainTrace",
        "ListServiceCredentials",
        "ListWorkspaces",
        "RotateServiceCredential",
        "RevokeServiceCredential",
    }
)
"""What is about the workspace of the credential, or about all of them if it is for all."""

_WORKSPACE_ID = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)


def workspace(own: str, named: str | None, operation: str = "") -> str:
    """
    Return the workspace of a call; empty if it is about none, or about all.

    Args:
        own: The workspace that the credential is for; empty for all.
        named: What the request names; None if it cannot name one.
        operation: The name of the RPC.

    Raises:
        DirectoryError: WORKSPACE_MISMATCH; FIELD_INVALID (none named where the credential is for
            all); WORKSPACE_NOT_FOUND for what can be no id.
    """
    if own and (named in ("", own) or (named is None and operation in OWN_OR_ALL)):
        return own
    if own:
        raise DirectoryError(
            "WORKSPACE_MISMATCH",
            "The credential is for another workspace. Name its own, or none.",
        )
    if named is None or (named == "" and operation in OWN_OR_ALL):
        return ""
    if named == "":
        raise DirectoryError(
            "FIELD_INVALID",
            "The credential is for all workspaces. Name one in workspace_id.",
            field="workspace_id",
        )
    if not _WORKSPACE_ID.fullmatch(named):
        raise DirectoryError(
            "WORKSPACE_NOT_FOUND",
            "No workspace has this id. Ids are lower-case letters, digits and hyphens.",
            id=named[:64],
        )
    return named


def check_scope(held: frozenset[str], scope: str) -> None:
    """
    Refuse what the scopes of a credential do not allow.

    Args:
        held: Its scopes.
        scope: What the RPC needs, with blanks between if these are several.

    Raises:
        DirectoryError: SCOPE_MISSING.
    """
    if scopes.ALL in held or held.issuperset(scope.split()):
        return
    raise DirectoryError(
        "SCOPE_MISSING",
        f"The credential does not have the scope {scope}. Use one that has.",
        scope=scope,
    )
