"""The use cases of credentials: tokens of integrations, one after another, and of products."""

from collections.abc import Sequence

from userdirectory.errors import DirectoryError
from userdirectory.v1 import integration_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import durations, journal, tokens, views
from core_service.core import Caller, Core
from core_service.rules import names, scopes
from core_service.rules.wording import invalid, shown
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write

MOST_LIVE = 5

_READING = " ".join(scopes.READING)


async def issue(
    core: Core, caller: Caller, request: api.IssueTokenRequest
) -> api.IssueTokenResponse:
    """
    Give an integration one more token; those it has stay as they are.

    Raises:
        DirectoryError: FIELD_INVALID for an integration that is none or a lifetime that is no
            time; LIMIT_REACHED while five tokens are good.

    Source: D-23.
    """
    _check(core, request)
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> api.IssueTokenResponse:
        write = await Write.begin(core, tx, caller)
        integration = await find(tx, write.workspace_id, request.integration_id, "integration_id")
        if len(await live(tx, integration, write.now)) >= MOST_LIVE:
            raise _too_many("Revoke one, or wait until one ends.")
        row = await _insert(write, integration, request, public_id, digest)
        return api.IssueTokenResponse(token=token(row), secret=secret)

    return await core.write(caller, work)


async def rotate(
    core: Core, caller: Caller, request: api.RotateTokenRequest
) -> api.RotateTokenResponse:
    """
    Give an integration a new token; the old ones end after the overlap, at once if it is 0 (R-056).

    Raises:
        DirectoryError: FIELD_INVALID for an integration that is none, an overlap of more than 24
            hours, or a lifetime that is no time; LIMIT_REACHED while five tokens stay good.

    Source: D-23.
    """
    overlap = durations.overlap(request)
    _check(core, request)
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> api.RotateTokenResponse:
        write = await Write.begin(core, tx, caller)
        integration = await find(tx, write.workspace_id, request.integration_id, "integration_id")
        old = await live(tx, integration, write.now)
        if overlap and len(old) >= MOST_LIVE:
            raise _too_many(
                "Revoke one, or rotate with an overlap of 0, which ends the others at once."
            )
        await store.expire_credentials(
            tx,
            write.workspace_id,
            integration.id,
            [row.id for row in old],
            write.now + overlap,
        )
        row = await _insert(write, integration, request, public_id, digest)
        return api.RotateTokenResponse(token=token(row), secret=secret)

    return await core.write(caller, work)


async def revoke(
    core: Core, caller: Caller, request: api.RevokeTokenRequest
) -> api.RevokeTokenResponse:
    """
    End one token: in every process before `identity.CACHE_SECONDS` are over.

    Raises:
        DirectoryError: FIELD_INVALID if the integration, or its token, is none.
    """

    async def work(tx: Transaction) -> api.RevokeTokenResponse:
        write = await Write.begin(core, tx, caller)
        integration = await find(tx, write.workspace_id, request.integration_id, "integration_id")
        rows = await store.credentials_of(tx, write.workspace_id, integration.id)
        if all(row.id != request.token_id for row in rows):
            raise invalid(
                "token_id",
                f"The integration has no token {shown(request.token_id)!r}. "
                "List the integrations for its tokens.",
                value=shown(request.token_id),
            )
        await store.revoke_credentials(
            tx, write.workspace_id, integration.id, [request.token_id], write.now
        )
        await store.delete_access_tokens(tx, [request.token_id])
        await journal.record(write, integration.id)
        return api.RevokeTokenResponse()

    return await core.write(caller, work)


async def issue_service_token(core: Core, label: str, scopes: str, workspace_id: str = "") -> str:
    """
    Return a new token for a product.

    Args:
        scopes: What it may do, separated by blanks; `*` is everything.
        workspace_id: The one workspace it is for; empty means all.
    """
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> None:
        row = credential(public_id, digest, label, workspace_id, "", core.now())
        await store.insert_credential(tx, row._replace(scopes=scopes))

    await core.storage.write(workspace_id, work)
    return secret


async def find(
    tx: Transaction, workspace_id: str, integration_id: str, field: str
) -> store.IntegrationRow:
    """
    Return an integration of a workspace.

    Args:
        field: The field of the request that names it.

    Raises:
        DirectoryError: FIELD_INVALID.
    """
    row = await store.integration(tx, workspace_id, integration_id)
    if row is None:
        raise invalid(
            field,
            f"No integration has the id {shown(integration_id)!r}. "
            "List the integrations to find the right one.",
            value=shown(integration_id),
        )
    return row


async def live(
    tx: Transaction, integration: store.IntegrationRow, now: int
) -> list[store.CredentialRow]:
    """Return the credentials of an integration that are good at *now*, the oldest first."""
    rows = await store.credentials_of(tx, integration.workspace_id, integration.id)
    return [row for row in kept(rows) if row.expire_time is None or row.expire_time > now]


def kept(rows: Sequence[store.CredentialRow]) -> list[store.CredentialRow]:
    """Return those of *rows* that nobody revoked."""
    return [row for row in rows if row.revoke_time is None]


def credential(
    public_id: str, digest: bytes, label: str, workspace_id: str, integration_id: str, now: int
) -> store.CredentialRow:
    """Return the row of a new credential, which never expires and has no scopes."""
    return store.CredentialRow(
        id=public_id,
        workspace_id=workspace_id,
        integration_id=integration_id,
        digest=digest,
        scopes="",
        label=label,
        create_time=now,
        expire_time=None,
        revoke_time=None,
        last_use_time=None,
        subject="",
        parent_id="",
    )


def token(row: store.CredentialRow) -> integration_pb2.Token:
    """Return what may be told of a credential."""
    message = integration_pb2.Token(
        id=row.id,
        label=row.label,
        create_time=views.timestamp(row.create_time),
        subject=row.subject,
        read_only=row.scopes != "",
    )
    if row.expire_time is not None:
        message.expire_time.CopyFrom(views.timestamp(row.expire_time))
    if row.last_use_time is not None:
        message.last_use_time.CopyFrom(views.timestamp(row.last_use_time))
    return message


def _check(core: Core, request: api.IssueTokenRequest | api.RotateTokenRequest) -> None:
    names.text("label", request.label)
    names.text("subject", request.subject)
    durations.expire_time(request, core.now())


async def _insert(
    write: Write,
    integration: store.IntegrationRow,
    request: api.IssueTokenRequest | api.RotateTokenRequest,
    public_id: str,
    digest: bytes,
) -> store.CredentialRow:
    """Add the token that was asked for, and log that."""
    row = credential(
        public_id, digest, request.label, write.workspace_id, integration.id, write.now
    )
    row = row._replace(
        expire_time=durations.expire_time(request, write.now),
        subject=request.subject,
        scopes=_READING if request.read_only else "",
    )
    await store.insert_credential(write.tx, row)
    await journal.record(write, integration.id)
    return row


def _too_many(advice: str) -> DirectoryError:
    return DirectoryError(
        "LIMIT_REACHED",
        f"The integration has {MOST_LIVE} tokens that are good. {advice}",
        limit=MOST_LIVE,
        what="tokens",
    )
