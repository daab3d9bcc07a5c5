"""The programs of the suites, which live in environments of their own."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
_MOST_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program did: its exit status and what it printed."""

    status: int
    output: str
    errors: str


async def run(
    suite: str, program: str, *arguments: str, environment: dict[str, str] | None = None
) -> Ended:
    """
    Run a program of a suite to its end.

    Args:
        suite: `scim2`, `sanity` or `sim`, which `make test` installs from requirements/SUITE.txt.
        program: Its name in that environment.
        environment: What it needs besides PATH.
    """
    path = ROOT / f".venv-{suite}" / "bin" / program
    if not path.exists():
        pytest.fail(f"{path} is not there. Run `make .venv-{suite}/.done`.", pytrace=False)
    process = await asyncio.create_subprocess_exec(
        str(path),
        *arguments,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return Ended(process.returncode or 0, output.decode(), errors.decode())
