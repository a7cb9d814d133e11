from pathlib import Path

import pytest

from soundforge import pipeline
from soundforge.config import Settings
from soundforge.db import Database, transaction
from soundforge.errors import Conflict, NotFound
from soundforge.tools import TOOLS
from tests.support.fakes_tools import FakeTools
from tests.support.workshop import Workshop, open_workshop


async def test_a_job_installs_a_tool_and_says_its_versions(settings: Settings, database: Database) -> None:
    tools = FakeTools(settings.tools_folder)
    async with open_workshop(settings, database, tools=tools) as workshop:
        async with transaction() as session:
            asked = await pipeline.request_tool(session, workshop.owner_id, "downloader")
        job = await workshop.ended(asked)
    assert (job.status, job.result["versions"]) == ("completed", {"spotdl": "1"})
    assert tools.asked == [("downloader", False)]


async def test_an_upgrade_is_asked_for_by_the_same_job(settings: Settings, database: Database) -> None:
    tools = FakeTools(settings.tools_folder)
    async with open_workshop(settings, database, tools=tools) as workshop:
        async with transaction() as session:
            asked = await pipeline.request_tool(session, workshop.owner_id, "downloader", upgrade=True)
        await workshop.ended(asked)
    assert tools.asked == [("downloader", True)]


async def test_a_tool_that_nobody_knows_makes_no_job(workshop: Workshop) -> None:
    async with transaction() as session:
        with pytest.raises(NotFound):
            await pipeline.request_tool(session, workshop.owner_id, "../x")


async def test_a_tool_is_asked_for_once_at_a_time(database: Database, settings: Settings) -> None:
    tools = FakeTools(settings.tools_folder, waits=True)
    async with open_workshop(settings, database, tools=tools) as workshop:
        async with transaction() as session:
            asked = await pipeline.request_tool(session, workshop.owner_id, "downloader")
        async with transaction() as session:
            with pytest.raises(Conflict):
                await pipeline.request_tool(session, workshop.owner_id, "downloader", upgrade=True)
        tools.gate.set()
        assert (await workshop.ended(asked)).status == "completed"


def test_every_tool_has_its_files() -> None:
    for tool in TOOLS.values():
        assert tool.wishes.is_file()
        assert tool.lock.is_file()
        pinned = {line.partition("==")[0] for line in Path(tool.lock).read_text().splitlines() if "==" in line}
        assert set(tool.shows) <= pinned
