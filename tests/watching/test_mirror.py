"""The example that mirrors users, as a process that is killed, on each database."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.change_pb2 import GroupChange, GroupValue
from userdirectory.v1.group_pb2 import Group, Member
from userdirectory.v1.user_pb2 import User, UserRef
from userdirectory.v1.workspace_admin_pb2 import DeleteRoleRequest

from clients.directory import AsyncDirectory
from core_service import groups, role_catalogue, users
from core_service.storage.tables_history import log
from tests.processes import Program
from tests.watching.serving import Serving, serving
from tests.watching.test_clients import create

SECONDS = 30.0
MIRROR = "clients.examples.mirror"


class Mirror:
    """A mirror of a workspace, started, killed and started again on the same file."""

    def __init__(self, at: Serving, file: Path) -> None:
        self._at, self._file = at, file
        self.program: Program | None = None

    def start(self) -> None:
        """Start it."""
        arguments = f"--server={self._at.address}", f"--database={self._file}"
        self.program = Program(MIRROR, *arguments, settings={"USERDIR_TOKEN": self._at.token})

    def kill(self) -> None:
        """End it as a power cut would."""
        self.program.kill()

    def rows(self) -> list[tuple]:
        """Return the users that it has."""
        with contextlib.closing(sqlite3.connect(self._file)) as database:
            try:
                return sorted(database.execute("SELECT * FROM users").fetchall())
            except sqlite3.OperationalError:  # it has not begun
                return []

    async def follow(self) -> list[tuple]:
        """Return its users as soon as they are those of the workspace."""
        ends = time.monotonic() + SECONDS
        while (rows := self.rows()) != (wanted := await self._wanted()):
            assert time.monotonic() < ends, (rows, wanted, self.program.output)
            await asyncio.sleep(0.05)
        return rows

    async def _wanted(self) -> list[tuple]:
        async with AsyncDirectory(self._at.address, self._at.token) as directory:
            return sorted(
                [
                    (user.id, user.user_name, user.display_name, int(user.active), user.role_id)
                    async for user in directory.list_users()
                ]
            )


@pytest.fixture
async def at(database_url):
    async with serving(database_url) as made:
        yield made


@pytest.fixture
def mirror(at, tmp_path):
    made = Mirror(at, tmp_path / "mirror.db")
    yield made
    if made.program is not None and made.program.runs:
        made.program.kill()


async def test_a_mirror_follows_its_workspace(at, mirror):
    """Killed at any point it goes on: creates, updates, deletes, roles by group and for all."""
    people = [await create(at, f"p{number}") for number in range(5)]
    mirror.start()
    assert len(await mirror.follow()) == 6
    mirror.kill()
    await _set(at, people[0], "Changed")
    await users.delete(at.core, at.caller, api.DeleteUserRequest(user=UserRef(id=people[1].id)))
    mirror.start()
    assert "Changed" in {row[2] for row in await mirror.follow()}
    await _join(at, at.place.roles["Manager"], people[2:4])
    joined = await mirror.follow()
    await create(at, "late")
    mirror.kill()
    await _delete_role(at, at.place.roles["Manager"], at.place.roles["Member"])
    mirror.start()
    left = await mirror.follow()

    assert sum(row[4] == at.place.roles["Manager"] for row in joined) == 2
    assert len(left) == 6
    assert {row[4] for row in left} == {at.place.roles["Admin"], at.place.roles["Member"]}


async def test_a_mirror_that_was_away_for_too_long_begins_anew(at, mirror):
    """What it missed is no longer kept: it lists again and is right."""
    person = await create(at, "grace")
    mirror.start()
    await mirror.follow()
    mirror.kill()
    for name in ("Once", "Twice", "Thrice"):
        await _set(at, person, name)
    newest = sa.select(sa.func.max(log.c.sequence)).scalar_subquery()
    purge = sa.delete(log).where(log.c.sequence < newest)
    await at.core.storage.write("", lambda tx: tx.run(purge))
    mirror.start()

    assert "Thrice" in {row[2] for row in await mirror.follow()}
    assert "beginning anew" in mirror.program.output


def test_a_mirror_without_a_token_says_what_it_needs():
    """It names the variable and ends."""
    with Program(MIRROR, "--server=127.0.0.1:1") as program:
        assert program.ended() == 2
        assert "USERDIR_TOKEN" in program.output


async def _set(at, user, display_name):
    request = api.UpdateUserRequest(user=User(id=user.id, display_name=display_name))
    await users.update(at.core, at.caller, request)


async def _join(at, role_id, people):
    members = Group(members=[Member(member_id=user.id) for user in people])
    step = GroupChange(add=GroupValue(field="members", value=members))
    await groups.patch(at.core, at.caller, api.PatchGroupRequest(id=role_id, changes=[step]))


async def _delete_role(at, role_id, replacement_id):
    request = DeleteRoleRequest(id=role_id, replacement_id=replacement_id)
    caller = at.caller.__class__(
        at.caller.workspace_id, "", "", at.caller.scopes, at.caller.trace_id, "DeleteRole"
    )
    await role_catalogue.delete(at.core, caller, request)
