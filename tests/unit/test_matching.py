"""Filters: what they refuse, what they select."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from userdirectory.attributes import GROUP, USER
from userdirectory.errors import DirectoryError
from userdirectory.text import fold
from userdirectory.v1.filter_pb2 import Filter
from userdirectory.v1.group_pb2 import Group
from userdirectory.v1.user_pb2 import User

from core_service import matching
from tests.unit.people import FILTERS, USERS

ADA = User(
    id="u1",
    user_name="Ada@Example.com",
    external_id="Key",
    title="Ärztin",
    active=False,
    create_time=Timestamp(seconds=1, nanos=1_500),
    name={"given_name": "Ada", "family_name": ""},
    emails=[
        {"value": "ada@example.com", "type": "work", "primary": True},
        {"value": "ada@home.org", "type": "home"},
    ],
    x509_certificates=[{"value": b"ab"}],
    enterprise={"manager": {"user_id": "u2"}},
    workplace={"teams": ["Blue"]},
)


def compare(test: str, field: str, **operand: Any) -> Filter:
    return Filter(**{test: {"field": field, **operand}})


def element(field: str, where: Filter) -> Filter:
    return Filter(element={"field": field, "where": where})


@pytest.mark.rule("R-032", "D-07")
@pytest.mark.parametrize(
    ("filter", "selected"),
    [
        (compare("equal", "user_name", text="ADA@example.COM"), True),  # RFC 7643 2.2: no case
        (compare("equal", "external_id", text="key"), False),  # case exact
        (compare("equal", "title", text="ÄRZTIN"), True),  # fold is not ASCII only
        (compare("starts_with", "title", text="är"), True),
        (compare("contains", "user_name", text="@EXAM"), True),
        (compare("ends_with", "user_name", text=".COM"), True),
        (compare("contains", "external_id", text="EY"), False),
        (compare("equal", "active", flag=False), True),
        (compare("not_equal", "active", flag=False), False),
        (compare("not_equal", "nick_name", text="x"), True),  # absent differs
        (compare("equal", "nick_name", text=""), False),  # absent equals nothing
        (compare("not_equal", "name.family_name", text=""), True),  # empty is absent
        (compare("at_most", "nick_name", text="x"), False),  # absent has no order
        (compare("contains", "nick_name", text=""), False),
        (compare("contains", "title", text=""), True),
        (compare("greater_than", "user_name", text="ACE"), True),  # order of the folded text
        (compare("less_than", "title", text="z"), False),  # code points: ä is behind z
        (compare("equal", "create_time", time=Timestamp(seconds=1, nanos=1_999)), True),  # 1 us
        (compare("greater_than", "create_time", time=Timestamp(seconds=1, nanos=999)), True),
        (compare("at_least", "update_time", time=Timestamp()), False),  # not there
        (compare("at_least", "user_name", text="ada@example.COM"), True),
        (compare("at_most", "user_name", text="ada@example.COM"), True),
        (compare("greater_than", "user_name", text="ada@example.COM"), False),
        (compare("less_than", "user_name", text="ada@example.COM"), False),
        (compare("equal", "enterprise.manager.user_id", text="u2"), True),
        (Filter(present={"field": "name"}), True),
        (Filter(present={"field": "name.family_name"}), False),  # RFC 7644 3.4.2.2: not empty
        (Filter(present={"field": "active"}), True),  # false is a value
        (Filter(present={"field": "ims"}), False),
        (Filter(present={"field": "emails"}), True),
        (Filter(present={"field": "enterprise"}), True),
        (Filter(present={"field": "create_time"}), True),
        (Filter(present={"field": "update_time"}), False),
        (element("emails", compare("ends_with", "value", text="HOME.org")), True),
        # one element must pass the whole of it (RFC 7644 3.4.2.2, emails[type eq "work" and ...])
        (
            element(
                "emails",
                Filter(
                    all_of={
                        "filters": [
                            compare("equal", "type", text="work"),
                            compare("ends_with", "value", text="home.org"),
                        ]
                    }
                ),
            ),
            False,
        ),
        (element("emails", compare("equal", "primary", flag=False)), False),  # absent is not false
        (element("ims", Filter(negate=compare("equal", "type", text="x"))), False),
        (element("x509_certificates", compare("equal", "value", text="YWI=")), True),
        (element("x509_certificates", compare("equal", "value", text="ywi=")), False),
        (element("workplace.teams", compare("equal", "value", text="Blue")), True),
        (element("workplace.teams", compare("equal", "value", text="blue")), False),
        (Filter(all_of={}), True),
        (Filter(any_of={}), False),
        (Filter(negate=Filter(any_of={})), True),
    ],
)
def test_a_filter_selects(filter: Filter, selected: bool):
    """Each operator means what the contract says, also for absent and empty values."""
    matching.check(filter, USER)

    assert matching.matches(ADA, filter, USER) is selected


def test_elements_are_filtered_by_themselves():
    """A selection of a patch is asked of one element."""
    filter = compare("equal", "type", text="WORK")
    matching.check(filter, USER, within="emails")

    assert [matching.matches(e, filter, USER, within="emails") for e in ADA.emails] == [True, False]


def test_groups_are_filtered_too():
    """The attribute table of groups serves as that of users."""
    filter = Filter(
        all_of={
            "filters": [
                compare("equal", "display_name", text="ADMINS"),
                element("members", compare("equal", "member_id", text="u1")),
            ]
        }
    )
    matching.check(filter, GROUP)

    assert matching.matches(
        Group(display_name="Admins", members=[{"member_id": "u1"}]), filter, GROUP
    )


UNKNOWN = "is nothing to filter by. Name a field that can be read."


@pytest.mark.rule("R-030", "D-31")
@pytest.mark.parametrize(
    ("filter", "field", "words"),
    [
        (compare("equal", "nope", text="x"), "nope", UNKNOWN),
        # never returned: told apart from an unknown field, a password could be guessed
        (compare("starts_with", "password", text="x"), "password", UNKNOWN),
        (Filter(present={"field": "password"}), "password", UNKNOWN),
        (compare("equal", "enterprise.manager.ref", text="x"), "enterprise.manager.ref", UNKNOWN),
        (element("groups", compare("equal", "ref", text="x")), "groups.ref", UNKNOWN),
        (compare("equal", "role_id", text="x"), "role_id", UNKNOWN),  # no attribute
        (compare("equal", "", text="x"), "", UNKNOWN),
        (compare("equal", "a\0" + "b" * 300, text="x"), "a?" + "b" * 126 + "…", UNKNOWN),
        (compare("equal", "emails.value", text="x"), "emails.value", "with `element`"),
        (Filter(present={"field": "emails.value"}), "emails.value", "with `element`"),
        (compare("equal", "emails", text="x"), "emails", "has parts"),
        (compare("equal", "name", text="x"), "name", "has parts"),
        (compare("equal", "workplace.teams", text="x"), "workplace.teams", "is repeated"),
        (element("title", compare("equal", "value", text="x")), "title", "has no elements"),
        (element("emails", element("emails", Filter(all_of={}))), "emails.emails", UNKNOWN),
        (element("emails", Filter()), "emails", "has no test"),
        (Filter(), "", "has no test"),
        (Filter(negate=Filter()), "", "has no test"),
        (compare("equal", "title"), "title", "Compare it with text."),
        (compare("equal", "title", flag=True), "title", "Compare it with text."),
        (compare("equal", "active", text="true"), "active", "Compare it with flag."),
        (compare("equal", "create_time", text="2020"), "create_time", "Compare it with time."),
        (compare("equal", "title", number=1), "title", "Compare it with text."),
        (compare("greater_than", "active", flag=True), "active", "Use equal."),  # RFC 7644 table 3
        (compare("contains", "create_time", time=Timestamp()), "create_time", "Use equal."),
        (
            element("x509_certificates", compare("less_than", "value", text="YQ==")),
            "x509_certificates.value",
            "Use equal.",
        ),
        (compare("equal", "title", text="a\0b"), "title", "NUL"),
        (compare("equal", "create_time", time=Timestamp(nanos=-1)), "create_time", "outside"),
        (compare("equal", "create_time", time=Timestamp(seconds=2**62)), "create_time", "outside"),
    ],
)
def test_a_filter_is_refused(filter: Filter, field: str, words: str):
    """What cannot be answered is refused, with the field and a way out."""
    with pytest.raises(DirectoryError) as caught:
        matching.check(filter, USER)

    assert (caught.value.reason, caught.value.metadata) == ("FILTER_INVALID", {"field": field})
    assert words in caught.value.message


def _deep(levels: int) -> Filter:
    filter = compare("equal", "title", text="x")
    for _ in range(levels - 1):
        filter = Filter(negate=filter)
    return filter


def _wide(leaves: int, leaf: Filter) -> Filter:
    return Filter(any_of={"filters": [leaf] * leaves})


@pytest.mark.parametrize(
    ("accepted", "refused", "limit"),
    [
        (_deep(16), _deep(17), "16"),
        (
            _wide(200, compare("equal", "title", text="x")),
            _wide(201, compare("equal", "title", text="x")),
            "200",
        ),
        (_wide(200, Filter(all_of={})), _wide(201, Filter(all_of={})), "200"),  # empty ones count
    ],
)
def test_a_filter_has_limits(accepted: Filter, refused: Filter, limit: str):
    """A filter at the limit is accepted, one above it is not."""
    matching.check(accepted, USER)
    with pytest.raises(DirectoryError) as caught:
        matching.check(refused, USER)

    assert caught.value.metadata["limit"] == limit


def test_elements_have_no_repeated_fields():
    """Paths have one repeated field at most, which the whole of this relies on."""
    inside = [
        path
        for resource in (USER, GROUP)
        for path, attribute in resource.by_path.items()
        if "." in path
        and attribute.field.is_repeated
        and resource.by_path[path.rpartition(".")[0]].field.is_repeated
    ]

    assert inside == []


@given(FILTERS)
def test_generated_filters_are_accepted(filter: Filter):
    """The filters that the next test asks are ones that callers may ask."""
    matching.check(filter, USER)


@given(USERS, FILTERS)
def test_a_filter_reads_as_the_naive_reading(user: User, filter: Filter):
    """The compiled reading agrees with one over plain dictionaries."""
    facts = MessageToDict(user, preserving_proto_field_name=True)

    assert matching.matches(user, filter, USER) is naive(facts, filter, "")


@given(USERS, FILTERS)
def test_a_filter_reads_the_same_after_transport(user: User, filter: Filter):
    """Serialising user and filter changes no answer."""
    again = User.FromString(user.SerializeToString())
    asked = Filter.FromString(filter.SerializeToString())

    assert matching.matches(again, asked, USER) is matching.matches(user, filter, USER)


def naive(facts: Any, filter: Filter, within: str) -> bool:
    """Answer a filter over what MessageToDict returns, written to be read and not to be fast."""
    test = filter.WhichOneof("test")
    if test == "all_of":
        return all(naive(facts, f, within) for f in filter.all_of.filters)
    if test == "any_of":
        return any(naive(facts, f, within) for f in filter.any_of.filters)
    if test == "negate":
        return not naive(facts, filter.negate, within)
    if test == "present":
        return _says(_at(facts, filter.present.field))
    if test == "element":
        elements = _at(facts, filter.element.field) or []
        return any(naive(e, filter.element.where, filter.element.field) for e in elements)
    comparison = getattr(filter, test)
    value = _at(facts, comparison.field)
    operand = getattr(comparison, comparison.WhichOneof("operand"))
    if value is None or value == "":
        return test == "not_equal"
    if isinstance(operand, Timestamp):
        value, operand = _micros(value), operand.seconds * 10**6 + operand.nanos // 1000
    elif isinstance(operand, str) and not _case_exact(within, comparison.field):
        value, operand = fold(value), fold(operand)
    return {
        "equal": lambda: value == operand,
        "not_equal": lambda: value != operand,
        "contains": lambda: operand in value,
        "starts_with": lambda: value[: len(operand)] == operand,
        "ends_with": lambda: value.endswith(operand),
        "greater_than": lambda: value > operand,
        "at_least": lambda: value >= operand,
        "less_than": lambda: value < operand,
        "at_most": lambda: value <= operand,
    }[test]()


def _case_exact(within: str, field: str) -> bool:
    path = within if within == "workplace.teams" else f"{within}.{field}".strip(".")
    return USER.by_path[path].case_exact


def _at(facts: Any, path: str) -> Any:
    if isinstance(facts, str):
        return facts
    for name in path.split("."):
        facts = facts.get(name) if facts else None
    return facts


def _says(value: Any) -> bool:
    """Whether a value is there; what the directory adds to a manager is none."""
    if isinstance(value, dict):
        return any(_says(v) for k, v in value.items() if k not in ("ref", "display_name"))
    return isinstance(value, bool) or bool(value)


def _micros(text: str) -> int:
    seconds, _, rest = text.removesuffix("Z").partition(".")
    since = datetime.fromisoformat(seconds) - datetime(1970, 1, 1)
    return since // timedelta(microseconds=1) + int((rest + "000000")[:6])
