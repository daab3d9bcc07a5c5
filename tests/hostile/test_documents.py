"""Bodies that are no JSON, too much of it, or a lot of it for good reason; nothing bad is kept."""

import json
import time

import pytest

from tests.coverage.conftest import NewIdp
from tests.coverage.idp import Idp
from tests.fuzz.judge import judge
from tests.fuzz.wire import Reply, Sent, Wire
from tests.hostile.conftest import unchanged
from tests.scim import person

GOOD = b'{"userName": "a@b.example", "displayName": "%s"}'
BROKEN = {
    "J01 malformed": b'{"userName": }',
    "J01 truncated": b'{"userName": "a@b.ex',
    "J01 trailing comma": b'{"userName": "a@b.example",}',
    "J01 empty": b"",
    "J01 byte order mark": b"\xef\xbb\xbf" + GOOD % b"x",
    "J01 utf-16": (GOOD % b"x").decode().encode("utf-16"),
    "J01 invalid utf-8": GOOD % b"\xff",
    "J06 lone surrogate": GOOD % rb"\ud800",
    "J08 NUL": GOOD % rb"a\u0000b",
    "J11 NaN": b'{"userName": "a@b.example", "active": NaN}',
    "J11 Infinity": b'{"userName": "a@b.example", "count": [-Infinity]}',
    "J14 same member twice": b'{"userName": "a@b.example", "userName": "c@d.example"}',
    "J14 in other letters": b'{"userName": "a@b.example", "USERNAME": "c@d.example"}',
    "D02 5,000 levels": b'{"userName": "a@b.example", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}


async def _send(wire: Wire, idp: Idp, body: bytes, type_: bytes, method: str, path: str) -> Reply:
    headers = (("Authorization", b"Bearer " + idp.place.token.encode()), ("Content-Type", type_))
    sent = Sent(method, b"/scim/v2" + path.encode(), headers, body)
    reply = await wire.send(sent)
    judge(sent, reply)
    return reply


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_no_json_is_refused(wire: Wire, idp: Idp, case: str):
    """J01, J06, J08, J11, J14, D02: 400 invalidSyntax within a second, nothing stored."""
    admin = f"/Users/{idp.place.admin_id}"
    async with unchanged(idp, "/Users", admin):
        for method, path in (("POST", "/Users"), ("PUT", admin), ("PATCH", admin)):
            reply = await _send(wire, idp, BROKEN[case], b"application/scim+json", method, path)
            assert (400, "invalidSyntax") == (reply.status, json.loads(reply.body)["scimType"])
            assert reply.seconds < 1


@pytest.mark.parametrize(
    "type_",
    [
        b"text/plain",
        b"text/html",
        b"application/xml",
        b"application/x-www-form-urlencoded",
        b"application/json; charset=utf-16",
        b"application/scim+json; charset=latin1",
    ],
)
async def test_other_types_are_refused(wire: Wire, idp: Idp, type_: bytes):
    """H08, J01: 415, nothing stored."""
    async with unchanged(idp, "/Users"):
        reply = await _send(wire, idp, GOOD % b"x", type_, "POST", "/Users")
        assert 415 == reply.status


async def test_too_long_a_body_is_refused_unread(wire: Wire, idp: Idp):
    """D01: 413 by its Content-Length alone, although the body never comes."""
    head = (
        "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {idp.place.token}\r\nContent-Length: 99999999\r\n\r\n"
    )

    reply = await wire.send_raw(head.encode() + b"{")

    assert 413 == reply.status
    await wire.close()
    assert 200 == (await idp.send("GET", "/Users")).status


async def test_a_user_with_everything_at_its_limit(idp: Idp):
    """D09: accepted, and read back, in seconds."""
    many = [{"value": f"v{number}@x.example", "type": "other"} for number in range(100)]
    phones = [{"value": str(number)} for number in range(100)]
    began = time.perf_counter()

    made = await idp.create(
        "full", title="x" * 256, nickName="y" * 256, emails=many, phoneNumbers=phones
    )

    assert made == await idp.get(made["id"])
    assert (100, 100) == (len(made["emails"]), len(made["phoneNumbers"]))
    assert time.perf_counter() - began < 5


async def test_hundreds_of_members_in_one_request(new_idp: NewIdp):
    """D09: a PATCH that adds 500 members, and the same again, is one request and quick."""
    idp = await new_idp("GROUP_MIRROR")
    group = (await idp.send("POST", "/Groups", {"displayName": "All"})).body
    users = [(await idp.send("POST", "/Users", person(idp.mail(f"u{n}")))).body for n in range(50)]
    values = [{"value": user["id"]} for user in users] * 10
    began = time.perf_counter()
    for _ in range(2):
        answer = await idp.patch(
            f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": values}
        )
        assert answer.status in (200, 204), answer.body

    assert 50 == len(await idp.members(group["id"]))
    assert time.perf_counter() - began < 5
