"""Brings the tables up to date, with Alembic's revisions run as SQL by the drivers themselves."""

import sqlite3
from io import StringIO
from pathlib import Path

import asyncpg

HEAD = "0003"
"""The revision of `tables`; the newest in `migrations/versions`."""

_HERE = Path(__file__).parent
# Processes that start together on one PostgreSQL take turns by this number.
_LOCK = 0x75736572
_LOCK_TIMEOUT = "60s"


def script(dialect: str, current: str) -> list[str]:
    """
    Return the statements that lead from the revision *current* to the newest.

    Alembic writes them (its offline mode), so that a revision needs neither a second driver nor an
    engine; a revision is SQL only.

    Args:
        dialect: `sqlite` or `postgresql`.
        current: The revision that the database has; empty if it has none.

    Raises:
        ValueError: The revision is of a newer version of the directory.
    """
    # Alembic takes 0.2 s to import, and most starts find the tables as they should be.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    directory = ScriptDirectory.from_config(config)
    if current and current not in {revision.revision for revision in directory.walk_revisions()}:
        raise ValueError(
            f"The database has revision {current}, which this version does not know. "
            "Start the version that made it, or a newer one."
        )
    written = _Statements()
    environment = EnvironmentContext(
        config,
        directory,
        fn=lambda revision, _: directory._upgrade_revs("head", revision),
        as_sql=True,
        starting_rev=current or None,
        destination_rev="head",
    )
    with environment:
        environment.configure(dialect_name=dialect, output_buffer=written, transactional_ddl=False)
        environment.run_migrations()
    return written.statements


def current(connection: sqlite3.Connection) -> str:
    """Return the revision of a SQLite database, empty if it has none."""
    tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if connection.execute(tables).fetchone() is None:
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


async def migrate_postgresql(connection: asyncpg.Connection) -> None:
    """Bring a PostgreSQL database up to date; processes that do so together take turns."""
    await connection.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        found = ""
        if await connection.fetchval("SELECT to_regclass('alembic_version')"):
            found = await connection.fetchval("SELECT version_num FROM alembic_version") or ""
        if found != HEAD:
            async with connection.transaction():
                for statement in script("postgresql", found):
                    await connection.execute(statement)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


class _Statements(StringIO):
    """A text file that Alembic writes one statement at a time to."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[str] = []

    def write(self, text: str) -> int:
        lines = [line for line in text.splitlines() if line and not line.startswith("--")]
        if lines:
            self.statements.append("\n".join(lines))
        return len(text)
