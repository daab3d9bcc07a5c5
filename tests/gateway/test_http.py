"""Headers, credentials, methods and addresses."""

import logging
from typing import Any

import grpc
import pytest
from falcon.testing import ASGIConductor
from userdirectory.errors import DirectoryError
from userdirectory.v1 import user_directory_pb2 as rpc
from userdirectory.v1.user_pb2 import User

from scim_gateway.app import Stubs, create_app
from scim_gateway.settings import Settings
from tests.gateway.conftest import BASE, TOKEN, Http
from tests.gateway.standin import Core
from tests.gateway.test_errors import assert_scim_error

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "sent",
    [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN}", TOKEN, f" Bearer {TOKEN} "],
)
@pytest.mark.rule("R-060", "D-44")
async def test_credentials_are_forwarded(http: Http, core: Core, sent: str):
    """The scheme may be in any case or missing (Okta's Header mode)."""
    await http.get("/Users/u1", headers={"authorization": sent})

    assert core.only.metadata["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "Bearer a b",
        "Bearer a\tb",
        "Bearer ümlaut",
        "Bearer a\x01b",
        "Bearer " + "x" * 513,
        "x" * 5000,
    ],
)
@pytest.mark.rule("R-060")
async def test_without_a_usable_credential_the_core_is_not_asked(http: Http, core: Core, sent: str):
    """Missing and malformed are 401 alike."""
    for path in ("/Users", "/Users/u1", "/Groups", "/ServiceProviderConfig", "/Me", ""):
        answer = await http.get(path, headers={"authorization": sent})
        assert_scim_error(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert core.asked == []


async def test_the_core_is_told_the_address_of_the_socket(http: Http, core: Core):
    """X08: whatever headers say of who asks."""
    named = {"x-forwarded-for": "198.51.100.1", "forwarded": "for=198.51.100.1"}
    await http.get("/Users", headers=named | {"client-address": "198.51.100.1"})

    assert core.only.metadata["client-address"] == "127.0.0.1"


async def test_a_missing_and_a_wrong_credential_look_the_same(http: Http, core: Core):
    """Nobody learns which tokens exist."""
    missing = await http.get("/Users", headers={"authorization": ""})
    core.replies["ListUsers"] = DirectoryError("CREDENTIAL_INVALID", "This token was revoked.")
    wrong = await http.get("/Users")

    for answer in (missing, wrong):
        answer.body["detail"] = answer.body["detail"].partition(" (trace")[0]
    assert missing.body == wrong.body


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/scim+json"),
        ("*/*", "application/scim+json"),
        ("application/scim+json", "application/scim+json"),
        ("application/scim+json; charset=utf-8", "application/scim+json"),
        ("application/json", "application/json"),
        ("Application/JSON", "application/json"),
        ("application/json, text/plain;q=0.9, */*;q=0.5", "application/json"),
        ("application/json, application/scim+json", "application/scim+json"),
        ("text/html, image/gif, *; q=.2, */*; q=.2", "application/scim+json"),
        ("nonsense", "application/scim+json"),
    ],
)
@pytest.mark.rule("R-082")
async def test_any_accept_is_answered(http: Http, accept: str, content_type: str):
    """onelogin-enable-connection: plain JSON for those who want that alone, never 406."""
    for path, status in (("/Users", 200), ("/Widgets", 404)):
        answer = await http.get(path, headers={"accept": accept})
        assert (answer.status, answer.headers["content-type"]) == (status, content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/scim+json",
        "application/json",
        "Application/SCIM+JSON; Charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json; charset=utf8",
        "application/scim+json; profile=x; charset=utf-8",
    ],
)
async def test_json_in_utf_8_is_read(http: Http, core: Core, content_type: str):
    """Both types, with or without charset, in any case; none at all."""
    answer = await http.post("/Users", {"userName": "a"}, headers={"content-type": content_type})

    assert answer.status == 201
    assert core.only.request.user.user_name == "a"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/xml"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-encoding": "gzip"},
    ],
)
async def test_other_bodies_are_not(http: Http, core: Core, headers: dict[str, str]):
    """415, and the core is not asked."""
    assert_scim_error(await http.post("/Users", {"userName": "a"}, headers=headers), 415)
    assert core.asked == []


async def test_the_type_of_no_body_is_ignored(http: Http, core: Core):
    """google-autoprovision sends a Content-Type on every GET."""
    answer = await http.get("/Users", headers={"content-type": "text/plain"})

    assert answer.status == 200


async def test_every_answer_is_safe(http: Http):
    """No sniffing, no caching, no server name, no CORS."""
    for path in ("/Users", "/Widgets", "/Users/u1"):
        answer = await http.get(path, headers={"origin": "https://evil.example"})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more\x85",
    ],
)
async def test_a_trace_is_made(http: Http, core: Core, sent: str):
    """Each request without a usable trace gets one, and the core the same."""
    answers = [await http.get("/Users/u1", headers={"traceparent": sent}) for _ in range(2)]

    traces = [answer.headers["trace-id"] for answer in answers]
    assert len({*traces, TRACE, "0" * 32}) == 4
    assert [call.metadata["traceparent"].split("-")[1] for call in core.asked] == traces


@pytest.mark.rule("R-181", "D-39")
async def test_a_trace_goes_on(http: Http, core: Core):
    """The caller's trace id reaches the core, the answer and the detail of errors."""
    sent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}

    answer = await http.get("/Users/u1", headers=sent)
    refused = await http.get("/Widgets", headers=sent)

    assert answer.headers["trace-id"] == TRACE
    version, trace_id, parent, flags = core.only.metadata["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert parent != "00f067aa0ba902b7"
    assert refused.body["detail"].endswith(f"(trace {TRACE})")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/Users", "GET, POST"),
        ("/Users/u1", "DELETE, GET, PATCH, PUT"),
        ("/Groups", "GET, POST"),
        ("/Groups/g1", "DELETE, GET, PATCH, PUT"),
        ("/Users/.search", "POST"),
        ("/Groups/.search", "POST"),
        ("/.search", "POST"),
        ("/ServiceProviderConfig", "GET"),
        ("/ResourceTypes", "GET"),
        ("/ResourceTypes/User", "GET"),
        ("/Schemas", "GET"),
        ("/Schemas/x", "GET"),
        ("", "GET"),
    ],
)
async def test_other_methods_are_405(http: Http, core: Core, path: str, allowed: str):
    """With Allow and a SCIM body, also for OPTIONS and for methods nobody knows."""
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FROB"}:
        if method in allowed.split(", "):
            continue
        answer = await http.request(method, path)
        assert_scim_error(answer, 405)
        assert answer.headers["allow"] == allowed
    assert core.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/Widgets",
        "/users",
        "/Users/u1/more",
        "/Users/a b",
        "/Users/%00",
        "/Users/%C3%A4",
        "/Users/" + "x" * 257,
        "/w",
        "/../Users",
    ],
)
async def test_unknown_addresses_are_404(http: Http, core: Core, path: str):
    """Nothing that no resource can be named by reaches the core."""
    assert_scim_error(await http.get(path), 404)
    assert core.asked == []


async def test_addresses_outside_the_prefix_are_404(http: Http):
    """There is nothing but SCIM and the health of the process."""
    assert_scim_error(await http.get("/Users", prefix=""), 404)


async def test_odd_ids_are_the_cores_to_look_up(http: Http, core: Core):
    """`..` is an id that nobody has, not a way up."""
    await http.get("/Users/%2e%2e")

    assert core.only.request.user.id == ".."


async def test_a_slash_at_the_end(http: Http, core: Core):
    """The same address."""
    await http.get("/Users/u1/")

    assert core.only.request.user.id == "u1"


@pytest.mark.rule("R-059")
async def test_the_base_url_answers(http: Http, core: Core):
    """Somebody who tries the base URL alone gets a small list, not 404."""
    for path in ("", "/"):
        answer = await http.get(path)
        assert answer.status == 200
        assert answer.body["totalResults"] == 2


async def test_me_of_a_credential_that_is_nobodys(http: Http, core: Core):
    """RFC 7644 section 3.11 allows 501; credentials of identity providers name no person."""
    core.replies["GetUser"] = DirectoryError("SUBJECT_MISSING", "It is nobody's. Name a user.")

    assert_scim_error(await http.get("/Me"), 501)


@pytest.mark.rule("R-059")
async def test_a_workspace_in_the_path(http: Http, core: Core):
    """It is sent to the core, which decides, and addresses in the answer have it too."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1"))

    answer = await http.get("/w/acme/Users/u1")

    assert core.only.request.workspace_id == "acme"
    assert answer.body["meta"]["location"] == f"{BASE}/w/acme/Users/u1"


async def test_every_call_names_the_workspace_of_the_path(http: Http, core: Core):
    """No method forgets it."""
    for kind in ("Users", "Groups"):
        await http.get(f"/w/acme/{kind}")
        await http.get(f"/w/acme/{kind}?count=0")
        await http.post(f"/w/acme/{kind}", {"userName": "a"})
        await http.post(f"/w/acme/{kind}/.search", {})
        await http.get(f"/w/acme/{kind}/x")
        await http.put(f"/w/acme/{kind}/x", {})
        await http.patch(f"/w/acme/{kind}/x", {"op": "remove", "path": "externalId"})
        await http.delete(f"/w/acme/{kind}/x")
    for path in ("", "/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User"):
        await http.get(f"/w/acme{path}")

    assert len(core.asked) == 21
    assert {call.request.workspace_id for call in core.asked} == {"acme"}


@pytest.mark.parametrize("prefix", ["", "/api/v1/scim", "/scim/"])
async def test_the_prefix_can_be_chosen(stubs: Stubs, core: Core, prefix: str):
    """awork's address is `/api/v1/scim`."""
    app = create_app(stubs, Settings(prefix=prefix, public_url="https://x.example"))
    async with ASGIConductor(app) as conductor:
        http = Http(conductor)
        assert (await http.get("/Users/u1", prefix=prefix.rstrip("/"))).status == 200
        assert (await http.get("/", prefix=prefix.rstrip("/"))).status == 200

    assert core.asked[0].request.user.id == "u1"


@pytest.mark.parametrize(
    ("if_match", "etag"),
    [
        ("", ""),
        ("*", ""),
        ('W/"7"', 'W/"7"'),
        ('"7"', 'W/"7"'),
        ("7", 'W/"7"'),
        ('W/"6", W/"7"', 'W/"7"'),
        ('"6","7","8"', 'W/"7"'),
    ],
)
async def test_if_match(http: Http, core: Core, if_match: str, etag: str):
    """Weak comparison; of several tags the current one is sent."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1", etag='W/"7"'))

    await http.delete("/Users/u1", headers={"if-match": if_match})

    assert core.asked[-1].method == "DeleteUser"
    assert core.asked[-1].request.etag == etag


async def test_if_match_of_other_versions(http: Http, core: Core):
    """None of several tags is current: 412, nothing is written."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1", etag='W/"9"'))

    answer = await http.delete("/Users/u1", headers={"if-match": 'W/"6", W/"7"'})

    assert_scim_error(answer, 412)
    assert core.only.method == "GetUser"


@pytest.mark.parametrize(
    ("sent", "status"),
    [('W/"7"', 304), ('"7"', 304), ("*", 304), ('W/"5", W/"7"', 304), ('"6"', 200)],
)
async def test_if_none_match(http: Http, core: Core, sent: str, status: int):
    """304 without a body for those who have it."""
    core.replies["GetUser"] = rpc.GetUserResponse(user=User(id="u1", etag='W/"7"'))

    answer = await http.get("/Users/u1", headers={"if-none-match": sent})

    assert answer.status == status
    assert answer.headers["etag"] == 'W/"7"'
    assert (answer.body is None) == (status == 304)


async def test_every_call_has_a_deadline(stubs: Stubs, core: Core):
    """The core is not waited for longer than the settings say."""
    app = create_app(stubs, Settings(rpc_timeout_seconds=7.0))
    async with ASGIConductor(app) as conductor:
        await Http(conductor).get("/Users/u1")

    assert 5 < core.only.seconds_left <= 7.1


async def test_more_requests_than_there_is_room_for(stubs: Stubs, core: Core):
    """503 with Retry-After; health still answers."""
    app = create_app(stubs, Settings(max_requests=3))
    async with ASGIConductor(app) as conductor:
        http = Http(conductor)
        app.gateway.running += 3
        answer = await http.get("/Users/u1")
        alive = await http.get("/healthz", prefix="")

    assert_scim_error(answer, 503)
    assert answer.headers["retry-after"] == "1"
    assert alive.status == 200
    assert core.asked == []


async def test_one_line_is_logged(http: Http, core: Core, caplog: pytest.LogCaptureFixture):
    """Method, resource, status, id, time, trace; nothing of an address that people typed."""
    core.replies["ListUsers"] = rpc.ListUsersResponse()
    with caplog.at_level(logging.DEBUG, logger="scim_gateway"):
        answer = await http.get("/Users?filter=userName eq canary@example.com")
        await http.get("/Users/canary@example.com")
        await http.get(f"/Groups/{'0f' * 16}")
        await http.get("/canary%0D%0AFORGED%1B[31m")

    first, *others = [record.getMessage() for record in caplog.records]
    assert first.startswith("GET /Users 200 id=- duration_ms=")
    assert first.endswith(f" trace_id={answer.headers['trace-id']}")
    assert [line.partition(" duration_ms")[0] for line in others] == [
        "GET /Users/{id} 200 id=-",
        f"GET /Groups/{{id}} 200 id={'0f' * 16}",
        "GET OTHER 404 id=-",
    ]
    assert not any(word in caplog.text for word in ("canary", TOKEN, "FORGED"))


@pytest.mark.parametrize("reason", ["CREDENTIAL_MISSING", "RATE_LIMITED"])
@pytest.mark.parametrize("stopping", [False, True])
async def test_readiness(stubs: Stubs, core: Core, stopping: bool, reason: str):
    """Ready is who reaches a core that asks for a credential, until told to stop."""
    core.replies["GetWorkspace"] = DirectoryError(reason, "No. Stop.")
    app = create_app(stubs, Settings())
    async with ASGIConductor(app) as conductor:
        app.gateway.stopping = stopping
        answer = await Http(conductor).get("/readyz", prefix="", headers={"authorization": ""})

    assert answer.status == (503 if stopping else 200)


async def test_not_ready_without_a_core(stubs: Stubs, core: Core):
    """A core that is away makes the gateway not ready, but alive."""
    core.replies["GetWorkspace"] = (grpc.StatusCode.UNAVAILABLE, "gone")
    async with ASGIConductor(create_app(stubs, Settings())) as conductor:
        http = Http(conductor)
        ready: Any = await http.get("/readyz", prefix="")
        alive = await http.get("/healthz", prefix="")

    assert (ready.status, alive.status) == (503, 200)
