"""The form of tokens."""

import hashlib
import re

import pytest

from core_service import tokens


@pytest.mark.rule("D-23")
def test_a_token_is_prefix_public_id_and_a_secret_of_256_bits():
    """`ud_`, 16 letters and digits, 43 of base64url; what is kept is the digest (A13)."""
    public_id, token, digest = tokens.new_token()

    assert re.fullmatch(r"ud_[0-9a-z]{16}_[0-9A-Za-z_-]{43}", token)
    assert token.split("_", 2)[1] == public_id
    assert hashlib.sha256(token.split("_", 2)[2].encode()).digest() == digest


def test_a_token_is_read_as_it_was_made():
    """Parsing gives back the public id and the digest."""
    public_id, token, digest = tokens.new_token()

    assert tokens.parse(token) == (public_id, digest)


def test_no_two_tokens_are_alike():
    """Ids and secrets are random."""
    made = {part for _ in range(100) for part in tokens.new_token()}

    assert len(made) == 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ud_",
        "x" * 64,
        "ud_" + "a" * 16 + "_" + "b" * 42,
        "ud_" + "a" * 16 + "_" + "b" * 44,
        "ud_" + "A" * 16 + "_" + "b" * 43,
        "ud_" + "a" * 16 + "_" + "b" * 42 + "\n",
        "ud_" + "a" * 16 + "_" + "b" * 42 + "é",  # A15: compare_digest knows no such text
        "ud_" + "٣" * 16 + "_" + "b" * 43,
        "x" * 1_000_000,
    ],
)
def test_anything_else_is_not_a_token(text):
    """Length and letters are checked before anything else."""
    assert tokens.parse(text) is None
