"""A database that was migrated is the one that the models, the moves and Oban describe."""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from oban.schema import install_sql
from sqlalchemy import Connection, DateTime, Uuid

import soundforge.tables
from soundforge.db import Database, transaction
from soundforge.errors import Broken
from soundforge.tables import Row, is_ours, migrate, trigger_sql
from tests.support.db import TestServer

VERSIONS = Path(soundforge.tables.__file__).parent / "migrations" / "versions"


def _differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True, "include_object": is_ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Row.metadata))


async def test_the_models_are_the_schema_that_the_revisions_make(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_the_comparison_of_models_and_schema_sees_a_missing_column(database: Database) -> None:
    async with transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("ALTER TABLE tracks DROP COLUMN isrc")
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) != []


def test_the_frozen_trigger_is_the_one_that_the_moves_render() -> None:
    assert (VERSIONS / "r0001_triggers.sql").read_text(encoding="utf-8") == trigger_sql()


def test_the_frozen_oban_tables_are_those_of_the_installed_oban() -> None:
    assert (VERSIONS / "r0001_oban.sql").read_text(encoding="utf-8") == install_sql()


def test_every_key_and_reference_is_a_uuid_made_before_the_insert() -> None:
    for table in Row.metadata.sorted_tables:
        assert [column.name for column in table.primary_key] == ["id"], table.name
        assert isinstance(table.c.id.type, Uuid)
        assert table.c.id.server_default is None
        for column in table.columns:
            assert not column.foreign_keys or isinstance(column.type, Uuid), column


def test_every_time_is_aware_and_named_as_one() -> None:
    for table in Row.metadata.sorted_tables:
        for column in table.columns:
            is_time = isinstance(column.type, DateTime) or column.type.python_type is datetime
            assert column.name.endswith("_at") == is_time, column
            if isinstance(column.type, DateTime):
                assert column.type.timezone, column


def test_no_reference_of_a_job_is_set_to_null_when_its_target_goes() -> None:
    rules = {key.ondelete for key in Row.metadata.tables["jobs"].foreign_keys}
    assert rules <= {"CASCADE", "RESTRICT"}


async def test_migrating_twice_changes_nothing(dsn: str) -> None:
    await migrate(dsn)
    await migrate(dsn)


async def test_a_database_of_a_newer_version_is_refused_in_one_sentence(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Broken) as refused:
        await migrate(dsn)
    assert refused.value.code == "schema_newer"
    assert "\n" not in refused.value.sentence


async def test_a_revision_that_breaks_leaves_an_empty_database_behind(postgres: TestServer) -> None:
    dsn = postgres.create_database("template0")
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            await connection.execute("CREATE TABLE tracks (id int)")
            with pytest.raises(Exception, match="tracks"):
                await migrate(dsn)
            found = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            assert await found.fetchall() == [("tracks",)]
    finally:
        postgres.drop_database(dsn)
