"""A node that works what the test scripts, and a wire that hears all of it."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import Database
from tests.support.jobs import Script, Wire, add_user, open_wire, scripted_kinds

QUEUES = "imports:2,download:3,processing:2,analysis:2,exports:1,maintenance:1"


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    """Id of a user."""
    return await add_user()


@pytest.fixture
def script(owner_id: UUID, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Workers by script, for jobs of the user."""
    with scripted_kinds(monkeypatch):
        yield Script(owner_id)


@pytest.fixture
async def wire(database: Database) -> AsyncIterator[Wire]:
    """Every event of the test."""
    async with open_wire(database.dsn) as heard:
        yield heard


@pytest.fixture
def worker_settings(settings: Settings) -> Settings:
    """Settings of a process that works all queues."""
    return settings.model_copy(update={"queues": QUEUES})


@pytest.fixture
def swept() -> list[str]:
    """The storage prefixes that a node asked to remove."""
    return []


@pytest.fixture
async def node(database: Database, worker_settings: Settings, swept: list[str]) -> AsyncIterator[jobs.Node]:
    """A node at work."""

    async def on_sweep(prefix: str) -> None:
        swept.append(prefix)

    async with jobs.open_node(worker_settings, database.dsn, on_sweep=on_sweep) as running:
        yield running
