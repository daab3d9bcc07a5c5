"""The schema extensions that a workspace declared, as discovery documents (RFC 7643 section 7)."""

from typing import Any

from userdirectory.custom import TYPES
from userdirectory.v1.custom_pb2 import CustomAttribute
from userdirectory.v1.workspace_pb2 import Workspace

from scim_gateway.schemas import CORE


def schemas(workspace: Workspace, base_url: str) -> dict[str, dict[str, Any]]:
    """Return the Schema documents of the extensions of users by URN."""
    found: dict[str, dict[str, Any]] = {}
    for attribute in workspace.custom_attributes:
        schema = found.setdefault(attribute.urn, _schema(attribute.urn, base_url))
        schema["attributes"].append(_definition(attribute))
    return found


def extensions(workspace: Workspace) -> list[dict[str, Any]]:
    """Return what the ResourceType of users says of the extensions."""
    required: dict[str, bool] = {}
    for attribute in workspace.custom_attributes:
        required[attribute.urn] = required.get(attribute.urn, False) or attribute.required
    return [{"schema": urn, "required": each} for urn, each in required.items()]


def _schema(urn: str, base_url: str) -> dict[str, Any]:
    return {
        "schemas": [f"{CORE}Schema"],
        "id": urn,
        "name": urn.removesuffix(":User").rpartition(":")[2],
        "description": "Attributes that this workspace adds to its users.",
        "attributes": [],
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{urn}"},
    }


def _definition(attribute: CustomAttribute) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "name": attribute.name,
        "type": TYPES[attribute.type],
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    if attribute.canonical_values:
        definition["canonicalValues"] = list(attribute.canonical_values)
    return definition
