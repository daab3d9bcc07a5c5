"""A workspace keeps an active admin."""

import itertools

import pytest
from userdirectory.errors import DirectoryError

from core_service.rules import admins
from core_service.rules.standing import Facts, Standing

ADMIN = Standing(admin=True, guest=False, active=True)
AWAY = Standing(admin=True, guest=False, active=False)
MEMBER = Standing(admin=False, guest=False, active=True)


def facts(active_admins: int) -> Facts:
    return Facts(active_admins, seats_used=9, seats_total=9, metered=True, automatic_booking=False)


@pytest.mark.rule("R-150", "D-16")
@pytest.mark.parametrize("after", [MEMBER, AWAY, None], ids=["demoted", "deactivated", "gone"])
def test_the_last_active_admin_stays(refused, after):
    """Neither demotion nor deactivation nor deletion takes the last active admin."""
    with refused("LAST_ADMIN", user_id="u1"):
        admins.guard(ADMIN, after, facts(1), "u1")


@pytest.mark.rule("R-150", "D-16")
@pytest.mark.parametrize(
    ("before", "after", "active_admins"),
    [
        (ADMIN, MEMBER, 2),  # another one stays
        (ADMIN, ADMIN, 1),  # a profile update
        (AWAY, MEMBER, 0),  # an inactive admin does not count, so is not missed
        (AWAY, None, 1),
        (MEMBER, None, 0),  # a workspace without an admin can lose none
        (None, MEMBER, 0),
        (None, ADMIN, 0),
    ],
)
def test_other_writes_pass_the_admin_guard(before, after, active_admins):
    """A write is refused only if it takes an active admin and none would be left."""
    assert admins.guard(before, after, facts(active_admins), "u1") is None


@pytest.mark.rule("R-150", "D-16")
@pytest.mark.parametrize(
    ("losing", "gaining", "active_admins"), [(2, 0, 3), (2, 1, 2), (1, 1, 1), (0, 0, 0)]
)
def test_many_admins_may_go_while_one_is_left(losing, gaining, active_admins):
    """A write of many users is judged by its end, so that admins can be swapped in one request."""
    assert admins.guard_many(losing, gaining, facts(active_admins), "u1") is None


@pytest.mark.rule("R-150", "D-16")
def test_all_admins_cannot_go_at_once(refused):
    """A write of many users cannot take every active admin."""
    with refused("LAST_ADMIN", user_id="u1"):
        admins.guard_many(2, 0, facts(2), "u1")


@pytest.mark.rule("R-150")
def test_no_sequence_of_guarded_writes_ends_without_an_admin(refused):
    """Whatever is tried with three users, an admin is left."""
    for steps in itertools.product(
        itertools.product(range(3), [ADMIN, AWAY, MEMBER, None]), repeat=3
    ):
        users: dict[int, Standing | None] = {0: ADMIN, 1: ADMIN, 2: MEMBER}
        for user, after in steps:
            count = sum(s is not None and s.is_active_admin for s in users.values())
            try:
                admins.guard(users[user], after, facts(count), str(user))
            except DirectoryError:
                continue
            users[user] = after

        assert any(s is not None and s.is_active_admin for s in users.values())


@pytest.mark.rule("R-154")
@pytest.mark.parametrize(
    ("before", "after", "user_id"),
    [(None, ADMIN, ""), (MEMBER, ADMIN, "u1"), (ADMIN, MEMBER, "u1"), (AWAY, MEMBER, "u1")],
)
def test_provisioning_neither_gives_nor_takes_a_locked_admin_role(refused, before, after, user_id):
    """Where only the product manages admins, provisioning changes nobody's admin role."""
    with refused("ADMIN_ROLE_LOCKED", user_id=user_id):
        admins.guard_lock(before, after, product_only=True, by_provisioning=True, user_id=user_id)


@pytest.mark.rule("R-154")
@pytest.mark.parametrize(
    ("before", "after", "product_only", "by_provisioning"),
    [
        (ADMIN, ADMIN, True, True),  # an admin's profile may be updated
        (ADMIN, AWAY, True, True),  # deactivating follows the last-admin rule alone
        (ADMIN, None, True, True),
        (None, MEMBER, True, True),
        (MEMBER, ADMIN, True, False),  # the product itself
        (MEMBER, ADMIN, False, True),  # a workspace where the role is assignable
    ],
)
def test_the_lock_stops_only_role_changes_by_provisioning(
    before, after, product_only, by_provisioning
):
    """The lock concerns the role alone, and provisioning alone."""
    checked = admins.guard_lock(before, after, product_only, by_provisioning, "u1")

    assert checked is None


@pytest.mark.rule("R-150")
@pytest.mark.parametrize(
    ("had_admin", "counted", "actual", "wrong"),
    [(True, 2, 2, 0), (False, 0, 0, 0), (True, 0, 0, 1), (False, 1, 2, 1), (True, 1, 0, 2)],
)
def test_verify_finds_missing_and_miscounted_admins(had_admin, counted, actual, wrong):
    """Verify names a workspace that lost its admins or counts them wrong."""
    found = admins.verify("acme", had_admin, counted, actual)

    assert wrong == len(found)
    assert all("acme" in sentence for sentence in found)
