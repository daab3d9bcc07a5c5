"""Filters, pages and preconditions that are wrong, too large, or out of date."""

import time
from urllib.parse import quote

import pytest

from tests.coverage.idp import Idp
from tests.hostile.conftest import assert_refused, unchanged
from tests.scim import person


@pytest.mark.parametrize(
    "filter_",
    [" or ".join(['userName eq "x"'] * 10_000), "(" * 5000 + "active pr" + ")" * 5000],
    ids=["10,000 terms", "5,000 parentheses"],
)
async def test_filters_that_are_too_large(idp: Idp, filter_: str):
    """Q01: refused within a second, in a query and in a body."""
    began = time.perf_counter()
    in_body = await idp.send("POST", "/.search", {"filter": filter_})
    in_query = await idp.send("GET", f"/Users?filter={quote(filter_[:20_000])}")

    assert_refused(in_body, 400, "invalidFilter")
    assert_refused(in_query, 400, "invalidFilter")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("query", "count", "start"),
    [
        ("count=-1", 0, 1),
        ("count=0", 0, 1),
        ("count=1000000000", 1, 1),
        ("startIndex=0", 1, 1),
        ("startIndex=-5", 1, 1),
        ("startIndex=1000000000", 0, 1_000_000_000),
    ],
)
async def test_pages_at_the_edges(idp: Idp, query: str, count: int, start: int):
    """Q03: clamped as RFC 7644 section 3.4.2.4 says, with the true total."""
    answer = (await idp.send("GET", f"/Users?{query}")).body

    assert (1, count) == (answer["totalResults"], len(answer.get("Resources", [])))
    assert start == answer["startIndex"]


@pytest.mark.parametrize(
    "filter_",
    [
        'nothing eq "x"',
        'userName is "x"',
        "userName eq",
        'userName eq "x',
        "emails[type",
        'password eq "x"',
        "password pr",
        'userName eq "x" and',
        "",
        'userName eq "a\\u0000b"',
    ],
)
async def test_filters_that_make_no_sense(idp: Idp, filter_: str):
    """Q08: 400 invalidFilter."""
    assert_refused(await idp.send("GET", f"/Users?filter={quote(filter_)}"), 400, "invalidFilter")


async def test_a_stale_version_changes_nothing(idp: Idp):
    """V01: 412 and unchanged by PUT, PATCH and DELETE; the fresh one is a new version."""
    user = await idp.create("grace")
    path, stale = f"/Users/{user['id']}", {"If-Match": user["meta"]["version"]}
    await idp.set(user["id"], title="Engineer")
    patch = {"Operations": [{"op": "replace", "value": {"title": "Boss"}}]}
    async with unchanged(idp, path):
        for method, body in (("PUT", person(user["userName"])), ("PATCH", patch), ("DELETE", None)):
            assert_refused(await idp.send(method, path, body, stale), 412)
    fresh = (await idp.get(user["id"]))["meta"]["version"]

    answer = await idp.send("PATCH", path, patch, {"If-Match": fresh})

    assert 200 == answer.status
    assert answer.headers["etag"] not in (fresh, stale["If-Match"])


async def test_the_version_one_has_is_not_sent_again(idp: Idp):
    """V02: 304 without a body."""
    user = await idp.create("grace")
    known = {"If-None-Match": user["meta"]["version"]}

    answer = await idp.send("GET", f"/Users/{user['id']}", None, known)

    assert (304, None) == (answer.status, answer.body)
