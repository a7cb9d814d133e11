from uuid import UUID

import pytest

from soundforge.db import Database
from tests.support.jobs import add_user


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    return await add_user("owner")


@pytest.fixture
async def other_id(database: Database) -> UUID:
    return await add_user("somebody else")
