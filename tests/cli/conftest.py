"""The command line in this process, in front of a real directory or of a stand-in for it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from typer.testing import CliRunner
from userdirectory.v1 import policy_pb2

from clients.cli.main import app
from tests.gateway.standin import Core, handlers
from tests.system import System
from tests.workspaces import Place, new_place

TOKEN = "ud_0123456789abcdef_secret"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it has printed as one JSON document."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table it has printed, the head left out; cells have two blanks between."""
        lines = self.out.splitlines()[1:]
        return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


@dataclass(frozen=True, slots=True)
class Userdir:
    """
    Runs `userdir`.

    Attributes:
        settings: The environment; nothing of whoever runs the tests reaches the command.
    """

    settings: dict[str, str]

    async def __call__(self, *arguments: str, stdin: str = "", **settings: str) -> Done:
        """Return what `userdir ARGUMENTS` does, in a terminal of 80 columns."""
        unset = {name: None for name in os.environ if name.startswith("USERDIR_")}
        result = await asyncio.to_thread(
            CliRunner().invoke,
            app,
            arguments,
            input=stdin,
            env={**unset, "COLUMNS": "80", **self.settings, **settings},
            prog_name="userdir",
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    async def done(self, *arguments: str, **options: str) -> Done:
        """Return what a command does that must succeed."""
        done = await self(*arguments, **options)
        assert done.status == 0, done
        return done


def environment(folder: Path, server: str, token: str, workspace: str) -> dict[str, str]:
    """Return the variables that say how to reach a directory; *folder* has no demo.json."""
    return {
        "DATA": str(folder),
        "USERDIR_SERVER": server,
        "USERDIR_TOKEN": token,
        "USERDIR_WORKSPACE": workspace,
    }


@pytest.fixture
async def place(directory: System) -> Place:
    """A workspace of its own, where groups are roles."""
    return await new_place(directory.core)


@pytest.fixture
def userdir(directory: System, place: Place, tmp_path: Path) -> Userdir:
    """The command line in front of a directory, for the workspace of `place`."""
    return Userdir(
        environment(tmp_path, directory.address, directory.service_token, place.workspace_id)
    )


@pytest.fixture
async def mirror(directory: System, tmp_path: Path) -> Userdir:
    """The command line for a workspace where groups are groups."""
    place = await new_place(directory.core, policy_pb2.PRESET_GROUP_MIRROR)
    return Userdir(
        environment(tmp_path, directory.address, directory.service_token, place.workspace_id)
    )


@pytest_asyncio.fixture
async def standing() -> AsyncIterator[tuple[Core, str]]:
    """A stand-in for the core, and where it answers."""
    core = Core()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(core))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield core, f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture
def core(standing: tuple[Core, str]) -> Core:
    """The stand-in, which answers what the test says."""
    return standing[0]


@pytest.fixture
def before_core(standing: tuple[Core, str], tmp_path: Path) -> Userdir:
    """The command line in front of the stand-in, for the workspace `acme`."""
    return Userdir(environment(tmp_path, standing[1], TOKEN, "acme"))
