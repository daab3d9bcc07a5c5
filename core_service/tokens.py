"""
The secrets that callers show: `ud_<public id>_<secret>`.

The public id finds the credential and may be logged; of the secret only the SHA-256 digest is
kept. A secret of 256 random bits needs no slow hash (D-23).
"""

import base64
import hashlib
import re
import secrets

PREFIX = "ud"

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(r"ud_([0-9a-z]{16})_([0-9A-Za-z_-]{43})", re.ASCII)
_LENGTH = len("ud_") + 16 + len("_") + 43


def new_token() -> tuple[str, str, bytes]:
    """Return a new public id, the token to show once, and the digest to keep (32 bytes)."""
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return public_id, f"{PREFIX}_{public_id}_{secret}", digest(secret)


def parse(token: str) -> tuple[str, bytes] | None:
    """Return the public id and the digest of the secret, None if *token* is not one of ours."""
    if len(token) != _LENGTH or not token.isascii():
        return None
    found = _TOKEN.fullmatch(token)
    return (found[1], digest(found[2])) if found else None


def digest(secret: str) -> bytes:
    """Return the SHA-256 digest of a secret: 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()
