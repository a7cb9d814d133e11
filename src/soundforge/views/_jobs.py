"""Jobs, as people see them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.tables import ACTIVE, Job, Kind, Page, Status, Track
from soundforge.views._values import JobView, Songs


async def get_job_view(session: AsyncSession, owner_id: UUID, job_id: UUID) -> JobView:
    """One job of the owner, with its place in the queue; raises ``NotFound``."""
    job = await jobs.get_job(session, owner_id, job_id)
    (view,) = await _views(session, [job])
    return view


async def list_job_views(
    session: AsyncSession,
    owner_id: UUID,
    *,
    statuses: Collection[Status] = (),
    kinds: Collection[Kind] = (),
    after: str | None = None,
    until: str | None = None,
    limit: int = 50,
    is_short: bool = False,
) -> Page[JobView]:
    """The owner's jobs, newest first; ``is_short`` leaves out the downloads of an import, which tells of them."""
    page = await jobs.list_jobs(
        session, owner_id, kinds=kinds, statuses=statuses, after=after, until=until, limit=limit, is_short=is_short
    )
    return Page(await _views(session, page.rows), page.next, page.rest)


async def list_family(session: AsyncSession, owner_id: UUID, job_ids: Sequence[UUID]) -> list[JobView]:
    """These jobs and those they started, oldest first."""
    family = or_(Job.id.in_(job_ids), Job.parent_id.in_(job_ids))
    statement = select(Job).where(Job.owner_id == owner_id, family).order_by(Job.created_at, Job.id)
    return await _titled(session, (await session.scalars(statement)).all())


async def count_songs(session: AsyncSession, import_ids: Sequence[UUID]) -> dict[UUID, Songs]:
    """What became of the downloads of some imports; those that asked for none are left out."""
    if not import_ids:
        return {}
    is_done, is_active = Job.status == Status.COMPLETED, Job.status.in_([status.value for status in ACTIVE])
    failed = func.count().filter(jobs.is_left_failed())
    counted = select(Job.parent_id, func.count(), func.count().filter(is_done), failed, func.count().filter(is_active))
    mine = counted.where(Job.parent_id.in_(import_ids), Job.kind == Kind.DOWNLOAD).group_by(Job.parent_id)
    return {row[0]: Songs(*row[1:]) for row in await session.execute(mine) if row[0]}


async def list_jobs_of_tracks(
    session: AsyncSession, owner_id: UUID, track_ids: Sequence[UUID]
) -> dict[UUID, list[JobView]]:
    """For each track the newest job of every kind."""
    newest = (
        select(
            Job.id,
            func.row_number().over(partition_by=(Job.track_id, Job.kind), order_by=Job.created_at.desc()).label("age"),
        )
        .where(Job.track_id.in_(track_ids), Job.owner_id == owner_id)
        .subquery()
    )
    statement = select(Job).join(newest, newest.c.id == Job.id).where(newest.c.age == 1).order_by(Job.kind)
    views: dict[UUID, list[JobView]] = {track_id: [] for track_id in track_ids}
    for job in await session.scalars(statement):
        if job.track_id:
            views[job.track_id].append(view_of(job, ""))
    return views


async def list_maintenance(session: AsyncSession) -> dict[str, JobView]:
    """The newest maintenance of anybody's, by what it is about: "model:htdemucs"."""
    page = await jobs.list_jobs(session, None, kinds=[Kind.MAINTENANCE])
    return {str(job.params.get("what")): view_of(job, None) for job in reversed(page.rows)}


async def count_active(session: AsyncSession, owner_id: UUID) -> int:
    """How many jobs of the owner wait or run."""
    counted = select(func.count()).select_from(Job).where(Job.owner_id == owner_id, Job.status.in_(ACTIVE))
    return await session.scalar(counted) or 0


def view_of(job: Job, title: str | None) -> JobView:
    """A job row as a frozen value; an import is titled by its file."""
    return JobView(
        id=job.id,
        kind=job.kind,
        status=job.status,
        progress=job.progress,
        stage=job.stage,
        run=job.run,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        track_id=job.track_id,
        parent_id=job.parent_id,
        title=title or str(job.params.get("name") or job.params.get("what") or ""),
        error_code=job.error_code,
        error=job.error,
        wait_reason=job.wait_reason,
        waiting="",
        next_attempt_at=job.next_attempt_at,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        result=dict(job.result),
        may_cancel=job.status in ACTIVE and job.cancel_requested_at is None,
        may_retry=jobs.may_retry(job),
        stages_s=tuple((name, took_s) for name, took_s in job.stages_s),
    )


async def with_reasons(session: AsyncSession, views: Sequence[JobView]) -> tuple[JobView, ...]:
    """Jobs, each that waits for a download with the reason while no machine works any."""
    waiting = {view.id for view in views if _waits_for_download(view)}
    reason = await jobs.find_reason_to_wait(session, Kind.DOWNLOAD) if waiting else None
    if reason is None:
        return tuple(views)
    return tuple(replace(view, waiting=reason) if view.id in waiting else view for view in views)


def _waits_for_download(view: JobView) -> bool:
    if view.songs is not None:
        return view.songs.active > 0
    return (view.kind, view.status) == (Kind.DOWNLOAD, Status.QUEUED)


async def _titled(session: AsyncSession, found: Sequence[Job]) -> list[JobView]:
    """Job rows under the titles of their tracks."""
    ids = {job.track_id for job in found if job.track_id}
    named = await session.execute(select(Track.id, Track.title).where(Track.id.in_(ids))) if ids else ()
    titles: dict[UUID, str] = {row.id: row.title for row in named}
    return [view_of(job, titles.get(job.track_id) if job.track_id else None) for job in found]


async def _views(session: AsyncSession, found: Sequence[Job]) -> tuple[JobView, ...]:
    """The same, each waiting one with its place in the queue; as many queries for a page as for one job."""
    waits = await jobs.estimate_waits(session, [job for job in found if job.status == Status.QUEUED])
    songs = await count_songs(session, [job.id for job in found if job.kind == Kind.IMPORT])
    views = [_with_songs(view, songs.get(view.id)) for view in await _titled(session, found)]
    views = [replace(view, waiting=waits[view.id].text) if view.id in waits else view for view in views]
    return await with_reasons(session, await _with_lines(session, views))


def _with_songs(view: JobView, songs: Songs | None) -> JobView:
    """A job with what became of its songs."""
    return replace(view, songs=songs, may_cancel=view.may_cancel or bool(songs and songs.active))


async def _with_lines(session: AsyncSession, views: Sequence[JobView]) -> Sequence[JobView]:
    """Jobs with how many of their lines came to nothing and were not taken up by a later import."""
    failed = {view.id: len(view.result["problems"]) for view in views if view.result.get("problems")}
    if not failed:
        return views
    for done in await jobs.list_retried(session, list(failed)):
        del failed[done]
    return [replace(view, failed_lines=failed.get(view.id, 0)) for view in views]
