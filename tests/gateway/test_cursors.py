"""Pages by cursor, beside pages by index (RFC 9865)."""

from typing import Any

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User

from tests.gateway.conftest import Answer, Http
from tests.gateway.standin import Core
from tests.gateway.test_errors import assert_scim_error

USERS = rpc.ListUsersResponse(users=[User(id="u1")], total_size=3, next_page_token="to-2_")
LAST = rpc.ListUsersResponse(users=[User(id="u3")], total_size=3)
GROUPS = rpc.ListGroupsResponse(groups=[Group(id="g1")], total_size=1)


@pytest.mark.parametrize("kind", ["Users", "Groups"])
async def test_an_empty_cursor_is_the_first_page(http: Http, core: Core, kind: str):
    """The answer has the cursor of the next page, and no startIndex."""
    core.replies["ListUsers"] = USERS
    core.replies["ListGroups"] = rpc.ListGroupsResponse(
        groups=[Group(id="g1")], total_size=3, next_page_token="to-2_"
    )

    answer = await http.get(f"/{kind}?cursor&count=1")

    request = core.asked[0].request
    assert (request.page_token, request.page_size, request.skip) == ("", 1, 0)
    assert answer.body["nextCursor"] == "to-2_"
    assert (answer.body["totalResults"], answer.body["itemsPerPage"]) == (3, 1)
    assert not {"startIndex", "previousCursor"} & answer.body.keys()


async def test_a_cursor_leads_on_to_the_last_page(http: Http, core: Core):
    """The last page has no cursor."""
    core.replies["ListUsers"] = LAST

    answer = await http.get("/Users?cursor=to-2_&count=1&filter=active eq true&sortBy=userName")

    assert (core.only.request.page_token, core.only.request.order_by) == ("to-2_", "user_name")
    assert core.only.request.filter.equal.field == "active"
    assert not {"startIndex", "nextCursor"} & answer.body.keys()


async def test_without_a_cursor_pages_have_an_index(http: Http, core: Core):
    """The default method is index, also where the core could lead on."""
    core.replies["ListUsers"] = USERS

    answer = await http.get("/Users?count=1")

    assert answer.body["startIndex"] == 1
    assert "nextCursor" not in answer.body


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ("cursor=a%20b", "invalidCursor"),
        ("cursor=a%2Fb", "invalidCursor"),
        ("cursor=" + "a" * 4097, "invalidCursor"),
        ("cursor=&startIndex=1", "invalidCursor"),
        ("cursor=&count=-1", "invalidCount"),
        ("cursor=&count=1001", "invalidCount"),
        ("cursor=&count=ten", "invalidCount"),
    ],
)
async def test_what_cannot_be_asked_for(http: Http, core: Core, query: str, scim_type: str):
    """RFC 9865 section 2.1: each has an error of its own."""
    assert_scim_error(await http.get(f"/Users?{query}"), 400, scim_type)
    assert core.asked == []


async def test_a_cursor_of_another_list(http: Http, core: Core):
    """The core signs its tokens for one filter and one order."""
    core.replies["ListUsers"] = DirectoryError("PAGE_TOKEN_INVALID", "No. Begin again.")

    assert_scim_error(await http.get("/Users?cursor=stranger"), 400, "invalidCursor")


async def test_only_the_total_is_wanted(http: Http, core: Core):
    """With count=0 no cursor leads anywhere."""
    core.replies["CountUsers"] = rpc.CountUsersResponse(count=3)

    answer = await http.get("/Users?cursor=&count=0")

    assert answer.body["totalResults"] == 3
    assert not {"startIndex", "nextCursor"} & answer.body.keys()


async def _search(http: Http, path: str, **request: Any) -> Answer:
    return await http.post(path, {"schemas": [], **request})


async def test_a_search_of_one_list(http: Http, core: Core):
    """RFC 9865 section 2.5: `cursor` in the SearchRequest."""
    core.replies["ListUsers"] = USERS

    answer = await _search(http, "/Users/.search", cursor="to-1", count=1)

    assert core.only.request.page_token == "to-1"
    assert answer.body["nextCursor"] == "to-2_"


async def test_a_search_of_both_lists(http: Http, core: Core):
    """Users first, then groups; every page tells how many there are of both."""
    core.replies |= {
        "ListUsers": lambda request: LAST if request.page_token else USERS,
        "ListGroups": GROUPS,
        "CountUsers": rpc.CountUsersResponse(count=3),
        "CountGroups": rpc.CountGroupsResponse(count=1),
    }
    cursor, seen, totals = "", [], set()
    for _ in range(4):
        answer = await _search(http, "/.search", cursor=cursor, count=1)
        seen += [resource["id"] for resource in answer.body["Resources"]]
        totals.add(answer.body["totalResults"])
        cursor = answer.body.get("nextCursor", "")
        if not cursor:
            break

    assert (seen, totals) == (["u1", "u3", "g1"], {4})


@pytest.mark.parametrize("cursor", ["to-2_", "Gadget~x", "User"])
async def test_a_cursor_that_a_search_of_both_never_gave(http: Http, core: Core, cursor: str):
    """Not of any of its lists."""
    assert_scim_error(await _search(http, "/.search", cursor=cursor), 400, "invalidCursor")
