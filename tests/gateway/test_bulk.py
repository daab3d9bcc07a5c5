"""Bulk requests: one call of the core, and what is told of each operation (RFC 7644 3.7)."""

from typing import Any

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import error_reason_pb2
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.change_pb2 import UserChange, UserValue
from userdirectory.v1.deviation_pb2 import DEVIATION_KIND_FORM
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import User, UserRef

from tests.gateway.conftest import BASE, Http
from tests.gateway.standin import Core
from tests.gateway.test_errors import assert_scim_error

REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
ADA = {"userName": "ada"}
REPLACE = {"Operations": [{"op": "Replace", "path": "title", "value": "Chief"}]}
NO_VERB = {"method": "GET", "path": "/Users/u1"}


def bulk(*operations: Any, **envelope: Any) -> dict[str, Any]:
    return {"schemas": [REQUEST], "Operations": list(operations)} | envelope


def post(bulk_id: str, data: Any = None) -> dict[str, Any]:
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data or ADA}


def done(request: rpc.BatchWriteRequest) -> rpc.BatchWriteResponse:
    """Answer that every write was made; `v1` of a resource with the id `made-INDEX`."""
    response = rpc.BatchWriteResponse()
    for index, operation in enumerate(request.operations):
        result = response.results.add(index=index)
        kind = operation.WhichOneof("write") or ""
        if kind.startswith("delete"):
            result.deleted_id = f"made-{index}"
        else:
            written = result.user if kind.endswith("user") else result.group
            written.id, written.etag = f"made-{index}", 'W/"1"'
    return response


async def test_every_kind_of_operation_in_one_call(http: Http, core: Core):
    """Methods in any case, references as they are, versions as etags; quirks as everywhere."""
    core.replies["BatchWrite"] = done

    answer = await http.post(
        "/Bulk",
        bulk(
            post("ada"),
            {"method": "put", "path": "Users/u1", "data": ADA, "version": 'W/"3"'},
            {"method": "Patch", "path": "/Users/bulkId:ada", "data": REPLACE},
            {"method": "DELETE", "path": f"{BASE}/Users/u2", "version": '"4"'},
            {
                "method": "POST",
                "path": "/Groups",
                "bulkId": "g",
                "data": {"displayName": "G", "members": [{"value": "bulkId:ada"}]},
            },
            {"method": "PUT", "path": "/scim/v2/Groups/g1", "data": {"displayName": "H"}},
            {"method": "PATCH", "path": "/Groups/g1", "data": REPLACE},
            {"method": "DELETE", "path": "/Groups/g2"},
            failOnErrors=3,
        ),
    )

    request = core.only.request
    ref = UserRef(id="bulkId:ada")
    title = UserChange(set=UserValue(field="title", value=User(title="Chief")))
    assert request.fail_on_errors == 3
    assert request.operations[0] == rpc.WriteOperation(
        ref="ada", create_user=rpc.CreateUserRequest(user=User(user_name="ada"))
    )
    replaced = request.operations[1].update_user
    assert (replaced.user, list(replaced.update_mask.paths), replaced.whole) == (
        User(id="u1", etag='W/"3"', user_name="ada"),
        ["user_name"],
        True,
    )
    told = request.operations[2].patch_user
    assert (told.user, list(told.changes)) == (ref, [title])
    assert told.deviation.kind == DEVIATION_KIND_FORM
    removed = rpc.DeleteUserRequest(user=UserRef(id="u2"), etag='W/"4"')
    assert request.operations[3].delete_user == removed
    created = Group(display_name="G", members=[Member(member_id="bulkId:ada")])
    assert request.operations[4].create_group.group == created
    assert request.operations[5].update_group.update_mask.paths == ["display_name", "members"]
    assert request.operations[6].patch_group.unknown_attributes == ["title"]
    assert request.operations[7].delete_group == rpc.DeleteGroupRequest(id="g2")
    assert answer.status == 200
    assert answer.body["schemas"] == [RESPONSE]
    assert [(each["method"], each["status"]) for each in answer.body["Operations"]] == [
        ("POST", "201"), ("PUT", "200"), ("PATCH", "200"), ("DELETE", "204"),
        ("POST", "201"), ("PUT", "200"), ("PATCH", "200"), ("DELETE", "204"),
    ]  # fmt: skip
    assert answer.body["Operations"][0] == {
        "method": "POST",
        "bulkId": "ada",
        "version": 'W/"1"',
        "location": f"{BASE}/Users/made-0",
        "status": "201",
    }
    assert answer.body["Operations"][7] == {
        "method": "DELETE",
        "location": f"{BASE}/Groups/made-7",
        "status": "204",
    }


async def test_a_refusal_is_told_with_its_error(http: Http, core: Core):
    """Each operation has its own status, as text, and the error that it would have had alone."""
    refused = rpc.WriteError(
        reason=error_reason_pb2.ERROR_REASON_VALUE_TAKEN,
        message="The user_name ada is taken. Use another.",
        metadata={"field": "user_name", "value": "ada"},
    )
    away = rpc.WriteError(reason=error_reason_pb2.ERROR_REASON_USER_NOT_FOUND, message="No. Stop.")
    core.replies["BatchWrite"] = rpc.BatchWriteResponse(
        results=[rpc.WriteResult(index=0, error=refused), rpc.WriteResult(index=1, error=away)]
    )

    answer = await http.post("/Bulk", bulk(post("a"), {"method": "DELETE", "path": "/Users/u9"}))

    taken, missing = answer.body["Operations"]
    assert taken["status"] == taken["response"]["status"] == "409"
    assert taken["response"]["scimType"] == "uniqueness"
    assert "userName ada" in taken["response"]["detail"]
    assert "location" not in taken
    assert (missing["status"], missing["location"]) == ("404", f"{BASE}/Users/u9")


@pytest.mark.parametrize(
    ("sent", "status", "scim_type"),
    [
        ("DELETE /Users/u1", "400", "invalidSyntax"),
        (NO_VERB, "400", "invalidSyntax"),
        ({"path": "/Users/u1"}, "400", "invalidSyntax"),
        ({"method": 7, "path": "/Users/u1"}, "400", "invalidSyntax"),
        ({"method": "DELETE"}, "400", "invalidSyntax"),
        ({"method": "DELETE", "path": "/Users"}, "405", None),
        ({"method": "POST", "path": "/Users/u1", "bulkId": "x", "data": ADA}, "405", None),
        ({"method": "DELETE", "path": "/Gadgets/u1"}, "404", None),
        ({"method": "DELETE", "path": "/Users/u1/emails"}, "404", None),
        ({"method": "DELETE", "path": "/Users/%00"}, "404", None),
        ({"method": "POST", "path": "/Users", "data": ADA}, "400", "invalidValue"),
        ({"method": "POST", "path": "/Users", "bulkId": 7, "data": ADA}, "400", "invalidSyntax"),
        ({"method": "POST", "path": "/Users", "bulkId": "a", "data": ADA}, "400", "invalidValue"),
        ({"method": "PUT", "path": "/Users/u1"}, "400", "invalidSyntax"),
        ({"method": "PUT", "path": "/Users/u1", "data": [ADA]}, "400", "invalidSyntax"),
        (post("x", {"userName": 7}), "400", "invalidValue"),
        (
            {"method": "PATCH", "path": "/Users/u1", "data": {"Operations": []}},
            "400",
            "invalidSyntax",
        ),
    ],
)
async def test_one_operation_that_cannot_be_read(
    http: Http, core: Core, sent: Any, status: str, scim_type: str | None
):
    """It never reaches the core, and the results of the others stay theirs."""
    core.replies["BatchWrite"] = done

    answer = await http.post("/Bulk", bulk(post("a"), sent, post("b")))

    assert [operation.ref for operation in core.only.request.operations] == ["a", "b"]
    first, wrong, last = answer.body["Operations"]
    assert (first["bulkId"], first["location"]) == ("a", f"{BASE}/Users/made-0")
    assert (last["bulkId"], last["location"]) == ("b", f"{BASE}/Users/made-1")
    assert wrong["status"] == wrong["response"]["status"] == status
    assert wrong["response"].get("scimType") == scim_type


@pytest.mark.parametrize(
    ("operations", "most", "asked", "left", "told"),
    [
        ([post("a"), NO_VERB, post("b")], 1, ["a"], 1, ["201", "400"]),
        ([post("a"), NO_VERB, post("b")], 2, ["a", "b"], 1, ["201", "400", "201"]),
        ([NO_VERB, NO_VERB, post("a")], 2, [], 1, ["400", "400"]),
        ([NO_VERB, post("a"), NO_VERB, NO_VERB], 2, ["a"], 1, ["400", "201", "400"]),
        ([NO_VERB, post("a")], 0, ["a"], 0, ["400", "201"]),
    ],
)
async def test_unreadable_operations_count_as_errors(
    http: Http,
    core: Core,
    operations: list[Any],
    most: int,
    asked: list[str],
    left: int,
    told: list[str],
):
    """What comes after the last error that is allowed is not tried."""
    core.replies["BatchWrite"] = done

    answer = await http.post("/Bulk", bulk(*operations, failOnErrors=most))

    assert [operation.ref for operation in core.only.request.operations] == asked
    assert core.only.request.fail_on_errors == left
    assert [each["status"] for each in answer.body["Operations"]] == told


async def test_what_the_core_did_not_try_is_not_told(http: Http, core: Core):
    """Fewer results than operations: the request stopped."""
    stopped = rpc.WriteError(reason=error_reason_pb2.ERROR_REASON_NO_SEAT, message="Full. Pay.")
    core.replies["BatchWrite"] = rpc.BatchWriteResponse(
        results=[rpc.WriteResult(index=0, error=stopped)]
    )

    answer = await http.post("/Bulk", bulk(post("a"), post("b"), failOnErrors=1))

    assert [each["status"] for each in answer.body["Operations"]] == ["403"]


@pytest.mark.parametrize(
    ("body", "status", "scim_type"),
    [
        ({}, 400, "invalidSyntax"),
        ({"Operations": []}, 400, "invalidSyntax"),
        ({"Operations": {}}, 400, "invalidSyntax"),
        (bulk(post("a"), failOnErrors="two"), 400, "invalidValue"),
        (bulk(post("a"), failOnErrors=True), 400, "invalidValue"),
        (bulk(post("a"), failOnErrors=-1), 400, "invalidValue"),
        (bulk(*[NO_VERB] * 1001), 413, ""),
        (bulk(post("a", {"userName": "x" * 1024 * 1024})), 413, ""),
        (b"{", 400, "invalidSyntax"),
    ],
)
async def test_a_request_that_is_malformed_as_a_whole(
    http: Http, core: Core, body: Any, status: int, scim_type: str
):
    """Nothing is tried."""
    assert_scim_error(await http.post("/Bulk", body), status, scim_type)

    assert core.asked == []


async def test_as_many_operations_as_are_told(http: Http, core: Core):
    """The number in the ServiceProviderConfig is the one that is enforced."""
    config = (await http.get("/ServiceProviderConfig")).body["bulk"]
    core.clear()
    core.replies["BatchWrite"] = done

    operations = [post(str(number)) for number in range(config["maxOperations"])]
    answer = await http.post("/Bulk", bulk(*operations))

    assert config == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 1024 * 1024}
    assert len(answer.body["Operations"]) == len(core.only.request.operations) == 1000


async def test_the_credential_is_asked_for_also_if_nothing_can_be_done(http: Http, core: Core):
    """A stranger learns nothing of what he sent."""
    core.replies["BatchWrite"] = DirectoryError("CREDENTIAL_INVALID", "No. Stop.")

    assert_scim_error(await http.post("/Bulk", bulk(NO_VERB)), 401)
    assert_scim_error(await http.post("/Bulk", bulk(post("a"))), 401)


async def test_members_in_any_case(http: Http, core: Core):
    """Names are case-insensitive (RFC 7643 section 2.1)."""
    core.replies["BatchWrite"] = done

    answer = await http.post(
        "/w/acme/Bulk",
        {"operations": [{"Method": "post", "PATH": "/users", "BulkID": "a", "Data": ADA}]},
    )

    assert core.only.request.workspace_id == "acme"
    assert answer.body["Operations"][0]["location"] == f"{BASE}/w/acme/Users/made-0"


async def test_bulk_is_for_post_alone(http: Http):
    """RFC 7644 section 3.7; the header says so."""
    answer = await http.get("/Bulk")

    assert_scim_error(answer, 405)
    assert answer.headers["allow"] == "POST"
