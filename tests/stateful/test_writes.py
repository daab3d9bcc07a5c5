"""Random writes by all doors keep every rule, on SQLite and PostgreSQL."""

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.house import House
from tests.stateful.machine import Machine
from tests.storage_fixtures import NewDatabase

RUNS = os.environ.get("USERDIR_STATEFUL_RUNS", "")
"""How many runs of 50 requests to make on each database; if unset a few, always the same."""


def run(new_house: Callable[[], House], *, runs: int, steps: int, everywhere: bool) -> None:
    """Make *runs* runs of *steps* random requests, each in a house of its own."""

    outcomes: Counter[str] = Counter()

    class Here(Machine):
        def teardown(self) -> None:
            outcomes.update(self.house.outcomes)
            super().teardown()

    Here.new_house = staticmethod(new_house)  # type: ignore[method-assign]
    Here.everywhere = everywhere
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=int(RUNS or runs),
            stateful_step_count=50 if RUNS else steps,
            deadline=None,
            derandomize=not RUNS,
            database=None,
            # Ids are random, so that a smaller run may do something else.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Otherwise the requests would be too wild to prove anything.
    assert outcomes["OK"] > outcomes.total() / 4, outcomes


@pytest.fixture
async def postgresql_url(new_database: NewDatabase) -> str:
    """The URL of a database for all runs, which no other test has."""
    return await new_database("postgresql")


@pytest.mark.rule("R-150")
def test_writes_of_many_callers_on_sqlite(template_databases: dict[str, str], tmp_path: Path):
    """T11, L08, F14: a refused request changes nothing, and nobody hears of the other workspace."""
    numbers = itertools.count()

    def new_house() -> House:
        path = tmp_path / f"{next(numbers)}.db"
        shutil.copy(template_databases["sqlite"].removeprefix("sqlite:///"), path)
        return House(f"sqlite:///{path}")

    run(new_house, runs=20, steps=40, everywhere=True)


@pytest.mark.rule("R-150")
def test_writes_of_many_callers_on_postgresql(postgresql_url: str):
    """The same on PostgreSQL, where all runs share a database."""
    run(lambda: House(postgresql_url), runs=5, steps=30, everywhere=False)
