"""`Idempotency-Key`: what a client sends becomes metadata of the one call that writes."""

import pytest

from tests.scim import person

USER = person("grace@example.com")
GROUP = {"displayName": "Crew"}
WRITES = [
    ("POST", "/Users", USER),
    ("PUT", "/Users/u1", USER),
    ("PATCH", "/Users/u1", {"Operations": [{"op": "replace", "path": "title", "value": "X"}]}),
    ("DELETE", "/Users/u1", None),
    ("POST", "/Groups", GROUP),
    ("PUT", "/Groups/g1", GROUP),
    ("PATCH", "/Groups/g1", {"Operations": [{"op": "remove", "path": "members"}]}),
    ("DELETE", "/Groups/g1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_carries_its_key(http, core, method, path, body):
    """Every write of users and groups hands the key on."""
    answer = await http.request(method, path, body, headers={"idempotency-key": "k-1"})

    assert answer.status < 300
    assert core.only.metadata["idempotency-key"] == "k-1"


async def test_without_the_header_there_is_no_key(http, core):
    """A client that sends none has its write looked at anew each time."""
    await http.post("/Users", USER)

    assert "idempotency-key" not in core.only.metadata


async def test_a_read_carries_no_key(http, core):
    """Reads may be repeated anyway, whatever they come with."""
    answer = await http.get("/Users", headers={"idempotency-key": "a b"})

    assert answer.status == 200
    assert "idempotency-key" not in core.only.metadata


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        # draft-ietf-httpapi-idempotency-key-header-07 section 2.1: a string with quotes
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        # as most clients send it
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        # RFC 8941 section 3.3.3: two characters are escaped
        (r'"a\"b\\c"', r'a"b\c'),
        ('"a,b;c=d"', "a,b;c=d"),
        (" k ", "k"),
        ("k" * 128, "k" * 128),
    ],
)
async def test_a_key_may_have_quotes(http, core, sent, key):
    """With quotes and without, it is the same key."""
    await http.post("/Users", USER, headers={"idempotency-key": sent})

    assert core.only.metadata["idempotency-key"] == key


@pytest.mark.parametrize(
    "sent",
    [
        '""',
        '"a b"',
        '"a',
        'a"',
        r'"a\b"',
        "a b",
        "a,b",  # two headers arrive so
        '"a", "b"',
        '"a";p=1',
        "k" * 129,
        "kéy",
    ],
)
async def test_a_malformed_key_is_refused(http, core, sent):
    """400 invalidValue, and the core is not asked (G07)."""
    answer = await http.post("/Users", USER, headers={"idempotency-key": sent})

    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert "Idempotency-Key" in answer.body["detail"]
    assert core.asked == []
