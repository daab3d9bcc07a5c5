"""The use cases of service credentials, with which products call the directory."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from userdirectory.errors import DirectoryError
from userdirectory.v1 import service_credential_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import credentials, durations, journal, tokens, views
from core_service.core import Caller, Core
from core_service.rules import names, scopes
from core_service.rules.wording import invalid, shown
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write

log = logging.getLogger(__name__)

T = TypeVar("T")


async def create(
    core: Core, caller: Caller, request: api.CreateServiceCredentialRequest
) -> api.CreateServiceCredentialResponse:
    """
    Make a credential that can do no more than the caller's own; its secret is in this answer only.

    Raises:
        DirectoryError: FIELD_INVALID for scopes, a label or a lifetime that are none;
            SCOPE_MISSING for scopes that the caller lacks; WORKSPACE_MISMATCH for another
            workspace than that of a caller who is for one; WORKSPACE_NOT_FOUND.
    """
    wanted = request.credential
    granted = scopes.known(wanted.scopes)
    scopes.guard_grant(granted, caller.scopes)
    names.text("label", wanted.label)
    durations.expire_time(request, core.now())
    workspace_id = wanted.workspace_id or caller.workspace_id
    if caller.workspace_id and workspace_id != caller.workspace_id:
        raise DirectoryError(
            "WORKSPACE_MISMATCH",
            "The credential is for another workspace. Name its own, or none.",
        )
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> api.CreateServiceCredentialResponse:
        now = core.now()
        row = credentials.credential(public_id, digest, wanted.label, workspace_id, "", now)
        row = row._replace(
            scopes=" ".join(granted), expire_time=durations.expire_time(request, now)
        )
        await store.insert_credential(tx, row)
        return api.CreateServiceCredentialResponse(credential=_shown(row), secret=secret)

    return await _logged(core, caller, workspace_id, public_id, work)


async def list_(
    core: Core,
    caller: Caller,
    request: api.ListServiceCredentialsRequest,  # noqa: ARG001
) -> api.ListServiceCredentialsResponse:
    """
    Return the credentials that the caller may see and nobody revoked, the oldest first.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> api.ListServiceCredentialsResponse:
        if caller.workspace_id:
            await core.contexts.read(tx, caller.workspace_id)
        rows = await store.service_credentials(tx, caller.workspace_id)
        return api.ListServiceCredentialsResponse(credentials=[_shown(row) for row in rows])

    return await core.storage.read(work)


async def rotate(
    core: Core, caller: Caller, request: api.RotateServiceCredentialRequest
) -> api.RotateServiceCredentialResponse:
    """
    Make a credential like an old one, which ends after the overlap, at once if it is 0.

    Raises:
        DirectoryError: FIELD_INVALID for a credential, an overlap or a lifetime that are none;
            SCOPE_MISSING if the old one can do what the caller's cannot.
    """
    overlap = durations.overlap(request)
    durations.expire_time(request, core.now())
    found = await core.storage.read(lambda tx: _find(tx, caller, request.id))
    scopes.guard_grant(found.scopes.split(), caller.scopes)
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> api.RotateServiceCredentialResponse:
        now = core.now()
        old = await _find(tx, caller, request.id)
        ends = now + overlap if old.expire_time is None else min(old.expire_time, now + overlap)
        await store.update_credential(tx, old._replace(expire_time=ends))
        row = old._replace(
            id=public_id,
            digest=digest,
            create_time=now,
            expire_time=durations.expire_time(request, now),
            last_use_time=None,
        )
        await store.insert_credential(tx, row)
        return api.RotateServiceCredentialResponse(credential=_shown(row), secret=secret)

    return await _logged(core, caller, found.workspace_id, public_id, work)


async def revoke(
    core: Core, caller: Caller, request: api.RevokeServiceCredentialRequest
) -> api.RevokeServiceCredentialResponse:
    """
    End a credential: in every process before `identity.CACHE_SECONDS` are over.

    Raises:
        DirectoryError: FIELD_INVALID if it is none.
    """
    # Its workspace is to be known also when the same request was carried out before.
    found = await core.storage.read(lambda tx: _find(tx, caller, request.id, revoked=True))

    async def work(tx: Transaction) -> api.RevokeServiceCredentialResponse:
        row = await _find(tx, caller, request.id)
        await store.update_credential(tx, row._replace(revoke_time=core.now()))
        return api.RevokeServiceCredentialResponse()

    return await _logged(core, caller, found.workspace_id, request.id, work)


async def _logged(
    core: Core,
    caller: Caller,
    workspace_id: str,
    public_id: str,
    work: Callable[[Transaction], Awaitable[T]],
) -> T:
    """
    Return what *work* makes in a write about a credential, and log that.

    In the provisioning log of the credential's workspace; of one for all, in that of the process.
    """

    there = replace(caller, workspace_id=workspace_id)

    async def write(tx: Transaction) -> T:
        if not workspace_id:
            return await work(tx)
        begun = await Write.begin(core, tx, there)
        made = await work(tx)
        await journal.record(begun, public_id)
        return made

    done = await core.write(there, write)
    if not workspace_id:
        log.info(
            "%s target_id=%s trace_id=%s credential_id=%s",
            caller.operation,
            public_id,
            caller.trace_id,
            caller.credential_id,
        )
    return done


async def _find(
    tx: Transaction, caller: Caller, public_id: str, *, revoked: bool = False
) -> store.CredentialRow:
    """Return a service credential that the caller may see, one that is *revoked* if asked for."""
    row = await store.credential(tx, public_id)
    if (
        row is None
        or row.integration_id
        or (row.revoke_time is not None and not revoked)
        or caller.workspace_id not in ("", row.workspace_id)
    ):
        raise invalid(
            "id",
            f"No service credential has the id {shown(public_id)!r}. List them for their ids.",
            value=shown(public_id),
        )
    return row


def _shown(row: store.CredentialRow) -> service_credential_pb2.ServiceCredential:
    message = service_credential_pb2.ServiceCredential(
        id=row.id,
        label=row.label,
        workspace_id=row.workspace_id,
        scopes=row.scopes.split(),
        create_time=views.timestamp(row.create_time),
    )
    if row.expire_time is not None:
        message.expire_time.CopyFrom(views.timestamp(row.expire_time))
    if row.last_use_time is not None:
        message.last_use_time.CopyFrom(views.timestamp(row.last_use_time))
    return message
