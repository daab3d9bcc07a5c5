"""`userdir verify`: every rule's check over a database, without a server."""

import asyncio
import json
import sys
from pathlib import Path

from userdirectory.errors import DirectoryError

from core_service import verify
from core_service.storage.database import open_storage


def main(database_url: str, *, as_json: bool = False) -> int:
    """
    Print what is wrong with a database, one finding a line, or as one JSON document.

    Returns:
        0 if nothing is wrong, 1 with findings, 2 if the database cannot be read.
    """
    path = database_url.removeprefix("sqlite:///")
    if path != database_url and not Path(path).exists():
        print(f"There is no database {path}. Check --data or --database-url.", file=sys.stderr)
        return 2
    try:
        found = asyncio.run(_findings(database_url))
    except (DirectoryError, ValueError) as error:
        print(f"{error} Check --data or --database-url.", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps({"findings": found}, indent=2, ensure_ascii=False))
        return 1 if found else 0
    for line in found:
        print(line)
    print(f"{len(found)} findings." if found else "Every rule holds.", file=sys.stderr)
    return 1 if found else 0


async def _findings(database_url: str) -> list[str]:
    storage = await open_storage(database_url)
    try:
        return await verify.findings(storage)
    finally:
        await storage.close()
