"""Text of people and groups."""

import pytest
from userdirectory.attributes import GROUP, USER
from userdirectory.errors import DirectoryError

from core_service.rules import names


@pytest.mark.rule("R-134")
@pytest.mark.parametrize(
    ("given", "family", "expected"),
    [
        ("Ada", "Lovelace", "Ada Lovelace"),
        ("Ada", "", "Ada"),
        ("", "Lovelace", "Lovelace"),
        (" Ada ", " Lovelace", "Ada Lovelace"),
        ("", "", ""),
    ],
)
def test_a_display_name_is_the_given_and_the_family_name(given, family, expected):
    """What is missing leaves no blank behind."""
    assert expected == names.display_name(given, family)


@pytest.mark.rule("R-176", "D-27")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Sales ", "Sales"),
        ("x" * 256, "x" * 256),
        ("Cafe\u0301", "Caf\u00e9"),
        ("a/b, c", "a/b, c"),
    ],
)
def test_a_group_name_is_kept_without_blanks_around_it(sent, kept):
    """1 to 256 characters, composed."""
    assert kept == names.group_name(sent)


@pytest.mark.rule("D-27")
@pytest.mark.parametrize("sent", ["", "  ", "\n", "x" * 257, "Sal\x00es", "Sal\nes"])
def test_a_group_without_a_usable_name_is_refused(sent):
    """Blank, long and unprintable names are no names."""
    with pytest.raises(DirectoryError) as caught:
        names.group_name(sent)

    assert (
        caught.value.reason,
        caught.value.metadata["field"],
    ) == ("FIELD_INVALID", "display_name")


@pytest.mark.rule("R-139")
def test_missing_required_fields_are_named(refused):
    """The first is the field of the error, all are in the text."""
    missing = "name.given_name, name.family_name"
    with refused("FIELD_INVALID", field="name.given_name", missing=missing):
        names.required(["name.given_name", "name.family_name"])
    with pytest.raises(DirectoryError, match=r"name\.family_name"):
        names.required(["name.given_name", "name.family_name"])


@pytest.mark.rule("R-139")
def test_nothing_missing_is_fine():
    """A complete user passes."""
    assert names.required([]) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Vice President"),
        ("title", ""),
        ("title", " x "),  # not trimmed: a client finds again what it wrote
        (
            "name.given_name",
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        ),  # Persian needs its joiner
        ("display_name", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("phone_numbers.value", "+49 (0)40 / 75-555"),  # never reformatted
        ("addresses.formatted", "1 Pier Road\r\nNarvik"),
        ("addresses.street_address", "1 Pier Road\nDoor 2"),
        ("title", "x" * 256),
        ("external_id", "x" * 1024),
    ],
)
def test_text_is_kept_as_it_is(field, value):
    """Whatever can be kept and shown comes back unchanged."""
    assert value == names.text(field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "a\x00b"),  # PostgreSQL cannot keep it
        ("title", "a\nb"),
        ("title", "a\x7f"),
        ("title", "a\x85"),
        ("title", "a\ud800"),  # no UTF-8 for it
        ("addresses.formatted", "a\x00b"),
        ("password", "a\x00b"),
    ],
)
def test_control_characters_are_refused(refused, field, value):
    """Only street addresses have lines."""
    with refused("FIELD_INVALID", field=field):
        names.text(field, value)


@pytest.mark.parametrize(("field", "limit"), [("title", 256), ("external_id", 1024)])
def test_text_over_its_limit_is_refused(refused, field, limit):
    """The error says how much is allowed."""
    with refused("FIELD_INVALID", field=field, limit=limit):
        names.text(field, "x" * (limit + 1))


def test_a_caller_can_set_its_own_limit(refused):
    """For fields that are not in the table."""
    assert names.text("label", "abc", 3) == "abc"
    with refused("FIELD_INVALID", field="label", limit=2):
        names.text("label", "abc", 2)


def test_the_tables_name_fields_that_there_are():
    """Every limit is of a field of the contract, and every repeated message has one."""
    repeated = {
        attribute.path
        for attribute in USER.attributes
        if attribute.multi_valued and attribute.mutability != "readOnly"
    }

    assert set(names.LIMITS) <= set(USER.by_path) | set(GROUP.by_path)
    assert repeated == set(names.ELEMENTS)


def test_more_elements_than_allowed_are_refused(refused):
    """A hundred addresses are enough; what has no limit has none."""
    assert names.elements("emails", 100) is None
    assert names.elements("title", 10_000) is None
    with refused("FIELD_INVALID", field="emails", limit=100):
        names.elements("emails", 101)
    with refused("FIELD_INVALID", field="x509_certificates", limit=20):
        names.elements("x509_certificates", 21)
