"""A machine without the downloader: songs come in, wait visibly, and are fetched once it is there."""

import pytest
from sqlalchemy import select

from soundforge import jobs, views
from soundforge.config import Settings
from soundforge.db import Database, reading
from soundforge.tables import Job, Kind, Track
from tests.support.fakes_downloader import FakeDownloader
from tests.support.workshop import Workshop, open_workshop

SONGS = "\n".join(f"Ann Lee - {title}" for title in ("Harbour", "Pier", "Long mix"))


@pytest.fixture
def downloader() -> FakeDownloader:
    lacking = FakeDownloader()
    lacking.installed = False
    return lacking


async def downloads() -> list[Job]:
    async with reading() as session:
        return list(await session.scalars(select(Job).where(Job.kind == Kind.DOWNLOAD).order_by(Job.created_at)))


async def told(workshop: Workshop, job: Job) -> tuple[str, str, bool]:
    """What the row of an import tells of songs that wait, what the paste box tells, and whether anybody would work."""
    async with reading() as session:
        view = await views.get_job_view(session, workshop.owner_id, job.id)
        reason = await jobs.find_reason_to_wait(session, Kind.DOWNLOAD)
        return view.waiting, reason or "", await jobs.is_worked(session, Kind.DOWNLOAD)


async def test_without_the_downloader_songs_wait_and_nothing_fails(
    database: Database, settings: Settings, downloader: FakeDownloader
) -> None:
    async with open_workshop(settings, database, downloads=3, downloader=downloader) as workshop:
        await workshop.allow()
        job = await workshop.ended(await workshop.paste(SONGS))
        assert (job.status, job.result["tracks"]) == ("completed", 3)
        waiting, reason, is_worked = await told(workshop, job)
        assert waiting == reason
        assert "The downloader is not installed" in reason
        assert not is_worked
        assert [(one.status, one.run, one.error) for one in await downloads()] == [("queued", 0, None)] * 3
        async with reading() as session:
            found = (await session.scalars(select(Track.audio_file_id))).all()
        assert (list(found), downloader.fetched) == ([None] * 3, [])
        downloader.installed = True
        ended = [await workshop.ended(one) for one in await downloads()]
        assert {(one.status, one.run) for one in ended} == {("completed", 1)}
        assert (await told(workshop, job))[:2] == ("", "")


async def test_a_machine_that_loses_the_downloader_leaves_its_songs_queued(
    database: Database, settings: Settings, downloader: FakeDownloader
) -> None:
    downloader.installed = True
    async with open_workshop(settings, database, downloads=3, downloader=downloader) as workshop:
        await workshop.allow()
        downloader.installed = False  # and the node has not looked since
        job = await workshop.ended(await workshop.paste(SONGS))
        for one in await downloads():
            await workshop.seen(one, lambda row: row.status == "queued" and bool(row.wait_reason or row.run == 0))
        assert [one.run for one in await downloads()] == [0] * 3
        downloader.installed = True
        ended = [await workshop.ended(one) for one in await downloads()]
        assert {one.status for one in ended} == {"completed"}
        assert job.status == "completed"


async def test_another_machine_that_has_the_downloader_fetches_the_songs(
    database: Database, settings: Settings, downloader: FakeDownloader
) -> None:
    async with open_workshop(settings, database, downloads=3, downloader=downloader) as workshop:
        await workshop.allow()
        able = FakeDownloader()
        async with open_workshop(settings, database, downloads=1, downloader=able):
            job = await workshop.ended(await workshop.paste("Ann Lee - Harbour"))
            async with reading() as session:
                assert await jobs.find_reason_to_wait(session, Kind.DOWNLOAD) is None
            (one,) = await downloads()
            assert (await workshop.ended(one)).status == "completed"
        assert (len(able.fetched), downloader.fetched, job.status) == (1, [], "completed")
