"""The checks of an integration: what is right, what is not, and the remedy (R-057, R-182)."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1 import policy_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import credentials, history
from core_service.context import Context
from core_service.core import Caller, Core
from core_service.ports import facts_of, sign_on
from core_service.rules.wording import shown
from core_service.storage import store
from core_service.storage.database import Transaction

_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class _Subject:
    """
    An integration with what is checked of it.

    Attributes:
        refusals: Why its requests were refused in the last 24 hours, the most frequent first.
        not_entitled: Why the workspace may not be provisioned; None if it may.
        no_sign_on: Why nobody may be created for want of single sign-on; None if they may.
    """

    context: Context
    row: store.WorkspaceRow
    integration: store.IntegrationRow
    credentials: Sequence[store.CredentialRow]
    refusals: Sequence[store.Refusals]
    now: int
    not_entitled: DirectoryError | None
    no_sign_on: DirectoryError | None


async def check(
    core: Core, caller: Caller, request: api.CheckIntegrationRequest
) -> api.CheckIntegrationResponse:
    """
    Run the checks of an integration; they come in the order to mend them.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND; FIELD_INVALID if there is no such integration.
    """

    async def work(tx: Transaction) -> api.CheckIntegrationResponse:
        context = await core.contexts.read(tx, caller.workspace_id)
        row = await store.workspace(tx, caller.workspace_id)
        assert row is not None
        integration = await credentials.find(tx, caller.workspace_id, request.id, "id")
        rows = await store.credentials_of(tx, caller.workspace_id, integration.id)
        now = core.now()
        facts, policy = facts_of(context.id, context.message), context.policy
        subject = _Subject(
            context,
            row,
            integration,
            rows,
            await store.refusals(tx, caller.workspace_id, now - history.DAY, integration.id),
            now,
            await _refusal(core.ports.entitlement.allows(facts, policy)),
            await _refusal(sign_on.guard(core.ports.sign_on, facts, policy)),
        )
        return api.CheckIntegrationResponse(checks=[each(subject) for each in _CHECKS])

    return await core.storage.read(work)


async def _refusal(asked: Awaitable[None]) -> DirectoryError | None:
    try:
        await asked
    except DirectoryError as error:
        return error
    return None


def _client_application(subject: _Subject) -> api.Check:
    return _check(
        "client_application",
        bool(subject.credentials),
        f"Credentials of the integration: {len(subject.credentials)}.",
        "The client application is lost. Delete the integration and set it up again.",
    )


def _token_present(subject: _Subject) -> api.Check:
    count = len(credentials.kept(subject.credentials))
    return _check(
        "token_present",
        count > 0,
        f"Tokens that nobody revoked: {count}.",
        "Make a new token and put it into the identity provider.",
    )


def _token_unexpired(subject: _Subject) -> api.Check:
    ends = [row.expire_time for row in credentials.kept(subject.credentials)]
    good = sum(end is None or end > subject.now for end in ends)
    return _check(
        "token_unexpired",
        good > 0,
        f"Tokens that are good: {good} of {len(ends)}.",
        "Make a new token and put it into the identity provider.",
    )


def _enabled(subject: _Subject) -> api.Check:
    enabled = bool(subject.integration.enabled)
    return _check(
        "enabled",
        enabled,
        f"The integration is switched {'on' if enabled else 'off'}.",
        "Switch the integration on.",
    )


def _plan(subject: _Subject) -> api.Check:
    error = subject.not_entitled
    if error is None:
        return _check("plan", True, "The plan includes provisioning.", "")
    remedy = f"Change the plan to {error.metadata['needed']}."
    return _check("plan", False, error.message, remedy)


def _sign_on(subject: _Subject) -> api.Check:
    error = subject.no_sign_on
    if error is None:
        return _check("sign_on", True, "The single sign-on is as the policy wants it.", "")
    remedy = f"Set up {error.metadata['needed']} in the product."
    return _check("sign_on", False, error.message, remedy)


def _seats_left(subject: _Subject) -> api.Check:
    plan = subject.context.message.seat_plan
    used = subject.row.seats_used
    if subject.context.policy.seats != policy_pb2.SEATS_METERED:
        return _check("seats_left", True, "Users need no seats.", "")
    finding = f"Seats in use: {used} of {plan.total}."
    if plan.automatic_booking:
        finding += " More are booked automatically."
    return _check(
        "seats_left",
        plan.automatic_booking or used < plan.total,
        finding,
        "Book more seats, let them be booked automatically, or deactivate users.",
    )


def _roles_addressable(subject: _Subject) -> api.Check:
    """Identity providers name roles by value, and their filters do not mind case (R-119)."""
    roles = [role.name for role in subject.context.roles.values() if role.kind != "guest"]
    alike = _alike(roles)
    finding = f"Roles that provisioning can name: {len(roles)}."
    if alike:
        finding = f"Roles whose names differ in case alone: {shown(', '.join(alike))}."
    return _check(
        "roles_addressable", not alike, finding, "Rename them: filters do not tell them apart."
    )


def _team_names(subject: _Subject) -> api.Check:
    """Identity providers send the teams of a user as one text with commas between (R-119)."""
    teams = subject.context.message.teams
    commas = [team for team in teams if "," in team]
    finding = f"Teams that provisioning can name: {len(teams)}."
    if commas:
        finding = f"Teams with a comma in the name: {shown('; '.join(commas))}."
    return _check(
        "team_names", not commas, finding, "Rename them: a comma ends the name of a team."
    )


def _last_request_seen(subject: _Subject) -> api.Check:
    times = [row.last_use_time for row in subject.credentials if row.last_use_time is not None]
    finding = "No request has come."
    if times:
        time = datetime.fromtimestamp(max(times) // 1_000_000, UTC)
        finding = f"The last request came at {time:%Y-%m-%dT%H:%M:%SZ}, give or take a minute."
    return _check(
        "last_request_seen",
        bool(times),
        finding,
        "Test the connection in the identity provider: its base URL and its token.",
    )


def _failures(subject: _Subject) -> api.Check:
    found = subject.refusals
    finding = "No request was refused in the last 24 hours."
    if found:
        first = ", ".join(
            f"{each.reason.removeprefix(history.PREFIX)} ({each.times})"
            for each in found[:_MOST_REASONS]
        )
        total = sum(each.times for each in found)
        finding = f"Requests refused in the last 24 hours: {total}. Most often: {first}."
    return _check(
        "failures",
        not found,
        finding,
        "List the failures to see whom they concern; troubleshooting has a section on each reason.",
    )


def _alike(names: Iterable[str]) -> list[str]:
    """Return the names that are equal without regard to case."""
    by_key: dict[str, list[str]] = {}
    for name in names:
        by_key.setdefault(fold(name), []).append(name)
    return [name for same in by_key.values() if len(same) > 1 for name in same]


def _check(name: str, passed: bool, finding: str, remedy: str) -> api.Check:
    return api.Check(name=name, passed=passed, finding=finding, remedy="" if passed else remedy)


_CHECKS = (
    _client_application,
    _token_present,
    _token_unexpired,
    _enabled,
    _plan,
    _sign_on,
    _seats_left,
    _roles_addressable,
    _team_names,
    _last_request_seen,
    _failures,
)
