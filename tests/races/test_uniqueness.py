"""One address, one user; one user, one role; one seat, one holder, however many ask at once."""

import asyncio
from collections import Counter

import pytest

from tests.races.arena import Arena, race, refused
from tests.scim import Answer, person

CALLS = 20
ROUNDS = 50


@pytest.mark.rule("D-07", "R-033")
async def test_one_address_makes_one_user(arena: Arena):
    """Of eight creates of one address, in any spelling, exactly one makes a user; fifty times."""
    for number in range(ROUNDS):
        address = f"same.{number}@example.com"
        spellings = [address, address.upper(), f" {address} ", address.title()]
        results = await race(
            *(
                arena.doors[turn % 2].create(spellings[turn % len(spellings)])
                for turn in range(2 * len(spellings))
            )
        )
        told = [each for each in results if not isinstance(each, str)]
        kept = await arena.doors[0].named(address)

        assert [each.existed for each in told].count(False) == 1
        assert {each.user.id for each in told} == {user.id for user in kept}
        assert set(refused(results)) <= {"VALUE_TAKEN"}
        assert len(kept) == 1
        await arena.doors[0].deactivate(kept[0].id)  # the seats are few


@pytest.mark.rule("D-07", "D-21", "R-033")
async def test_one_address_makes_one_user_by_scim(arena: Arena):
    """Of POSTs and creates of one address at once, one makes the user and one POST links it."""
    address = "posted@example.com"
    results = await race(
        *(
            arena.doors[turn % 2].create(address)
            if turn % 4 == 0
            else arena.scim.request("POST", "/Users", person(address, externalId="posted"))
            for turn in range(CALLS)
        )
    )
    kept = await arena.doors[0].named(address)
    posted = [each for each in results if isinstance(each, Answer)]

    assert [each.body["id"] for each in posted] == [user.id for user in kept]
    assert Counter(refused(results))["409"] == CALLS * 3 // 4 - 1
    assert set(refused(results)) <= {"409", "VALUE_TAKEN"}


@pytest.mark.rule("R-144", "R-145", "R-146", "D-10")
async def test_three_doors_end_in_one_role(arena: Arena):
    """A role written by group, by `userRole` and by `roles` at once is one of them; fifty times."""
    first, second = arena.doors
    roles = arena.roles
    user_id = (await first.create("many.roles@example.com")).user.id
    for turn in range(ROUNDS):
        results = await race(
            first.join(roles["Admin"], user_id),
            second.set_role(user_id, "Manager"),
            first.grant(user_id, "Member"),
            second.join(roles["Member"], user_id),
            arena.scim.join(roles["Manager"], user_id),
            arena.scim.set_role(user_id, "Admin"),
        )
        user = await first.user(user_id)
        having = [name for name, id_ in roles.items() if user_id in await second.members(id_)]

        assert refused(results) == [], f"turn {turn}"
        assert having == [user.workplace.user_role], f"turn {turn}"
        assert [group.group_id for group in user.groups] == [user.role_id] == [roles[having[0]]]


@pytest.mark.rule("R-044", "D-17")
async def test_a_seat_is_given_once(arena: Arena):
    """Thirty creates for ten free seats make ten users."""
    results = await race(
        *(arena.doors[turn % 2].create(f"seat.{turn}@example.com") for turn in range(30))
    )

    assert refused(results) == ["NO_SEAT"] * 20
    assert len(await arena.doors[1].users()) == 11  # with the admin


@pytest.mark.rule("R-128")
async def test_nobody_who_joins_is_lost(arena: Arena):
    """Ten people who join a role at once all have it, and no other."""
    made = await asyncio.gather(
        *(arena.doors[0].create(f"member.{turn}@example.com") for turn in range(10))
    )
    ids = {each.user.id for each in made}
    manager, member = arena.roles["Manager"], arena.roles["Member"]
    await race(*(arena.doors[turn % 2].join(manager, user_id) for turn, user_id in enumerate(ids)))

    assert set(await arena.doors[1].members(manager)) == ids
    assert await arena.doors[1].members(member) == []
