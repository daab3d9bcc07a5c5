"""What every answer of the gateway keeps to, whatever was sent."""

import json
import re

from tests.fuzz.wire import ANSWER_SECONDS, Reply, Sent

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"

# Signs of what is behind the gateway; none of them is in a text of ours.
INSIDE = re.compile(
    r"Traceback|File \\?\"|sqlite|asyncpg|postgres|sqlalchemy|grpc|StatusCode"
    r"|\bSELECT\b.*\bFROM\b|INSERT INTO|UNIQUE constraint|Exception\b|0x[0-9a-f]{8}",
    re.IGNORECASE,
)
_TYPES = re.compile(r"application/(scim\+)?json(; ?charset=utf-8)?", re.IGNORECASE)
_TYPES_OF_SCIM = frozenset(
    {
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
        "invalidVers",
        "sensitive",
        # RFC 9865 section 2.1
        "invalidCount",
        "invalidCursor",
        "expiredCursor",
    }
)


def judge(sent: Sent, reply: Reply) -> None:
    """Assert that *reply* is a good answer to *sent*."""
    shown = f"{sent.raw()[:3000]!r}\n-> {reply.status} {reply.body[:1000]!r}"
    assert reply.seconds < ANSWER_SECONDS, shown
    assert reply.status < 500 or _may_be_missing(sent, reply), shown
    assert reply.headers.get("x-content-type-options") == "nosniff", shown
    assert re.fullmatch("[0-9a-f]{32}", reply.headers.get("trace-id", "")), shown
    assert "server" not in reply.headers, shown
    if not reply.body:
        assert reply.status in (204, 304) or sent.method == "HEAD", shown
        return
    assert _TYPES.fullmatch(reply.headers.get("content-type", "")), shown
    document = json.loads(reply.body)
    if reply.status >= 400:
        _judge_error(reply, document, shown)


def _may_be_missing(sent: Sent, reply: Reply) -> bool:
    """RFC 7644 sections 3.11 and 3.7 allow 501 for what a service does not have."""
    return reply.status == 501 and (b"Me" in sent.target or b"Bulk" in sent.target)


def _judge_error(reply: Reply, document: dict[str, object], shown: str) -> None:
    assert [ERROR] == document["schemas"], shown
    assert str(reply.status) == document["status"], shown
    assert str(document["detail"]).endswith(f"(trace {reply.headers['trace-id']})"), shown
    assert {"schemas", "status", "detail", "scimType"} >= document.keys(), shown
    assert document.get("scimType", "invalidValue") in _TYPES_OF_SCIM, shown
    assert not INSIDE.search(str(document["detail"])), shown
    if reply.status == 401:
        assert reply.headers["www-authenticate"] == "Bearer", shown
    if reply.status == 405:
        assert reply.headers["allow"], shown
