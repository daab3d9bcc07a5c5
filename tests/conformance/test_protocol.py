"""Bulk requests, cursors and the role that is not there, through gateway and core together."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from userdirectory.v1 import policy_pb2

from tests.scim import WORKPLACE, Scim, person
from tests.system import System
from tests.workspaces import new_place

STRICT = policy_pb2.PRESET_STRICT_RFC
MIRROR = policy_pb2.PRESET_GROUP_MIRROR
SINGLE = policy_pb2.PRESET_SINGLE_ROLE


async def _scim(
    directory: System, preset: policy_pb2.Preset, request: pytest.FixtureRequest
) -> Scim:
    place = await new_place(directory.core, preset)
    scim = Scim(directory.base_url, place.token)
    request.addfinalizer(scim.close)
    return scim


def _pages(scim: Scim, path: str) -> Iterator[list[str]]:
    cursor = ""
    for _ in range(20):
        body = scim.get(f"{path}cursor={cursor}").body
        assert "startIndex" not in body
        yield [resource["id"] for resource in body["Resources"]]
        cursor = body.get("nextCursor", "")
        if not cursor:
            return


async def test_a_bulk_request_resolves_its_references(
    directory: System, request: pytest.FixtureRequest
):
    """RFC 7644 section 3.7.2: a group before its member, each created once."""
    scim = await _scim(directory, STRICT, request)
    operations = [
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "g",
            "data": {"displayName": "Tour", "members": [{"value": "bulkId:u"}]},
        },
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": person("u@a.example")},
        {"method": "POST", "path": "/Users", "bulkId": "v", "data": person("u@a.example")},
    ]

    def work() -> tuple[Any, Any]:
        answer = scim.post("/Bulk", {"Operations": operations}).body["Operations"]
        group_id = answer[0]["location"].rpartition("/")[2]
        return answer, scim.get(f"/Groups/{group_id}").body

    answer, group = await asyncio.to_thread(work)
    assert [each["status"] for each in answer] == ["201", "201", "409"]
    assert [member["$ref"] for member in group["members"]] == [answer[1]["location"]]


async def test_cursors_lead_through_everything_once(
    directory: System, request: pytest.FixtureRequest
):
    """RFC 9865 section 2: no resource twice, none left out, also when sorted."""
    scim = await _scim(directory, STRICT, request)

    def work() -> tuple[set[str], list[list[str]], Any]:
        made = {scim.post("/Users", person(f"p{n}@a.example")).body["id"] for n in range(5)}
        pages = list(_pages(scim, "/Users?count=2&sortBy=userName&filter=userName%20sw%20%22p%22&"))
        return made, pages, scim.get("/Users?cursor=forged").body

    made, pages, forged = await asyncio.to_thread(work)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {id_ for page in pages for id_ in page} == made
    assert forged["scimType"] == "invalidCursor"


@pytest.mark.parametrize(
    ("preset", "status", "shown"), [(STRICT, 400, ""), (MIRROR, 201, ""), (SINGLE, 201, "Manager")]
)
async def test_the_role_is_there_where_it_is_advertised(
    directory: System,
    request: pytest.FixtureRequest,
    preset: policy_pb2.Preset,
    status: int,
    shown: str,
):
    """Where groups are not roles, `userRole` is an attribute that nobody knows."""
    scim = await _scim(directory, preset, request)
    document = person("m@a.example", **{WORKPLACE: {"userRole": "Manager"}})

    def work() -> tuple[Any, Any, bool]:
        answer = scim.post("/Users", document)
        filter_ = f'{WORKPLACE}:userRole eq "Manager"'
        schema = scim.get(f"/Schemas/{WORKPLACE}").body
        advertised = any(each["name"] == "userRole" for each in schema["attributes"])
        return answer, scim.find("Users", filter_), advertised

    answer, found, advertised = await asyncio.to_thread(work)
    assert answer.status == status
    assert answer.body.get(WORKPLACE, {}).get("userRole", "") == shown
    assert (len(found), advertised) == ((1, True) if shown else (0, False))
