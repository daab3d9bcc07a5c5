"""Requests to every address of the gateway, with anything in path, query and headers."""

from urllib.parse import quote

from hypothesis import strategies as st

from tests.fuzz import bodies
from tests.fuzz.filters import FILTERS, NAMES
from tests.fuzz.wire import Sent

PREFIX = b"/scim/v2"
TOKEN = b"TOKEN0"
"""Stands for the token of the workspace, as USER0 and GROUP0 stand for ids."""

_READ = (
    b"/Users",
    b"/Groups",
    b"/Users/USER0",
    b"/Users/USER1",
    b"/Groups/GROUP0",
    b"/ServiceProviderConfig",
    b"/ResourceTypes",
    b"/ResourceTypes/User",
    b"/Schemas",
    b"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    b"/Me",
    b"/Bulk",
    b"",
    b"/w/WORKSPACE0/Users",
    b"/w/elsewhere/Users/USER0",
)
_ODD = (
    b"/Users/..",
    b"/Users/../Groups",
    b"/Users/%2e%2e",
    b"/Users/%2E%2E/Groups",
    b"/Users/%00",
    b"/Users/%ff",
    b"/Users/%ed%a0%80",
    b"/Users/%0d%0aX:1",
    b"/Users/a%2Fb",
    b"/Users//",
    b"//Users",
    b"/users",
    b"/Users/" + b"x" * 3000,
    b"/Users/\xc3\xa9",
    b"/Users/a b",
    b"/Users;x=1",
    b"/Users/USER0/emails",
    b"/Nothing",
    b"/w/../Users",
    b"/w/%20/Users",
    b"/%",
    b"/Users/%zz",
    b"/.search/x",
)
_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SEARCH", "get")
_QUERY_NAMES = (
    "filter",
    "count",
    "startIndex",
    "sortBy",
    "sortOrder",
    "attributes",
    "excludedAttributes",
    "cursor",
    "Filter",
    "x",
    "",
)
_QUERY_VALUES = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(
        ("0", "1", "-1", "1e9", "9" * 30, "٣", " 5", "ascending", "members,userName", ",", "*")
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
)
_PAIR = st.tuples(st.just("filter"), FILTERS) | st.tuples(
    st.sampled_from(_QUERY_NAMES), _QUERY_VALUES
)
_RAW_QUERIES = (b"?", b"?%", b"?filter=%ff", b"?count=%00", b"?filter", b"?a=b=c&&&", b"?%00=1")

# Mostly what HTTP can carry: a request that the parser refuses reaches nothing of ours.
_TEXT = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20).map(
    lambda value: value.encode("latin-1")
)
_VALUE = st.binary(max_size=20).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
_HEADERS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    (
        "Accept",
        (b"*/*", b"text/html", b"application/json", b"application/scim+json;q=0.1, */*", b"\xff"),
    ),
    ("If-Match", (b'W/"1"', b'"1"', b"*", b'W/"1", W/"2"', b"W/", b'W/"' + b"9" * 400 + b'"')),
    ("If-None-Match", (b"*", b'W/"1"', b"x", b'W/"-1"')),
    (
        "traceparent",
        (b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01", b"00-0-0-0", b"ff-x", b"-" * 200),
    ),
    ("Content-Encoding", (b"gzip", b"identity", b"br")),
    ("Host", (b"evil.example",)),
    ("X-Forwarded-Host", (b"evil.example",)),
    ("X-HTTP-Method-Override", (b"DELETE",)),
    ("Origin", (b"https://evil.example",)),
    ("Expect", (b"100-continue", b"x")),
    ("Range", (b"bytes=0-1",)),
    ("Cookie", (b"a=b; c", b"\xff=\x01")),
    ("Accept-Language", (b"de", b"\xe9")),
)
_HEADER = st.sampled_from(_HEADERS).flatmap(
    lambda known: st.tuples(st.just(known[0]), st.sampled_from(known[1]) | _TEXT)
)
_TYPES = st.sampled_from(
    (
        b"application/scim+json",
        b"application/json; charset=utf-8",
        b"application/json; charset=utf-16",
        b"application/scim+json; charset=\xff",
        b"text/plain",
        b"multipart/form-data; boundary=x",
        b"application/x-www-form-urlencoded",
        b"application/json, text/html",
        b";;;",
        b"",
    )
)
_CREDENTIALS = st.sampled_from(
    (
        b"Bearer",
        b"Bearer ",
        b"Basic YTpi",
        b"Bearer x\x00y",
        b"Bearer \xff",
        b"Bearer ud_" + b"0" * 16 + b"_" + b"A" * 43,
        b"bearer " + TOKEN,
        b"Bearer " + b"x" * 5000,
        b"Bearer " + TOKEN + b"x",
    )
)


@st.composite
def _headers(draw: st.DrawFn, *, with_body: bool) -> tuple[tuple[str, bytes], ...]:
    found = [] if draw(st.integers(0, 2)) else draw(st.lists(_HEADER, max_size=2))
    if not draw(st.integers(0, 40)):
        found.append(("X-Anything", draw(_VALUE)))
    credential = b"Bearer " + TOKEN if draw(st.integers(0, 20)) else draw(_CREDENTIALS)
    found.append(("Authorization", credential))
    if with_body:
        good = draw(st.integers(0, 9))
        found.append(("Content-Type", b"application/scim+json" if good else draw(_TYPES)))
    return tuple(found)


@st.composite
def _query(draw: st.DrawFn) -> bytes:
    if not draw(st.integers(0, 9)):
        return draw(st.sampled_from(_RAW_QUERIES))
    pairs = draw(st.lists(_PAIR, max_size=3))
    if not pairs:
        return b""
    written = "&".join(f"{quote(n)}={quote(v, errors='replace')}" for n, v in pairs)
    return b"?" + written.encode()


_USERS = bodies.mutated(st.sampled_from(bodies.USERS))
_GROUPS = bodies.mutated(st.sampled_from(bodies.GROUPS))
_PATCHES = bodies.PATCHES | bodies.mutated(bodies.PATCHES)
_SEARCHES = bodies.mutated(
    st.sampled_from(bodies.SEARCHES) | FILTERS.map(lambda filter_: {"filter": filter_})
)
_WRITES = (
    ("POST", b"/Users", _USERS),
    ("PUT", b"/Users/USER0", _USERS),
    ("PUT", b"/Users/USER1", _USERS),
    ("PATCH", b"/Users/USER0", _PATCHES),
    ("PATCH", b"/Users/USER1", _PATCHES),
    ("POST", b"/Groups", _GROUPS),
    ("PUT", b"/Groups/GROUP0", _GROUPS),
    ("PATCH", b"/Groups/GROUP0", _PATCHES),
    ("POST", b"/.search", _SEARCHES),
    ("POST", b"/Users/.search", _SEARCHES),
    ("POST", b"/Groups/.search", _SEARCHES),
)
_ANYTHING = _USERS | _GROUPS | _PATCHES | _SEARCHES


@st.composite
def with_bodies(draw: st.DrawFn) -> Sent:
    """Give a request with a body: most often to an address that reads it."""
    method, path, documents = draw(st.sampled_from(_WRITES))
    if not draw(st.integers(0, 7)):
        method, path = draw(st.sampled_from(_VERBS)), draw(st.sampled_from(_READ + _ODD))
        documents = _ANYTHING
    target = PREFIX + path + (b"" if draw(st.integers(0, 4)) else draw(_query()))
    return Sent(
        method,
        target,
        draw(_headers(with_body=True)),
        draw(bodies.written(documents)),
        chunked=not draw(st.integers(0, 5)),
    )


@st.composite
def without_bodies(draw: st.DrawFn) -> Sent:
    """Give a request without a body: mostly reads and deletes, also of what is no address."""
    method = draw(st.sampled_from(("GET", "GET", "GET", "GET", "DELETE", *_VERBS)))
    path = draw(st.sampled_from(_READ) | st.sampled_from(_ODD))
    prefix = PREFIX if draw(st.integers(0, 15)) else draw(st.sampled_from((b"", b"/scim", b"/v2/")))
    return Sent(method, (prefix + path + draw(_query())) or b"/", draw(_headers(with_body=False)))
