"""What one workspace can learn of another, and do to it: nothing."""

import json

import pytest
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import User, UserRef

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.hostile.conftest import Caller, assert_refused, unchanged
from tests.scim import person
from tests.system import System


async def test_each_token_finds_its_own_users(new_idp: NewIdp):
    """T01: three workspaces of 50 users: listed, paged, filtered and searched, counted exactly."""
    idps = [await new_idp() for _ in range(3)]
    for idp in idps:
        for number in range(49):
            await idp.create(f"p{number}", externalId=f"e{number}")
        idp.close()  # it would be closed for us while the others are filled
    for idp in idps:
        own, found = idp.place.workspace_id, []
        for start in (1, 21, 41):
            page = (await idp.send("GET", f"/Users?startIndex={start}&count=20")).body
            assert 50 == page["totalResults"]
            found += page["Resources"]
        filtered = await idp.find("Users", 'userName ew ".example"')
        searched = (await idp.send("POST", "/.search", {"filter": "userName pr"})).body["Resources"]
        for users in (found, filtered, searched):
            assert 50 == len(users)
            assert all(user["userName"].endswith(f"@{own}.example") for user in users)


async def test_the_same_names_in_two_workspaces(neighbours: tuple[Idp, Idp]):
    """T07: the same userName and externalId twice; each token sees its own."""
    shared = person(f"both@{neighbours[0].place.workspace_id}.example", externalId="same")
    made = [(await idp.send("POST", "/Users", shared)).body for idp in neighbours]

    assert made[0]["id"] != made[1]["id"]
    for idp, user in zip(neighbours, made, strict=True):
        for filter_ in ('externalId eq "same"', f'userName eq "{shared["userName"]}"'):
            assert [user["id"]] == [found["id"] for found in await idp.find("Users", filter_)]


async def test_a_shared_account_keeps_its_name(neighbours: tuple[Idp, Idp]):
    """T09: refused, unchanged, and not a word of the other workspace."""
    here, there = neighbours
    shared = person(here.mail("both"))
    user = (await here.send("POST", "/Users", shared)).body
    await there.send("POST", "/Users", shared)

    async with unchanged(here, f"/Users/{user['id']}"):
        answer = await here.set(user["id"], userName=here.mail("other"))

    assert_refused(answer, 400, "mutability")
    assert there.place.workspace_id not in answer.body["detail"]


async def test_a_warm_cache_is_nobody_elses(neighbours: tuple[Idp, Idp]):
    """T12: what A was just given is not given to B; B's answers are its own, time and again."""
    here, there = neighbours
    user = await here.create("grace")
    for _ in range(3):
        assert user == await here.get(user["id"])
        assert_refused(await there.send("GET", f"/Users/{user['id']}"), 404)
        answers = [(await idp.send("GET", "/Users")).body for idp in neighbours]
        assert user["id"] in json.dumps(answers[0])
        assert user["id"] not in json.dumps(answers[1])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_another_workspaces_user_looks_like_none(neighbours: tuple[Idp, Idp], method: str):
    """T13: the answer to a foreign id is the answer to a random one, and nothing changes."""
    here, there = neighbours
    user = await here.create("grace")
    body = {
        "PUT": person(there.mail("x")),
        "PATCH": {"Operations": [{"op": "replace", "value": {"title": "x"}}]},
    }.get(method)
    details = []
    async with unchanged(here, f"/Users/{user['id']}"):
        for id_ in (user["id"], "0" * 32):
            answer = await there.send(method, f"/Users/{id_}", body)
            assert_refused(answer, 404)
            detail = answer.body["detail"].replace(id_, "ID")
            details.append(detail.replace(answer.headers["trace-id"], "TRACE"))

    assert details[0] == details[1]


async def test_ids_are_never_recycled(
    directory: System, caller: Caller, neighbours: tuple[Idp, Idp]
):
    """T13: a purged id is not B's to create, restore or purge."""
    here, there = neighbours
    user = await here.create("grace")
    product = directory.service_token
    purge = api.PurgeUserRequest(workspace_id=here.place.workspace_id, id=user["id"])
    await caller.ask(product, purge)

    made = (await there.send("POST", "/Users", person(there.mail("grace"), id=user["id"]))).body
    assert made["id"] != user["id"]
    own = there.place.workspace_id
    sent = User(id=user["id"], user_name=there.mail("eve"))
    made = await caller.ask(product, api.CreateUserRequest(workspace_id=own, user=sent))
    assert made.user.id != user["id"]
    for request in (
        api.RestoreUserRequest(workspace_id=own, id=user["id"]),
        api.PurgeUserRequest(workspace_id=own, id=user["id"]),
        api.GetUserRequest(workspace_id=own, user=UserRef(id=user["id"])),
    ):
        assert "USER_NOT_FOUND" == (await caller.refused(product, request)).reason
