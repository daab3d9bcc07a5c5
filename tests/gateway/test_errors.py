"""This reason becomes this SCIM error; everything else gives nothing away."""

import logging
import re

import grpc
import pytest
from userdirectory.errors import DirectoryError, reasons
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.user_pb2 import User

from scim_gateway import errors
from tests.gateway.conftest import Answer, Http
from tests.gateway.standin import Core

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM_TYPES = {
    "",
    "uniqueness",
    "mutability",
    "invalidValue",
    "invalidPath",
    "invalidFilter",
    "invalidSyntax",
    "noTarget",
    "invalidCursor",  # RFC 9865
}


def assert_scim_error(answer: Answer, status: int, scim_type: str = "") -> None:
    """Check the form of an error (RFC 7644 section 3.12)."""
    assert answer.status == status
    assert answer.body["schemas"] == [ERROR]
    assert answer.body["status"] == str(status)
    assert answer.body.get("scimType", "") == scim_type
    trace = answer.headers["trace-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", trace)
    assert re.fullmatch(rf".+[.!?] \(trace {trace}\)", answer.body["detail"])


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the gateway has logged, and not what libraries did."""
    return [record for record in caplog.records if record.name.startswith("scim_gateway")]


def test_the_table_is_total():
    """Every reason of the contract has a status, and no other has."""
    assert set(errors.STATUSES) == set(reasons())
    assert {scim_type for _, scim_type in errors.STATUSES.values()} <= SCIM_TYPES


@pytest.mark.parametrize("reason", reasons())
async def test_every_reason(http: Http, core: Core, reason: str):
    """A refusal of the core is a SCIM error with its message and the trace."""
    core.replies["GetUser"] = DirectoryError(reason, "Something is wrong. Do something else.")

    answer = await http.get("/Users/u1")

    status, scim_type = errors.STATUSES[reason]
    assert_scim_error(answer, status, scim_type)
    assert status < 500 or status == 501 or int(answer.headers["retry-after"]) > 0
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("reason", "metadata", "status", "scim_type"),
    [
        ("VALUE_TAKEN", {"field": "user_name"}, 409, "uniqueness"),
        ("PROTOCOL_DEVIATION", {"kind": "FORM"}, 400, "invalidSyntax"),
        ("PROTOCOL_DEVIATION", {"kind": "NAME"}, 400, "invalidPath"),
        ("PROTOCOL_DEVIATION", {"kind": "VALUE"}, 400, "invalidValue"),
        ("PROTOCOL_DEVIATION", {"kind": "FILTER"}, 400, "invalidFilter"),
        ("PROTOCOL_DEVIATION", {"kind": "READ_ONLY"}, 400, "mutability"),
        ("ETAG_MISMATCH", {"etag": 'W/"9"'}, 412, ""),
        ("NO_SEAT", {"used": 5, "total": 5}, 403, ""),
        ("REGION_NOT_REMOVABLE", {}, 400, "mutability"),
        ("NAME_UNKNOWN", {"field": "workplace.teams"}, 400, "invalidValue"),
        ("NO_TARGET", {"field": "emails"}, 400, "noTarget"),
        ("WORKSPACE_MISMATCH", {}, 404, ""),
    ],
)
@pytest.mark.rule("R-046", "R-121", "R-143", "D-12")
async def test_reasons_that_clients_lean_on(
    http: Http, core: Core, reason: str, metadata: dict[str, object], status: int, scim_type: str
):
    """Statuses that identity providers act on."""
    core.replies["DeleteUser"] = DirectoryError(reason, "No. Stop.", **metadata)

    assert_scim_error(await http.delete("/Users/u1"), status, scim_type)


async def test_rate_limit(http: Http, core: Core):
    """429 tells whole seconds: Okta reads no dates."""
    core.replies["GetUser"] = DirectoryError("RATE_LIMITED", "Slow. Wait.", retry_after_seconds=17)

    answer = await http.get("/Users/u1")

    assert_scim_error(answer, 429)
    assert answer.headers["retry-after"] == "17"


@pytest.mark.parametrize(
    ("field", "message", "shown"),
    [
        ("user_name", "Field user_name is empty. Send it.", "Field userName is empty. Send it."),
        (
            "enterprise.manager.user_id",
            "enterprise.manager.user_id is bad.",
            "manager.value is bad.",
        ),
        (
            "emails",
            "Field emails has too many. Send less.",
            "Field emails has too many. Send less.",
        ),
        ("time_zone", "Field time_zones is none. Go.", "Field time_zones is none. Go."),
        ("unheard", "Field unheard is bad. Go.", "Field unheard is bad. Go."),
    ],
)
async def test_people_read_scim_names(http: Http, core: Core, field: str, message: str, shown: str):
    """The detail is for people who see SCIM's names and never the contract's."""
    core.replies["GetUser"] = DirectoryError("FIELD_INVALID", message, field=field)

    answer = await http.get("/Users/u1")

    assert answer.body["detail"].startswith(f"{shown} (trace ")


@pytest.mark.parametrize(
    ("code", "text", "status", "retry"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connect to postgres://u:p@h failed", 503, True),
        (grpc.StatusCode.CANCELLED, "x", 503, True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "x", 504, True),
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "Received message larger than max (5 vs. 4)",
            413,
            False,
        ),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!", 503, True),
        (grpc.StatusCode.INTERNAL, "Exception calling application: postgres://u:p@h", 500, False),
        (grpc.StatusCode.UNKNOWN, "select * from users", 500, False),
        (grpc.StatusCode.UNIMPLEMENTED, "Method not found!", 500, False),
    ],
)
async def test_failures_without_a_reason(
    http: Http, core: Core, code: grpc.StatusCode, text: str, status: int, retry: bool
):
    """Only the kind of failure is told, never its text."""
    core.replies["GetUser"] = (code, text)

    answer = await http.get("/Users/u1")

    assert_scim_error(answer, status)
    assert text not in answer.body["detail"]
    assert ("retry-after" in answer.headers) == retry


async def test_faults_of_the_core_are_logged_once(
    http: Http, core: Core, caplog: pytest.LogCaptureFixture
):
    """With the trace, which leads to the cause in the core's log, and without the core's words."""
    core.replies["GetUser"] = (grpc.StatusCode.INTERNAL, "postgres://u:p@h")

    with caplog.at_level(logging.INFO):
        answer = await http.get("/Users/u1")

    (record,) = [r for r in ours(caplog) if r.levelno == logging.ERROR]
    assert answer.headers["trace-id"] in record.getMessage()
    assert "postgres" not in caplog.text


async def test_a_callers_mistake_is_no_error_of_ours(
    http: Http, core: Core, caplog: pytest.LogCaptureFixture
):
    """It is one line at INFO."""
    core.replies["GetUser"] = DirectoryError("USER_NOT_FOUND", "No user. Look it up.")

    with caplog.at_level(logging.INFO):
        await http.get("/Users/u1")

    assert [r.levelname for r in ours(caplog)] == ["INFO"]


async def test_a_fault_in_the_gateway_says_nothing(
    http: Http, core: Core, caplog: pytest.LogCaptureFixture
):
    """An answer that cannot be written is a 500; the cause is in the log, once."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1", groups=[{"display": "x"}]))

    answer = await http.get("/Users/u1")

    assert_scim_error(answer, 500)
    assert "KeyError" not in answer.body["detail"]
    (record,) = [r for r in ours(caplog) if r.levelno == logging.ERROR]
    assert answer.headers["trace-id"] in record.getMessage()
    assert record.exc_info is not None
