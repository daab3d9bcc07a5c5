"""SCIM filters: what is read, what is refused, and that nothing is lost on the way back."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scim_gateway import filters
from scim_gateway.errors import ScimError
from scim_gateway.filters import And, Compare, Element, Node, Not, Number, Or, Present
from scim_gateway.remarks import Remarks

MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"


def write(node: Node) -> str:
    """Return *node* as text that `parse` reads back to the same."""
    match node:
        case Compare(name, operator, value):
            literal = value.text if isinstance(value, Number) else json.dumps(value)
            return f"{name} {operator} {literal}"
        case Present(name):
            return f"{name} pr"
        case Not(inner):
            return f"not ({write(inner)})"
        case And(parts):
            return " and ".join(_grouped(part, And | Or) for part in parts)
        case Or(parts):
            return " or ".join(_grouped(part, Or) for part in parts)
        case Element(name, inner):
            return f"{name}[{write(inner)}]"


def _grouped(node: Node, kinds: object) -> str:
    return f"({write(node)})" if isinstance(node, kinds) else write(node)  # type: ignore[arg-type]


def eq(name: str, value: Any) -> Compare:
    return Compare(name, "eq", value)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        # RFC 7644 section 3.4.2.2, the examples.
        ('userName eq "bjensen"', eq("userName", "bjensen")),
        ('name.familyName co "O\'Malley"', Compare("name.familyName", "co", "O'Malley")),
        (
            'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"',
            Compare("urn:ietf:params:scim:schemas:core:2.0:User:userName", "sw", "J"),
        ),
        ("title pr", Present("title")),
        (
            'title pr and userType eq "Employee"',
            And((Present("title"), eq("userType", "Employee"))),
        ),
        (
            'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
            And(
                (
                    eq("userType", "Employee"),
                    Or(
                        (
                            Compare("emails", "co", "example.com"),
                            Compare("emails.value", "co", "example.org"),
                        )
                    ),
                )
            ),
        ),
        (
            'userType ne "Employee" and not (emails co "example.com")',
            And(
                (Compare("userType", "ne", "Employee"), Not(Compare("emails", "co", "example.com")))
            ),
        ),
        (
            'emails[type eq "work" and value co "@example.com"]',
            Element("emails", And((eq("type", "work"), Compare("value", "co", "@example.com")))),
        ),
        # RFC 7644 section 3.4.2.2: `and` binds tighter than `or`.
        (
            'a eq "1" or b eq "2" and c eq "3"',
            Or((eq("a", "1"), And((eq("b", "2"), eq("c", "3"))))),
        ),
        ("(a pr or b pr) and c pr", And((Or((Present("a"), Present("b"))), Present("c")))),
        ("not(a pr) and b pr", And((Not(Present("a")), Present("b")))),
        # entra-test-connection
        (
            'emails[type eq "work"].value eq "a@example.com"',
            Element("emails", And((eq("type", "work"), eq("value", "a@example.com")))),
        ),
        # entra-initial-cycle
        (f'id eq "x" and {MANAGER} eq "y"', And((eq("id", "x"), eq(MANAGER, "y")))),
        # authentik-users, Entra's samples: no quotes
        ("userName eq ak.1@example.com", eq("userName", "ak.1@example.com")),
        ("externalId eq jyoung", eq("externalId", "jyoung")),
        # pingfederate-put-only: operators in any case
        ('emails Co "pf@"', Compare("emails", "co", "pf@")),
        (
            'a EQ "1" AND b PR OR NOT (c pr)',
            Or((And((eq("a", "1"), Present("b"))), Not(Present("c")))),
        ),
        ("active eq true", eq("active", True)),
        ("active eq False", eq("active", False)),
        ("title eq null", eq("title", None)),
        ("externalId eq 007", eq("externalId", "007")),
        ("externalId eq 12", eq("externalId", Number("12"))),
        (r'title eq "a\"\\\u00e9"', eq("title", 'a"\\é')),
        (
            'members[value eq "x"] and a pr',
            And((Element("members", eq("value", "x")), Present("a"))),
        ),
    ],
)
def test_a_filter_is_read(text: str, read: filters.Node):
    """The grammar of the RFC, and what identity providers make of it."""
    assert read == filters.parse(text, Remarks())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "userName",
        "userName eq",
        'userName eq "x',
        '(userName eq "x"',
        'userName eq "x")',
        'userName is "x"',
        'userName eq "x" and',
        'and userName eq "x"',
        'userName eq "x" userType eq "y"',
        'not userName eq "x"',
        'emails[type eq "work"',
        "emails[]",
        'emails[type eq "work"].',
        'emails[type eq "work"]value eq "x"',
        '"userName" eq "x"',
        'userName eq "\\ud800"',
        'userName eq "\\u0000"',
        'userName eq "\\x"',
        'userName eq "a\x00b"',
        "userName eq 'x' y'",
        "123 eq 1",
        "()",
        "not ()",
        "] pr",
    ],
)
def test_nonsense_is_refused(text: str):
    """Parse all or refuse, always as invalidFilter."""
    with pytest.raises(ScimError) as caught:
        filters.parse(text, Remarks())

    assert (caught.value.status, caught.value.scim_type) == (400, "invalidFilter")


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(['a eq "1"'] * 10_000),
        "(" * 5_000 + "a pr" + ")" * 5_000,
        "not (" * 1_000 + "a pr" + ")" * 1_000,
        "a[" * 1_000 + "a pr" + "]" * 1_000,
        " or ".join(["a pr"] * 201),
        "(" * 16 + "a pr" + ")" * 16,
        'a eq "' + "x" * 9_000 + '"',
    ],
)
def test_limits_hold_before_anything_recurses(text: str):
    """Length, depth and number of terms are limited."""
    with pytest.raises(ScimError) as caught:
        filters.parse(text, Remarks())

    assert caught.value.scim_type == "invalidFilter"


def test_the_limits_themselves_are_allowed():
    """200 comparisons, 15 brackets."""
    assert isinstance(filters.parse(" or ".join(["a pr"] * 200), Remarks()), Or)
    assert filters.parse("(" * 15 + "a pr" + ")" * 15, Remarks()) == Present("a")


NAMES = st.one_of(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}(\.[A-Za-z][A-Za-z0-9]{0,8})?", fullmatch=True),
    st.just(MANAGER),
).filter(lambda name: name.lower() not in ("not", "and", "or"))
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?", fullmatch=True).map(Number)
LEAVES = st.one_of(
    st.builds(Present, NAMES),
    st.builds(
        Compare,
        NAMES,
        st.sampled_from(sorted(filters.OPERATORS)),
        st.one_of(TEXTS, st.booleans(), st.none(), NUMBERS),
    ),
)


def _branches(children: st.SearchStrategy[filters.Node]) -> st.SearchStrategy[filters.Node]:
    several = st.lists(children, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Not, children),
        st.builds(Element, NAMES, children),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(LEAVES, _branches, max_leaves=8))
def test_what_is_written_is_read_back(node: filters.Node):
    """`parse(write(f)) == f` for every filter."""
    text = write(node)
    assume(len(re.findall(r"[(\[]", text)) < filters.MAX_DEPTH)

    assert node == filters.parse(text, Remarks())


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from(list(' ()[]".\\anotdreqp19:$\x00\ud800é')), max_size=40))
def test_any_text_is_read_or_refused(text: str):
    """No text makes the parser fail in another way."""
    refused = None
    try:
        node = filters.parse(text, Remarks())
    except ScimError as error:
        refused = error
    if refused is None:
        assert node == filters.parse(write(node), Remarks())
    else:
        assert refused.scim_type == "invalidFilter"
