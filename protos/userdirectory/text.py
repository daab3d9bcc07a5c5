"""How text is compared: one function for everything that does not tell upper from lower case."""

import unicodedata


def fold(text: str) -> str:
    """
    Return *text* as it is compared without regard to case.

    NFC and simple lower case, one character for one: no case folding (`ß` is not `ss`), no
    compatibility forms (`ﬁ` is not `fi`), no trimming. Every database and every process gets the
    same key, because no database computes it. Source: D-07.
    """
    if text.isascii():
        return text.lower()
    lowered = "".join(_lower(character) for character in unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", lowered)


def name_key(name: str) -> str:
    """Return *name* as names of teams, regions and roles are compared: trimmed, NFC, with case.

    Source: D-12.
    """
    return unicodedata.normalize("NFC", name.strip())


def _lower(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character
