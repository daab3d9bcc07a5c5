"""Seats: who needs one, what happens when none is free, and what is invoiced when."""

import asyncio
import contextlib

import pytest
from userdirectory.errors import DirectoryError
from userdirectory.v1 import workspace_pb2
from userdirectory.v1.user_directory_pb2 import CreateUserRequest
from userdirectory.v1.user_pb2 import User

from core_service import users
from core_service.core import Caller, Core
from core_service.opening import new_id
from core_service.outbox import Worker
from core_service.ports import DeliveryError, Ports
from core_service.storage.database import open_storage
from tests import workspaces
from tests.contract.conftest import Clock, refusal, set_workspace
from tests.ports.product import MINUTE, Accounting
from tests.scim import person
from tests.workspaces import new_place

HALF_HOUR = 30 * MINUTE


async def post(scim, name, **attributes):
    """Create a user by SCIM."""
    return await scim.request("POST", "/Users", person(f"{name}@example.com", **attributes))


@pytest.mark.rule("R-044", "R-046", "D-17")
async def test_at_the_limit_nobody_is_created_and_changes_go_on(house):
    """A POST without a free seat is 403 with the counts and the trace; a PATCH works (S01)."""
    place = await house.place(seats=2)
    scim = house.scim(place)
    grace = await post(scim, "grace")
    refused = await post(scim, "alan")
    patched = await scim.patch(
        f"/Users/{grace.body['id']}", {"op": "replace", "path": "title", "value": "Admiral"}
    )

    assert (grace.status, refused.status, patched.status) == (201, 403, 200)
    assert "2 of 2" in refused.body["detail"]
    assert "(trace " in refused.body["detail"]
    assert await house.counts(place) == (2, 2, 0)
    assert [] == await house.door(place).named("alan@example.com")


@pytest.mark.rule("R-044", "D-17")
async def test_who_is_deactivated_frees_a_seat(house):
    """A freed seat is given once; coming back without one is refused; counts are exact (S02)."""
    place = await house.place(seats=2)
    scim = house.scim(place)
    grace = await post(scim, "grace")
    await scim.deactivate(grace.body["id"])
    assert await house.counts(place) == (1, 2, 1)
    alan = await post(scim, "alan")
    back = await scim.patch(
        f"/Users/{grace.body['id']}", {"op": "replace", "path": "active", "value": True}
    )

    assert (alan.status, back.status) == (201, 403)
    assert await house.counts(place) == (2, 2, 0)


@pytest.mark.rule("R-044", "D-17")
async def test_deleting_frees_a_seat(house):
    """A user deleted by SCIM holds no seat, nor does one created inactive."""
    place = await house.place(seats=2)
    scim = house.scim(place)
    grace = await post(scim, "grace")
    await scim.request("DELETE", f"/Users/{grace.body['id']}")
    inactive = await post(scim, "alan", active=False)

    assert inactive.status == 201
    assert await house.counts(place) == (1, 2, 1)


@pytest.mark.rule("R-045")
async def test_every_new_user_takes_a_seat_and_linking_none(house):
    """Linking a user who is active already works with every seat taken."""
    place = await house.place(seats=2)
    made = await house.door(place).create("grace@example.com")
    assert await house.counts(place) == (2, 2, 0)
    linked = await post(house.scim(place), "grace")

    assert linked.body["id"] == made.user.id
    assert await house.counts(place) == (2, 2, 0)


@pytest.mark.rule("R-044", "D-17")
async def test_a_create_that_fails_takes_no_seat(house):
    """A create refused for its name, with one seat left, leaves the seat (S05)."""
    place = await house.place(seats=3)
    scim = house.scim(place)
    await post(scim, "grace", externalId="1")
    conflict = await post(scim, "grace", externalId="2")
    unknown = await post(
        scim,
        "alan",
        **{"urn:ietf:params:scim:schemas:extension:awork.com:2.0:User": {"teams": "Nowhere"}},
    )

    assert (conflict.status, unknown.status) == (409, 400)
    assert await house.counts(place) == (2, 3, 1)


@pytest.mark.rule("R-047")
async def test_automatic_booking_is_off_until_someone_switches_it_on(house):
    """A new workspace books nothing."""
    place = await house.place(seats=1)
    with pytest.raises(DirectoryError) as caught:
        await house.door(place).create("grace@example.com")

    assert caught.value.reason == "NO_SEAT"
    assert caught.value.metadata == {"used": "1", "total": "1"}
    assert not (await house.seats(place)).HasField("open_window")


@pytest.mark.rule("R-046", "R-048", "D-18")
async def test_a_booked_seat_is_told_and_shown(house):
    """The answer has the notice SEAT_BOOKED; GetSeats shows the window that it opened."""
    place = await house.place(seats=1, books=True)
    made = await house.door(place).create("grace@example.com")
    seats = await house.seats(place)

    assert [notice.code for notice in made.notices] == [14]  # NOTICE_CODE_SEAT_BOOKED
    assert (seats.used, seats.total, seats.free, seats.metered) == (2, 2, 0, True)
    assert seats.open_window.seats == 1
    assert seats.open_window.open_time.ToMicroseconds() == house.clock.micros
    assert seats.open_window.close_time.ToMicroseconds() == house.clock.micros + HALF_HOUR


@pytest.mark.rule("R-046")
async def test_free_seats_are_used_before_one_is_booked(house):
    """With a free seat nothing is booked and nothing is noticed."""
    place = await house.place(seats=2, books=True)
    made = await house.door(place).create("grace@example.com")

    assert list(made.notices) == []
    assert not (await house.seats(place)).HasField("open_window")


@pytest.mark.rule("R-049", "D-18")
async def test_fifty_creates_in_29_minutes_make_one_invoice(house):
    """All go on the one invoice that is made 30 minutes after the first booking."""
    place = await house.place(seats=1, books=True)
    scim = house.scim(place)
    opened = house.clock.micros
    for number in range(50):
        assert (await post(scim, f"user.{number}")).status == 201
        house.clock.micros += 29 * MINUTE // 50
        await house.deliver()
    assert house.billing.seats(place) == []
    window = (await house.seats(place)).open_window

    house.clock.micros = opened + HALF_HOUR
    await house.deliver()
    await house.deliver()

    assert house.billing.seats(place) == [50]
    assert house.billing.of(place) == [
        {
            "window_id": window.id,
            "workspace_id": place.workspace_id,
            "seats": 50,
            "open_time": opened,
            "close_time": opened + HALF_HOUR,
        }
    ]
    assert not (await house.seats(place)).HasField("open_window")


@pytest.mark.rule("R-048", "D-18")
async def test_the_window_is_fixed_and_the_next_booking_opens_another(house):
    """A booking just before 30 minutes is in, one at 30 minutes opens the next window."""
    place = await house.place(seats=1, books=True)
    door = house.door(place)
    opened = house.clock.micros
    await door.create("first@example.com")
    house.clock.micros = opened + HALF_HOUR - 1
    await door.create("last@example.com")
    house.clock.micros = opened + HALF_HOUR
    await door.create("next@example.com")
    following = (await house.seats(place)).open_window
    await house.deliver()
    assert house.billing.seats(place) == [2]

    assert (following.seats, following.open_time.ToMicroseconds()) == (1, opened + HALF_HOUR)
    house.clock.micros += HALF_HOUR
    await house.deliver()

    assert house.billing.seats(place) == [2, 1]


@pytest.mark.rule("R-048", "D-18")
@pytest.mark.parametrize("failures", [[], [DeliveryError("503")]])
async def test_a_clock_that_is_behind_adds_nothing_to_an_invoice_that_was_sent(house, failures):
    """What is booked after it goes on the next, whatever the clock and whatever billing said."""
    place = await house.place(seats=1, books=True)
    door = house.door(place)
    opened = house.clock.micros
    await door.create("first@example.com")
    house.clock.micros = opened + HALF_HOUR
    house.billing.failures[place.workspace_id] = list(failures)
    await house.deliver()
    house.clock.micros = opened + HALF_HOUR - MINUTE
    await door.create("late@example.com")
    house.clock.micros = opened + 2 * HALF_HOUR
    await house.deliver()

    assert house.billing.seats(place) == [1, 1] + [1] * len(failures)


@pytest.mark.rule("R-049", "D-18")
async def test_billing_is_asked_again_with_the_same_window(house):
    """An invoice that fails is tried again, ever later and at least hourly, with the same key."""
    place = await house.place(seats=1, books=True)
    await house.door(place).create("grace@example.com")
    house.clock.micros += HALF_HOUR
    waits = []
    for _ in range(14):
        # Whatever it raises: a port is the product's.
        house.billing.failures[place.workspace_id] = [
            DeliveryError("503"),
            RuntimeError("ada@example.com"),
        ] * 20
        await house.deliver()
        row = await house.delivery(place)
        waits.append(row.due_time - house.clock.micros)
        house.clock.micros = row.due_time
    house.billing.failures.clear()
    await house.deliver()
    done = await house.delivery(place)

    mine = house.billing.of(place)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (10 * 1_000_000, 60 * MINUTE)
    assert len(mine) == 15
    assert len({call["window_id"] for call in mine}) == 1
    assert row.last_error in ("503", "RuntimeError")
    assert (done.attempts, done.done_time, done.last_error) == (15, house.clock.micros, "")


@pytest.mark.rule("R-049", "D-18")
async def test_a_restart_within_the_window_loses_nothing(database_url):
    """What was booked before and after a restart is on one invoice, made once."""
    clock, billing = Clock(), Accounting()
    opened = clock.micros
    async with restarted(database_url, clock, billing) as core:
        place = await new_place(core, seats=1)
        plan = workspace_pb2.SeatPlan(automatic_booking=True)
        await set_workspace(core, place.workspace_id, workspace_pb2.Workspace(seat_plan=plan))
        await book_one(core, place, "before")
    clock.micros = opened + 29 * MINUTE
    async with restarted(database_url, clock, billing) as core:
        await book_one(core, place, "after")
        await Worker(core).deliver_due()
    assert billing.calls == []
    clock.micros = opened + HALF_HOUR
    async with restarted(database_url, clock, billing) as core:
        await asyncio.gather(*(Worker(core).deliver_due() for _ in range(4)))
    async with restarted(database_url, clock, billing) as core:
        await Worker(core).deliver_due()
    workspaces.under_test.clear()  # their database is closed

    assert billing.seats(place) == [2]


@contextlib.asynccontextmanager
async def restarted(database_url, clock, billing):
    """Give a core that knows nothing but its database."""
    storage = await open_storage(database_url)
    yield Core(storage, clock, new_id, b"k" * 32, ports=Ports(billing=billing))
    await storage.close()


async def book_one(core, place, name):
    """Create a user for whom there is no free seat."""
    caller = Caller(place.workspace_id, "", "", frozenset("*"), "0" * 32)
    user = User(user_name=f"{name}@example.com")
    await users.create(core, caller, CreateUserRequest(user=user))


@pytest.mark.rule("R-019")
async def test_where_seats_are_not_metered_there_is_no_check(house):
    """After 10,000 users with no seat paid for, the next ones are created, and none is booked."""
    place = await house.place("GROUP_MIRROR", seats=0)
    async with house.counted(place, users=9_999, seats_used=9_999):
        first = await post(house.scim(place), "first")
        second = await house.door(place).create("second@example.com")
        seats = await house.seats(place)

    assert (first.status, list(second.notices)) == (201, [])
    assert (seats.used, seats.free, seats.metered) == (10_002, 0, False)
    assert not seats.HasField("open_window")


@pytest.mark.rule("D-18")
async def test_an_integration_does_not_see_the_seats(house):
    """GetSeats is for products."""
    place = await house.place()
    house.token = place.token
    error = await refusal(house.seats(place))

    assert (error.reason, error.metadata) == ("SCOPE_MISSING", {"scope": "seats.read"})
