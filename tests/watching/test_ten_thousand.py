"""Ten thousand writes by several writers, and a consumer that is killed five times in between."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

from userdirectory.v1.log_pb2 import FieldChange
from userdirectory.v1.user_directory_pb2 import CreateUserRequest
from userdirectory.v1.user_pb2 import Name, User

from core_service import journal, users
from core_service.core import Caller, Core
from core_service.storage import store
from core_service.storage.database import Transaction
from core_service.writing import Write
from tests.processes import Program
from tests.watching.serving import serving

WRITES, WRITERS, TOGETHER, KILLS = 10_000, 8, 10, 5
SECONDS = 60.0


class Seen:
    """What the consumer has written down, in the order in which it came."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def rows(self) -> list[tuple[int, str]]:
        """Return sequences and targets."""
        with contextlib.closing(sqlite3.connect(self.file)) as database:
            try:
                return database.execute("SELECT * FROM seen ORDER BY rowid").fetchall()
            except sqlite3.OperationalError:  # it has not begun
                return []

    async def reach(self, sequence: int) -> None:
        """Return when an entry of the log or a later one is there."""
        ends = time.monotonic() + SECONDS
        while not (rows := self.rows()) or rows[-1][0] < sequence:
            assert time.monotonic() < ends, f"{len(rows)} rows, the last is {rows[-1:]}"
            await asyncio.sleep(0.02)


async def write(core: Core, caller: Caller, writer: int) -> None:
    """Create a user and write of them, as one of several who do so at the same time."""
    name = f"w{writer}@{caller.workspace_id}.example"
    user = User(user_name=name, name=Name(given_name="W", family_name=str(writer)))
    made = (await users.create(core, caller, CreateUserRequest(user=user))).user

    async def several(tx: Transaction) -> None:
        write = await Write.begin(core, tx, caller)
        for _ in range(TOGETHER):
            write.changes.append(FieldChange(field="title", after=f'"{writer}"'))
            await journal.record(write, made.id)

    for _ in range(WRITES // WRITERS // TOGETHER):
        await core.write(caller, several)


async def test_a_consumer_that_is_killed_misses_nothing(database_url, tmp_path):
    """Every change comes at least once, in order, and not one is passed over at any time."""
    seen = Seen(tmp_path / "seen.db")
    async with serving(database_url) as at:
        core, caller = at.core, at.caller
        arguments = "tests.watching.consumer", at.address, caller.workspace_id, str(seen.file)
        program = Program(*arguments, settings={"TOKEN": at.token})
        writing = asyncio.gather(*(write(core, caller, number) for number in range(WRITERS)))
        for kill in range(1, KILLS + 1):
            await seen.reach(kill * WRITES // (KILLS + 2))
            program.kill()
            program = Program(*arguments, settings={"TOKEN": at.token})
        await writing
        newest = (await core.storage.read(lambda tx: store.log_ends(tx, caller.workspace_id)))[1]
        with program:
            await seen.reach(newest)
    rows = seen.rows()

    assert newest > WRITES
    assert sorted({sequence for sequence, _ in rows}) == list(range(1, newest + 1))
    assert_in_order(rows)


def assert_in_order(rows: list[tuple[int, str]]) -> None:
    """Fail if an entry came before one that precedes it, or came again for no kill."""
    reached, repeats = 0, 0
    for before, (sequence, _) in zip([0, *(row[0] for row in rows)], rows, strict=False):
        assert sequence <= reached + 1
        repeats += sequence != before + 1
        reached = max(reached, sequence)
    assert repeats <= KILLS
