"""Seats against each other: as many users as seats, and one booking for each user."""

import itertools

import pytest
from userdirectory.v1 import workspace_pb2

from tests.contract.conftest import set_workspace
from tests.races.arena import Arena, race, refused
from tests.scim import Answer, person
from tests.system import System

ROUNDS = 50
CREATES = 20
FREE = 2


@pytest.fixture
async def system(request: pytest.FixtureRequest, arena: Arena, systems) -> System:
    """The directory in this process on the arena's database."""
    return await systems.on(request.node.callspec.params["arena"].partition("-")[0])


async def set_seats(system: System, arena: Arena, total: int, *, books: bool = False) -> None:
    """Set how many seats the workspace pays for; one is the admin's."""
    plan = workspace_pb2.SeatPlan(total=total, automatic_booking=books)
    await set_workspace(
        system.core, arena.place.workspace_id, workspace_pb2.Workspace(seat_plan=plan)
    )


async def active(arena: Arena) -> list[str]:
    """Return the ids of the users who hold a seat, without the admin's."""
    users = await arena.doors[1].users()
    return [user.id for user in users if user.active and user.id != arena.place.admin_id]


@pytest.mark.rule("R-044", "D-17")
async def test_fifty_rounds_for_two_seats(arena: Arena, system: System):
    """Of twenty creates for two free seats exactly two succeed, fifty times (S03)."""
    await set_seats(system, arena, 1 + FREE)
    for number in range(ROUNDS):
        results = await race(
            *(
                arena.doors[turn % 2].create(f"round.{number}.{turn}@example.com")
                for turn in range(CREATES)
            )
        )
        made = [each for each in results if not isinstance(each, str)]

        assert refused(results) == ["NO_SEAT"] * (CREATES - FREE), f"round {number}"
        assert sorted(each.user.id for each in made) == sorted(await active(arena))

        await race(*(arena.doors[0].deactivate(each.user.id) for each in made))


@pytest.mark.rule("R-044", "D-17")
async def test_two_hundred_creates_for_twenty_seats(arena: Arena, system: System):
    """Exactly twenty succeed; whoever is refused is told NO_SEAT or to try again."""
    await set_seats(system, arena, 21)
    waiting = [f"crowd.{turn}@example.com" for turn in range(200)]
    made, doors = 0, itertools.cycle(arena.doors)
    while waiting:
        results = await race(*(next(doors).create(name) for name in waiting))
        told = refused(results)
        made += len(results) - len(told)
        assert set(told) <= {"NO_SEAT", "WRITE_CONFLICT"}
        # Whom the lock kept waiting for too long was told that nothing happened.
        waiting = [
            name for name, each in zip(waiting, results, strict=True) if each == "WRITE_CONFLICT"
        ]

    assert made == 20
    assert len(await active(arena)) == 20


@pytest.mark.rule("R-044", "D-17")
async def test_coming_back_races_creating(arena: Arena, system: System):
    """A seat that is freed goes to one of those who ask, who is new or comes back (S02, S05)."""
    await set_seats(system, arena, 1 + FREE)
    away = (await arena.doors[0].create("away@example.com")).user.id
    await arena.doors[0].deactivate(away)
    for number in range(ROUNDS // 5):
        holders = [
            (await arena.doors[0].create(f"holder.{number}.{turn}@example.com")).user.id
            for turn in range(FREE)
        ]
        await race(
            arena.doors[0].deactivate(holders[0]),
            arena.scim.request("DELETE", f"/Users/{holders[1]}"),
            arena.doors[1].activate(away),
            arena.scim.request("POST", "/Users", person(f"new.{number}@example.com")),
            arena.doors[1].create(f"other.{number}@example.com"),
        )
        left = await active(arena)

        assert len(left) <= FREE
        assert (await arena.doors[0].seats()).used == 1 + len(left)
        for user_id in left:
            await arena.doors[0].deactivate(user_id)


@pytest.mark.rule("R-046", "R-049", "D-18")
async def test_each_new_user_is_booked_once(arena: Arena, system: System):
    """Creates that are sent twice, by two doors at once, book one seat for each user (S04)."""
    await set_seats(system, arena, 1, books=True)
    names = [f"booked.{turn}@example.com" for turn in range(CREATES)]
    results = await race(
        *(arena.doors[0].create(name) for name in names),
        *(arena.scim.request("POST", "/Users", person(name)) for name in names),
    )
    seats = await arena.doors[0].seats()

    assert not [each for each in results if isinstance(each, str) and each != "VALUE_TAKEN"]
    assert len([each for each in results if isinstance(each, Answer)]) == CREATES
    assert (seats.used, seats.total, seats.free) == (1 + CREATES, 1 + CREATES, 0)
    assert seats.open_window.seats == CREATES
