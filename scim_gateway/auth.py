"""Who calls: the credential is only carried, the core decides."""

import re

from scim_gateway.errors import unauthenticated

# Okta's "Header" mode sends the token without the word Bearer.
_TOKEN = re.compile(r"(?:bearer +)?([!-~]{1,512})", re.IGNORECASE)


def read_token(authorization: str | None) -> str:
    """
    Return the token of an Authorization header.

    The word Bearer may be in any case or missing. A token is at most 512 visible ASCII
    characters: anything else could not be metadata of a call.

    Raises:
        ScimError: 401 if there is no such token.

    Source: RFC 6750 section 2.1, RFC 7235 section 2.1.
    """
    found = _TOKEN.fullmatch((authorization or "").strip(" "))
    if found is None or found[1].lower() == "bearer":
        raise unauthenticated()
    return found[1]
