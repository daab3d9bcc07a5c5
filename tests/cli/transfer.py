"""What tests of import and export have in common: who is there, rows, files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from userdirectory.v1 import user_directory_pb2 as api
from userdirectory.v1.user_pb2 import User

from core_service import users
from core_service.core import Caller
from core_service.storage.columns import METADATA
from core_service.storage.plans import SCAN
from tests.system import System
from tests.workspaces import Place


def csv(folder: Path, *lines: str, name: str = "people.csv") -> Path:
    """Return a file with these lines."""
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def jsonl(folder: Path, *people: dict[str, Any]) -> Path:
    """Return a file with a line for each of these people."""
    return csv(folder, *(json.dumps(person) for person in people), name="people.jsonl")


def crowd(folder: Path, count: int, domain: str) -> Path:
    """Return a file with many people, each managed by the next one."""
    lines = [
        f"p{n}@{domain},Given{n},p{n}@{domain},{f'p{n + 1}@{domain}' if n + 1 < count else ''}"
        for n in range(count)
    ]
    return csv(folder, "user_name,name.given_name,emails.work,manager", *lines)


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def events(out: str) -> list[dict[str, Any]]:
    """Return what was printed with --json."""
    return [json.loads(line) for line in out.split("\n") if line]


def product(place: Place) -> Caller:
    """Return the product as a caller, for a workspace."""
    return Caller(
        workspace_id=place.workspace_id,
        integration_id="",
        credential_id="",
        scopes=frozenset("*"),
        trace_id="0" * 32,
    )


async def people(directory: System, place: Place) -> dict[str, User]:
    """Return everybody but the admin who made the workspace, by user name."""
    found: list[User] = []
    request = api.ListUsersRequest(page_size=1000)
    while True:
        page = await users.list_(directory.core, product(place), request)
        found += page.users
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    there = {user.user_name: user for user in found if user.id != place.admin_id}
    assert len(there) == len(found) - sum(user.id == place.admin_id for user in found)
    return there


async def rows(directory: System, place: Place) -> dict[str, Sequence[Any]]:
    """Return all rows of a workspace, by table."""

    async def work(tx: Any) -> dict[str, Sequence[Any]]:
        return {
            table.name: sorted(
                map(
                    repr,
                    await tx.all(
                        sa.select(table)
                        .where(table.c.workspace_id == place.workspace_id)
                        .execution_options(**{SCAN: True})
                    ),
                )
            )
            for table in METADATA.sorted_tables
            if "workspace_id" in table.c
        }

    return await directory.core.storage.read(work)
