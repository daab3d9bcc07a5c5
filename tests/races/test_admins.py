"""Administrators against each other: one always stays."""

import random

import pytest

from tests.races.arena import Arena, Door, ScimDoor, race, refused

ROUNDS = 50
# LAST_ADMIN, as a product and as an identity provider are told.
REFUSALS = (["LAST_ADMIN"], ["403"])


async def last_one_standing(
    arena: Arena, first: Door, second: Door | ScimDoor, *, deactivates: bool
) -> None:
    """
    Let two doors take the admin role from each other's admin, fifty times.

    Args:
        deactivates: Whether the second one deactivates instead.
    """
    grace, alan = await arena.admins(2)
    chance = random.Random(0)
    for number in range(ROUNDS):
        blows = [
            first.demote(alan),
            second.deactivate(grace) if deactivates else second.demote(grace),
        ]
        if chance.random() < 0.5:
            blows.reverse()
        results = await race(*blows)
        left = await arena.active_admins()

        assert len(left) == 1, f"round {number}: refused {refused(results)}, admins left {left}"
        assert refused(results) in REFUSALS, f"round {number}: refused {refused(results)}"

        await arena.restore(alan if left == [grace] else grace)


@pytest.mark.rule("R-150", "D-16")
async def test_two_admins_demote_each_other(arena: Arena):
    """When two admins demote each other at the same moment, one succeeds and one is refused."""
    await last_one_standing(arena, *arena.doors, deactivates=False)


@pytest.mark.rule("R-150", "D-16")
async def test_one_admin_demotes_while_the_other_deactivates(arena: Arena):
    """Demoting and deactivating are the same to the last admin."""
    await last_one_standing(arena, *arena.doors, deactivates=True)


@pytest.mark.rule("R-150", "D-16")
async def test_scim_against_grpc(arena: Arena):
    """An identity provider and a product take the role from each other's admin."""
    await last_one_standing(arena, arena.doors[0], arena.scim, deactivates=False)


@pytest.mark.rule("R-150", "D-16")
async def test_scim_deactivates_against_grpc(arena: Arena):
    """An identity provider deactivates an admin while a product demotes the other one."""
    await last_one_standing(arena, arena.doors[1], arena.scim, deactivates=True)


@pytest.mark.rule("R-150", "D-16")
async def test_admins_leave_all_at_once(arena: Arena):
    """Of ten admins who are all demoted or deactivated at once, one stays."""
    blows = [
        arena.doors[0].demote(user_id) if number % 3 else arena.doors[1].deactivate(user_id)
        for number, user_id in enumerate(await arena.admins(10))
    ]
    results = await race(*blows)

    assert len(await arena.active_admins()) == 1
    assert refused(results) in REFUSALS
