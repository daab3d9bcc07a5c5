"""One write, sent again and again: over gRPC and over SCIM, by one core and by two."""

import asyncio

from userdirectory.v1.user_pb2 import Name, User

from tests.races.arena import Arena
from tests.scim import person

NAME = "grace@example.com"


async def test_the_same_key_ten_times_in_parallel_is_one_execution(arena: Arena):
    """Five times at each core: one user, the same answer for all (I03)."""
    user = User(user_name=NAME, name=Name(given_name="Grace", family_name="Hopper"))
    answers = await asyncio.gather(
        *(door.create_as(user, "k") for _ in range(5) for door in arena.doors)
    )

    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert not answers[0].existed
    assert [found.id for found in await arena.doors[0].named(NAME)] == [answers[0].user.id]


async def test_a_post_repeated_with_its_key_is_answered_as_before(arena: Arena):
    """POST /Users twice: 201 both times, the same id; without a key the second is 409 (I01)."""
    keyed = {"Idempotency-Key": '"8e03978e"'}
    first = await arena.scim.request("POST", "/Users", person(NAME), keyed)
    again = await arena.scim.request("POST", "/Users", person(NAME), keyed)
    bare = await arena.scim.request("POST", "/Users", person(NAME))
    other = await arena.scim.request("POST", "/Users", person("other@example.com"), keyed)

    assert (first.status, again.status, bare.status) == (201, 201, 409)
    assert again.body == first.body
    assert (other.status, other.body["scimType"]) == (400, "invalidValue")
    assert [found.id for found in await arena.doors[0].named(NAME)] == [first.body["id"]]


async def test_a_patch_repeated_with_its_key_changes_nothing_more(arena: Arena):
    """The same PATCH in parallel from one client: one version, one answer (I03)."""
    made = await arena.scim.request("POST", "/Users", person(NAME))
    body = {"Operations": [{"op": "replace", "path": "title", "value": "Admiral"}]}
    path, keyed = f"/Users/{made.body['id']}", {"Idempotency-Key": "p"}
    etag = {"If-Match": made.body["meta"]["version"]}
    answers = await asyncio.gather(
        *(arena.scim.request("PATCH", path, body, keyed | etag) for _ in range(10))
    )

    assert {answer.status for answer in answers} == {200}
    assert len({str(answer.body) for answer in answers}) == 1


async def test_a_bulk_request_has_no_key(arena: Arena):
    """It is as many writes as it has operations: with a key it is refused, and nothing is made."""
    create = {"method": "POST", "path": "/Users", "bulkId": "a", "data": person(NAME)}
    bulk = await arena.scim.request(
        "POST", "/Bulk", {"Operations": [create]}, {"Idempotency-Key": "b"}
    )

    assert (bulk.status, bulk.body["scimType"]) == (400, "invalidValue")
    assert await arena.doors[0].named(NAME) == []
