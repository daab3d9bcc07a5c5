"""The surface of HTTP: verbs, types, headers, paths."""

import pytest

from tests.coverage.idp import Idp
from tests.fuzz.judge import judge
from tests.fuzz.wire import Reply, Sent, Wire


async def _ask(wire: Wire, idp: Idp, method: str, path: bytes, **headers: bytes) -> Reply:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    named.append(("Authorization", b"Bearer " + idp.place.token.encode()))
    sent = Sent(method, path, tuple(named))
    reply = await wire.send(sent)
    judge(sent, reply)
    return reply


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"])
async def test_verbs_that_an_address_has_not(wire: Wire, idp: Idp, method: str):
    """H01, H11: 405 with Allow, SCIM body, trace id."""
    reply = await _ask(wire, idp, method, b"/scim/v2/Users")

    assert (405, "GET, POST") == (reply.status, reply.headers["allow"])


@pytest.mark.parametrize(
    "accept", [b"text/html", b"*/*", b"application/scim+json", b"application/json", b"image/png"]
)
async def test_any_accept_gets_json(wire: Wire, idp: Idp, accept: bytes):
    """H04: SCIM JSON whatever is asked for, never HTML."""
    reply = await _ask(wire, idp, "GET", b"/scim/v2/Users", Accept=accept)

    assert 200 == reply.status
    assert reply.headers["content-type"].startswith("application/")


async def test_no_page_of_another_site_gets_in(wire: Wire, idp: Idp):
    """H06: neither a preflight nor a request with Origin is allowed anything."""
    evil = {"Origin": b"https://evil.example", "Access_Control_Request_Method": b"POST"}
    for method in ("OPTIONS", "GET"):
        reply = await _ask(wire, idp, method, b"/scim/v2/Users", **evil)
        assert not [name for name in reply.headers if name.startswith("access-control")]


async def test_every_answer_has_safe_headers(wire: Wire, idp: Idp):
    """H07: SCIM's type, nosniff, no-store, no server version."""
    for path in (b"/scim/v2/Users", b"/scim/v2/Schemas", b"/scim/v2/Nothing"):
        reply = await _ask(wire, idp, "GET", path)
        assert "application/scim+json" == reply.headers["content-type"]
        assert "no-store" == reply.headers["cache-control"]
        assert not {"server", "x-powered-by"} & reply.headers.keys()


@pytest.mark.parametrize(
    "path",
    [
        b"/Users/../Groups",
        b"/Users/%2e%2e",
        b"/Users/%2e%2e/Groups",
        b"/Users/..",
        b"/Users/%2E",
        b"/Users/%252e%252e",
        b"/Users/..%2fGroups",
        b"//Users",
        b"/Users/%00",
        b"/nothing",
    ],
)
async def test_paths_lead_nowhere_else(wire: Wire, idp: Idp, path: bytes):
    """H10, H11: 404."""
    assert 404 == (await _ask(wire, idp, "GET", b"/scim/v2" + path)).status


async def test_addresses_come_from_the_settings(wire: Wire, idp: Idp):
    """H07: no header of the request makes its way into an address of the answer."""
    forged = {"X_Forwarded_Host": b"evil.example", "X_Forwarded_Proto": b"gopher"}
    reply = await _ask(wire, idp, "GET", b"/scim/v2/Users", **forged)

    assert b"evil" not in reply.body
    assert b"gopher" not in reply.body
