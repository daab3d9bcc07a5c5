"""Who calls: from the bearer token in the metadata to a workspace, an integration and scopes."""

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from userdirectory.errors import DirectoryError

from core_service import reach
from core_service.core import Caller, Core
from core_service.policy import Policy
from core_service.ports import WorkspaceFacts, facts_of
from core_service.presented import Metadata, invalid, presented
from core_service.rate_limits import FAILING, Limits
from core_service.rules import entitlement, scopes
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.storage.rows import CredentialRow
from core_service.uses import Uses

CACHE_SECONDS = 3.0
"""How long a revoked credential may still be let in by a process that knew it."""
_CACHE_SIZE = 10_000

_NOBODY = hashlib.sha256(b"no secret has this digest").digest()


@dataclass(frozen=True, slots=True)
class _Known:
    """
    A credential whose secret was right, and what it says about its caller.

    An access token stands for the token it was made with, whose id `credential_id` then is.
    """

    credential_id: str
    workspace_id: str
    integration_id: str
    scopes: frozenset[str]
    expire_time: int | None
    last_use_time: int | None
    subject: str
    standing: "_Standing | None"
    read_at: float


@dataclass(frozen=True, slots=True)
class _Standing:
    """What decides whether an integration may provision its workspace now."""

    enabled: bool
    workspace: WorkspaceFacts
    policy: Policy


class Barred(DirectoryError):
    """A refusal of a caller whose credential is right; `caller` has the credential's workspace."""

    def __init__(self, caller: Caller, error: DirectoryError) -> None:
        """Refuse as *error* does."""
        super().__init__(error.reason, error.message, **error.metadata)
        self.caller = caller


class Identity:
    """
    Knows the credentials.

    Args:
        core: Where credentials are kept, and the clock for their expiry.
        cache_seconds: How long an answer is believed: at most 5.
        clock: Seconds that never go back, for the cache.
        limits: How much who may ask; None for everybody as much as they like.
    """

    def __init__(
        self,
        core: Core,
        *,
        cache_seconds: float = CACHE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        """Know nobody yet."""
        self._core = core
        self._limits = limits
        self._cache_seconds = cache_seconds
        self._clock = clock
        self._forgotten = 0
        # By public id and digest, so that a wrong secret never finds what a right one left.
        self._kept: OrderedDict[tuple[str, bytes], _Known] = OrderedDict()
        self.uses = Uses(core)

    async def authenticate(
        self,
        metadata: Metadata,
        workspace_id: str | None,
        scope: str,
        trace_id: str,
        operation: str = "",
        peer: str = "",
    ) -> Caller:
        """
        Return who calls and the workspace the call is about.

        Args:
            metadata: With `authorization: Bearer TOKEN`; the scheme in any case or left out.
            workspace_id: The workspace the request names; empty for the credential's own, None if
                the request is about none.
            scope: What the RPC needs: `users.read`.
            trace_id: Names the request.
            operation: The name of the RPC, for the log.
            peer: Who is connected, as gRPC names it, to count failing attempts by.

        Raises:
            DirectoryError: CREDENTIAL_MISSING; CREDENTIAL_INVALID (unknown, expired, revoked, or
                its workspace is gone); WORKSPACE_MISMATCH; SCOPE_MISSING; FIELD_INVALID (no
                workspace named where the credential is for all); WORKSPACE_NOT_FOUND;
                INTEGRATION_OFF; NOT_ENTITLED; RATE_LIMITED. Those of a credential that is right
                are `Barred`.

        Source: D-22, D-23; RFC 6750 section 2.1.
        """
        known = await self._good(metadata, peer)
        caller = Caller(
            workspace_id=known.workspace_id,
            integration_id=known.integration_id,
            credential_id=known.credential_id,
            scopes=known.scopes,
            trace_id=trace_id,
            operation=operation,
            subject=known.subject,
        )
        try:
            if self._limits is not None:
                self._limits.admit(known.credential_id)
            workspace = await self._admitted(known, workspace_id, scope, operation)
        except DirectoryError as error:
            raise Barred(caller, error) from error
        return (
            caller if workspace == known.workspace_id else replace(caller, workspace_id=workspace)
        )

    def forget(self, workspace_id: str) -> None:
        """
        Look the credentials of a workspace up anew, because something of it was written here.

        Without a workspace those of all: a write about none may be about credentials of any.

        In this process a change holds from the next call on; other processes notice within
        `CACHE_SECONDS`.
        """
        self._forgotten += 1
        for key in [
            k for k, known in self._kept.items() if workspace_id in ("", known.workspace_id)
        ]:
            del self._kept[key]

    async def _good(self, metadata: Metadata, peer: str) -> _Known:
        """Return the credential that is shown, which is good now."""
        try:
            known = await self._known(*presented(metadata))
            if known.expire_time is not None and known.expire_time <= self._core.now():
                raise invalid()
        except DirectoryError as error:
            if self._limits is not None and error.reason in FAILING:
                self._limits.failed(peer, metadata)
            raise
        return known

    async def _admitted(
        self, known: _Known, workspace_id: str | None, scope: str, operation: str
    ) -> str:
        """Return the workspace of the call, which the credential may make now."""
        own = operation in reach.OWN_WORKSPACE and known.workspace_id != ""
        if not own:
            reach.check_scope(known.scopes, scope)
        workspace = reach.workspace(known.workspace_id, workspace_id, operation)
        if known.standing and not own:
            entitlement.guard_enabled(known.standing.enabled, known.integration_id)
            await self._core.ports.entitlement.allows(
                known.standing.workspace, known.standing.policy
            )
        return workspace

    async def _known(self, public_id: str, digest: bytes) -> _Known:
        key = (public_id, digest)
        known = self._kept.get(key)
        now = self._clock()
        if known is None or now - known.read_at >= self._cache_seconds:
            self._kept.pop(key, None)
            forgotten = self._forgotten
            known = await self._look_up(public_id, digest, now)
            self.uses.note(known.credential_id, known.last_use_time)
            if forgotten != self._forgotten:
                return known  # true when it was read; something changed since
            self._kept[key] = known
            if len(self._kept) > _CACHE_SIZE:
                self._kept.popitem(last=False)
        return known

    async def _look_up(self, public_id: str, digest: bytes, now: float) -> _Known:
        async def work(tx: Transaction) -> _Known:
            row = await store.credential(tx, public_id)
            # Compared also when nobody has the id, so that time does not tell.
            right = hmac.compare_digest(row.digest if row else _NOBODY, digest)
            if row is None or not right or row.revoke_time is not None:
                raise invalid()
            token = await _token(tx, row)
            ends = [each.expire_time for each in (row, token) if each.expire_time is not None]
            return _Known(
                credential_id=token.id,
                workspace_id=row.workspace_id,
                integration_id=row.integration_id,
                scopes=_scopes(row),
                expire_time=min(ends, default=None),
                last_use_time=token.last_use_time,
                subject=row.subject,
                standing=await self._standing(tx, row),
                read_at=now,
            )

        return await self._core.storage.read(work)

    async def _standing(self, tx: Transaction, row: CredentialRow) -> _Standing | None:
        """Return the standing of the row's integration; None for a service credential."""
        if not row.workspace_id:
            return None
        if await store.workspace(tx, row.workspace_id) is None:
            raise invalid()
        if not row.integration_id:
            return None
        integration = await store.integration(tx, row.workspace_id, row.integration_id)
        if integration is None:
            raise invalid()
        context = await self._core.contexts.read(tx, row.workspace_id)
        return _Standing(
            enabled=integration.enabled,
            workspace=facts_of(context.id, context.message),
            policy=context.policy,
        )


async def _token(tx: Transaction, row: CredentialRow) -> CredentialRow:
    """Return the token that an access token was made with, which must still be good; else *row*."""
    if not row.parent_id:
        return row
    token = await store.credential(tx, row.parent_id)
    if token is None or token.revoke_time is not None:
        raise invalid()
    return token


def _scopes(row: CredentialRow) -> frozenset[str]:
    if row.integration_id:
        return scopes.of_integration(row.scopes, access_token=row.parent_id != "")
    return frozenset(row.scopes.split())
