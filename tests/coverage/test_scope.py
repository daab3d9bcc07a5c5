"""Chapter 1: what provisioning is for, what it touches and what it leaves alone."""

import ast
from pathlib import Path
from typing import Any

import pytest
from userdirectory.v1 import policy_pb2, role_pb2, workspace_pb2
from userdirectory.v1.workspace_admin_pb2 import CreateWorkspaceRequest

from core_service import workspaces
from core_service.core import Caller
from tests.coverage.conftest import NewIdp
from tests.coverage.idp import ENTERPRISE, Idp
from tests.scim import USER, WORKPLACE
from tests.system import System
from tests.workspaces import ROLES, Place, connect

ROOT = Path(__file__).resolve().parents[2]
CALLS_OUT = {"http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "ftplib"}


@pytest.mark.rule("R-001")
async def test_the_service_speaks_scim_2(idp: Idp):
    """The endpoints of RFC 7644 answer with the schemas of version 2.0."""
    for path, schema in (
        ("/ServiceProviderConfig", "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"),
        ("/Schemas", "urn:ietf:params:scim:api:messages:2.0:ListResponse"),
        ("/ResourceTypes", "urn:ietf:params:scim:api:messages:2.0:ListResponse"),
        ("/Users", "urn:ietf:params:scim:api:messages:2.0:ListResponse"),
        ("/Groups", "urn:ietf:params:scim:api:messages:2.0:ListResponse"),
    ):
        answer = await idp.send("GET", path)

        assert (200, [schema]) == (answer.status, answer.body["schemas"]), path


@pytest.mark.rule("R-001")
async def test_the_old_name_of_the_schema_is_read_and_never_written(idp: Idp):
    """OneLogin sends `urn:scim:schemas:core:2.0`."""
    user = await idp.create("g", schemas=["urn:scim:schemas:core:2.0"])

    assert USER in user["schemas"]
    assert "urn:scim:schemas:core:2.0" not in user["schemas"]


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


@pytest.mark.rule("R-002")
@pytest.mark.parametrize("package", ["core_service", "scim_gateway", "protos/userdirectory"])
def test_nothing_is_sent_to_an_identity_provider(package: str):
    """No module can make an HTTP request; mail leaves by its port alone."""
    files = [file for file in (ROOT / package).rglob("*.py") if "_pb2" not in file.name]

    assert files
    for file in files:
        imported = _imports(file)
        assert not imported & CALLS_OUT, file
        assert "smtplib" not in imported or file.name == "mail.py", file


@pytest.mark.rule("R-005")
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_what_is_not_mapped_is_not_overwritten(idp: Idp, verb: str):
    """An update of the name leaves title, phones, teams and region as they are."""
    user = await idp.create(
        "g",
        title="Captain",
        phoneNumbers=[{"value": "1", "type": "work"}],
        **{WORKPLACE: {"teams": "Design", "absenceRegion": "Bayern"}},
    )

    name = {"givenName": "Ada", "familyName": "Byron"}
    if verb == "PUT":
        body = {"userName": user["userName"], "name": name}
        answer = await idp.send("PUT", f"/Users/{user['id']}", body)
    else:
        answer = await idp.set(user["id"], name=name)
    after = await idp.get(user["id"])

    assert answer.status == 200
    assert name == after["name"]
    for kept in ("title", "phoneNumbers", "emails", WORKPLACE):
        assert user[kept] == after[kept]


@pytest.mark.rule("R-005", "D-25")
async def test_an_explicit_nothing_clears(idp: Idp):
    """`null` and `[]` are values: they remove."""
    user = await idp.create("g", title="Captain", phoneNumbers=[{"value": "1"}])

    body = {"userName": user["userName"], "title": None, "phoneNumbers": []}
    await idp.send("PUT", f"/Users/{user['id']}", body)
    after = await idp.get(user["id"])

    assert "title" not in after
    assert "phoneNumbers" not in after


def _okta(user: dict[str, Any]) -> tuple[str, Any]:
    """Okta reads the user, merges what changed and puts the whole document."""
    return "PUT", {
        **user,
        "name": {"givenName": "Ada", "familyName": "Byron"},
        "timezone": "Europe/Paris",
        WORKPLACE: {"userRole": "Manager"},
    }


def _onelogin(user: dict[str, Any]) -> tuple[str, Any]:
    """OneLogin puts what its template has."""
    return "PUT", {
        "schemas": [USER],
        "userName": user["userName"],
        "name": {"givenName": "Ada", "familyName": "Byron"},
        "timezone": "Europe/Paris",
        WORKPLACE: {"userRole": "Manager"},
    }


def _entra(user: dict[str, Any]) -> tuple[str, Any]:
    """Entra patches one attribute an operation, with capital letters."""
    return "PATCH", {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            {"op": "Replace", "path": "name.givenName", "value": "Ada"},
            {"op": "Replace", "path": "name.familyName", "value": "Byron"},
            {"op": "Add", "path": "timezone", "value": "Europe/Paris"},
            {"op": "Add", "path": f"{WORKPLACE}:userRole", "value": "Manager"},
        ],
    }


@pytest.mark.rule("R-006")
@pytest.mark.parametrize("shape", [_okta, _onelogin, _entra])
async def test_name_time_zone_and_role_arrive(idp: Idp, shape: Any):
    """A change of any of the three in the identity provider is a change here."""
    user = await idp.create("g", timezone="Europe/Berlin")

    method, body = shape(user)
    answer = await idp.send(method, f"/Users/{user['id']}", body)
    after = await idp.get(user["id"])

    assert answer.status == 200
    assert ("Ada", "Byron") == (after["name"]["givenName"], after["name"]["familyName"])
    assert after["timezone"] == "Europe/Paris"
    assert await idp.role_names(user["id"]) == ["Manager"]


@pytest.mark.rule("R-007")
async def test_a_name_and_an_address_are_enough(idp: Idp):
    """First name, last name and e-mail make a user."""
    body = {
        "schemas": [USER],
        "userName": idp.mail("g"),
        "name": {"givenName": "Grace", "familyName": "Hopper"},
        "emails": [{"value": idp.mail("g")}],
    }
    answer = await idp.send("POST", "/Users", body)

    assert answer.status == 201
    assert (True, "Grace Hopper") == (answer.body["active"], answer.body["displayName"])


OPTIONAL = [
    ({"preferredLanguage": "de-DE"}, "preferredLanguage", "de-DE"),
    ({"timezone": "Europe/Berlin"}, "timezone", "Europe/Berlin"),
    ({"title": "Captain"}, "title", "Captain"),
    ({"userType": "Lead"}, "userType", "Lead"),
    ({WORKPLACE: {"userRole": "Manager"}}, WORKPLACE, {"userRole": "Manager"}),
    ({WORKPLACE: {"teams": "Design"}}, WORKPLACE, {"teams": "Design", "userRole": "Member"}),
    (
        {WORKPLACE: {"absenceRegion": "Bayern"}},
        WORKPLACE,
        {"absenceRegion": "Bayern", "userRole": "Member"},
    ),
    ({ENTERPRISE: {"department": "Research"}}, ENTERPRISE, {"department": "Research"}),
]


@pytest.mark.rule("R-008")
@pytest.mark.parametrize(("sent", "name", "value"), OPTIONAL)
async def test_each_optional_attribute_alone(idp: Idp, sent: Any, name: str, value: Any):
    """Language, time zone, role, teams, region and more are kept when sent, alone too."""
    with_it = await idp.create("with", **sent)
    without = await idp.create("without")

    assert value == with_it[name]
    assert without.get(name) in (None, {"userRole": "Member"})


@pytest.mark.rule("R-009", "R-012")
async def test_the_plan_is_all_that_is_asked_for(directory: System):
    """Provisioning is no pilot: with the plan it works, without it says which is needed."""
    for plan, status in ((workspace_pb2.PLAN_ENTERPRISE, 201), (workspace_pb2.PLAN_HOSTED, 403)):
        place = await _own_plan(directory, plan)
        idp = Idp(directory.base_url, place)
        answer = await idp.post("g")
        idp.close()

        assert status == answer.status
    assert "enterprise" in answer.body["detail"].lower()


async def _own_plan(directory: System, plan: workspace_pb2.Plan) -> Place:
    """Return a workspace that has nothing but a plan and single sign-on."""
    id_ = f"w{directory.core.new_id()[:16]}"
    caller = Caller(id_, "", "", frozenset("*"), "1" * 32)
    workspace = workspace_pb2.Workspace(
        id=id_,
        plan=plan,
        sign_on=workspace_pb2.SIGN_ON_OPENID_CONNECT,
        policy=policy_pb2.Policy(preset=policy_pb2.PRESET_SINGLE_ROLE),
        seat_plan=workspace_pb2.SeatPlan(total=10),
    )
    roles: tuple[role_pb2.Role, ...] = ROLES
    request = CreateWorkspaceRequest(workspace=workspace, roles=roles)
    await workspaces.create(directory.core, caller, request)
    _, token = await connect(directory.core, id_)
    return Place(id_, token, "", {})


@pytest.mark.rule("R-016")
async def test_a_token_reaches_its_own_environment_alone(directory: System, new_idp: NewIdp):
    """Users, groups and searches of another environment are not there."""
    ours, theirs = await new_idp("GROUP_MIRROR"), await new_idp("GROUP_MIRROR")
    user = await theirs.create("g")
    group = (await theirs.send("POST", "/Groups", {"displayName": "Crew"})).body
    member = [{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]
    own = (await ours.send("POST", "/Groups", {"displayName": "Crew"})).body

    for method, path, body in (
        ("GET", f"/Users/{user['id']}", None),
        ("PUT", f"/Users/{user['id']}", {"userName": theirs.mail("x")}),
        ("DELETE", f"/Users/{user['id']}", None),
        ("GET", f"/Groups/{group['id']}", None),
        ("DELETE", f"/Groups/{group['id']}", None),
    ):
        assert (await ours.send(method, path, body)).status == 404, (method, path)
    assert await ours.find("Users", f'userName eq "{user["userName"]}"') == []
    patched = (await ours.patch(f"/Groups/{own['id']}", *member)).body
    nobody = [{"op": "add", "path": "members", "value": [{"value": "f" * 32}]}]
    assert patched == (await ours.patch(f"/Groups/{own['id']}", *nobody)).body
    assert "members" not in patched
    assert user == await theirs.get(user["id"])
