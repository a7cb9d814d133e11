"""Bring a database's schema to the one that this version of the program knows."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from soundforge.errors import Broken

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x50F0_0001  # one process migrates, the others wait for it


async def migrate(dsn: str) -> None:
    """Run what is missing, in one transaction; a database made by a newer version is refused.

    Raises ``Broken`` ("schema_newer").
    """
    engine = _engine(dsn)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file; ``connection`` is the one that it works on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    present = set(MigrationContext.configure(connection).get_current_heads())
    if present - known:
        msg = "A newer version of Sound Forge Alchemy made this database: start that version, or use another database."
        raise Broken(msg, code="schema_newer", detail=f"unknown revisions: {sorted(present - known)}")
    command.upgrade(config, "head")


def _engine(dsn: str) -> AsyncEngine:
    async def connect() -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(dsn)

    return create_async_engine("postgresql+psycopg://", async_creator=connect, poolclass=NullPool)
