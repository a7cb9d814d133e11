"""What people may decide about downloads and whole imports."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library, sources
from soundforge.errors import Conflict, Invalid
from soundforge.pipeline._paste import check_downloads, request_lines
from soundforge.pipeline._requests import new_download
from soundforge.tables import ACTIVE, Job, Kind, Track


async def request_source(
    session: AsyncSession, owner_id: UUID, track_id: UUID, *, candidate_id: UUID | None = None, link: str = ""
) -> Job:
    """Fetch a track's audio from another place: one that a search found, or a link of the user's own.

    Raises ``Forbidden`` ("downloads_off"), ``NotFound``, ``Invalid`` as ``sources.parse_link`` and ``Conflict`` while
    a download of the track is under way.
    """
    await check_downloads(session)
    track = await library.get_track(session, owner_id, track_id)
    if candidate_id:
        url = await _url_of(session, owner_id, track_id, candidate_id)
    else:
        url = sources.parse_link(link).url
    wanted = {**await _wanted(session, track), "url": url, "chosen": True, "replace": True}
    return await _download(session, owner_id, track_id, wanted)


async def request_fetch(session: AsyncSession, owner_id: UUID, track_id: UUID) -> Job:
    """Fetch the audio of a track that has none, once more from the beginning.

    Raises ``Forbidden`` ("downloads_off"), ``NotFound``, ``Invalid`` ("has_audio") and ``Conflict`` while a download
    of it is under way.
    """
    await check_downloads(session)
    track = await library.get_track(session, owner_id, track_id)
    if track.audio_file_id is not None:
        raise Invalid("This track has its audio already; choose another source to replace it.", code="has_audio")
    return await _download(session, owner_id, track_id, await _wanted(session, track))


async def request_cancel(session: AsyncSession, owner_id: UUID, job_id: UUID) -> list[Job]:
    """Cancel a job and everything that it started; then ``jobs.wake_cancelled`` each that is given.

    Raises ``NotFound``; ``Conflict`` ("already_finished") when nothing of it is active.
    """
    job = await jobs.get_job(session, owner_id, job_id, lock=True)
    cancelled = [await jobs.request_cancel(session, owner_id, job_id)] if job.status in ACTIVE else []
    seen: set[UUID] = set()
    while children := [one for one in await jobs.list_children(session, owner_id, job_id) if one not in seen]:
        for child_id in children:  # one that ended at this moment may have started others: look again
            seen.add(child_id)
            cancelled += await _cancel(session, owner_id, child_id)
    if not cancelled:
        raise Conflict(f"This job is {job.status} already.", code="already_finished")
    return [one for one in cancelled if one.id == job_id or one.status in ACTIVE]


async def request_retry_failed(session: AsyncSession, owner_id: UUID, import_id: UUID) -> int:
    """Try all of an import again that failed: downloads that were not replaced, and lines; gives how many.

    The lines become an import of their own, once. Raises ``NotFound``; ``Forbidden`` ("downloads_off"); ``Conflict``
    ("nothing_failed"), or "already_running" while another import of these lines is under way.
    """
    await check_downloads(session)
    job = await jobs.get_job(session, owner_id, import_id, lock=True)
    failed = await jobs.list_failed_children(session, owner_id, import_id)
    for child_id in failed:
        await jobs.retry_job(session, owner_id, child_id)
    lines = [] if await jobs.list_retried(session, [import_id]) else _failed_lines(job)
    if lines:
        await request_lines(session, owner_id, lines, **_like(job, len(lines)))
    if not (failed or lines):
        raise Conflict("Nothing of this import has failed.", code="nothing_failed")
    return len(failed) + len(lines)


def _failed_lines(job: Job) -> list[dict[str, str]]:
    """The lines of a paste that came to nothing."""
    lines = job.params.get("lines", [])
    return [lines[problem["line"] - 1] for problem in job.result.get("problems", [])]


def _like(job: Job, count: int) -> dict[str, Any]:
    name = f"{job.params['name']}: {count} again"
    return {"name": name, "model": str(job.params.get("model", "auto")), "parent_id": job.id}


async def request_retry_all(session: AsyncSession, owner_id: UUID) -> int:
    """Try everything of an owner's again that failed, was not cancelled and was not replaced; gives how many.

    Raises ``Conflict`` ("nothing_failed").
    """
    failed = [job for job in await jobs.list_left_failed(session, owner_id) if jobs.may_retry(job)]
    for job in failed:
        await jobs.retry_job(session, owner_id, job.id)
    if not failed:
        raise Conflict("Nothing has failed that could be tried again.", code="nothing_failed")
    return len(failed)


async def _download(session: AsyncSession, owner_id: UUID, track_id: UUID, wanted: Mapping[str, Any]) -> Job:
    new = new_download(owner_id, track_id, wanted)
    return await jobs.add_job(
        session,
        kind=new.kind,
        owner_id=owner_id,
        unique_key=new.unique_key,
        track_id=track_id,
        params=new.params,
    )


async def _cancel(session: AsyncSession, owner_id: UUID, job_id: UUID) -> list[Job]:
    try:
        return [await jobs.request_cancel(session, owner_id, job_id)]
    except Conflict:  # it ended at this moment
        return []


async def _url_of(session: AsyncSession, owner_id: UUID, track_id: UUID, candidate_id: UUID) -> str:
    candidate = await library.get_candidate(session, owner_id, track_id, candidate_id)
    return sources.parse_link(candidate.url).url


async def _wanted(session: AsyncSession, track: Track) -> dict[str, object]:
    """What is known of a track's song: what its last download was told, else its own words."""
    last = select(Job.params).where(Job.track_id == track.id, Job.kind == Kind.DOWNLOAD)
    told = await session.scalar(last.order_by(Job.created_at.desc()).limit(1))
    if told is not None:
        own = {"url": track.source_url} if told.get("placeholder") and track.source_url else {}
        return {name: value for name, value in told.items() if name not in ("chosen", "replace", "url")} | own
    return {
        "title": track.title,
        "artists": [track.artist] if track.artist else [],
        "album": track.album,
        "duration_ms": track.duration_ms,
        "isrc": track.isrc or "",
        "spotify_id": track.spotify_id or "",
    }
