"""Discovery: what the service can do in the caller's workspace (RFC 7644 section 4)."""

from typing import Any

from falcon.asgi import Request, Response
from userdirectory.v1.policy_pb2 import GroupsMode, PasswordWrites
from userdirectory.v1.user_directory_pb2 import ListRolesRequest
from userdirectory.v1.workspace_admin_pb2 import GetWorkspaceRequest
from userdirectory.v1.workspace_pb2 import Workspace

from scim_gateway import custom_schemas, oauth
from scim_gateway.bulk import MAX_OPERATIONS
from scim_gateway.context import Gateway, answer
from scim_gateway.errors import ScimError
from scim_gateway.listing import Page, write_list
from scim_gateway.query import DEFAULT_COUNT, MAX_COUNT
from scim_gateway.schemas import CORE, Offer, offer, resource_types, schemas


def service_provider_config(
    gateway: Gateway, workspace: Workspace, base_url: str
) -> dict[str, Any]:
    """Return the ServiceProviderConfig; whether passwords can be set is the policy's."""
    settings = gateway.settings
    config: dict[str, Any] = {
        "schemas": [f"{CORE}ServiceProviderConfig"],
        "patch": {"supported": True},
        # authentik reads the number too, as how much fits a PATCH.
        "bulk": {
            "supported": True,
            "maxOperations": MAX_OPERATIONS,
            "maxPayloadSize": settings.max_body_bytes,
        },
        "filter": {"supported": True, "maxResults": MAX_COUNT},
        "changePassword": {
            "supported": workspace.policy.password == PasswordWrites.PASSWORD_WRITES_ACCEPT
        },
        "sort": {"supported": True},
        "etag": {"supported": True},
        # RFC 9865 section 4; cursors never expire, so there is no cursorTimeout.
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": DEFAULT_COUNT,
            "maxPageSize": MAX_COUNT,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "A token in the header `Authorization: Bearer TOKEN`.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2.0 Client Credentials",
                "description": (
                    "An access token for an hour: POST the form grant_type=client_credentials, "
                    f"client_id and client_secret to {base_url}{oauth.PATH}."
                ),
                "specUri": "https://www.rfc-editor.org/info/rfc6749",
                "primary": False,
            },
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base_url}/ServiceProviderConfig",
        },
    }
    if settings.documentation_url:
        config["documentationUri"] = settings.documentation_url
    return config


class Discovery:
    """One of the discovery endpoints; asks the core for the workspace, which needs a credential."""

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def workspace(self, req: Request, workspace_id: str) -> Workspace:
        """
        Return the caller's workspace.

        Raises:
            ScimError: 403 if the request has a filter (RFC 7644 section 4).
        """
        if req.get_param("filter") is not None:
            raise ScimError(403, "", "Discovery documents cannot be filtered. Read them all.")
        reply = await self._gateway.call(
            req,
            self._gateway.stubs.workspaces.GetWorkspace,
            GetWorkspaceRequest(workspace_id=workspace_id),
        )
        workspace: Workspace = reply.workspace
        return workspace

    async def offer(self, req: Request, workspace: Workspace, workspace_id: str) -> Offer:
        """Return what *workspace* offers; its roles are asked for where they are groups."""
        if workspace.policy.groups != GroupsMode.GROUPS_MODE_ROLES:
            return offer(workspace)
        reply = await self._gateway.call(
            req,
            self._gateway.stubs.directory.ListRoles,
            ListRolesRequest(workspace_id=workspace_id),
        )
        return offer(workspace, reply.roles)


class ServiceProviderConfig(Discovery):
    """`/ServiceProviderConfig`."""

    async def on_get(self, req: Request, resp: Response, workspace_id: str = "") -> None:
        """Return the configuration."""
        workspace = await self.workspace(req, workspace_id)
        base_url = self._gateway.base_url(workspace_id)
        answer(resp, service_provider_config(self._gateway, workspace, base_url))


class ResourceTypes(Discovery):
    """`/ResourceTypes`; also what the base URL itself answers."""

    async def on_get(
        self, req: Request, resp: Response, identifier: str = "", workspace_id: str = ""
    ) -> None:
        """Return all resource types or one."""
        workspace = await self.workspace(req, workspace_id)
        known = resource_types(offer(workspace), self._gateway.base_url(workspace_id))
        known["User"]["schemaExtensions"] += custom_schemas.extensions(workspace)
        _answer_with(resp, known, identifier, "resource type")


class Schemas(Discovery):
    """`/Schemas`."""

    async def on_get(
        self, req: Request, resp: Response, identifier: str = "", workspace_id: str = ""
    ) -> None:
        """Return all schemas or one."""
        workspace = await self.workspace(req, workspace_id)
        offered = await self.offer(req, workspace, workspace_id)
        base_url = self._gateway.base_url(workspace_id)
        known = schemas(offered, base_url) | custom_schemas.schemas(workspace, base_url)
        urn = next((urn for urn in known if urn.lower() == identifier.lower()), identifier)
        _answer_with(resp, known, urn, "schema")


def _answer_with(
    resp: Response, known: dict[str, dict[str, Any]], identifier: str, kind: str
) -> None:
    if not identifier:
        answer(resp, write_list(Page(list(known.values()), len(known))))
    elif identifier in known:
        answer(resp, known[identifier])
    else:
        raise ScimError(404, "", f"There is no such {kind}. List them to see which there are.")
