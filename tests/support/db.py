"""A PostgreSQL for the tests: one server a run, one migrated template, a fresh database for each test."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import event

from soundforge.db import Database, EmbeddedServer
from soundforge.tables import migrate

TEMPLATE = "soundforge_template"
ROOMY_BYTES = 4 << 30


class TestServer:
    """The server of this run; databases come and go in milliseconds by copying the template."""

    __test__ = False

    def __init__(self, server: EmbeddedServer) -> None:
        """Wrap a started server, and stay connected: to log in costs more than to copy a database."""
        self._server = server
        self._connection = psycopg.connect(server.url("postgres"), autocommit=True)

    def create_database(self, template: str = TEMPLATE) -> str:
        """Make a database like ``template`` ("template0": an empty one) and return its URL."""
        name = f"test_{uuid4().hex}"
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)  # cheaper than through the log
        return self._server.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self._run("DROP DATABASE {} WITH (FORCE)", psycopg.conninfo.conninfo_to_dict(url)["dbname"])

    def close(self) -> None:
        """Leave the server."""
        self._connection.close()

    def _run(self, statement: str, *names: object) -> None:
        self._connection.execute(sql.SQL(statement).format(*(sql.Identifier(str(name)) for name in names)))

    def prepare(self) -> None:
        """Make the template if nobody has, and turn off what matters to data that is to last."""
        if self._connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            self._run("ALTER SYSTEM SET {} = off", setting)
        # Oban's own logins may be cancelled half-way as well; every drop of a database would wait a minute for one.
        self._run("ALTER SYSTEM SET {} = '10s'", "authentication_timeout")
        self._connection.execute("SELECT pg_reload_conf()")
        self._run("CREATE DATABASE {} TEMPLATE template0", TEMPLATE)
        asyncio.run(migrate(self._server.url(TEMPLATE)))


@contextmanager
def run_test_server() -> Iterator[TestServer]:
    """Start the run's server, or share the one that another worker of the same run started."""
    folder = _run_folder()
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)  # as root the server runs under another account, which must pass here
    server = EmbeddedServer(folder / "pg")
    server.start()
    try:
        with closing(TestServer(server)) as prepared:
            with (folder / "prepare.lock").open("w") as lock:
                flock(lock, LOCK_EX)
                prepared.prepare()
            yield prepared
    finally:
        server.stop()
        if not server.is_alive():
            shutil.rmtree(folder, ignore_errors=True)


def _run_folder() -> Path:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
    return fast_folder() / f"soundforge-tests-{run[:12]}"


def fast_folder() -> Path:
    """Return where throw-away databases lie best: in memory, where there is enough of it."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOMY_BYTES
    return memory if roomy else Path(tempfile.gettempdir())


@contextmanager
def counted_queries(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent to ``database`` in the block."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
