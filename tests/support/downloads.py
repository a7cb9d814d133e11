"""What became of a download, for tests of the pipeline."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from soundforge import jobs, library
from soundforge.db import reading
from soundforge.tables import Job, Kind, Track
from tests.support.workshop import Workshop


async def download_of(workshop: Workshop, job: Job, is_so: Any = None) -> Job:
    """The one download that an import asked for, once it has ended (or is as wanted)."""
    await workshop.ended(job)
    async with reading() as session:
        found = (await session.scalars(select(Job).where(Job.parent_id == job.id, Job.kind == Kind.DOWNLOAD))).one()
    return await (workshop.seen(found, is_so) if is_so else workshop.ended(found))


async def track_of(workshop: Workshop, job: Job) -> Track:
    async with reading() as session:
        return await library.get_track(session, workshop.owner_id, job.track_id or UUID(int=0))


async def rest_of(workshop: Workshop, track_id: UUID | None) -> dict[str, Job]:
    """Separation and analysis of a track, ended; the newest of each."""
    async with reading() as session:
        rows = await jobs.list_track_jobs(session, workshop.owner_id, [track_id or UUID(int=0)])
    return {row.kind: await workshop.ended(row) for row in rows}


async def found_for(workshop: Workshop, track: Track) -> list[tuple[str, bool]]:
    async with reading() as session:
        rows = await library.list_candidates(session, workshop.owner_id, track.id)
    return [(row.url[-11:], row.is_chosen) for row in rows]
