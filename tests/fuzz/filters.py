"""Filters for SCIM: by the grammar of RFC 7644 section 3.4.2.2, and by no grammar at all."""

from hypothesis import strategies as st

NAMES = (
    "userName",
    "USERNAME",
    "id",
    "externalId",
    "displayName",
    "active",
    "name.familyName",
    "emails",
    "emails.value",
    "emails.type",
    "emails.primary",
    "groups.value",
    "groups.display",
    "members.value",
    "meta.created",
    "meta.lastModified",
    "meta.version",
    "password",
    "roles.value",
    "x509Certificates.value",
    "urn:ietf:params:scim:schemas:core:2.0:User:userName",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User:teams",
    "urn:ietf:params:scim:schemas:extension:awork.com:2.0:User:userRole",
    "nothing",
    "$ref",
    "a.b.c",
    "schemas",
    "",
)
_OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "pr", "in", "")
_VALUES = (
    '"ada"',
    '""',
    '"%"',
    '"_"',
    '"\\\\"',
    '"\' OR 1=1 --"',
    '"\\u0000"',
    '"\\ud800"',
    '"é"',
    "true",
    "False",
    "null",
    "0",
    "-1",
    "1.5e400",
    "9223372036854775808",
    "2026-01-01T00:00:00Z",
    '"2026-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59.999999999Z"',
    '"0000-00-00"',
    '"USER0"',
    '"GROUP0"',
    "'single'",
    '"open',
    "",
)

_COMPARISON = st.builds(
    "{} {} {}".format,
    st.sampled_from(NAMES),
    st.sampled_from(_OPERATORS),
    st.sampled_from(_VALUES),
)
_PRESENT = st.sampled_from(NAMES).map("{} pr".format)

GRAMMAR = st.recursive(
    _COMPARISON | _PRESENT,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        inner.map("not ({})".format),
        inner.map("({})".format),
        inner.map("emails[{}]".format),
        st.builds("members[{}].{}".format, inner, _COMPARISON),
    ),
    max_leaves=6,
)
_LARGE = st.sampled_from(
    (
        "(" * 5000 + "active eq true" + ")" * 5000,
        " or ".join(['userName eq "x"'] * 300),
        "not " * 400 + "(active pr)",
        'userName eq "' + "x" * 9000 + '"',
        "emails[" * 50 + "value pr" + "]" * 50,
    )
)
GARBAGE = st.text("ab.\"\\'()[] eqornt0:%_-\t\x00é\u202e", max_size=40)
FILTERS = st.one_of(GRAMMAR, GRAMMAR, GARBAGE, _LARGE)
