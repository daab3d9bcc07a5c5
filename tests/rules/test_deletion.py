"""What deactivating, reactivating, coming back and deleting do."""

import itertools

import pytest

from core_service.rules import deletion
from core_service.rules.deletion import Deletion, Presence

HERE = Presence(active=True, recycled=False, unlinked=False)
AWAY = Presence(active=False, recycled=False, unlinked=False)
BIN = Presence(active=False, recycled=True, unlinked=False)
UNLINKED = Presence(active=False, recycled=False, unlinked=True)
UNLINKED_BIN = Presence(active=False, recycled=True, unlinked=True)


@pytest.mark.rule("R-022", "R-168", "R-169", "D-20")
@pytest.mark.parametrize(
    ("before", "active", "recycles", "after"),
    [
        (HERE, False, False, AWAY),
        (HERE, False, True, BIN),
        (AWAY, False, True, AWAY),  # deactivating twice is harmless (okta-deactivate-reactivate)
        (BIN, False, True, BIN),
        (BIN, False, False, BIN),
        (BIN, True, True, HERE),  # restored
        (AWAY, True, False, HERE),
        (HERE, True, True, HERE),
    ],
)
def test_active_moves_users_out_of_and_into_the_bin(before, active, recycles, after):
    """Only who was active goes to the deleted users; who is active is not among them."""
    assert after == deletion.with_active(before, active, recycles=recycles)


@pytest.mark.rule("R-023", "D-21")
@pytest.mark.parametrize(
    ("before", "active", "after"),
    [
        (UNLINKED, True, HERE),
        (UNLINKED_BIN, True, HERE),
        (UNLINKED, False, AWAY),
        (BIN, False, BIN),
        (BIN, True, HERE),
    ],
)
def test_who_comes_back_is_seen_again(before, active, after):
    """Hidden users are shown, and active unless the request says otherwise."""
    assert after == deletion.come_back(before, active)


@pytest.mark.rule("R-171", "D-20")
@pytest.mark.parametrize(("before", "after"), [(HERE, UNLINKED), (BIN, UNLINKED_BIN)])
def test_an_unlinked_user_is_hidden_and_inactive(before, after):
    """History stays; nobody signs in."""
    assert after == deletion.unlinked(before)


@pytest.mark.rule("R-163", "R-171", "R-173", "D-20")
@pytest.mark.parametrize(
    ("purges", "by_provisioning", "expected"),
    [
        (False, True, Deletion.UNLINK),
        (True, True, Deletion.PURGE),
        (False, False, Deletion.PURGE),  # the product's deletion frees the address
        (True, False, Deletion.PURGE),
    ],
)
def test_deleting_unlinks_or_purges(purges, by_provisioning, expected):
    """The policy decides for provisioning; the product purges."""
    outcome = deletion.on_delete(purges=purges, by_provisioning=by_provisioning)

    assert outcome is expected


@pytest.mark.rule("D-20")
def test_nobody_deleted_is_ever_active():
    """From every sound state every step leads to a sound state."""
    for before in (HERE, AWAY, BIN, UNLINKED, UNLINKED_BIN):
        for active, recycles in itertools.product([True, False], repeat=2):
            steps = {"back": deletion.come_back(before, active), "gone": deletion.unlinked(before)}
            if not before.unlinked:  # what is hidden cannot be written
                steps["active"] = deletion.with_active(before, active, recycles=recycles)

            assert deletion.verify(steps) == []


@pytest.mark.rule("D-20")
@pytest.mark.parametrize("presence", [Presence(True, True, False), Presence(True, False, True)])
def test_verify_finds_the_deleted_who_can_sign_in(presence):
    """Verify names them."""
    assert len(deletion.verify({"u1": presence, "u2": HERE})) == 1
