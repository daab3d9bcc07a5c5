"""What a credential may do, and what it may let another one do."""

from collections.abc import Iterable

from userdirectory.errors import DirectoryError

from core_service.rules.wording import invalid, nearest, shown

ALL = "*"
"""The scope that is every scope."""
EXCHANGE = "access_tokens.write"
"""What the tokens of integrations alone may do: make access tokens (RFC 6749 section 4.4)."""
READING = ("users.read", "groups.read", "roles.read")
"""What a token of an integration that reads and never writes may do."""
PROVISIONING = frozenset({*READING, "users.write", "groups.write", EXCHANGE})
"""What any other token of an integration may do."""
KNOWN = (
    "users.read",
    "users.write",
    "users.admin",
    "groups.read",
    "groups.write",
    "roles.read",
    "workspaces.read",
    "workspaces.write",
    "accounts.read",
    "seats.read",
    "log.read",
    "credentials.read",
    "credentials.write",
)
"""What a service credential may do; a test compares it with what the RPCs need."""


def of_integration(kept: str, *, access_token: bool) -> frozenset[str]:
    """
    Return what a credential of an integration may do.

    Args:
        kept: The scopes kept of it, with blanks between; empty means all that provisioning needs.
        access_token: Whether it was made with another one, so that it makes no others itself.
    """
    allowed = PROVISIONING & {*kept.split(), EXCHANGE} if kept else PROVISIONING
    return allowed - {EXCHANGE} if access_token else allowed


def known(asked: Iterable[str]) -> tuple[str, ...]:
    """
    Return scopes of a service credential, each once and in the order of the table.

    Raises:
        DirectoryError: FIELD_INVALID if there is none, or one that no RPC needs.
    """
    wanted = set(asked)
    for scope in sorted(wanted - {ALL, *KNOWN}):
        near = nearest(scope, KNOWN)
        advice = f"Did you mean {near}?" if near else f"Use some of {', '.join(KNOWN)}, or {ALL}."
        meant = {"near": near} if near else {}
        raise invalid(
            "scopes", f"There is no scope {shown(scope)!r}. {advice}", value=shown(scope), **meant
        )
    if not wanted:
        raise invalid("scopes", f"Without a scope it can do nothing. Name some, or {ALL} for all.")
    return (ALL,) if ALL in wanted else tuple(scope for scope in KNOWN if scope in wanted)


def guard_grant(asked: Iterable[str], held: frozenset[str]) -> None:
    """
    Refuse to let another credential do what the caller's own cannot.

    Args:
        asked: The scopes of the other one, as `known` returns them.
        held: The scopes of the caller's.

    Raises:
        DirectoryError: SCOPE_MISSING with the scopes that the caller lacks.
    """
    lacking = " ".join(scope for scope in asked if scope not in held)
    if lacking and ALL not in held:
        raise DirectoryError(
            "SCOPE_MISSING",
            f"The credential does not have the scope {lacking} and cannot give it to another. "
            "Use one that has, or leave the scope out.",
            scope=lacking,
        )
