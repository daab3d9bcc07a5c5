"""What a list, a search and a projection ask the core for."""

import json
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.filter_pb2 import Comparison, Filter
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User

from tests.gateway.conftest import Http
from tests.gateway.standin import Core
from tests.gateway.test_errors import assert_scim_error
from tests.gateway.test_users import ADA, ADA_JSON, ENTERPRISE, USER, WORKPLACE

META = ["etag", "create_time", "update_time"]


@pytest.mark.parametrize(
    ("query", "start", "size"),
    [
        ("", 1, 100),
        ("startIndex=0&count=2", 1, 2),
        ("startIndex=-5&count=2", 1, 2),
        ("startIndex=99000001&count=100", 99000001, 100),
        ("count=1000000", 1, 1000),
        ("startIndex=&count=", 1, 100),
        ("count=+7", 1, 7),
        ("startIndex=3&", 3, 100),
        ("&&startIndex=3&aadOptscim062020", 3, 100),
        ("flag&foo=1&foo=2&startIndex=3", 3, 100),
    ],
)
async def test_paging(http: Http, core: Core, query: str, start: int, size: int):
    """generic-paging-edges, okta-import-paging: brought into range, unknown things tolerated."""
    answer = await http.get(f"/Users?{query}")

    assert (core.only.request.skip, core.only.request.page_size) == (start - 1, size)
    assert answer.body["startIndex"] == start


@pytest.mark.parametrize("count", ["0", "-1", "-999"])
async def test_no_resources_wanted(http: Http, core: Core, count: str):
    """A count below one tells the total only."""
    core.replies["CountUsers"] = rpc.CountUsersResponse(count=6)

    answer = await http.get(f"/Users?count={count}&filter=active eq true")

    assert core.only.request.filter == Filter(equal=Comparison(field="active", flag=True))
    assert answer.body["totalResults"] == 6
    assert (answer.body["itemsPerPage"], answer.body["Resources"]) == (0, [])


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ("count=ten", "invalidValue"),
        ("count=1.5", "invalidValue"),
        ("count=1e3", "invalidValue"),
        ("count=0x10", "invalidValue"),
        ("count=%D9%A3", "invalidValue"),
        ("startIndex=" + "9" * 19, "invalidValue"),
        ("count=1&count=2", "invalidValue"),
        ("filter=active eq true&filter=active eq false", "invalidValue"),
        ("sortOrder=sideways", "invalidValue"),
        ("sortBy=shoeSize", "invalidValue"),
        ("sortBy=password", "invalidValue"),
        ("sortBy=name", "invalidValue"),
        ("filter=%FF", "invalidValue"),
        ("filter=", "invalidFilter"),
        ("filter=userName+eq", "invalidFilter"),
        ("filter=(userName+eq+%22x%22", "invalidFilter"),
        ("filter=password eq x", "invalidFilter"),
        ("filter=userName eq %22a%00b%22", "invalidFilter"),
        ("filter=" + "%28" * 5000, "invalidFilter"),
    ],
)
async def test_bad_queries(http: Http, core: Core, query: str, scim_type: str):
    """Strict integers, nothing chosen silently, and the core is not asked."""
    assert_scim_error(await http.get(f"/Users?{query}"), 400, scim_type)
    assert core.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "filter=userName+eq+%22ada%40example.com%22",
        "filter=userName%20eq%20%22ada%40example.com%22",
        "filter=userName+eq+%22ada%40example.com%22&",
        "aadOptscim062020&filter=userName+eq+%22ada%40example.com%22",
        "filter=userName+eq+ada%40example.com",
        "filter=username%20Eq%20%22ada@example.com%22",
        "filter=%20%20userName%20%20eq%20%20%22ada@example.com%22%20",
    ],
)
async def test_one_filter_in_many_spellings(http: Http, core: Core, query: str):
    """onelogin, okta, entra, authentik, pingfederate."""
    await http.get(f"/Users?{query}")

    assert core.only.request.filter == Filter(
        equal=Comparison(field="user_name", text="ada@example.com")
    )


@pytest.mark.parametrize(
    ("sort", "order_by"),
    [
        ("sortBy=userName", "user_name"),
        ("sortBy=USERNAME&sortOrder=Descending", "user_name desc"),
        ("sortBy=meta.lastModified", "update_time"),
        ("sortBy=emails", "emails.value"),
        (f"sortBy={ENTERPRISE}:department", "enterprise.department"),
        ("sortOrder=descending", ""),
    ],
)
async def test_order(http: Http, core: Core, sort: str, order_by: str):
    """RFC 7644 section 3.4.2.3."""
    await http.get(f"/Users?{sort}")

    assert core.only.request.order_by == order_by


def shown(*names: str) -> dict[str, Any]:
    """Return the parts of the user that have these names, `id` and `schemas` with them."""
    urns = [USER, *(urn for urn in (ENTERPRISE, WORKPLACE) if urn in names)]
    return {"schemas": urns, "id": "u1"} | {name: ADA_JSON[name] for name in names}


@pytest.mark.parametrize(
    ("query", "fields", "document"),
    [
        ("attributes=userName", ["id", "user_name"], shown("userName")),
        ("attributes=id", ["id"], shown()),
        ("attributes=shoeSize", ["id"], shown()),
        (
            "attributes=USERNAME,%20emails",
            ["id", "user_name", "emails"],
            shown("userName", "emails"),
        ),
        (f"attributes={USER}:userName", ["id", "user_name"], shown("userName")),
        (
            "attributes=name.givenName,emails.value",
            ["id", "name", "emails"],
            shown() | {"name": {"givenName": "Ada"}, "emails": [{"value": "ada@example.com"}]},
        ),
        ("attributes=name.givenName,name", ["id", "name"], shown("name")),
        ("attributes=name,name.givenName", ["id", "name"], shown("name")),
        (f"attributes={ENTERPRISE}", ["id", "enterprise"], shown(ENTERPRISE)),
        (
            f"attributes={ENTERPRISE}:manager.value",
            ["id", "enterprise"],
            shown() | {"schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": "u2"}}},
        ),
        ("attributes=password", ["id"], shown()),
        ("attributes=meta", ["id"], shown("meta")),
        ("attributes=meta.resourcetype", ["id"], shown() | {"meta": {"resourceType": "User"}}),
        ("attributes=", None, ADA_JSON),
        (
            "excludedAttributes=emails,name.familyName,id,schemas,groups.display",
            [
                "id",
                "external_id",
                "user_name",
                "name",
                "display_name",
                "nick_name",
                "profile_url",
                "title",
                "position",
                "preferred_language",
                "locale",
                "time_zone",
                "active",
                "phone_numbers",
                "ims",
                "addresses",
                "entitlements",
                "roles",
                "x509_certificates",
                "groups",
                "enterprise",
                "workplace",
                "custom",
            ],
            {name: value for name, value in ADA_JSON.items() if name != "emails"}
            | {
                "name": {"givenName": "Ada"},
                "groups": [
                    {k: v for k, v in ADA_JSON["groups"][0].items() if k != "display"}  # type: ignore[index]
                ],
            },
        ),
        (
            "attributes=userName,emails&excludedAttributes=emails",
            ["id", "user_name"],
            shown("userName"),
        ),
    ],
)
async def test_projection(
    http: Http, core: Core, query: str, fields: list[str] | None, document: dict[str, Any]
):
    """Only what is wanted is read, and nothing else is sent; `id` and `schemas` always are."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=ADA)

    answer = await http.get(f"/Users/u1?{query}")

    assert answer.body == document
    paths = list(core.only.request.read_mask.paths)
    assert paths == ([] if fields is None else [*fields, *META])


async def test_projection_of_writes(http: Http, core: Core):
    """RFC 7644 section 3.9: on every answer with a resource; Location is always whole."""
    core.replies["CreateUser"] = rpc.CreateUserResponse(user=ADA)
    core.replies["PatchUser"] = rpc.PatchUserResponse(user=ADA)
    core.replies["UpdateUser"] = rpc.UpdateUserResponse(user=ADA)

    created = await http.post("/Users?attributes=userName", {"userName": "a"})
    replaced = await http.put("/Users/u1?attributes=userName", {"userName": "a"})
    patched = await http.patch("/Users/u1?attributes=userName", {"op": "remove", "path": "title"})

    assert created.body == replaced.body == patched.body == shown("userName")
    assert created.headers["location"].endswith("/Users/u1")


async def test_projection_of_false(http: Http, core: Core):
    """False is a value."""
    user = User(id="u1", active=False, create_time=Timestamp())
    core.replies["GetUser"] = rpc.GetUserResponse(user=user)

    answer = await http.get("/Users/u1?attributes=active")

    assert answer.body["active"] is False


SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


async def test_search(http: Http, core: Core):
    """A SearchRequest is a list with its parameters in the body (RFC 7644 section 3.4.3)."""
    core.replies["ListUsers"] = rpc.ListUsersResponse(users=[ADA], total_size=7)

    answer = await http.post(
        "/Users/.search",
        {
            "schemas": [SEARCH],
            "attributes": ["userName"],
            "Filter": 'userName sw "a"',
            "sortBy": "userName",
            "startIndex": 2,
            "count": 1,
        },
    )

    request = core.only.request
    assert request.filter == Filter(starts_with=Comparison(field="user_name", text="a"))
    assert (request.skip, request.page_size, request.order_by) == (1, 1, "user_name")
    assert answer.body["Resources"] == [shown("userName")]
    assert (answer.body["totalResults"], answer.body["startIndex"]) == (7, 2)


@pytest.mark.parametrize(
    ("document", "scim_type"),
    [
        ({"count": "ten"}, "invalidValue"),
        ({"count": 1.5}, "invalidSyntax"),
        ({"count": True}, "invalidSyntax"),
        ({"filter": ["x"]}, "invalidSyntax"),
        ({"filter": {"x": 1}}, "invalidSyntax"),
        ({"filter": "shoeSize pr"}, "invalidFilter"),
    ],
)
async def test_bad_searches(http: Http, core: Core, document: dict[str, Any], scim_type: str):
    """Types are checked as those of the query are."""
    for path in ("/Users/.search", "/.search"):
        assert_scim_error(await http.post(path, document), 400, scim_type)
    assert core.asked == []


@pytest.mark.parametrize(
    ("start", "count", "found", "asked"),
    [
        (1, 10, ["u1", "u2", "g1", "g2"], [(0, 10), (0, 8)]),
        (2, 2, ["u2", "g1"], [(1, 2), (0, 1)]),
        (3, 2, ["g1", "g2"], [(2, 2), (0, 2)]),
        (4, 2, ["g2"], [(3, 2), (1, 2)]),
    ],
)
async def test_search_of_everything(
    http: Http, core: Core, start: int, count: int, found: list[str], asked: list[tuple[int, int]]
):
    """Users, then groups, as if they were one list."""
    core.replies["ListUsers"] = lambda request: rpc.ListUsersResponse(
        users=[User(id=name) for name in ("u1", "u2")][request.skip :][: request.page_size],
        total_size=2,
    )
    core.replies["ListGroups"] = lambda request: rpc.ListGroupsResponse(
        groups=[Group(id=name) for name in ("g1", "g2")][request.skip :][: request.page_size],
        total_size=2,
    )

    answer = await http.post("/.search", {"startIndex": start, "count": count})

    assert [resource["id"] for resource in answer.body["Resources"]] == found
    assert answer.body["totalResults"] == 4
    assert [(call.request.skip, call.request.page_size) for call in core.asked] == asked


async def test_search_of_everything_that_users_fill(http: Http, core: Core):
    """A page that is full of users only counts the groups."""
    core.replies["ListUsers"] = rpc.ListUsersResponse(users=[User(id="u1")], total_size=5)
    core.replies["CountGroups"] = rpc.CountGroupsResponse(count=3)

    answer = await http.post("/.search", {"count": 1})

    assert [call.method for call in core.asked] == ["ListUsers", "CountGroups"]
    assert answer.body["totalResults"] == 8


async def test_search_by_what_only_one_kind_has(http: Http, core: Core):
    """Groups have no userName, so none matches; that is no error."""
    core.replies["ListUsers"] = rpc.ListUsersResponse(users=[User(id="u1")], total_size=1)

    answer = await http.post("/.search", {"filter": 'userName eq "a"'})

    assert core.only.method == "ListUsers"
    assert answer.body["totalResults"] == 1


async def test_an_answer_is_json(http: Http, core: Core):
    """Text of every kind survives."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1", title='é☃😀\u2028<&>"\\'))

    answer = await http.get("/Users/u1")

    assert answer.body["title"] == 'é☃😀\u2028<&>"\\'
    assert json.dumps(answer.body)
