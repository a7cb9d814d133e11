"""Servers of these tests' own: they get killed, which the run's common server must not."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from soundforge.config import Settings
from soundforge.db import EmbeddedServer, open_server
from tests.support.servers import Application, reachable_folder, stranger

# What only root meets cannot be tried as a plain user; everything else runs as either.
collect_ignore = [] if os.geteuid() == 0 else ["test_as_root.py"]


@pytest.fixture(scope="session")
def _warm() -> Iterator[Path]:
    """A data folder whose cluster was made under the worst: umask 077, LANG=C, a path with blanks and quotes."""
    before, umask = dict(os.environ), os.umask(0o077)
    with reachable_folder("sf 'db") as top:
        data = top / "new" / "data"
        try:
            os.environ |= {"LANG": "C", "LC_ALL": "C", "PGPORT": "1", "PGDATA": "/nowhere"}
            with open_server(Settings(_env_file=None, data=data, database_url=None)):
                pass
            with (data / "postgres" / "cluster" / "postgresql.conf").open("a") as file:
                file.write("\nfsync = off\n")  # these tests kill processes, not the machine
        finally:
            os.umask(umask)
            os.environ.clear()
            os.environ.update(before)
        yield data


@pytest.fixture
def data(_warm: Path) -> Iterator[Path]:
    """That folder; no server runs in it before or after the test."""
    server = EmbeddedServer(_warm / "postgres")
    assert not server.is_alive()
    yield _warm
    if server.is_alive():
        server.start()
        server.stop()


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedServer]:
    """A share in the server of that folder, started."""
    server = EmbeddedServer(data / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def embedded(data: Path) -> Settings:
    """Settings of an application on that folder."""
    return Settings(_env_file=None, data=data, database_url=None)


@pytest.fixture
def open_application(data: Path) -> Iterator[Callable[[], Application]]:
    """Start applications on that folder; the fixture ends them."""
    with ExitStack() as stack:

        def start() -> Application:
            application = Application(data)
            stack.callback(application.close)
            return application

        yield start


@pytest.fixture
def foreigner() -> Iterator[psutil.Process]:
    """A living process that has nothing to do with us."""
    with stranger() as process:
        yield process
