"""What the service can do, from the attribute table (RFC 7643 sections 5 to 7)."""

from typing import Any

from falcon.asgi import Request, Response
from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.v1.policy_pb2 import PasswordWrites
from userdirectory.v1.workspace_admin_pb2 import GetWorkspaceRequest
from userdirectory.v1.workspace_pb2 import Workspace

from scim_gateway.context import Gateway, answer
from scim_gateway.errors import ScimError
from scim_gateway.listing import Page, write_list
from scim_gateway.patch import MAX_OPERATIONS
from scim_gateway.query import MAX_COUNT

_CORE = "urn:ietf:params:scim:schemas:core:2.0:"
_RESOURCES = (USER, GROUP)
_DESCRIPTIONS = {"User": "A person in one workspace.", "Group": "A named set of users."}
_EXTENSION_NAMES = {"enterprise": "Enterprise User", "workplace": "Workplace"}


def service_provider_config(
    gateway: Gateway, workspace: Workspace, base_url: str
) -> dict[str, Any]:
    """Return the ServiceProviderConfig; whether passwords can be set is the policy's."""
    settings = gateway.settings
    config: dict[str, Any] = {
        "schemas": [f"{_CORE}ServiceProviderConfig"],
        "patch": {"supported": True},
        # Not supported; authentik reads the number all the same, as how much fits a PATCH.
        "bulk": {
            "supported": False,
            "maxOperations": MAX_OPERATIONS,
            "maxPayloadSize": settings.max_body_bytes,
        },
        "filter": {"supported": True, "maxResults": MAX_COUNT},
        "changePassword": {
            "supported": workspace.policy.password == PasswordWrites.PASSWORD_WRITES_ACCEPT
        },
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "A token in the header `Authorization: Bearer TOKEN`.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base_url}/ServiceProviderConfig",
        },
    }
    if settings.documentation_url:
        config["documentationUri"] = settings.documentation_url
    return config


def resource_types(base_url: str) -> dict[str, dict[str, Any]]:
    """Return the ResourceType documents by id."""
    return {
        resource.name: {
            "schemas": [f"{_CORE}ResourceType"],
            "id": resource.name,
            "name": resource.name,
            "endpoint": f"/{resource.name}s",
            "description": _DESCRIPTIONS[resource.name],
            "schema": resource.urn,
            "schemaExtensions": [
                {"schema": extension.urn, "required": False} for extension in resource.extensions
            ],
            "meta": {
                "resourceType": "ResourceType",
                "location": f"{base_url}/ResourceTypes/{resource.name}",
            },
        }
        for resource in _RESOURCES
    }


def schemas(base_url: str) -> dict[str, dict[str, Any]]:
    """Return the Schema documents by URN."""
    listed = []
    for resource in _RESOURCES:
        about = _DESCRIPTIONS[resource.name]
        listed.append(_schema(resource.urn, resource.name, about, _own(resource), base_url))
        for extension in resource.extensions:
            name = _EXTENSION_NAMES.get(extension.path, extension.path)
            about = extension.description
            listed.append(_schema(extension.urn, name, about, extension.children, base_url))
    return {schema["id"]: schema for schema in listed}


def _schema(
    urn: str, name: str, description: str, attributes: tuple[Attribute, ...], base_url: str
) -> dict[str, Any]:
    return {
        "schemas": [f"{_CORE}Schema"],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": [_definition(attribute) for attribute in attributes],
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{urn}"},
    }


def _own(resource: Resource) -> tuple[Attribute, ...]:
    """Return what the schema lists: not what every resource has (RFC 7643 section 3.1)."""
    common = ("id", "externalId")
    return tuple(a for a in resource.attributes if a.name not in common and not a.in_meta)


def _definition(attribute: Attribute) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": "server" if attribute.unique else "none",
    }
    # Entra's portal derives its paths from whether `type` has these, so none are made up.
    if attribute.canonical_values:
        definition["canonicalValues"] = list(attribute.canonical_values)
    if attribute.reference_types:
        definition["referenceTypes"] = list(attribute.reference_types)
    if attribute.children:
        definition["subAttributes"] = [_definition(child) for child in attribute.children]
    return definition


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
        await self.workspace(req, workspace_id)
        known = resource_types(self._gateway.base_url(workspace_id))
        _answer_with(resp, known, identifier, "resource type")


class Schemas(Discovery):
    """`/Schemas`."""

    async def on_get(
        self, req: Request, resp: Response, identifier: str = "", workspace_id: str = ""
    ) -> None:
        """Return all schemas or one."""
        await self.workspace(req, workspace_id)
        known = schemas(self._gateway.base_url(workspace_id))
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
