"""A purge among others: what somebody restores or writes to at the same moment stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library
from soundforge.db import Database, reading, transaction
from soundforge.errors import NotFound
from soundforge.library import NewPart
from soundforge.tables import File, Job, Kind, Track
from tests.support.factories import add_song, new_file, new_stems

DEADLINE_S = 10.0


@pytest.fixture
async def track(owner_id: UUID) -> Track:
    """A removed track."""
    async with transaction() as session:
        song = await add_song(session, owner_id)
        return await library.remove_track(session, owner_id, song.id)


@asynccontextmanager
async def somebody_else(database: Database) -> AsyncIterator[AsyncSession]:
    """A transaction beside the test's own."""
    async with AsyncSession(database.engine, expire_on_commit=False) as session, session.begin():
        yield session


async def add_separation(owner_id: UUID, track_id: UUID) -> Job:
    async with transaction() as session:
        return await jobs.add_job(
            session, kind=Kind.SEPARATION, owner_id=owner_id, track_id=track_id, unique_key=uuid4().hex
        )


async def purge(track_id: UUID) -> bool:
    async with asyncio.timeout(DEADLINE_S), transaction() as session:
        return await library.purge_track(session, track_id, datetime.now(UTC))


async def until_somebody_waits(session: AsyncSession) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
    async with asyncio.timeout(DEADLINE_S):
        while not await session.scalar(waiting):
            await asyncio.sleep(0)


async def test_a_track_restored_after_the_purge_chose_it_stays(
    owner_id: UUID, track: Track, database: Database
) -> None:
    before = datetime.now(UTC)
    async with asyncio.timeout(DEADLINE_S), transaction() as session:
        (chosen,) = await library.list_removed_before(session, before)
        async with somebody_else(database) as other:
            await library.restore_track(other, owner_id, track.id)
        assert not await library.purge_track(session, chosen, before)
    async with reading() as session:
        assert (await library.get_track(session, owner_id, track.id)).id == track.id
        assert await library.list_orphans(session) == []


async def test_a_track_being_restored_is_left_alone_without_waiting(
    owner_id: UUID, track: Track, database: Database
) -> None:
    async with somebody_else(database) as other:
        await library.restore_track(other, owner_id, track.id)
        assert not await purge(track.id)
    async with reading() as session:
        assert await library.count_tracks(session, owner_id) == 1


async def test_a_restore_that_comes_during_the_purge_is_told_that_it_is_too_late(
    owner_id: UUID, track: Track, database: Database
) -> None:
    async def restore() -> None:
        async with transaction() as session:
            await library.restore_track(session, owner_id, track.id)

    async with somebody_else(database) as purging:
        assert await library.purge_track(purging, track.id, datetime.now(UTC))
        late = asyncio.create_task(restore())
        await until_somebody_waits(purging)
    with pytest.raises(NotFound):
        await late


async def test_stems_that_come_during_the_purge_are_not_forgotten_in_storage(
    owner_id: UUID, track: Track, database: Database
) -> None:
    job = await add_separation(owner_id, track.id)
    async with somebody_else(database) as other:
        await library.add_stems(other, owner_id, track.id, job.id, new_stems())
        assert not await purge(track.id)
    assert await purge(track.id)
    async with reading() as session:
        files = (await session.scalars(select(File))).all()
        assert (len(files), {file.orphaned_at is None for file in files}) == (6, {False})


async def test_a_purge_never_waits_for_a_run_that_holds_its_job(
    owner_id: UUID, track: Track, database: Database
) -> None:
    job = await add_separation(owner_id, track.id)
    async with somebody_else(database) as run:
        await run.execute(text("SELECT id FROM jobs WHERE id = :id FOR NO KEY UPDATE"), {"id": job.id})
        assert not await purge(track.id)
        await library.add_stems(run, owner_id, track.id, job.id, new_stems())  # and does not wait for the purge
    assert await purge(track.id)


async def test_results_of_a_track_that_was_purged_are_refused_in_a_sentence(owner_id: UUID, track: Track) -> None:
    async with transaction() as session:
        elsewhere = await add_song(session, owner_id)
    job = await add_separation(owner_id, elsewhere.id)
    assert await purge(track.id)
    part = NewPart("peaks", "1", {}, new_file("peaks.dat", "application/octet-stream"))
    async with transaction() as session:
        before = len(await library.list_files(session))
        with pytest.raises(NotFound) as stems_refused:
            await library.add_stems(session, owner_id, track.id, job.id, new_stems())
        with pytest.raises(NotFound) as part_refused:
            await library.add_part(session, owner_id, track.id, job.id, part)
    assert {stems_refused.value.code, part_refused.value.code} == {"track_not_found"}
    async with reading() as session:
        assert len(await library.list_files(session)) == before
