"""
The use cases of integrations, each the connection of a workspace with one identity provider.

What admins know as the client application with API access (R-054 to R-057) is here the
integration's credentials: made with the integration in one transaction, good for provisioning and
nothing else, of no user. No RPC edits or deletes them but to rotate and to revoke tokens, and they
go with the integration; `Integration.tokens` shows them, and the check `client_application` says
whether they are there.
"""

from userdirectory.v1 import integration_pb2
from userdirectory.v1 import workspace_admin_pb2 as api

from core_service import credentials, journal, tokens, views
from core_service.core import Caller, Core
from core_service.ports import facts_of, sign_on
from core_service.rules import names
from core_service.rules.wording import invalid
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write


async def create(
    core: Core, caller: Caller, request: api.CreateIntegrationRequest
) -> api.CreateIntegrationResponse:
    """
    Connect a workspace with an identity provider; the token is in this answer only (R-053).

    Raises:
        DirectoryError: FIELD_INVALID; SIGN_ON_MISSING where the policy wants single sign-on.
    """
    if request.provider not in integration_pb2.Provider.values():
        raise invalid(
            "provider",
            f"{request.provider} is no provider. Choose another.",
            value=request.provider,
        )
    names.text("label", request.label)
    public_id, secret, digest = tokens.new_token()

    async def work(tx: Transaction) -> api.CreateIntegrationResponse:
        write = await Write.begin(core, tx, caller)
        workspace, policy = write.context.message, write.context.policy
        await sign_on.guard(core.ports.sign_on, facts_of(write.workspace_id, workspace), policy)
        row = store.IntegrationRow(
            workspace_id=write.workspace_id,
            id=core.new_id(),
            provider=request.provider or integration_pb2.PROVIDER_GENERIC,
            label=request.label,
            enabled=policy.integration_enabled,
            create_time=write.now,
        )
        await store.insert_integration(tx, row)
        credential = credentials.credential(
            public_id, digest, request.label, write.workspace_id, row.id, write.now
        )
        await store.insert_credential(tx, credential)
        await journal.record(write, row.id)
        return api.CreateIntegrationResponse(
            integration=await _shown(tx, row), token=secret, workspace_link=workspace.link
        )

    return await core.write(caller, work)


async def get(
    core: Core, caller: Caller, request: api.GetIntegrationRequest
) -> api.GetIntegrationResponse:
    """
    Return one integration, with what may be told of its tokens; as `list_`.

    Raises:
        DirectoryError: FIELD_INVALID if it does not exist; WORKSPACE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> api.GetIntegrationResponse:
        await core.contexts.read(tx, caller.workspace_id)
        row = await credentials.find(tx, caller.workspace_id, request.id, "id")
        return api.GetIntegrationResponse(integration=await _shown(tx, row))

    return await core.storage.read(work)


async def list_(
    core: Core,
    caller: Caller,
    request: api.ListIntegrationsRequest,  # noqa: ARG001 - it names the workspace, which the caller has
) -> api.ListIntegrationsResponse:
    """
    Return all integrations, the oldest first, with what may be told of their tokens.

    Tokens that expired are among them, those that were revoked are not.

    Raises:
        DirectoryError: WORKSPACE_NOT_FOUND.
    """

    async def work(tx: Transaction) -> api.ListIntegrationsResponse:
        await core.contexts.read(tx, caller.workspace_id)
        rows = await store.integrations_of(tx, caller.workspace_id)
        return api.ListIntegrationsResponse(integrations=[await _shown(tx, row) for row in rows])

    return await core.storage.read(work)


async def update(
    core: Core, caller: Caller, request: api.UpdateIntegrationRequest
) -> api.UpdateIntegrationResponse:
    """
    Switch an integration on or off, or label it; its tokens stay valid either way (D-22).

    Raises:
        DirectoryError: FIELD_INVALID, also if it does not exist.
    """
    names.text("label", request.label)

    async def work(tx: Transaction) -> api.UpdateIntegrationResponse:
        write = await Write.begin(core, tx, caller)
        row = await credentials.find(tx, write.workspace_id, request.id, "id")
        new = row._replace(
            enabled=request.enabled if request.HasField("enabled") else row.enabled,
            label=request.label if request.HasField("label") else row.label,
        )
        await store.update_integration(tx, new)
        await journal.record(write, row.id, wrote=new != row)
        return api.UpdateIntegrationResponse(integration=await _shown(tx, new))

    return await core.write(caller, work)


async def delete(
    core: Core, caller: Caller, request: api.DeleteIntegrationRequest
) -> api.DeleteIntegrationResponse:
    """
    Delete an integration with its credentials; its users stay as they are, linked by no one.

    Another integration finds them by their user names, so that none is made twice and every role
    stays (R-058).

    Raises:
        DirectoryError: FIELD_INVALID if it does not exist.
    """

    async def work(tx: Transaction) -> api.DeleteIntegrationResponse:
        write = await Write.begin(core, tx, caller)
        row = await credentials.find(tx, write.workspace_id, request.id, "id")
        rows = await store.credentials_of(tx, write.workspace_id, row.id)
        ids = [credential.id for credential in rows]
        await store.revoke_credentials(tx, write.workspace_id, row.id, ids, write.now)
        await store.delete_access_tokens(tx, ids)
        await store.forget_sender(tx, write.workspace_id, row.id)
        await store.delete_integration(tx, write.workspace_id, row.id)
        await journal.record(write, row.id)
        return api.DeleteIntegrationResponse()

    return await core.write(caller, work)


async def _shown(tx: Transaction, row: store.IntegrationRow) -> integration_pb2.Integration:
    rows = credentials.kept(await store.credentials_of(tx, row.workspace_id, row.id))
    message = integration_pb2.Integration(
        id=row.id,
        workspace_id=row.workspace_id,
        provider=integration_pb2.Provider.Name(row.provider),
        label=row.label,
        enabled=bool(row.enabled),
        create_time=views.timestamp(row.create_time),
        tokens=[credentials.token(each) for each in rows],
    )
    used = max(
        (each.last_use_time for each in rows if each.last_use_time is not None), default=None
    )
    if used is not None:
        message.last_use_time.CopyFrom(views.timestamp(used))
    return message
