"""Which language the product uses for a person."""

import pytest
from userdirectory.errors import DirectoryError

from core_service.rules import languages
from core_service.rules.languages import Language

TWO = ("en-GB", "de-DE")


def normalize(wanted, spoken=TWO, *, default=False, current=None):
    return languages.normalize(wanted, spoken, fallback_default=default, current=current)


@pytest.mark.rule("R-112", "R-113", "D-01", "D-03")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("en-GB", "en-GB"),
        ("de-DE", "de-DE"),  # entra-user-updates-default
        ("en-US", "en-GB"),
        ("de-AT", "de-DE"),  # D-01
        ("en", "en-GB"),  # entra-gallery-null-update
        ("EN", "en-GB"),
        ("DE_de", "de-DE"),
        ("de_CH", "de-DE"),
        ("de-Latn-AT-1996", "de-DE"),
        (" de-DE ", "de-DE"),
        ("de-AT, en;q=0.8", "de-DE"),  # D-01
        ("en;q=0.8, de-AT", "de-DE"),  # the order is that of the weights
        ("fr, en;q=0.8, de;q=0.9", "de-DE"),  # the best that is spoken
        ("de;q=0, en;q=0.1", "en-GB"),  # a weight of 0 means: not this one
        ("fr-FR;q=1.000, de;q=0.001", "de-DE"),
        ("de,", "de-DE"),  # RFC 9110 section 5.6.1: empty elements count for nothing
        ("fr, *;q=0.5", "en-GB"),
        ("*", "en-GB"),
    ],
)
def test_a_spoken_language_is_found(sent, kept):
    """The same tag, else the same language, in the spelling the workspace uses."""
    assert Language(kept, unsupported=False) == normalize(sent)


@pytest.mark.rule("R-113", "D-01")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [("de-AT", "en-GB"), ("en-US", "en-GB"), ("de-DE", "de-DE"), ("DE_DE", "de-DE")],
)
def test_another_region_can_lead_to_the_default(sent, kept):
    """The literal reading: only an exact tag is kept, another region gets the default."""
    assert Language(kept, unsupported=False) == normalize(sent, default=True)


@pytest.mark.rule("D-01")
@pytest.mark.parametrize(
    ("sent", "spoken", "kept"),
    [
        ("zh-Hant-HK", ("zh-Hans-CN", "zh-Hant-TW"), "zh-Hant-TW"),  # the script agrees too
        ("en-US", ("en-GB", "en"), "en"),  # RFC 4647 section 3.4: truncation finds `en`
        ("pt-AO", ("pt-BR", "pt-PT"), "pt-BR"),  # of two as near, the first
        ("deu", ("de-DE", "en"), None),  # other letters are another language
    ],
)
def test_the_nearest_spoken_tag_wins(sent, spoken, kept):
    """The more subtags agree from the left, the nearer."""
    language = normalize(sent, spoken)

    assert (kept or spoken[0], kept is None) == (language.tag, language.unsupported)


@pytest.mark.rule("D-02")
@pytest.mark.parametrize(
    ("sent", "current", "kept"),
    [
        ("fr-FR", None, "en-GB"),  # create
        ("sq-AL", None, "en-GB"),  # entra-validator-users
        ("fr-FR", "de-DE", "de-DE"),  # update
        ("fr, it;q=0.5", "de-DE", "de-DE"),
        ("de;q=0", "de-DE", "de-DE"),  # nothing is asked for
        ("fr-FR", "it-IT", "en-GB"),  # the current one is not spoken any more
    ],
)
def test_an_unspoken_language_is_noted_and_not_taken(sent, current, kept):
    """A new user gets the default, another keeps what they have, and the caller is told."""
    assert Language(kept, unsupported=True) == normalize(sent, current=current)


@pytest.mark.rule("D-02")
def test_any_language_will_do_keeps_the_current():
    """A wildcard asks for no change."""
    assert normalize("*", current="de-DE") == Language("de-DE", unsupported=False)


@pytest.mark.rule("D-01")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("sq_al", "sq-AL"),
        ("PT-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),  # RFC 5646 section 2.1.1
        ("sr-Latn-rs", "sr-Latn-RS"),
        ("es-419", "es-419"),
        ("de-CH-1901", "de-CH-1901"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("en-ca-x-CA", "en-CA-x-ca"),  # after a single letter everything is lower case
        ("de-DE-u-CO-phonebk", "de-DE-u-co-phonebk"),
        ("en-a-bbb-x-a-ccc", "en-a-bbb-x-a-ccc"),
        ("zh-cmn-Hans-cn", "zh-cmn-Hans-CN"),
        ("x-Whatever", "x-whatever"),
        ("I-klingon", "i-klingon"),
        ("en-gb-OED", "en-GB-oed"),
        ("sgn-be-fr", "sgn-BE-FR"),
        ("art-lojban", "art-lojban"),
        ("fr;q=0.2, it-ch", "it-CH"),
    ],
)
def test_without_a_list_any_language_is_kept_in_the_usual_case(sent, kept):
    """A workspace that names no languages keeps every well-formed tag."""
    assert Language(kept, unsupported=False) == normalize(sent, ())


@pytest.mark.rule("D-02")
@pytest.mark.parametrize(
    "sent",
    [
        "",
        " ",
        ",",
        "e",
        "english language",
        "en--GB",
        "en-",
        "-en",
        "en-GB-",
        "12",
        "en-toolongsubtag",
        "a-DE",  # RFC 5646 appendix A: invalid
        "de-419-DE",
        "ar-a",
        "en-x",
        "de-DE; en",
        "de;q=2",
        "de;q=0.1234",
        "de;w=1",
        "ｅｎ",
        "en\u0000",
        "en-GB\n,x y",
        "LKJHGFDSAMNB",
    ],
)
@pytest.mark.parametrize("spoken", [TWO, ()])
def test_what_is_no_language_tag_is_refused(sent, spoken):
    """A malformed tag is the sender's mistake, whatever is spoken."""
    with pytest.raises(DirectoryError) as caught:
        normalize(sent, spoken)

    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.metadata["field"] == "preferred_language"


@pytest.mark.rule("D-01")
def test_a_wildcard_alone_names_no_language(refused):
    """Where any tag is kept, there must be one."""
    with refused("FIELD_INVALID", field="preferred_language", value="*"):
        normalize("*", ())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("en-US", "en-US"),  # okta-first-sync
        ("en_US", "en_US"),
        (" de-CH ", "de-CH"),
        ("nb-NO", "nb-NO"),  # entra-validator-users
        ("sl", "sl"),  # authentik-users
    ],
)
def test_a_locale_stays_as_it_was_sent(sent, kept):
    """A client finds again what it wrote."""
    assert kept == languages.normalize_locale(sent)


def test_a_locale_is_a_language_tag(refused):
    """Anything else is refused, under the name of the field it was sent in."""
    with refused("FIELD_INVALID", field="locale", value="somewhere nice"):
        languages.normalize_locale("somewhere nice")


@pytest.mark.rule("D-03")
def test_verify_finds_languages_that_are_not_spoken():
    """Where languages are named, everyone has one of them."""
    assert languages.verify(TWO, {"u1": "de-DE"}) == []
    assert languages.verify((), {"u1": "fr"}) == []
    assert len(languages.verify(TWO, {"u1": "de-DE", "u2": "de-AT"})) == 1
