"""Which addresses there are, and when two are the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from userdirectory.errors import DirectoryError

from core_service.rules import emails

SAME = [
    ("ada@example.com", "ADA@Example.COM"),  # another ASCII case
    ("ada@example.com", "  ada@example.com\t"),  # D-07: trimmed
    ("jos\u00e9@example.com", "jose\u0301@example.com"),  # composed and decomposed
    ("JOS\u00c9@example.com", "jose\u0301@example.com"),
    ("\u00e5sa@example.com", "\u212bsa@example.com"),  # the angstrom sign is A with a ring
    ("kim@example.com", "\u212aim@example.com"),  # the kelvin sign is K
    ("\u1e9b\u0323@example.com", "\u1e9b\u0323@example.com"),
    ("\u1ec7@example.com", "e\u0323\u0302@example.com"),  # order of combining marks
    ("\u1ec7@example.com", "e\u0302\u0323@example.com"),
    ("\u03a9mega@example.com", "\u2126mega@example.com"),  # the ohm sign is omega
    ("\u0416@example.com", "\u0436@example.com"),  # Cyrillic has case
    ("\ud55c@example.com", "\u1112\u1161\u11ab@example.com"),  # Hangul from its letters
]

DIFFERENT = [
    ("stra\u00dfe@example.com", "strasse@example.com"),  # no case folding
    ("\u1e9e@example.com", "ss@example.com"),
    ("\ufb01x@example.com", "fix@example.com"),  # no compatibility forms
    ("\uff41da@example.com", "ada@example.com"),  # full width
    ("\u0430da@example.com", "ada@example.com"),  # Cyrillic a
    ("ad\u03b1@example.com", "ada@example.com"),  # Greek alpha
    ("\u0131da@example.com", "ida@example.com"),  # dotless i
    ("\u0130da@example.com", "ida@example.com"),  # capital I with a dot
    ("\u0130da@example.com", "i\u0307da@example.com"),
    ("ada+news@example.com", "ada@example.com"),  # no plus folding
    ("a.da@example.com", "ada@example.com"),  # no dot folding
    ("ada@example.com", "ada@example.com."),
    ("l0u@example.com", "lou@example.com"),
    ("Ill@example.com", "lll@example.com"),
    ("\u017fam@example.com", "sam@example.com"),  # long s
    ("\u00b5@example.com", "\u03bc@example.com"),  # micro sign and mu differ but for NFKC
    ("\u03c3@example.com", "\u03c2@example.com"),  # final sigma is not folded
    ("a\u2113@example.com", "al@example.com"),  # script l
    ("\u2460@example.com", "1@example.com"),
    ("x\u00b2@example.com", "x2@example.com"),
    ("jos\u00e9@example.com", "jose@example.com"),  # an accent is a letter
    ("ada@ex\u0430mple.com", "ada@example.com"),  # the domain too
]


@pytest.mark.rule("R-033", "D-07")
@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_address_written_differently_is_one(one, other):
    """Trim, NFC and simple lower case make two addresses one."""
    assert emails.key(one) == emails.key(other)
    assert emails.key(emails.canonical_email(one)) == emails.key(emails.canonical_email(other))


@pytest.mark.rule("R-033", "D-07")
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_look_alike_addresses_are_two(one, other):
    """Nothing else makes two addresses one."""
    assert emails.key(one) != emails.key(other)


def test_there_are_enough_look_alikes():
    """The tables stay as large as they must be."""
    assert len(DIFFERENT) >= 16
    assert len(set(map(frozenset, SAME + DIFFERENT))) == len(SAME + DIFFERENT)


@pytest.mark.rule("D-07")
@given(st.text(min_size=1).filter(str.strip))
def test_a_key_is_its_own_key(text):
    """Folding twice is folding once, in any normal form: what was stored is found again."""
    key = emails.key(text)

    assert key == emails.key(key)
    assert key == emails.key(unicodedata.normalize("NFD", text.strip()))


@pytest.mark.rule("R-067", "D-07")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Mara.Lindqvist@Example.com", "Mara.Lindqvist@Example.com"),  # okta-first-sync
        (" ada@example.com\n", "ada@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("o'brien+x@sub.example.co.uk", "o'brien+x@sub.example.co.uk"),
        ("ada@localhost", "ada@localhost"),
        ("a" * 64 + "@" + "b" * 255, "a" * 64 + "@" + "b" * 255),  # RFC 5321: the longest
    ],
)
def test_an_address_is_kept_in_its_own_letters(sent, kept):
    """The spelling stays; only blanks around it and its Unicode form are settled."""
    assert kept == emails.canonical_email(sent)


@pytest.mark.rule("R-067", "D-07")
@pytest.mark.parametrize(
    "sent",
    [
        "",
        "   ",
        "ada",
        "@example.com",
        "ada@",
        "@",
        "ada@home@example.com",
        "a b@example.com",
        "ada@exam ple.com",
        "a\x00da@example.com",
        "ada@example.com\x7f",
        "a\u00a0da@example.com",  # no-break space
        "a\u3000da@example.com",  # ideographic space
        "a\u200bda@example.com",  # zero width space
        "a\u200dda@example.com",  # zero width joiner
        "a\u00adda@example.com",  # soft hyphen
        "\ufeffada@example.com",  # byte order mark
        "a\u202eda@example.com",  # right-to-left override
        "a\u2066da@example.com",  # isolate
        "a\u061cda@example.com",  # Arabic letter mark
        "a\u034fda@example.com",  # combining grapheme joiner
        "a\u3164da@example.com",  # Hangul filler
        "a\u2800da@example.com",  # blank braille pattern
        "ada\ufe0f@example.com",  # variation selector
        "ada\U000e0101@example.com",
        "ada\U000e0061@example.com",  # tag letter
        "a\u180bda@example.com",
        "a\ue000da@example.com",  # private use
        "a\u0378da@example.com",  # not assigned
        "a\ud800da@example.com",  # lone surrogate
        "a" * 65 + "@" + "b" * 255,
    ],
)
def test_what_is_no_address_is_refused(sent):
    """An address has one @ between two parts, and only characters that can be seen."""
    with pytest.raises(DirectoryError) as caught:
        emails.canonical_email(sent)

    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.metadata["field"] == "user_name"
    assert caught.value.message.isprintable()
    assert caught.value.message.encode()


@pytest.mark.rule("D-06", "R-087")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("ada", "ada"),
        ("CORP\\ada", "CORP\\ada"),
        ("Ada Lovelace ", "Ada Lovelace"),
        ("ada_ext#EXT#@corp.example", "ada_ext#EXT#@corp.example"),  # Entra's guests
        ("@", "@"),
        ("x" * 320, "x" * 320),
    ],
)
def test_a_principal_name_need_not_be_an_address(sent, kept):
    """Where any name will do, blanks inside and a missing @ are fine."""
    assert kept == emails.canonical_principal(sent)


@pytest.mark.rule("D-07")
@pytest.mark.parametrize(
    "sent", ["", " ", "a@b@c", "a\u200bda", "a\u202eda", "a\tb", "a\u00a0b", "x" * 321]
)
def test_a_principal_name_has_no_hidden_characters(refused, sent):
    """Names that cannot be told apart by eye are refused in every workspace."""
    with pytest.raises(DirectoryError) as caught:
        emails.canonical_principal(sent)

    assert (caught.value.reason, caught.value.metadata["field"]) == ("FIELD_INVALID", "user_name")


@pytest.mark.rule("R-162")
def test_an_address_of_another_account_is_taken(refused):
    """The refusal names the address and nobody who has it."""
    with refused("VALUE_TAKEN", field="user_name", value="ada@example.com"):
        emails.guard_free("a2", "a1", "ada@example.com")


@pytest.mark.rule("R-162")
@pytest.mark.parametrize(("holder", "own"), [(None, "a1"), ("a1", "a1"), (None, "")])
def test_a_free_address_and_the_own_one_can_be_taken(holder, own):
    """Nobody's and one's own address are free."""
    assert emails.guard_free(holder, own, "ada@example.com") is None


HEX = "0123456789abcdef0123456789ABCDEF"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (HEX + "jane@example.com", "jane@example.com"),  # Entra deletes softly
        (HEX + "Jane@Example.com", "Jane@Example.com"),
        (" " + HEX + "jane@example.com", "jane@example.com"),
        (HEX + "joan@example.com", HEX + "joan@example.com"),  # someone else's name
        (HEX[1:] + "jane@example.com", HEX[1:] + "jane@example.com"),  # 31 digits
        ("g" + HEX[1:] + "jane@example.com", "g" + HEX[1:] + "jane@example.com"),
        ("jane@example.com", "jane@example.com"),
        (HEX, HEX),
    ],
)
def test_a_softly_deleted_person_is_recognised(sent, kept):
    """An object id before the name the user has is Entra's, not a new name."""
    assert kept == emails.strip_deletion_prefix(sent, "jane@example.com")


@pytest.mark.rule("R-116")
@pytest.mark.parametrize(
    ("types", "primaries", "expected"),
    [
        (["home", "work", "work"], [True, False, True], 1),  # the first for work, whoever is marked
        (["home", "WORK"], [True, False], 1),
        (["home", "other"], [False, True], 1),  # no address for work: what was marked
        (["", ""], [False, False], None),
        (["other", "other"], [True, True], 0),
        ([], [], None),
    ],
)
def test_the_first_address_for_work_is_primary(types, primaries, expected):
    """In the order sent, regardless of what is marked."""
    assert expected == emails.primary_index(types, primaries, work_first=True)


@pytest.mark.parametrize(
    ("types", "primaries", "expected"),
    [
        (["work", "home"], [False, True], 1),
        (["work", "work"], [False, False], None),
        (["home", "work"], [False, True], 1),
    ],
)
def test_where_the_client_says_it_the_mark_alone_counts(types, primaries, expected):
    """RFC 7643 section 2.4."""
    assert expected == emails.primary_index(types, primaries, work_first=False)


@pytest.mark.rule("R-131")
@pytest.mark.parametrize(
    ("values", "primaries", "expected"),
    [
        (["a@x.example", "b@x.example"], [False, True], "b@x.example"),
        (["a@x.example", "b@x.example"], [False, False], "a@x.example"),
        (["", "b@x.example"], [True, False], "b@x.example"),
        ([], [], "ada@example.com"),
    ],
)
def test_people_are_written_to_at_their_primary_address(values, primaries, expected):
    """The primary address, else the first, else the user name."""
    assert expected == emails.contact_email(values, primaries, "ada@example.com")


@pytest.mark.rule("D-07")
def test_verify_finds_doubles_and_wrong_keys():
    """Verify finds two holders of one key, and a key that is not its name's."""
    assert emails.verify([("u1", "Ada@x", "ada@x"), ("u2", "bob@x", "bob@x")]) == []
    assert emails.verify([("u1", "Ada@x", "ada@x"), ("u2", "ada@X", "ada@x")]) == [
        "u1, u2 have the same name."
    ]
    assert len(emails.verify([("u1", "Ada@x", "Ada@x")])) == 1
