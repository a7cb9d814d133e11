"""A user, and a wire that hears everything."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from soundforge.db import Database
from tests.support.jobs import Wire, add_user, open_wire


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    """Id of a user."""
    return await add_user()


@pytest.fixture
async def wire(database: Database) -> AsyncIterator[Wire]:
    """Every event of the test."""
    async with open_wire(database.dsn) as heard:
        yield heard
