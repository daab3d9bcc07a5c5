"""What a credential may do, and what it may let another one do."""

import pytest
from userdirectory.errors import DirectoryError

from core_service.rules import scopes


@pytest.mark.parametrize(
    ("kept", "access_token", "may"),
    [
        ("", False, scopes.PROVISIONING),
        ("", True, scopes.PROVISIONING - {scopes.EXCHANGE}),
        (" ".join(scopes.READING), False, {*scopes.READING, scopes.EXCHANGE}),
        (" ".join(scopes.READING), True, {*scopes.READING}),
        ("*", False, {scopes.EXCHANGE}),
        ("users.read workspaces.write", True, {"users.read"}),
    ],
)
def test_an_integration_never_does_more_than_provision(kept, access_token, may):
    """Whatever is kept of its credential; access tokens make no others."""
    assert scopes.of_integration(kept, access_token=access_token) == may


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (["users.read"], ("users.read",)),
        (["users.write", "users.read", "users.write"], ("users.read", "users.write")),
        (["*", "users.read"], ("*",)),
        (scopes.KNOWN[::-1], scopes.KNOWN),
    ],
)
def test_scopes_are_kept_once_and_in_order(asked, kept):
    """In that of the table; all of them in one word."""
    assert scopes.known(asked) == kept


@pytest.mark.parametrize(
    ("asked", "metadata"),
    [
        ([], {}),
        (["user.read"], {"value": "user.read", "near": "users.read"}),
        (["USERS.READ"], {"value": "USERS.READ", "near": "users.read"}),
        (["users.read users.write"], {"value": "users.read users.write", "near": "users.write"}),
        (["*", "everything"], {"value": "everything"}),
        ([scopes.EXCHANGE], {"value": scopes.EXCHANGE, "near": "credentials.write"}),
    ],
)
def test_what_is_no_scope_is_refused(asked, metadata):
    """With the one that was probably meant; what integrations alone have is none."""
    with pytest.raises(DirectoryError) as caught:
        scopes.known(asked)

    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.metadata == {"field": "scopes", **metadata}


@pytest.mark.parametrize(
    ("asked", "held"),
    [(["users.read"], {"users.read", "log.read"}), (["*"], {"*"}), (scopes.KNOWN, {"*"})],
)
def test_what_one_has_can_be_given(asked, held):
    """Also by who has all."""
    scopes.guard_grant(asked, frozenset(held))


@pytest.mark.parametrize(
    ("asked", "held", "lacking"),
    [
        (("users.read", "users.write"), {"users.read"}, "users.write"),
        (("*",), scopes.KNOWN, "*"),
        (("users.read", "log.read"), (), "users.read log.read"),
    ],
)
def test_what_one_lacks_cannot_be_given(asked, held, lacking):
    """All scopes there are today are not all scopes."""
    with pytest.raises(DirectoryError) as caught:
        scopes.guard_grant(asked, frozenset(held))

    assert (caught.value.reason, caught.value.metadata) == ("SCOPE_MISSING", {"scope": lacking})
