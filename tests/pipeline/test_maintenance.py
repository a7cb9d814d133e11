import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from soundforge import library, pipeline
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.library import ZIP, Query
from soundforge.tables import File, Job, Kind, Track
from tests.support.factories import new_file
from tests.support.fakes_separator import FakeSeparator
from tests.support.faults import fault_before
from tests.support.workshop import Workshop, open_workshop, wav

OLD = timedelta(days=30)


async def purge(workshop: Workshop) -> Job:
    async with transaction() as session:
        job = await pipeline.request_purge(session, workshop.owner_id)
    ended = await workshop.ended(job)
    assert ended.status == "completed", ended.error
    return ended


async def remove(workshop: Workshop, track_id: UUID, ago: timedelta) -> None:
    async with transaction() as session:
        await library.remove_track(session, workshop.owner_id, track_id)
        await session.execute(update(Track).where(Track.id == track_id).values(deleted_at=datetime.now(UTC) - ago))


async def test_what_was_deleted_long_ago_goes_with_all_its_files(workshop: Workshop) -> None:
    old, _ = await workshop.forge(wav(gain=0.5))
    young, _ = await workshop.forge(wav(gain=0.6))
    kept, _ = await workshop.forge(wav(gain=0.7))
    await remove(workshop, old, OLD)
    await remove(workshop, young, timedelta(hours=1))
    before = len(workshop.storage.objects)
    job = await purge(workshop)
    assert job.result == {"files": 11, "uploads": 0}
    assert len(workshop.storage.objects) == before * 2 // 3
    assert await workshop.left_over() == []
    async with transaction() as session:
        assert {track.id for track in await session.scalars(select(Track))} == {young, kept}
        await library.restore_track(session, workshop.owner_id, young)


async def test_a_purge_that_was_killed_between_objects_and_rows_is_done_again(workshop: Workshop) -> None:
    old, _ = await workshop.forge()
    await remove(workshop, old, OLD)
    async with transaction() as session:
        (track_id,) = await library.list_removed_before(session, datetime.now(UTC))
        assert await library.purge_track(session, track_id, datetime.now(UTC))
    workshop.storage.objects.clear()
    assert (await purge(workshop)).result["files"] == 11
    assert await workshop.left_over() == []


async def test_what_a_dead_run_could_not_take_back_goes_with_the_next_purge(workshop: Workshop) -> None:
    _, made = await workshop.forge()
    separation = made["separation"]
    async with transaction() as session:  # its second run, as if the first had been lost
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(update(Job).where(Job.id == separation.id).values(run=2))
    named = set(workshop.storage.objects)
    assert any(key.startswith(f"jobs/{separation.id}/1/") for key in named), "rows name what the first run stored"
    unknown = f"jobs/{uuid4()}/1/x.flac"
    for key in (f"jobs/{separation.id}/1/left.flac", f"jobs/{separation.id}/2/young.flac", unknown):
        workshop.storage.objects[key] = workshop.storage.objects[min(named)]
    assert (await purge(workshop)).result["files"] == 1
    assert workshop.storage.objects.keys() - named == {f"jobs/{separation.id}/2/young.flac", unknown}
    assert named <= workshop.storage.objects.keys()


async def test_a_zip_goes_after_a_day_and_can_be_made_again(workshop: Workshop) -> None:
    track_id, made = await workshop.forge()

    async def export() -> Job:
        async with transaction() as session:
            job = await pipeline.request_export(
                session, workshop.owner_id, track_id, stems_job_id=made["separation"].id
            )
        return await workshop.ended(job)

    first = await export()
    assert first.result["name"] == "Ann - Song (stems).zip"
    async with transaction() as session:
        file = await library.get_file(session, workshop.owner_id, UUID(first.result["file_id"]))
        assert file.media_type == ZIP
        await session.execute(update(File).where(File.media_type == ZIP).values(created_at=datetime.now(UTC) - OLD))
    assert (await purge(workshop)).result["files"] == 1
    assert (await export()).status == "completed"
    assert await workshop.left_over() == []


async def test_received_files_go_when_no_import_needs_them(workshop: Workshop, database: Database) -> None:
    with fault_before(database, 1):
        failed = await workshop.ended(await workshop.receive(wav()))
    assert failed.error_code == "bug"  # it may be tried again with the same file
    (needed,) = workshop.received()
    nobodys = workshop.settings.incoming_folder / "4f7c3f0e-9d1f-4b0e-8f5e-0a5d5a0c6a11"
    half = nobodys.with_suffix(".part")
    young = workshop.settings.incoming_folder / "0b6c4c9c-2e5e-4c66-8a4c-6a2f9f4d7a12"
    for path in (nobodys, half, young):
        path.write_bytes(b"x")
    a_while_ago = time.time() - OLD.total_seconds()
    for path in (needed, nobodys, half):
        os.utime(path, (a_while_ago, a_while_ago))
    assert (await purge(workshop)).result["uploads"] == 2
    assert workshop.received() == sorted([needed, young])  # it failed a moment ago: it can be tried again
    await _age(failed)
    assert (await purge(workshop)).result["uploads"] == 1
    assert workshop.received() == [young]


async def _age(job: Job) -> None:
    """Let a job have ended long ago, behind the back of the trigger that keeps finished rows as they are."""
    async with transaction() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(update(Job).where(Job.id == job.id).values(finished_at=datetime.now(UTC) - OLD))


async def test_maintenance_of_another_version_says_so(workshop: Workshop) -> None:
    from soundforge import jobs  # noqa: PLC0415 - only here a job is added past the front door

    async with transaction() as session:
        job = await jobs.add_job(
            session, kind=Kind.MAINTENANCE, owner_id=workshop.owner_id, unique_key="x", params={"what": "x"}
        )
    assert (await workshop.ended(job)).error_code == "unknown_maintenance"


async def test_what_a_dead_run_stored_goes_unless_a_row_names_it(workshop: Workshop) -> None:
    song = workshop.settings.data / "song"
    song.write_bytes(b"x")
    real = new_file()
    prefix = real.key.rpartition("/")[0] + "/"
    for key in (real.key, f"{prefix}left.flac", "jobs/4f7c3f0e-9d1f-4b0e-8f5e-0a5d5a0c6a11/1/left.flac"):
        await workshop.storage.put(song, key)
    async with transaction() as session:
        await library.add_file(session, workshop.owner_id, real)
    assert await pipeline.sweep_prefix(workshop.storage, prefix) == [f"{prefix}left.flac"]
    assert real.key in workshop.storage.objects
    assert len(workshop.storage.objects) == 2


async def test_a_track_that_is_purged_leaves_nothing(workshop: Workshop) -> None:
    track_id, _ = await workshop.forge()
    async with transaction() as session:
        await library.remove_track(session, workshop.owner_id, track_id)
        assert await library.purge_track(session, track_id, datetime.now(UTC))
    await purge(workshop)
    assert (workshop.storage.objects, await workshop.left_over()) == ({}, [])
    async with reading() as session:
        assert (await library.list_tracks(session, workshop.owner_id, Query())).rows == ()


async def test_a_track_purged_in_the_middle_of_its_separation_leaves_nothing(
    settings: Settings, database: Database
) -> None:
    gate = asyncio.Event()
    separator = FakeSeparator(gate)
    async with open_workshop(settings, database, separators={"fake": separator}) as workshop:
        with capture_logs() as log:
            imported = await workshop.ended(await workshop.receive(wav()))
            await workshop.wire.until_event(lambda event: event.get("stage") == "separating")
            await workshop.wire.until_event(
                lambda event: (event.get("kind"), event.get("status")) == ("analysis", "completed")
            )
            track_id = UUID(imported.result["track_id"])
            async with transaction() as session:
                await library.remove_track(session, workshop.owner_id, track_id)
            async with asyncio.timeout(10):
                while not await _purged(track_id):
                    await asyncio.sleep(0)  # a tick of the run may hold its row
            gate.set()
            await purge(workshop)
            async with asyncio.timeout(10):
                while not any(line["event"] == "job.failed" for line in log):  # said once its files are gone
                    await asyncio.sleep(0.01)
            assert await workshop.left_over() == []
        assert workshop.storage.objects == {}
        endings = [(line["ending"], line["error_code"]) for line in log if line["event"] == "job.failed"]
        assert endings == [("superseded", "superseded")]


async def _purged(track_id: UUID) -> bool:
    async with transaction() as session:
        return await library.purge_track(session, track_id, datetime.now(UTC))
