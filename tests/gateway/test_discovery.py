"""Discovery documents: what strict clients parse, field by field (RFC 7643 sections 5 to 7)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from falcon.testing import ASGIConductor
from userdirectory.errors import DirectoryError
from userdirectory.v1.policy_pb2 import (
    FieldList,
    GroupsMode,
    LanguageList,
    PasswordWrites,
    Policy,
)
from userdirectory.v1.role_pb2 import (
    ROLE_KIND_ADMIN,
    ROLE_KIND_GUEST,
    ROLE_KIND_REGULAR,
    Role,
)
from userdirectory.v1.user_directory_pb2 import ListRolesRequest, ListRolesResponse
from userdirectory.v1.workspace_admin_pb2 import GetWorkspaceRequest, GetWorkspaceResponse
from userdirectory.v1.workspace_pb2 import Workspace

from scim_gateway.app import Stubs, create_app
from scim_gateway.settings import Settings
from tests.gateway.conftest import BASE, Http
from tests.gateway.standin import Core
from tests.gateway.test_errors import assert_scim_error

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
USER = f"{CORE}User"
GROUP = f"{CORE}Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORKPLACE = "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User"
TYPES = {"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}
PATHS = [
    "/ServiceProviderConfig",
    "/ResourceTypes",
    "/ResourceTypes/User",
    "/Schemas",
    f"/Schemas/{USER}",
]


ROLES = Policy(groups=GroupsMode.GROUPS_MODE_ROLES)
PRODUCT = Workspace(policy=ROLES, teams=["Design", "Support"], absence_regions=["Bayern", "Hessen"])
NAMED = ListRolesResponse(
    roles=[
        Role(name="Admin", kind=ROLE_KIND_ADMIN),
        Role(name="Member", kind=ROLE_KIND_REGULAR),
        Role(name="Guest", kind=ROLE_KIND_GUEST),
    ]
)


def workspace(password: PasswordWrites) -> GetWorkspaceResponse:
    return GetWorkspaceResponse(workspace=Workspace(policy=Policy(password=password)))


@pytest.fixture
def product(core: Core) -> None:
    """Give the caller a workspace that uses everything the product has."""
    core.replies["GetWorkspace"] = GetWorkspaceResponse(workspace=PRODUCT)
    core.replies["ListRoles"] = NAMED


@pytest.mark.parametrize(
    ("password", "supported"),
    [
        (PasswordWrites.PASSWORD_WRITES_ACCEPT, True),
        (PasswordWrites.PASSWORD_WRITES_IGNORE, False),
        (PasswordWrites.PASSWORD_WRITES_UNSPECIFIED, False),
    ],
)
@pytest.mark.rule("R-030", "D-31", "D-44")
async def test_service_provider_config(
    http: Http, core: Core, password: PasswordWrites, supported: bool
):
    """authentik-users, generic-discovery-shapes: every field there, and of its type."""
    core.replies["GetWorkspace"] = workspace(password)

    answer = await http.get("/ServiceProviderConfig")

    assert core.only.request == GetWorkspaceRequest()
    told = [scheme.pop("description") for scheme in answer.body["authenticationSchemes"]]
    assert all(told)
    assert f"{BASE}/oauth/token" in told[1]
    assert answer.body == {
        "schemas": [f"{CORE}ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": True, "maxOperations": 1000, "maxPayloadSize": 1048576},
        "filter": {"supported": True, "maxResults": 1000},
        "changePassword": {"supported": supported},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": 100,
            "maxPageSize": 1000,
        },
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            },
            {
                "type": "oauth2",
                "name": "OAuth 2.0 Client Credentials",
                "specUri": "https://www.rfc-editor.org/info/rfc6749",
                "primary": False,
            },
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{BASE}/ServiceProviderConfig",
        },
    }


async def test_documentation(stubs: Stubs, core: Core):
    """Told where there is any."""
    app = create_app(stubs, Settings(documentation_url="https://help.example/scim"))
    async with ASGIConductor(app) as conductor:
        answer = await Http(conductor).get("/ServiceProviderConfig")

    assert answer.body["documentationUri"] == "https://help.example/scim"


@pytest.mark.usefixtures("product")
async def test_resource_types(http: Http):
    """sailpoint-discovery, cyberark-required-calls."""
    listed = await http.get("/ResourceTypes")
    user = await http.get("/ResourceTypes/User")
    group = await http.get("/ResourceTypes/Group")

    assert listed.body["totalResults"] == listed.body["itemsPerPage"] == 2
    assert listed.body["Resources"] == [user.body, group.body]
    assert user.body == {
        "schemas": [f"{CORE}ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A person in one workspace.",
        "schema": USER,
        "schemaExtensions": [
            {"schema": ENTERPRISE, "required": False},
            {"schema": WORKPLACE, "required": False},
        ],
        "meta": {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/User"},
    }
    assert (group.body["endpoint"], group.body["schemaExtensions"]) == ("/Groups", [])


@pytest.mark.usefixtures("product")
async def test_schemas(http: Http):
    """entra-gallery-schemas: all of them listed, each found by its URN in any case."""
    listed = await http.get("/Schemas?startIndex=1&count=100")

    documents = listed.body["Resources"]
    assert [document["id"] for document in documents] == [USER, ENTERPRISE, WORKPLACE, GROUP]
    for document in documents:
        assert (await http.get(f"/Schemas/{document['id']}")).body == document
        assert (await http.get(f"/Schemas/{document['id'].upper()}")).body == document
        assert document["schemas"] == [f"{CORE}Schema"]
        assert document["name"]
        assert document["description"]
        assert document["meta"] == {
            "resourceType": "Schema",
            "location": f"{BASE}/Schemas/{document['id']}",
        }


async def test_every_characteristic_is_there(http: Http):
    """RFC 7643 section 7, for every attribute and sub-attribute."""
    listed = await http.get("/Schemas")

    found = [
        attribute
        for document in listed.body["Resources"]
        for attribute in _walk(document["attributes"])
    ]
    assert len(found) > 70
    for attribute in found:
        assert set(attribute) - {"canonicalValues", "referenceTypes", "subAttributes"} == {
            "name", "type", "multiValued", "description", "required", "caseExact", "mutability",
            "returned", "uniqueness",
        }  # fmt: skip
        assert attribute["type"] in TYPES
        assert attribute["description"]
        assert attribute["mutability"] in {"readOnly", "readWrite", "immutable", "writeOnly"}
        assert attribute["returned"] in {"always", "never", "default", "request"}
        assert attribute["uniqueness"] in {"none", "server", "global"}
        assert ("subAttributes" in attribute) == (attribute["type"] == "complex")
        assert ("referenceTypes" in attribute) == (attribute["type"] == "reference")
        assert all(type(attribute[n]) is bool for n in ("multiValued", "required", "caseExact"))


def _walk(attributes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for attribute in attributes:
        yield attribute
        yield from _walk(attribute.get("subAttributes", []))


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("userName", {"required": True, "uniqueness": "server", "caseExact": False}),
        ("password", {"mutability": "writeOnly", "returned": "never"}),
        ("groups", {"mutability": "readOnly", "multiValued": True, "type": "complex"}),
        ("groups.$ref", {"type": "reference", "referenceTypes": ["Group"]}),
        ("active", {"type": "boolean", "multiValued": False}),
        ("emails.primary", {"type": "boolean"}),
        ("emails.type", {"canonicalValues": ["work", "home", "other"]}),
        ("x509Certificates.value", {"type": "binary"}),
        ("profileUrl", {"type": "reference", "referenceTypes": ["external"]}),
    ],
)
async def test_flags_that_clients_act_on(http: Http, path: str, wanted: dict[str, Any]):
    """generic-discovery-shapes, sailpoint-discovery."""
    answer = await http.get(f"/Schemas/{USER}")

    attribute = _find(answer.body, path)
    assert wanted == {name: attribute[name] for name in wanted}


async def test_canonical_values_are_where_entra_wants_them(http: Http):
    """Entra's portal derives `roles[primary eq "True"].value` from their absence."""
    answer = await http.get(f"/Schemas/{USER}")

    for name in ("emails", "phoneNumbers", "addresses"):
        assert "work" in _find(answer.body, f"{name}.type")["canonicalValues"]
    assert "canonicalValues" not in _find(answer.body, "roles.type")


@pytest.mark.usefixtures("product")
@pytest.mark.rule("R-119", "R-123")
async def test_teams_are_one_text(http: Http):
    """The contract has a list, SCIM clients see text with commas."""
    answer = await http.get(f"/Schemas/{WORKPLACE}")

    assert [a["name"] for a in answer.body["attributes"]] == ["teams", "absenceRegion", "userRole"]
    teams = _find(answer.body, "teams")
    assert teams["multiValued"] is False
    assert "commas" in teams["description"]
    assert "canonicalValues" not in teams


@pytest.mark.usefixtures("product")
async def test_names_that_the_workspace_knows(http: Http, core: Core):
    """Clients are told the exact names of roles and regions; guest roles are no choice."""
    answer = await http.get(f"/Schemas/{WORKPLACE}")

    assert [call.request for call in core.asked] == [GetWorkspaceRequest(), ListRolesRequest()]
    assert _find(answer.body, "userRole")["canonicalValues"] == ["Admin", "Member"]
    assert _find(answer.body, "absenceRegion")["canonicalValues"] == ["Bayern", "Hessen"]


@pytest.mark.parametrize(
    ("used", "names"),
    [
        (Workspace(), []),
        (Workspace(teams=["Design"]), ["teams"]),
        (Workspace(absence_regions=["Hessen"]), ["absenceRegion"]),
        (Workspace(policy=ROLES), ["userRole"]),
    ],
)
async def test_only_what_the_workspace_uses(
    http: Http, core: Core, used: Workspace, names: list[str]
):
    """An extension of which nothing is used is in no document."""
    core.replies["GetWorkspace"] = GetWorkspaceResponse(workspace=used)
    core.replies["ListRoles"] = NAMED

    schemas = {each["id"]: each for each in (await http.get("/Schemas")).body["Resources"]}
    extensions = (await http.get("/ResourceTypes/User")).body["schemaExtensions"]
    found = schemas.get(WORKPLACE, {"attributes": []})["attributes"]
    assert [attribute["name"] for attribute in found] == names
    assert (WORKPLACE in schemas) == bool(names)
    assert [each["schema"] for each in extensions] == [ENTERPRISE, *([WORKPLACE] if names else [])]
    assert (await http.get(f"/Schemas/{WORKPLACE}")).status == (200 if names else 404)


async def test_what_a_new_user_must_have_is_required(http: Http, core: Core):
    """The policy's fields, and what they are parts of; `active` cannot be unassigned."""
    policy = Policy(required=FieldList(paths=["name.given_name", "title"]))
    core.replies["GetWorkspace"] = GetWorkspaceResponse(workspace=Workspace(policy=policy))

    answer = await http.get(f"/Schemas/{USER}")

    required = {a["name"] for a in _walk(answer.body["attributes"]) if a["required"]}
    assert required == {"userName", "active", "name", "givenName", "title"}


async def test_languages_and_time_zones(http: Http, core: Core):
    """The policy's languages, else common ones; the places of the tz database."""
    free = (await http.get(f"/Schemas/{USER}")).body
    policy = Policy(languages=LanguageList(tags=["en-GB", "de-DE"]))
    core.replies["GetWorkspace"] = GetWorkspaceResponse(workspace=Workspace(policy=policy))
    bound = (await http.get(f"/Schemas/{USER}")).body

    assert {"en", "de", "fr", "es"} <= set(_find(free, "preferredLanguage")["canonicalValues"])
    assert _find(bound, "preferredLanguage")["canonicalValues"] == ["en-GB", "de-DE"]
    zones = _find(free, "timezone")["canonicalValues"]
    assert zones == sorted(zones)
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata"} <= set(zones)
    assert not {"UTC", "Etc/GMT+1", "US/Eastern", "CET"} & set(zones)
    assert len(json.dumps(bound)) < 64 * 1024


@pytest.mark.usefixtures("product")
async def test_members_are_as_the_rfc_has_them(http: Http):
    """RFC 7643 section 8.7.1: who is a member cannot be changed in place."""
    answer = await http.get(f"/Schemas/{GROUP}")

    for name in ("value", "$ref", "type"):
        assert _find(answer.body, f"members.{name}")["mutability"] == "immutable"
    assert _find(answer.body, "members.$ref")["referenceTypes"] == ["User", "Group"]
    assert _find(answer.body, "members.type")["canonicalValues"] == ["User", "Group"]


def _find(schema: dict[str, Any], path: str) -> dict[str, Any]:
    attributes, found = schema["attributes"], {}
    for name in path.split("."):
        found = next(attribute for attribute in attributes if attribute["name"] == name)
        attributes = found.get("subAttributes", [])
    return found


@pytest.mark.parametrize("path", PATHS)
async def test_discovery_needs_a_credential(http: Http, core: Core, path: str):
    """The core says whether it is one."""
    core.replies["GetWorkspace"] = DirectoryError("CREDENTIAL_INVALID", "No. Stop.")

    assert_scim_error(await http.get(path), 401)


@pytest.mark.parametrize("path", PATHS)
async def test_discovery_is_not_filtered(http: Http, path: str):
    """RFC 7644 section 4: 403."""
    assert_scim_error(await http.get(f"{path}?filter=id+eq+%22x%22"), 403)


@pytest.mark.parametrize("path", ["/ResourceTypes/Gadget", "/Schemas/urn:example:none"])
async def test_what_is_unknown_is_404(http: Http, path: str):
    """generic-discovery-shapes."""
    assert_scim_error(await http.get(path), 404)


async def test_no_document_has_a_null(http: Http):
    """entra-gallery-schemas."""
    for path in PATHS:
        assert "null" not in str((await http.get(path)).body).replace("None", "null")
