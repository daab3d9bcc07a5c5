"""Active users who are not guests hold a seat."""

import itertools

import pytest

from core_service.rules import seats
from core_service.rules.standing import Facts, Standing

MEMBER = Standing(admin=False, guest=False, active=True)
AWAY = Standing(admin=False, guest=False, active=False)
GUEST = Standing(admin=False, guest=True, active=True)
GUEST_AWAY = Standing(admin=False, guest=True, active=False)

TAKING = list(itertools.product([None, AWAY, GUEST, GUEST_AWAY], [MEMBER]))
NOT_TAKING = [
    (before, after)
    for before, after in itertools.product([None, MEMBER, AWAY, GUEST, GUEST_AWAY], repeat=2)
    if (before, after) not in TAKING
]


def facts(used: int, total: int, *, metered: bool = True, books: bool = False) -> Facts:
    return Facts(1, seats_used=used, seats_total=total, metered=metered, automatic_booking=books)


@pytest.mark.rule("R-044", "D-17")
@pytest.mark.parametrize(("before", "after"), TAKING)
def test_who_begins_to_hold_a_seat_needs_a_free_one(refused, before, after):
    """A new, returning or promoted user is refused when every seat is taken."""
    with refused("NO_SEAT", used=5, total=5):
        seats.guard(before, after, facts(5, 5))


@pytest.mark.rule("R-044", "R-045")
@pytest.mark.parametrize(("before", "after"), NOT_TAKING)
def test_who_takes_no_seat_needs_none(before, after):
    """Guests, inactive users and users who hold a seat already pass when every seat is taken."""
    assert seats.guard(before, after, facts(5, 5)) == 0


@pytest.mark.rule("R-044")
@pytest.mark.parametrize(("before", "after"), TAKING)
def test_a_free_seat_is_taken_without_booking(before, after):
    """The last free seat is enough."""
    assert seats.guard(before, after, facts(4, 5)) == 0


@pytest.mark.rule("R-019")
def test_unmetered_users_need_no_seat():
    """Where seats are not metered, no number of users is too many."""
    assert seats.guard_many(10_000, facts(90_000, 0, metered=False)) == 0


@pytest.mark.rule("R-045", "R-046")
def test_a_seat_is_booked_for_a_user_more():
    """With automatic booking, one seat is booked for a user when none is free."""
    assert seats.guard(None, MEMBER, facts(5, 5, books=True)) == 1


@pytest.mark.rule("R-046")
@pytest.mark.parametrize(
    ("taking", "used", "total", "booked"),
    [
        (3, 3, 5, 1),  # two are free
        (3, 5, 5, 3),
        (3, 0, 5, 0),
        (2, 9, 5, 2),  # the workspace is over its plan already; the past is not booked
        (0, 9, 5, 0),
        (-2, 9, 5, 0),  # seats are given back
    ],
)
def test_only_missing_seats_are_booked(taking, used, total, booked):
    """Booking covers what the write takes and is not free."""
    assert seats.guard_many(taking, facts(used, total, books=True)) == booked


@pytest.mark.rule("R-044", "D-17")
@pytest.mark.parametrize("taking", [0, -1])
def test_giving_seats_back_is_never_refused(taking):
    """A workspace over its plan can still lose users and swap them."""
    assert seats.guard_many(taking, facts(9, 5)) == 0


@pytest.mark.rule("D-17")
def test_the_refusal_says_how_many_seats_are_used(refused):
    """The message a support person reads names both numbers."""
    with refused("NO_SEAT", used=7, total=8):
        seats.guard_many(2, facts(7, 8))


@pytest.mark.rule("R-044")
def test_verify_compares_the_counter_with_the_users():
    """Verify finds a counter that is off."""
    assert seats.verify("acme", 3, 3) == []
    assert len(seats.verify("acme", 3, 4)) == 1
