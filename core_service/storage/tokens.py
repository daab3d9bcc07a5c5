"""Page tokens: where a page ended, authenticated, so that nobody can make or move one."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence

import orjson
from userdirectory.errors import DirectoryError

Place = tuple[str | int | None, ...]
_DIGEST_BYTES = 32
_LONGEST = 65_536


def encode_token(key: bytes, scope: str, after: Sequence[str | int | None]) -> str:
    """
    Return the token of the page behind *after*.

    Args:
        key: At least 32 bytes that only the directory knows.
        scope: Names the listing: its workspace, its kind, its filter, its order.
        after: What the last row is ordered by, its id last.
    """
    place = orjson.dumps(list(after))
    return urlsafe_b64encode(_digest(key, scope, place) + place).rstrip(b"=").decode()


def decode_token(key: bytes, scope: str, token: str) -> Place:
    """
    Return the place that `encode_token` made *token* of.

    Raises:
        DirectoryError: PAGE_TOKEN_INVALID if the directory did not, or for another listing.
    """
    if not token.isascii() or len(token) > _LONGEST:
        raise _invalid()
    try:
        sent = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Base64Error, ValueError) as error:
        raise _invalid() from error
    digest, place = sent[:_DIGEST_BYTES], sent[_DIGEST_BYTES:]
    if not hmac.compare_digest(digest, _digest(key, scope, place)):
        raise _invalid()
    return tuple(orjson.loads(place))


def _digest(key: bytes, scope: str, place: bytes) -> bytes:
    return hmac.digest(key, scope.encode() + b"\0" + place, "sha256")


def _invalid() -> DirectoryError:
    return DirectoryError(
        "PAGE_TOKEN_INVALID",
        "The page token is not from this listing. Begin again without one.",
    )
