from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from soundforge import jobs, library
from soundforge.db import Database, reading, transaction
from soundforge.library import NewPart
from soundforge.tables import Job, Kind, Track
from tests.support.factories import add_song, new_file, new_stems
from tests.support.jobs import Wire, open_wire


@pytest.fixture
async def track(owner_id: UUID) -> Track:
    async with transaction() as session:
        return await add_song(session, owner_id)


@pytest.fixture
async def wire(database: Database) -> Any:
    async with open_wire(database.dsn) as wire:
        yield wire


async def add_job(owner_id: UUID, track: Track, kind: Kind) -> UUID:
    async with transaction() as session:
        added = await jobs.add_job(session, kind=kind, owner_id=owner_id, track_id=track.id, unique_key=uuid4().hex)
        return added.id


async def test_the_stems_of_two_jobs_stand_side_by_side_the_newest_first(owner_id: UUID, track: Track) -> None:
    first, second = [await add_job(owner_id, track, Kind.SEPARATION) for _ in range(2)]
    for job_id, names in ((first, ("vocals", "drums")), (second, ("bass", "vocals"))):
        async with transaction() as session:
            await library.add_stems(session, owner_id, track.id, job_id, new_stems(*names))
    async with reading() as session:
        stems = await library.list_stems(session, owner_id, [track.id])
    assert [(stem.job_id, stem.name) for stem in stems] == [
        (second, "bass"),
        (second, "vocals"),
        (first, "vocals"),
        (first, "drums"),
    ]
    assert {stem.gain_db for stem in stems} == {-1.5}


async def test_a_job_gives_each_stem_once_or_none_at_all(owner_id: UUID, track: Track) -> None:
    job_id = await add_job(owner_id, track, Kind.SEPARATION)
    with pytest.raises(IntegrityError):
        async with transaction() as session:
            await library.add_stems(session, owner_id, track.id, job_id, new_stems("vocals", "vocals"))
    async with reading() as session:
        assert await library.list_stems(session, owner_id, [track.id]) == []
        assert await library.list_files(session, "jobs/") == await library.list_files(session)


async def test_a_stage_that_is_done_again_takes_the_place_of_the_first(owner_id: UUID, track: Track) -> None:
    job_id = await add_job(owner_id, track, Kind.ANALYSIS)
    parts = []
    for version in ("1", "2"):
        async with transaction() as session:
            peaks = new_file("peaks.dat", "application/octet-stream")
            await library.add_part(
                session, owner_id, track.id, job_id, NewPart("peaks", version, {"v": version}, peaks)
            )
            await library.add_part(session, owner_id, track.id, job_id, NewPart("rhythm", "1", {}))
        async with reading() as session:
            parts.append({part.stage: part for part in await library.list_parts(session, owner_id, track.id)}["peaks"])
    assert (parts[1].document, parts[1].algorithm_version) == ({"v": "2"}, "2")
    assert parts[1].created_at > parts[0].created_at  # so that whoever kept the first asks again
    async with reading() as session:
        assert [file.id for file in await library.list_orphans(session)] == [parts[0].file_id]


async def move(job_id: UUID, *statuses: str) -> None:
    async with transaction() as session:
        for status in statuses:
            claimed = {"run": Job.run + 1} if status == "processing" else {}
            told = {"error_code": "cancelled", "error": "Cancelled."} if status == "failed" else {}
            await session.execute(update(Job).where(Job.id == job_id).values(status=status, **claimed, **told))


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ([["processing"], []], ["first"]),  # the first one is running: its stages show as they come
        ([["processing", "failed"], []], []),
        ([["processing", "completed"], ["processing"]], ["first"]),
        ([["processing", "completed"], ["processing", "failed"]], ["first"]),
        ([["processing", "completed"], ["processing", "completed"]], ["second"]),
        ([["processing", "failed"], ["processing"]], ["second"]),
    ],
)
async def test_only_what_a_completed_job_found_shows_and_the_first_one_as_it_comes(
    owner_id: UUID, track: Track, ends: list[list[str]], shown: list[str]
) -> None:
    for name, moves in zip(("first", "second"), ends, strict=True):
        if not moves:
            continue
        job_id = await add_job(owner_id, track, Kind.ANALYSIS)
        async with transaction() as session:
            await library.add_part(session, owner_id, track.id, job_id, NewPart("rhythm", "1", {"by": name}))
        await move(job_id, *moves)
    async with reading() as session:
        parts = await library.list_newest_parts(session, owner_id, track.id)
    assert [part.document["by"] for part in parts] == shown


async def test_results_are_told_when_they_are_there(owner_id: UUID, track: Track, wire: Wire) -> None:
    separation, analysis = [await add_job(owner_id, track, kind) for kind in (Kind.SEPARATION, Kind.ANALYSIS)]
    async with transaction() as session:
        await library.add_stems(session, owner_id, track.id, separation, new_stems())
        await library.add_part(session, owner_id, track.id, analysis, NewPart("rhythm", "1", {}))
    await wire.until_event(lambda event: event["event"] == "stems_ready")
    ready = await wire.until_event(lambda event: event["event"] == "analysis_ready")
    assert (ready["job_id"], ready["stage"], ready["track_id"]) == (str(analysis), "rhythm", str(track.id))


async def test_a_purge_reaches_the_files_of_stems_and_parts(owner_id: UUID, track: Track) -> None:
    separation, analysis = [await add_job(owner_id, track, kind) for kind in (Kind.SEPARATION, Kind.ANALYSIS)]
    async with transaction() as session:
        await library.add_stems(session, owner_id, track.id, separation, new_stems())
        part = NewPart("peaks", "1", {}, new_file("peaks.dat", "application/octet-stream"))
        await library.add_part(session, owner_id, track.id, analysis, part)
    async with transaction() as session:
        await library.remove_track(session, owner_id, track.id)
        assert await library.purge_track(session, track.id, datetime.now(UTC))
    async with reading() as session:
        assert len(await library.list_orphans(session)) == len(await library.list_files(session)) == 7
        assert (await session.scalars(select(Track))).all() == []
        assert await jobs.find_job(session, owner_id, separation) is None
