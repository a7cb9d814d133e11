from collections.abc import AsyncIterator

import pytest

from soundforge.config import Settings
from soundforge.db import Database
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
async def workshop(database: Database, settings: Settings) -> AsyncIterator[Workshop]:
    async with open_workshop(settings, database) as opened:
        yield opened
