"""Statements about integrations and the credentials of these and of products."""

import sqlalchemy as sa

from core_service.storage.database import Transaction
from core_service.storage.expressions import one_of
from core_service.storage.plans import SCAN
from core_service.storage.rows import CredentialRow, IntegrationRow
from core_service.storage.statements import param, prefixed, update_by, where
from core_service.storage.tables import credentials, integrations, users

_WHOLE = sa.BigInteger()

_INTEGRATION = where(sa.select(integrations), integrations, "workspace_id", "id")
_INSERT_INTEGRATION = sa.insert(integrations)
_UPDATE_INTEGRATION = update_by(integrations, "workspace_id", "id")
_DELETE_INTEGRATION = where(sa.delete(integrations), integrations, "workspace_id", "id")
_INTEGRATIONS_OF = where(sa.select(integrations), integrations, "workspace_id").order_by(
    integrations.c.create_time, integrations.c.id
)
_LET_GO = (
    sa.update(users)
    .where(
        users.c.workspace_id == param("key_workspace_id"),
        users.c.integration_id == param("key_integration_id"),
    )
    .values(integration_id="")
)
_CREDENTIAL = where(sa.select(credentials), credentials, "id")
_INSERT_CREDENTIAL = sa.insert(credentials)
_UPDATE_CREDENTIAL = update_by(credentials, "id")
_OLDEST_FIRST = (credentials.c.create_time, credentials.c.id)
_CREDENTIALS_OF = (
    where(sa.select(credentials), credentials, "workspace_id", "integration_id")
    .where(credentials.c.parent_id == "")
    .order_by(*_OLDEST_FIRST)
)
_SERVICE_CREDENTIALS = (
    sa.select(credentials)
    .where(credentials.c.integration_id == "", credentials.c.revoke_time.is_(None))
    .order_by(*_OLDEST_FIRST)
)
_ALL_SERVICE_CREDENTIALS = _SERVICE_CREDENTIALS.execution_options(**{SCAN: True})
_SERVICE_CREDENTIALS_OF = where(_SERVICE_CREDENTIALS, credentials, "workspace_id")
_END_ACCESS = sa.delete(credentials).where(
    one_of(credentials.c.parent_id, "ids"), credentials.c.parent_id != ""
)
_CLEAR_ACCESS = where(sa.delete(credentials), credentials, "workspace_id", "integration_id").where(
    credentials.c.parent_id != "", credentials.c.expire_time <= param("at", _WHOLE)
)
_OF_INTEGRATION = (
    credentials.c.workspace_id == param("key_workspace_id"),
    credentials.c.integration_id == param("key_integration_id"),
    one_of(credentials.c.id, "ids"),
)
_EXPIRE = (
    sa.update(credentials)
    .where(
        *_OF_INTEGRATION,
        sa.or_(
            credentials.c.expire_time.is_(None), credentials.c.expire_time > param("at", _WHOLE)
        ),
    )
    .values(expire_time=param("at", _WHOLE))
)
_REVOKE = (
    sa.update(credentials)
    .where(*_OF_INTEGRATION, credentials.c.revoke_time.is_(None))
    .values(revoke_time=param("at", _WHOLE))
)
_USE = (
    sa.update(credentials)
    .where(
        credentials.c.id == param("key"),
        sa.or_(
            credentials.c.last_use_time.is_(None),
            credentials.c.last_use_time <= param("before", _WHOLE),
        ),
    )
    .values(last_use_time=param("at", _WHOLE))
)


async def integration(tx: Transaction, workspace_id: str, id: str) -> IntegrationRow | None:
    """Return an integration, None if the workspace has none with this id."""
    row = await tx.one(_INTEGRATION, {"workspace_id": workspace_id, "id": id})
    return None if row is None else IntegrationRow._make(row)


async def insert_integration(tx: Transaction, row: IntegrationRow) -> None:
    """Add an integration."""
    await tx.run(_INSERT_INTEGRATION, row._asdict())


async def update_integration(tx: Transaction, row: IntegrationRow) -> None:
    """Replace the integration that has the row's id."""
    await tx.run(_UPDATE_INTEGRATION, prefixed(row))


async def credential(tx: Transaction, public_id: str) -> CredentialRow | None:
    """Return a credential, None if there is none with this public id."""
    row = await tx.one(_CREDENTIAL, {"id": public_id})
    return None if row is None else CredentialRow._make(row)


async def insert_credential(tx: Transaction, row: CredentialRow) -> None:
    """Add a credential."""
    await tx.run(_INSERT_CREDENTIAL, row._asdict())


async def update_credential(tx: Transaction, row: CredentialRow) -> None:
    """Replace the credential that has the row's id."""
    await tx.run(_UPDATE_CREDENTIAL, prefixed(row))


async def credentials_of(
    tx: Transaction, workspace_id: str, integration_id: str
) -> list[CredentialRow]:
    """Return the tokens of an integration, the oldest first; revoked ones too, no access tokens."""
    values = {"workspace_id": workspace_id, "integration_id": integration_id}
    return [CredentialRow._make(row) for row in await tx.all(_CREDENTIALS_OF, values)]


async def service_credentials(tx: Transaction, workspace_id: str) -> list[CredentialRow]:
    """
    Return the service credentials that nobody revoked, the oldest first.

    Args:
        workspace_id: Only those for this workspace; empty for all there are.
    """
    if workspace_id:
        rows = await tx.all(_SERVICE_CREDENTIALS_OF, {"workspace_id": workspace_id})
    else:
        rows = await tx.all(_ALL_SERVICE_CREDENTIALS)
    return [CredentialRow._make(row) for row in rows]


async def delete_access_tokens(tx: Transaction, parent_ids: list[str]) -> None:
    """Remove the access tokens that were made with some credentials."""
    await tx.run(_END_ACCESS, {"ids": parent_ids})


async def clear_access_tokens(
    tx: Transaction, workspace_id: str, integration_id: str, now: int
) -> None:
    """Remove the access tokens of an integration that have expired."""
    key = {"workspace_id": workspace_id, "integration_id": integration_id}
    await tx.run(_CLEAR_ACCESS, {**key, "at": now})


async def integrations_of(tx: Transaction, workspace_id: str) -> list[IntegrationRow]:
    """Return the integrations of a workspace, the oldest first."""
    rows = await tx.all(_INTEGRATIONS_OF, {"workspace_id": workspace_id})
    return [IntegrationRow._make(row) for row in rows]


async def delete_integration(tx: Transaction, workspace_id: str, id: str) -> None:
    """Remove an integration and let go of its users, whose versions stay; not its credentials."""
    await tx.run(_LET_GO, {"key_workspace_id": workspace_id, "key_integration_id": id})
    await tx.run(_DELETE_INTEGRATION, {"workspace_id": workspace_id, "id": id})


async def expire_credentials(
    tx: Transaction, workspace_id: str, integration_id: str, ids: list[str], at: int
) -> None:
    """Let credentials of an integration expire at a time; those that do so earlier stay."""
    await tx.run(_EXPIRE, _of_integration(workspace_id, integration_id, ids, at))


async def revoke_credentials(
    tx: Transaction, workspace_id: str, integration_id: str, ids: list[str], at: int
) -> None:
    """Revoke credentials of an integration; those that were revoked stay as they are."""
    await tx.run(_REVOKE, _of_integration(workspace_id, integration_id, ids, at))


async def note_use(tx: Transaction, public_id: str, at: int, before: int) -> None:
    """Keep when a credential was used, unless a use after *before* is known."""
    await tx.run(_USE, {"key": public_id, "at": at, "before": before})


def _of_integration(
    workspace_id: str, integration_id: str, ids: list[str], at: int
) -> dict[str, object]:
    key = {"key_workspace_id": workspace_id, "key_integration_id": integration_id}
    return {**key, "ids": ids, "at": at}
