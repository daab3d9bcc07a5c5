"""Bodies that nobody should send: refused in bounded time, the core is not asked."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from falcon.testing import ASGIConductor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_gateway.app import Stubs, create_app
from scim_gateway.settings import Settings
from tests.gateway.conftest import Http
from tests.gateway.standin import Core
from tests.gateway.test_errors import assert_scim_error

GOOD = b'{"userName": "a", "displayName": "%s"}'
TARGETS = [
    ("POST", "/Users"),
    ("PUT", "/Users/u1"),
    ("PATCH", "/Users/u1"),
    ("POST", "/Groups"),
    ("PATCH", "/Groups/g1"),
    ("POST", "/.search"),
]

BODIES = {
    "truncated": b'{"schemas": [',
    "empty": b"",
    "blank": b" \n",
    "trailing comma": b'{"userName": "a",}',
    "two values": b"{} {}",
    "single quotes": b"{'userName': 'a'}",
    "comment": b'{"userName": "a" /* x */}',
    "array": b"[]",
    "text": b'"userName"',
    "number": b"1",
    "null": b"null",
    "byte order mark": b'\xef\xbb\xbf{"userName": "a"}',
    "utf-16": '{"userName": "a"}'.encode("utf-16"),
    "invalid utf-8": b'{"userName": "\xff"}',
    "overlong utf-8": b'{"userName": "\xc0\xaf"}',
    "utf-8 surrogate": b'{"userName": "\xed\xa0\x80"}',
    "raw control character": b'{"userName": "a\x01b"}',
    "escaped NUL": GOOD % rb"a\u0000b",
    "NUL in a name": rb'{"a\u0000": 1}',
    "lone surrogate": GOOD % rb"\ud800",
    "swapped surrogates": GOOD % rb"\udc00\ud800",
    "lone surrogate in a name": rb'{"\udfff": 1}',
    "deep surrogate": rb'{"emails": [{"value": ["\ud800"]}]}',
    "NaN": b'{"active": NaN}',
    "Infinity": b'{"active": [-Infinity]}',
    "same member twice": b'{"userName": "a", "userName": "b"}',
    "same member in other case": b'{"userName": "a", "USERNAME": "b"}',
    "same member deep inside": b'{"emails": [{"value": "a", "Value": "b"}]}',
    "nested arrays": b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "nested objects": b'{"x": ' * 5000 + b"1" + b"}" * 5000,
    "nested and never closed": b"[" * 100_000,
    "nested one too deep": b'{"x": ' + b"[" * 32 + b"]" * 32 + b"}",
    "brackets behind an escaped quote": b'{"x": "\\"", "y": ' + b"[" * 40 + b"]" * 40 + b"}",
    "an endless number": b'{"x": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", BODIES)
async def test_bad_json_is_invalid_syntax(http: Http, core: Core, name: str):
    """One error for all of it, at once, on every address that reads a body."""
    began = time.perf_counter()
    for method, path in TARGETS:
        answer = await http.request(method, path, BODIES[name])
        assert_scim_error(answer, 400, "invalidSyntax")

    assert time.perf_counter() - began < 5
    assert core.asked == []


@pytest.mark.parametrize(
    "text",
    [
        rb"\\u0000",
        rb"\ud83d\ude00",
        rb"[[[[{{{{" + rb"[" * 100,
        rb"\"[[[[" + rb"[" * 100,
        "é☃😀".encode(),
        rb"\u00e9\/\b",
    ],
)
async def test_what_only_looks_bad_is_read(http: Http, core: Core, text: bytes):
    """Escapes that say something else, brackets inside of strings."""
    answer = await http.post("/Users", GOOD % text)

    assert answer.status == 201
    assert core.only.request.user.display_name == json.loads(b'"' + text + b'"')


async def test_depth_up_to_the_limit_is_read(http: Http, core: Core):
    """32 levels."""
    answer = await http.post("/Users", b'{"userName": "a", "x": ' + b"[" * 31 + b"]" * 31 + b"}")

    assert answer.status == 201


async def test_long_bodies_are_refused_unread(stubs: Stubs, core: Core):
    """413 by the length that is told, before a byte is read."""

    async def receive() -> dict[str, Any]:
        events.append("read")
        return {"type": "http.request", "body": b"{", "more_body": True}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    events: list[str] = []
    sent: list[dict[str, Any]] = []
    headers = [(b"authorization", b"Bearer t"), (b"content-length", b"99999999")]
    app = create_app(stubs, Settings())
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": "/scim/v2/Users",
            "query_string": b"",
            "headers": headers,
            "scheme": "http",
        },
        receive,
        send,
    )

    assert sent[0]["status"] == 413
    assert len(events) == 1  # the server hands over the first piece with the head
    assert core.asked == []


@pytest.mark.parametrize(("path", "limit"), [("/Users", 2000), ("/Groups", 4000)])
async def test_bodies_have_limits(stubs: Stubs, core: Core, path: str, limit: int):
    """Also when their length is not told; groups have a limit of their own."""
    app = create_app(stubs, Settings(max_body_bytes=2000, max_group_body_bytes=4000))
    async with ASGIConductor(app) as conductor:
        http = Http(conductor)
        fits = await http.post(path, b'{"displayName": "x"}'.ljust(limit))
        for headers in ({}, {"content-length": ""}):
            answer = await http.post(path, b'{"x": "x"}'.ljust(limit + 1), headers=headers)
            assert_scim_error(answer, 413)

    assert fits.status == 201


async def test_a_body_that_never_comes(stubs: Stubs, core: Core):
    """A client that stops in the middle of its body is let go."""

    async def receive() -> dict[str, Any]:
        if not events:
            events.append("first")
            return {"type": "http.request", "body": b"{", "more_body": True}
        return await never

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    never: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    events: list[str] = []
    sent: list[dict[str, Any]] = []
    app = create_app(stubs, Settings(body_timeout_seconds=0.1))
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": "/scim/v2/Users",
            "query_string": b"",
            "scheme": "http",
            "headers": [(b"authorization", b"Bearer t")],
        },
        receive,
        send,
    )

    assert sent[0]["status"] == 408


async def test_large_legitimate_bodies(http: Http, core: Core):
    """A PATCH that adds 5,000 members, a group that is created with 10,000."""
    members = [{"value": f"{n:032x}", "display": f"user{n}@example.com"} for n in range(10_000)]

    patched = await http.patch(
        "/Groups/g1", {"op": "add", "path": "members", "value": members[:5000]}
    )
    created = await http.post("/Groups", {"displayName": "All", "members": members})

    assert (patched.status, created.status) == (200, 201)
    assert len(core.asked[0].request.changes[0].add.value.members) == 5000
    assert len(core.asked[1].request.group.members) == 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "userName",
                    "emails",
                    "value",
                    "members",
                    "Operations",
                    "op",
                    "path",
                    "filter",
                    "attributes",
                    "count",
                    "name",
                    "schemas",
                    "startIndex",
                    "sortBy",
                    "é",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    target=st.sampled_from(TARGETS),
    body=st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=30)),
)
async def test_no_body_makes_a_5xx(http: Http, target: tuple[str, str], body: bytes):
    """Whatever is sent, the answer is SCIM and the fault is not ours."""
    answer = await http.request(*target, body)

    assert answer.status < 500
    assert answer.body["schemas"]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(["filter", "count", "startIndex", "sortBy", "attributes", "x", ""]),
    value=st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
    | st.sampled_from(["%ff", "%00", "%ed%a0%80", "1e9", "٣", "+1", "=", "&&", "%"]),
    path=st.sampled_from(["/Users", "/Groups", "/Users/u1", "/Schemas"]),
)
async def test_no_query_makes_a_5xx(http: Http, name: str, value: str, path: str):
    """Also for what is in the query string."""
    answer = await http.get(f"{path}?{name}={quote(value, safe='%=&+')}")

    assert answer.status < 500
    assert answer.body["schemas"]
