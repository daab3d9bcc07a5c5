"""Bodies for SCIM: good ones, and what becomes of them when members and bytes change at random."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.filters import GRAMMAR, NAMES
from tests.scim import PATCH_OP, USER, WORKPLACE

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

USERS: tuple[dict[str, Any], ...] = (
    {
        "schemas": [USER],
        "userName": "NEW0@fuzz.example",
        "externalId": "e1",
        "name": {"givenName": "Grace", "familyName": "Hopper", "formatted": "Grace Hopper"},
        "emails": [{"value": "NEW0@fuzz.example", "type": "work", "primary": True}],
        "active": True,
    },
    {
        "schemas": [USER, ENTERPRISE, WORKPLACE],
        "userName": "NEW0-full@fuzz.example",
        "displayName": "Full",
        "nickName": "F",
        "title": "Engineer",
        "preferredLanguage": "de-DE",
        "locale": "de",
        "timezone": "Europe/Berlin",
        "password": "Correct horse 7 battery",
        "name": {"givenName": "Ful", "familyName": "L"},
        "emails": [{"value": "a@fuzz.example", "type": "home"}],
        "phoneNumbers": [{"value": "+49 30 1", "type": "mobile", "primary": True}],
        "ims": [{"value": "x", "type": "xmpp"}],
        "addresses": [{"formatted": "Here", "type": "work", "country": "DE"}],
        "roles": [{"value": "Member"}],
        "entitlements": [{"value": "e"}],
        "x509Certificates": [{"value": "AAECAw=="}],
        "active": "True",
        ENTERPRISE: {"department": "D", "manager": {"value": "USER0"}, "employeeNumber": "1"},
        WORKPLACE: {"teams": "Design,Support", "absenceRegion": "Hessen", "userRole": "Manager"},
    },
    {
        "userName": "NEW0-bare@fuzz.example",
        "id": "USER0",
        "meta": {"version": 'W/"1"'},
        "groups": [],
    },
)
GROUPS: tuple[dict[str, Any], ...] = (
    {
        "schemas": [GROUP],
        "displayName": "Fuzz NEW0",
        "members": [{"value": "USER0", "type": "User"}],
    },
    {
        "displayName": "Bare NEW0",
        "externalId": "g1",
        "members": [{"value": "GROUP0"}, {"value": "no"}],
    },
)
SEARCHES: tuple[dict[str, Any], ...] = (
    {"schemas": [SEARCH], "filter": 'userName sw "g"', "count": 5, "startIndex": 1},
    {"attributes": ["userName"], "excludedAttributes": [], "sortBy": "userName", "count": 0},
)

_CHARACTERS = st.text(
    st.sampled_from("aZ0@. -_%'\"\\/\x00\x1f\x7f\u00e9\u0130\u00df\u202e\ufb01\ud800\U0001f600"),
    max_size=12,
)
_ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    -(2**70),
    10**400,
    1.5,
    1e308,
    "",
    " ",
    "true",
    "Inactive",
    "USER0",
    "USER1",
    "GROUP0",
    "Admin",
    "Guest",
    "x" * 5000,
    "a,b,,c",
    [],
    {},
    [[]],
    [None],
    [{}],
    [{"value": None}],
    {"value": {"value": {}}},
    [{"value": "USER0"}, {"value": "USER0"}],
    [{"value": "USER1", "primary": True}, {"value": "a@b.example", "primary": True}],
    {"$ref": "https://elsewhere.example/Users/1"},
)
VALUES = st.sampled_from(_ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _CHARACTERS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | _CHARACTERS, inner, max_size=3)
    ),
    max_leaves=6,
)
_PATHS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.builds("{}[{}]".format, st.sampled_from(("emails", "members", "addresses", "")), GRAMMAR),
    st.builds("emails[{}].{}".format, GRAMMAR, st.sampled_from(NAMES)),
    st.sampled_from(
        (
            'emails[type eq "work"].value',
            'members[value eq "USER0"]',
            "emails[",
            "emails[]",
            "..",
            "a" * 9000,
            "[" * 3000,
            "emails[type eq 1].value.value",
            f"{ENTERPRISE}:manager",
            f"{WORKPLACE}:userRole",
            WORKPLACE,
        )
    ),
    st.text("ab[]().\"' :\x00é", max_size=15),
)
_OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(("add", "replace", "remove", "Add", "REPLACE", "Remove", "move", ""))},
    optional={"path": _PATHS, "value": VALUES | st.sampled_from(USERS + GROUPS)},
)
PATCHES = st.builds(
    lambda operations: {"schemas": [PATCH_OP], "Operations": operations},
    st.lists(_OPERATION, max_size=4),
)


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """Give a document of *documents* in which up to two members are not what they should be."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        places = list(_places(document))
        holder, name = places[draw(st.integers(0, len(places) - 1))] if places else (document, "x")
        match draw(st.integers(0, 3)):
            case 0:
                holder.pop(name, None) if isinstance(holder, dict) else holder.pop(name)
            case 1 if isinstance(holder, dict):
                holder[draw(st.sampled_from(NAMES) | _CHARACTERS)] = copy.deepcopy(draw(VALUES))
            case 2 if isinstance(holder, dict) and name in holder:
                holder[name.swapcase()] = holder[name]
            case _:
                holder[name] = copy.deepcopy(draw(VALUES))
    return document


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every object and array in *value* with each of its names and indexes."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in list(inside):
        yield value, name
        if isinstance(member, dict | list):
            yield from _places(member)


@st.composite
def written(draw: st.DrawFn, documents: st.SearchStrategy[dict[str, Any]]) -> bytes:
    """Give a document as bytes; every fifth time the bytes are not JSON any more, or odd JSON."""
    text = json.dumps(draw(documents), ensure_ascii=draw(st.booleans()))
    body = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 4)):
        return body
    cut = draw(st.integers(0, len(body)))
    wound = draw(
        st.sampled_from(
            (
                b"",
                b"\x00",
                b"\xff\xfe",
                b"\xed\xa0\x80",
                b"[" * 5000,
                b'{"a":' * 200,
                b"NaN",
                b"1e999999",
                b"9" * 5000,
                b',"userName":"x"',
                b'"\\ud800"',
                b"/**/",
                b"}}",
            )
        )
    )
    return draw(
        st.sampled_from(
            (
                body[:cut],
                body[:cut] + wound + body[cut:],
                body[:-1] + b',"userName":"twice","USERNAME":"thrice"}',
                body[:-1] + b',"deep":' + b"[" * 40 + b"]" * 40 + b"}",
                body[:-1] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}",
                b"\xef\xbb\xbf" + body,
                text.encode("utf-16", "surrogatepass"),
                b"[" + body + b"]",
                b"",
            )
        )
    )
