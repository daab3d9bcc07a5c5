"""
The resource types and schemas of one workspace, from the attribute table (RFC 7643 sections 6, 7).

Only what the workspace uses is there: an attribute that names a team is none where there are no
teams. Values that the workspace knows are told as `canonicalValues`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from userdirectory.attributes import GROUP, USER, Attribute, Resource
from userdirectory.v1.policy_pb2 import GroupsMode
from userdirectory.v1.role_pb2 import ROLE_KIND_GUEST, Role
from userdirectory.v1.workspace_pb2 import Workspace

CORE = "urn:ietf:params:scim:schemas:core:2.0:"

_RESOURCES = (USER, GROUP)
_DESCRIPTIONS = {"User": "A person in one workspace.", "Group": "A named set of users."}
_EXTENSION_NAMES = {"enterprise": "Enterprise User", "workplace": "Workplace"}
# What the directory sets where a client does not, and what cannot be removed: a user is either
# active or not, and RFC 7644 section 3.5.2.2 calls what cannot be removed required.
_NEVER_UNASSIGNED = ("active",)
# Offered where the policy takes any tag: RFC 5646 section 2.1.1, the usual case.
_LANGUAGES = ("en", "en-US", "en-GB", "de", "de-DE", "fr", "es", "it", "nl", "pt-BR", "ja", "zh-CN")
# The areas of the tz database whose names are places; the others are aliases and fixed offsets.
_AREAS = frozenset(
    {
        *("Africa", "America", "Antarctica", "Arctic", "Asia"),
        *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
    }
)


@dataclass(frozen=True, slots=True)
class Offer:
    """
    What one workspace offers to SCIM clients.

    Attributes:
        absent: Paths of attributes that it does not use: `workplace.teams`.
        required: Paths of attributes that a user always has.
        values: Values that it knows, by the path of the attribute.
    """

    absent: frozenset[str]
    required: frozenset[str]
    values: Mapping[str, tuple[str, ...]]

    def extensions(self, resource: Resource) -> list[Attribute]:
        """Return the extensions of *resource* of which something is used."""
        return [e for e in resource.extensions if self.used(e.children)]

    def used(self, attributes: Iterable[Attribute]) -> list[Attribute]:
        """Return which of *attributes* are used."""
        return [attribute for attribute in attributes if attribute.path not in self.absent]


def offer(workspace: Workspace, roles: Iterable[Role] = ()) -> Offer:
    """
    Return what *workspace* offers.

    Args:
        roles: Its roles; only needed for their names, where groups are roles.
    """
    absent = set()
    if workspace.policy.groups != GroupsMode.GROUPS_MODE_ROLES:
        absent.add("workplace.user_role")
    if not workspace.teams:
        absent.add("workplace.teams")
    if not workspace.absence_regions:
        absent.add("workplace.absence_region")
    paths = (*_NEVER_UNASSIGNED, *workspace.policy.required.paths)
    return Offer(
        absent=frozenset(absent),
        # What has a required part is required itself.
        required=frozenset({*paths, *(path.rpartition(".")[0] for path in paths)} - {""}),
        values={
            "preferred_language": tuple(workspace.policy.languages.tags) or _LANGUAGES,
            "time_zone": time_zones(),
            "workplace.absence_region": tuple(workspace.absence_regions),
            "workplace.user_role": tuple(r.name for r in roles if r.kind != ROLE_KIND_GUEST),
        },
    )


def resource_types(offered: Offer, base_url: str) -> dict[str, dict[str, Any]]:
    """Return the ResourceType documents by id."""
    return {
        resource.name: {
            "schemas": [f"{CORE}ResourceType"],
            "id": resource.name,
            "name": resource.name,
            "endpoint": f"/{resource.name}s",
            "description": _DESCRIPTIONS[resource.name],
            "schema": resource.urn,
            "schemaExtensions": [
                {"schema": extension.urn, "required": False}
                for extension in offered.extensions(resource)
            ],
            "meta": {
                "resourceType": "ResourceType",
                "location": f"{base_url}/ResourceTypes/{resource.name}",
            },
        }
        for resource in _RESOURCES
    }


def schemas(offered: Offer, base_url: str) -> dict[str, dict[str, Any]]:
    """Return the Schema documents by URN."""
    found = {}
    for resource in _RESOURCES:
        about = _DESCRIPTIONS[resource.name]
        own = _schema(resource.urn, resource.name, about, _own(resource), offered, base_url)
        found[resource.urn] = own
        for extension in offered.extensions(resource):
            name = _EXTENSION_NAMES.get(extension.path, extension.path)
            about, children = extension.description, extension.children
            found[extension.urn] = _schema(extension.urn, name, about, children, offered, base_url)
    return found


@cache
def time_zones() -> tuple[str, ...]:
    """Return the IANA names of time zones that are places: `Europe/Berlin`, in order."""
    names = resources.files("tzdata").joinpath("zones").read_text("ascii").split()
    return tuple(sorted(name for name in names if name.partition("/")[0] in _AREAS))


def _schema(
    urn: str,
    name: str,
    description: str,
    attributes: Iterable[Attribute],
    offered: Offer,
    base_url: str,
) -> dict[str, Any]:
    return {
        "schemas": [f"{CORE}Schema"],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": [_definition(each, offered) for each in offered.used(attributes)],
        "meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{urn}"},
    }


def _own(resource: Resource) -> tuple[Attribute, ...]:
    """Return what the schema lists: not what every resource has (RFC 7643 section 3.1)."""
    common = ("id", "externalId")
    return tuple(a for a in resource.attributes if a.name not in common and not a.in_meta)


def _definition(attribute: Attribute, offered: Offer) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "name": attribute.name,
        "type": attribute.type,
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required or attribute.path in offered.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": "server" if attribute.unique else "none",
    }
    if attribute.comma_separated:
        definition["description"] += " One text: the names with commas between."
    # Entra's portal derives its paths from whether `type` has these, so none are made up.
    known = offered.values.get(attribute.path) or attribute.canonical_values
    if known:
        definition["canonicalValues"] = list(known)
    if attribute.reference_types:
        definition["referenceTypes"] = list(attribute.reference_types)
    if attribute.children:
        children = offered.used(attribute.children)
        definition["subAttributes"] = [_definition(child, offered) for child in children]
    return definition
