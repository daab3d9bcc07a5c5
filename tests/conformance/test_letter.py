"""What deviates from the RFCs is understood for the products, and refused by `strict-rfc`."""

import asyncio
from typing import Any

import pytest
from userdirectory.v1 import policy_pb2

from tests.scim import PATCH_OP, Scim, person
from tests.system import System
from tests.workspaces import new_place

PRODUCTS = (
    policy_pb2.PRESET_SINGLE_ROLE,
    policy_pb2.PRESET_ORG_CHART,
    policy_pb2.PRESET_GROUP_MIRROR,
)
STRICT = policy_pb2.PRESET_STRICT_RFC
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# What Entra, Okta, OneLogin and authentik send, and the scimType of the refusal.
CHANGES = [
    ({"op": "Replace", "path": "title", "value": "T"}, "invalidSyntax"),
    ({"op": "remove", "path": "emails", "value": [{"value": "w@x.example"}]}, "invalidSyntax"),
    ({"op": "replace", "path": "active", "value": "True"}, "invalidValue"),
    ({"op": "add", "path": f"{ENTERPRISE}:manager", "value": "b1"}, "invalidValue"),
    ({"op": "add", "path": "department", "value": "D"}, "invalidPath"),
    ({"op": "replace", "value": {"name.givenName": "G"}}, "invalidPath"),
    ({"op": "replace", "value": {"id": "x", "title": "T"}}, "mutability"),
    ({"op": "replace", "path": "emails[type eq work].value", "value": "w@x"}, "invalidFilter"),
]


async def _host(
    directory: System, preset: policy_pb2.Preset, request: pytest.FixtureRequest
) -> tuple[Scim, dict[str, Any]]:
    place = await new_place(directory.core, preset)
    scim = Scim(directory.base_url, place.token)
    request.addfinalizer(scim.close)
    emails = [{"value": "w@x.example", "type": "work"}]
    sent = person(f"eve@{place.workspace_id}.example", emails=emails)
    created = await asyncio.to_thread(scim.post, "/Users", sent)
    assert created.status == 201, created.body
    return scim, created.body


@pytest.mark.parametrize(("operation", "scim_type"), CHANGES)
async def test_a_change(
    directory: System, request: pytest.FixtureRequest, operation: dict[str, Any], scim_type: str
):
    """RFC 7644 section 3.5.2; a refusal changes nothing, of the operations before it neither."""
    before = {"op": "replace", "path": "nickName", "value": "N"}
    for preset in PRODUCTS:
        scim, user = await _host(directory, preset, request)
        answer = await asyncio.to_thread(scim.patch, f"/Users/{user['id']}", before, operation)
        assert answer.status == 200, answer.body
        assert answer.body["nickName"] == "N"

    scim, user = await _host(directory, STRICT, request)
    answer = await asyncio.to_thread(scim.patch, f"/Users/{user['id']}", before, operation)
    assert (answer.status, answer.body["scimType"]) == (400, scim_type)
    assert (await asyncio.to_thread(scim.get, f"/Users/{user['id']}")).body == user


async def test_new_users_filters_and_bulk(directory: System, request: pytest.FixtureRequest):
    """RFC 7643 section 2.3.2, RFC 7644 sections 3.4.2.2 and 3.7."""
    sent = person("bob@x.example") | {"active": "True"}
    change = {"op": "Replace", "path": "title", "value": "T"}
    patch = {"schemas": [PATCH_OP], "Operations": [change]}

    def statuses(scim: Scim, user: dict[str, Any]) -> list[str]:
        bulk = {"method": "PATCH", "path": f"/Users/{user['id']}", "data": patch}
        search = {"filter": 'active eq "True"', "count": 0}
        each = scim.post("/Bulk", {"Operations": [bulk]}).body["Operations"]
        answers = [
            scim.post("/Users", sent),
            scim.get("/Users?filter=userName%20eq%20bob"),
            scim.get("/Groups?filter=displayName%20eq%20Crew"),
            scim.post("/Users/.search", search),
        ]
        return [str(answer.status) for answer in answers] + [op["status"] for op in each]

    for preset, expected in (
        (policy_pb2.PRESET_GROUP_MIRROR, ["201", "200", "200", "200", "200"]),
        (STRICT, ["400"] * 5),
    ):
        scim, user = await _host(directory, preset, request)
        assert expected == await asyncio.to_thread(statuses, scim, user)
