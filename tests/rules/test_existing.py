"""What creating a user means when the workspace knows that user."""

import itertools

import pytest
from userdirectory.errors import DirectoryError

from core_service.rules import existing
from core_service.rules.existing import Existing, Found


def found(*, active=True, linked=True, visible=True, external_id="00u1"):
    return Found(active, linked, visible, external_id)


def ask(user, *, refuse=False, sent="00u1"):
    return existing.outcome(user, refuse=refuse, sent_external_id=sent, user_name="a@b.example")


@pytest.mark.rule("R-020", "R-037")
@pytest.mark.parametrize("refuse", [True, False])
def test_somebody_new_is_created(refuse):
    """Nobody has the name: a user is made."""
    assert ask(None, refuse=refuse) is Existing.CREATE


@pytest.mark.rule("R-033", "R-042", "D-21")
def test_an_active_user_whom_nobody_has_is_linked():
    """A user made by hand is taken up, not doubled."""
    assert ask(found(linked=False, external_id="")) is Existing.LINK


@pytest.mark.rule("D-21")
@pytest.mark.parametrize("sent", ["", "00u1", "00u2"])
def test_an_active_linked_user_is_taken(refused, sent):
    """The same request twice is a conflict, not two users (okta-first-sync)."""
    with refused("VALUE_TAKEN", field="user_name", value="a@b.example"):
        ask(found(), sent=sent)


@pytest.mark.rule("R-023", "D-21")
@pytest.mark.parametrize(
    ("user", "sent"),
    [
        (found(active=False), "00u1"),  # assigned anew with the same identifier
        (found(active=False), "00u2"),  # and with a new one, after a restore in the IdP
        (found(active=False, external_id=""), ""),  # a client that knows no external ids
        (found(active=False, linked=False), ""),  # deactivated by hand, never provisioned
        (found(active=False, linked=False, visible=False), ""),  # deleted before
        (found(active=False, visible=False), ""),
    ],
)
def test_who_was_away_comes_back(user, sent):
    """Deactivated, recycled and deleted people get the same user again."""
    assert ask(user, sent=sent) is Existing.COME_BACK


@pytest.mark.rule("R-023")
def test_an_inactive_user_with_an_identifier_is_taken_for_a_request_without(refused):
    """A POST for the inactive person is a conflict, not a second account.

    Witness: okta-deactivate-reactivate.
    """
    with refused("VALUE_TAKEN", field="user_name", value="a@b.example"):
        ask(found(active=False), sent="")


@pytest.mark.rule("R-037", "D-21")
@pytest.mark.parametrize(
    ("active", "linked", "external_id"),
    list(itertools.product([True, False], [True, False], ["", "x"])),
)
def test_a_strict_workspace_adopts_nobody_it_shows(active, linked, external_id):
    """Every user the client can find is a conflict."""
    with pytest.raises(DirectoryError) as caught:
        ask(found(active=active, linked=linked, external_id=external_id), refuse=True)

    assert caught.value.reason == "VALUE_TAKEN"


@pytest.mark.rule("D-21")
def test_a_deleted_user_is_no_conflict_to_a_strict_workspace():
    """What the client deleted does not exist to it (RFC 7644 section 3.6)."""
    gone = found(active=False, linked=False, visible=False, external_id="")

    assert ask(gone, refuse=True) is Existing.COME_BACK
