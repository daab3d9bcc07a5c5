"""The header `Idempotency-Key`: the name that a client gives a write it may have to repeat."""

import re

from falcon.asgi import Request

from scim_gateway.errors import invalid_value

HEADER = "idempotency-key"

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# A string with quotes as the draft wants it, or what most clients send: the key as it is. Two
# headers arrive joined by a comma, which the latter cannot have.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r'[^",; \\]+')
_ESCAPED = re.compile(r"\\(.)")
_KEY = re.compile(r"[!-~]{1,128}", re.ASCII)


def read_key(req: Request) -> str:
    """
    Return the key of a request that writes, empty if it has none.

    Raises:
        ScimError: 400 invalidValue if it has several, or one that is not 1 to 128 visible ASCII
            characters.

    Source: draft-ietf-httpapi-idempotency-key-header-07 section 2.1; RFC 8941 section 3.3.3.
    """
    sent = req.get_header(HEADER) if req.method in _WRITES else None
    if sent is None:
        return ""
    text = sent.strip(" ")
    quoted = _QUOTED.fullmatch(text)
    key = _ESCAPED.sub(r"\1", quoted[1]) if quoted else text
    if not _KEY.fullmatch(key) or not (quoted or _BARE.fullmatch(text)):
        raise invalid_value(
            "Idempotency-Key is not one of 1 to 128 visible ASCII characters. Send a UUID."
        )
    return key
