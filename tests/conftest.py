"""What every test may use: a database of its own, settings of its own, and checks that it leaves nothing behind."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_socket import _remove_restrictions, socket_allow_hosts
from structlog.dev import plain_traceback

from soundforge.config import Settings
from soundforge.db import Database, open_database
from tests.support.db import TestServer, run_test_server
from tests.support.leaks import leaked_children, leaked_tasks, our_children

pytest_plugins = ["tests.support.require"]

_PROCESSORS = structlog.get_config()["processors"][:-1]

# Examples are judged by what they show: on a busy machine any of them may be slow.
hypothesis_settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("house")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as there are cores: many tests wait for processes, clocks and browsers."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded now stays to the end: the garbage collector need not look through it again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Log as plain text, and end what a command of this process had set up: it writes to a stream that was closed."""
    structlog.configure(processors=[*_PROCESSORS, structlog.dev.ConsoleRenderer(exception_formatter=plain_traceback)])
    root = logging.getLogger()
    level = root.level
    yield
    structlog.reset_defaults()
    root.handlers = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    root.setLevel(level)


@pytest.fixture(autouse=True)
def only_this_machine() -> Iterator[None]:
    """No test reaches further than loopback and Unix sockets."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    _remove_restrictions()


@pytest.fixture(autouse=True)
def no_process_left(only_this_machine: None) -> Iterator[None]:
    """Fail a test that leaves a child process behind (rule 13)."""
    before = our_children()
    yield
    if left := leaked_children(before):
        pytest.fail(f"processes left behind: {left}")


@pytest.fixture(autouse=True)
async def no_task_left(no_process_left: None) -> AsyncIterator[None]:
    """Fail a test that leaves a task of its event loop behind (rule 13)."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)  # tasks that were cancelled a moment ago end here
    if left := leaked_tasks(before):
        pytest.fail(f"tasks left behind: {left}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    """The run's PostgreSQL server with a migrated template."""
    with run_test_server() as server:
        yield server


@pytest.fixture
def dsn(postgres: TestServer) -> Iterator[str]:
    """URL of a migrated, empty database that belongs to one test."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The same, bound: ``transaction()`` and ``reading()`` work on it."""
    async with open_database(dsn) as bound:
        yield bound


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a studio in a folder of its own, with short heartbeats and back-offs."""
    return Settings(_env_file=None, data=tmp_path / "data", time_scale=0.05, queues="none")
