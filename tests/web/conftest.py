from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from soundforge.config import Settings
from soundforge.db import Database
from tests.support.house import House, open_house


@pytest.fixture
async def house(database: Database, settings: Settings, tmp_path: Path) -> AsyncIterator[House]:
    with capture_logs() as log:
        async with open_house(settings, tmp_path) as opened:
            yield opened
    bugs = [line for line in log if line["event"] == "web.bug"]
    assert not bugs, bugs
