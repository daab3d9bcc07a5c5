"""The revisions lead to exactly the tables that the statements are written for."""

import sqlite3
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from userdirectory.errors import DirectoryError

from core_service.storage import migrate, rows, tables, tables_history
from core_service.storage.database import open_storage
from tests.storage_fixtures import NewDatabase

_COLUMNS = """
    SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
_CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1
"""


def test_the_newest_revision_is_the_one_that_databases_are_brought_to():
    """The constant that saves importing Alembic names the head."""
    config = Config()
    folder = Path(migrate.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))

    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


async def test_a_migrated_sqlite_database_has_our_tables(new_database: NewDatabase):
    """Alembic finds no difference between the database and the tables."""
    url = await new_database("sqlite")
    await (await open_storage(url)).close()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, tables_history.METADATA)
    engine.dispose()

    assert differences == []


async def test_a_new_sqlite_database_is_its_owners(new_database: NewDatabase):
    """Nobody else reads the database and the files beside it."""
    url = await new_database("sqlite")
    storage = await open_storage(url)
    file = Path(url.removeprefix("sqlite:///"))
    modes = {each.name: each.stat().st_mode & 0o777 for each in file.parent.iterdir()}
    await storage.close()

    assert dict.fromkeys(modes, 0o600) == modes
    assert file.name in modes


async def test_a_migrated_postgresql_database_has_our_tables(new_database: NewDatabase):
    """The catalogue is the same as after creating the tables as they are declared."""
    migrated, declared = await new_database("postgresql"), await new_database("postgresql")
    await (await open_storage(migrated)).close()
    connection = await asyncpg.connect(declared)
    for table in tables.METADATA.sorted_tables:
        await connection.execute(str(CreateTable(table).compile(dialect=dialect.dialect())))
        for index in table.indexes:
            await connection.execute(str(CreateIndex(index).compile(dialect=dialect.dialect())))
    await connection.close()

    assert await _catalogue(migrated) == await _catalogue(declared)


async def _catalogue(url: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    await connection.execute("DROP TABLE IF EXISTS alembic_version")
    found = [
        tuple(row)
        for query in (_COLUMNS, _INDEXES, _CONSTRAINTS)
        for row in await connection.fetch(query)
    ]
    await connection.close()
    return found


async def test_a_database_of_a_newer_version_is_left_alone(new_database: NewDatabase):
    """Starting an old version on a newer database says so and changes nothing."""
    url = await new_database("sqlite")
    await (await open_storage(url)).close()
    file = sqlite3.connect(url.removeprefix("sqlite:///"))
    file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.commit()
    file.close()

    with pytest.raises(ValueError, match="9999"):
        await open_storage(url)


@pytest.mark.parametrize(
    "url",
    ["mysql://u:secret@h/d", "sqlite://", "sqlite://host/x.db", "postgresql://u:secret@[h/d"],
)
async def test_a_url_that_is_none_is_refused_without_its_password(url: str):
    """The error for a bad URL names what is expected and nothing of what was given."""
    with pytest.raises(ValueError, match="URL") as refused:
        await open_storage(url)
    assert "secret" not in str(refused.value)


async def test_a_server_that_is_away_is_unavailable_without_its_password():
    """The error for a server that does not answer carries no address and no password."""
    with pytest.raises(DirectoryError) as refused:
        await open_storage("postgresql://u:secret@127.0.0.1:1/d")

    assert refused.value.reason == "STORAGE_UNAVAILABLE"
    assert "secret" not in f"{refused.value} {refused.value.__cause__}"


def test_rows_have_the_columns_of_their_tables():
    """Each kind of row names the columns of its table, in their order."""
    kinds = {
        name.removesuffix("Row"): kind
        for name, kind in vars(rows).items()
        if name.endswith("Row") and name != "MemberRow"
    }
    named = {
        mapper.class_.__name__: tuple(column.name for column in mapper.local_table.columns)
        for mapper in tables.Table._sa_registry.mappers
        if mapper.class_.__module__ in (tables.__name__, tables_history.__name__)
    }

    assert kinds.keys() <= named.keys()
    assert {name: kind._fields for name, kind in kinds.items()} == {n: named[n] for n in kinds}
