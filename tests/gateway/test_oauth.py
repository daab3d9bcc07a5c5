"""The token endpoint: which forms become which call, and how refusals are told (RFC 6749)."""

import base64
import re
from typing import Any
from urllib.parse import quote, urlencode

import grpc
import pytest
from falcon.testing import ASGIConductor
from google.protobuf.duration_pb2 import Duration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from userdirectory.errors import DirectoryError
from userdirectory.v1.workspace_admin_pb2 import (
    CreateAccessTokenRequest,
    CreateAccessTokenResponse,
)

from scim_gateway.app import Stubs, create_app
from scim_gateway.settings import Settings
from tests.gateway.conftest import BASE, Answer, Http
from tests.gateway.standin import Core

ID = "0123456789abcdef"
SECRET = "s" * 43
TOKEN = f"ud_{ID}_{SECRET}"
GRANT = {"grant_type": "client_credentials"}
CLIENT = {"client_id": ID, "client_secret": TOKEN}
FORM = "application/x-www-form-urlencoded"


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header that names a client as RFC 7617 does."""
    named = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"authorization": f"Basic {named}"}


async def ask(
    http: Http,
    form: dict[str, str] | bytes,
    headers: dict[str, str] | None = None,
    path: str = "/oauth/token",
    method: str = "POST",
) -> Answer:
    """Send a form as a client of OAuth does."""
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    sent = {"authorization": "", "content-type": FORM, "accept": "application/json"}
    return await http.request(method, path, body, headers=sent | (headers or {}), prefix="")


def assert_refused(answer: Answer, status: int, error: str) -> None:
    """Assert an error as section 5.2 has it: its fields, its letters, its headers."""
    assert (answer.status, answer.body["error"]) == (status, error)
    assert set(answer.body) == {"error", "error_description"}
    description = answer.body["error_description"]
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", description)
    assert f"(trace {answer.headers['trace-id']})" in description
    assert answer.headers.get("www-authenticate", "").startswith("Basic ") == (status == 401)
    assert_never_kept(answer)


def assert_never_kept(answer: Answer) -> None:
    """Assert the headers of section 5.1."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"


@pytest.fixture
def granting(core: Core) -> Core:
    """Give a core that gives access tokens."""
    core.replies["CreateAccessToken"] = CreateAccessTokenResponse(
        access_token="ud_access_token",
        lifetime=Duration(seconds=3599, nanos=999_000_000),
        scopes=["groups.read", "users.read"],
    )
    return core


@pytest.mark.rule("D-44")
@pytest.mark.parametrize(
    ("form", "headers"),
    [
        (CLIENT, {}),
        (CLIENT | {"client_secret": SECRET}, {}),
        (CLIENT | {"scope": "everything", "resource": ""}, {}),
        (CLIENT, {"content-type": f"{FORM}; charset=UTF-8"}),
        (CLIENT, {"content-type": FORM.upper()}),
        ({}, basic(ID, TOKEN)),
        ({}, basic(ID, SECRET)),
        ({"client_id": ID}, basic(ID, TOKEN)),
        ({}, basic(ID, quote(TOKEN, safe="").replace("s", "%73"))),
        ({}, {"authorization": basic(ID, TOKEN)["authorization"].replace("Basic", "bAsIc")}),
    ],
)
async def test_a_client_is_given_an_access_token(
    http: Http, granting: Core, form: dict[str, str], headers: dict[str, str]
):
    """Id and secret in the body or in the header, the secret as it is copied or its part alone."""
    answer = await ask(http, GRANT | form, headers)

    assert granting.only.request == CreateAccessTokenRequest(client_id=ID)
    assert granting.only.metadata["authorization"] == f"Bearer {TOKEN}"
    assert answer.status == 200
    assert answer.body == {
        "access_token": "ud_access_token",
        "token_type": "Bearer",
        "expires_in": 3599,
        "scope": "groups.read users.read",
    }
    assert_never_kept(answer)


@pytest.mark.parametrize(
    "path", ["/oauth/token", "/oauth/token/", "/scim/v2/oauth/token", "/scim/v2/w/acme/oauth/token"]
)
async def test_the_endpoint_is_where_people_look_for_it(http: Http, granting: Core, path: str):
    """At the root of the host and below each base URL."""
    assert (await ask(http, GRANT | CLIENT, path=path)).status == 200
    assert_refused(await ask(http, CLIENT, path=path), 400, "invalid_request")


async def test_without_a_prefix_there_is_one_endpoint(stubs: Stubs, granting: Core):
    """The root is the base URL then."""
    app = create_app(stubs, Settings(prefix="/", public_url="https://scim.example.com"))
    async with ASGIConductor(app) as conductor:
        assert (await ask(Http(conductor), GRANT | CLIENT)).status == 200


@pytest.mark.parametrize(
    ("form", "headers", "status", "error"),
    [
        (CLIENT, {}, 400, "invalid_request"),
        (CLIENT | {"grant_type": ""}, {}, 400, "invalid_request"),
        (CLIENT | {"grant_type": "password"}, {}, 400, "unsupported_grant_type"),
        (CLIENT | {"grant_type": "CLIENT_CREDENTIALS"}, {}, 400, "unsupported_grant_type"),
        (GRANT, {}, 401, "invalid_client"),
        (GRANT | {"client_id": ID}, {}, 401, "invalid_client"),
        (GRANT | {"client_secret": TOKEN}, {}, 401, "invalid_client"),
        (GRANT | CLIENT | {"client_secret": "ä"}, {}, 401, "invalid_client"),
        (GRANT | CLIENT | {"client_secret": "x" * 600}, {}, 401, "invalid_client"),
        (GRANT | CLIENT | {"client_id": "a\r\nb"}, {}, 401, "invalid_client"),
        (GRANT, basic(ID, ""), 401, "invalid_client"),
        (GRANT, basic("", TOKEN), 401, "invalid_client"),
        (GRANT, basic(ID, "%ff"), 401, "invalid_client"),
        (GRANT, {"authorization": "Basic"}, 401, "invalid_client"),
        (GRANT, {"authorization": "Basic !!!!"}, 401, "invalid_client"),
        (GRANT, {"authorization": "Basic " + base64.b64encode(b"\xff:x").decode()}, 401,
         "invalid_client"),
        (GRANT, {"authorization": f"Bearer {TOKEN}"}, 401, "invalid_client"),
        (GRANT | CLIENT, {"authorization": f"Bearer {TOKEN}"}, 401, "invalid_client"),
        (GRANT | CLIENT, basic(ID, TOKEN), 400, "invalid_request"),
        (GRANT | {"client_id": "other"}, basic(ID, TOKEN), 400, "invalid_request"),
        (GRANT | CLIENT, {"content-type": "application/json"}, 400, "invalid_request"),
        (GRANT | CLIENT, {"content-type": ""}, 400, "invalid_request"),
        (GRANT | CLIENT, {"content-encoding": "gzip"}, 415, "invalid_request"),
        (GRANT | CLIENT | {"x": "y" * 9000}, {}, 413, "invalid_request"),
        (GRANT | CLIENT | {f"x{n}": "y" for n in range(40)}, {}, 400, "invalid_request"),
        (b"", {}, 401, "invalid_client"),
        (b"grant_type=client_credentials&client_id=%ff&client_secret=x", {}, 400,
         "invalid_request"),
        (b"\xff\xfe", {}, 400, "invalid_request"),
        (urlencode(GRANT | CLIENT).encode() + b"&client_id=" + ID.encode(), {}, 400,
         "invalid_request"),
        (b'{"grant_type": "client_credentials"}', {}, 401, "invalid_client"),
    ],
)  # fmt: skip
async def test_what_is_no_request_for_a_token_is_refused(
    http: Http, granting: Core, form: Any, headers: dict[str, str], status: int, error: str
):
    """In the words of section 5.2, and the core is not asked."""
    assert_refused(await ask(http, form, headers), status, error)
    assert granting.asked == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_tokens_are_posted_for(http: Http, granting: Core, method: str):
    """No other method does anything, and no secret is looked for in the address."""
    answer = await ask(http, b"", path=f"/oauth/token?{urlencode(GRANT | CLIENT)}", method=method)

    assert_refused(answer, 405, "invalid_request")
    assert answer.headers["allow"] == "POST"
    assert granting.asked == []


async def test_a_secret_in_the_address_is_none(http: Http, granting: Core):
    """Section 2.3.1: parameters must not be in the URI."""
    answer = await ask(http, GRANT, path=f"/oauth/token?{urlencode(CLIENT)}")

    assert_refused(answer, 401, "invalid_client")


async def test_another_tokens_id_is_left_to_the_core(http: Http, core: Core):
    """A whole token under the id of another is no secret of it."""
    core.replies["CreateAccessToken"] = DirectoryError("CREDENTIAL_INVALID", "It is unknown.")
    answer = await ask(http, GRANT | {"client_id": "f" * 16, "client_secret": TOKEN})

    assert_refused(answer, 401, "invalid_client")
    assert core.only.metadata["authorization"] == f"Bearer ud_{'f' * 16}_{TOKEN}"


@pytest.mark.parametrize(
    ("reply", "status", "error", "retry_after"),
    [
        (DirectoryError("CREDENTIAL_INVALID", "Revoked."), 401, "invalid_client", None),
        (DirectoryError("CREDENTIAL_MISSING", "None."), 401, "invalid_client", None),
        (DirectoryError("SCOPE_MISSING", "It is one itself."), 400, "unauthorized_client", None),
        (DirectoryError("INTEGRATION_OFF", 'Switch "it"\n on.'), 400, "unauthorized_client", None),
        (DirectoryError("NOT_ENTITLED", "Plän."), 400, "unauthorized_client", None),
        (DirectoryError("RATE_LIMITED", "Wait.", retry_after_seconds=7), 429,
         "temporarily_unavailable", "7"),
        (DirectoryError("STORAGE_UNAVAILABLE", "Wait."), 503, "temporarily_unavailable", "5"),
        (DirectoryError("WRITE_CONFLICT", "Wait."), 503, "temporarily_unavailable", "1"),
        ((grpc.StatusCode.UNAVAILABLE, "away"), 503, "temporarily_unavailable", "5"),
        ((grpc.StatusCode.INTERNAL, "postgres://u:PASSWORD@h"), 500, "server_error", None),
    ],
)  # fmt: skip
async def test_refusals_of_the_core(
    http: Http, core: Core, reply: Any, status: int, error: str, retry_after: str | None
):
    """Who may not, who must wait; statuses that OAuth has no word for stay what they are."""
    core.replies["CreateAccessToken"] = reply
    answer = await ask(http, GRANT | CLIENT)

    assert_refused(answer, status, error)
    assert answer.headers.get("retry-after") == retry_after
    assert "PASSWORD" not in str(answer.body)


async def test_what_is_wrong_with_a_client_is_not_told(http: Http, core: Core):
    """Nobody learns which ids exist."""
    core.replies["CreateAccessToken"] = DirectoryError("CREDENTIAL_INVALID", "It was revoked.")
    answers = [await ask(http, GRANT | CLIENT), await ask(http, GRANT | {"client_id": ID})]
    told = {a.body["error_description"].partition(" (trace")[0] for a in answers}

    assert len(told) == 1


async def test_a_busy_gateway_says_so(stubs: Stubs, granting: Core):
    """As to everybody else."""
    app = create_app(stubs, Settings(public_url=BASE, max_requests=1))
    app.gateway.running = 1
    async with ASGIConductor(app) as conductor:
        answer = await ask(Http(conductor), GRANT | CLIENT)

    assert_refused(answer, 503, "temporarily_unavailable")
    assert granting.asked == []


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.dictionaries(
        st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "x"]),
        st.sampled_from(["client_credentials", ID, TOKEN, SECRET, "ud_", "%ff", "\0", "ä"])
        | st.text(st.characters(blacklist_categories=["Cs"]), max_size=20),
    ).map(lambda form: urlencode(form).encode())
    | st.binary(max_size=60),
    authorization=st.sampled_from(["", "Basic", "Bearer x", basic(ID, TOKEN)["authorization"]])
    | st.binary(max_size=30).map(lambda raw: f"Basic {base64.b64encode(raw).decode()}"),
)
async def test_whatever_is_sent_is_answered_as_oauth_has_it(
    http: Http, granting: Core, form: bytes, authorization: str
):
    """A token or an error of section 5.2, and the fault is never ours."""
    answer = await ask(http, form, {"authorization": authorization})

    if answer.status == 200:
        assert answer.body["access_token"] == "ud_access_token"
    else:
        assert_refused(answer, answer.status, answer.body["error"])
        assert answer.status in (400, 401)
