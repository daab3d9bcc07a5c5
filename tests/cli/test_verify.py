"""`userdir verify`: what it prints and with which status it ends."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from core_service.opening import make_core
from core_service.storage.database import open_storage
from tests.cli.conftest import Userdir
from tests.workspaces import Place, new_place, under_test


@pytest.fixture
def place_in_file(tmp_path: Path) -> Place:
    """A workspace in a database of its own, which nobody serves."""

    async def make() -> Place:
        storage = await open_storage(f"sqlite:///{tmp_path / 'directory.db'}")
        try:
            return await new_place(await make_core(storage))
        finally:
            await storage.close()
            # What is checked after each test needs the storage that is closed now.
            under_test.clear()

    return asyncio.run(make())


def _spoil(tmp_path: Path, place: Place) -> None:
    with sqlite3.connect(tmp_path / "directory.db") as connection:
        changed = connection.execute(
            "UPDATE users SET role_id = ? WHERE id = ?", (place.roles["Member"], place.admin_id)
        )
        assert changed.rowcount == 1
    connection.close()


def test_a_database_that_keeps_the_rules_has_no_findings(tmp_path: Path, place_in_file: Place):
    """The status is 0, and a program reads an empty list."""

    async def run():
        userdir = Userdir({"DATA": str(tmp_path)})
        return await userdir("verify"), await userdir("verify", "--json")

    done, printed = asyncio.run(run())

    assert (0, "", "Every rule holds.\n") == (done.status, done.out, done.err)
    assert (0, {"findings": []}) == (printed.status, printed.json)


def test_findings_have_a_status_of_their_own(tmp_path: Path, place_in_file: Place):
    """A workspace without an admin is found: status 1, a line for people, a list for programs."""
    _spoil(tmp_path, place_in_file)

    async def run():
        userdir = Userdir({"DATA": str(tmp_path)})
        return await userdir("verify"), await userdir("verify", "--json")

    done, printed = asyncio.run(run())

    assert (1, 1) == (done.status, printed.status)
    assert done.out.splitlines() == printed.json["findings"]
    assert any(place_in_file.workspace_id in line for line in done.out.splitlines())


def test_no_database_is_wrong_usage(tmp_path: Path):
    """A folder without a database is told from a database without findings."""
    done = asyncio.run(Userdir({"DATA": str(tmp_path)})("verify"))

    assert (2, "") == (done.status, done.out)
