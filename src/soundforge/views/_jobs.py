"""Jobs, as people see them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs
from soundforge.errors import NotFound
from soundforge.library import Page
from soundforge.tables import ACTIVE, Job, Kind, Sort, Status, Track, cursor_of
from soundforge.views._values import JobView

_BY_AGE = Sort(Job.created_at, Job.id, datetime.fromisoformat)


async def get_job_view(session: AsyncSession, owner_id: UUID, job_id: UUID) -> JobView:
    """One job of the owner, with its place in the queue; raises ``NotFound``."""
    found = (
        await session.execute(
            select(Job, Track.title)
            .outerjoin(Track, Track.id == Job.track_id)
            .where(Job.id == job_id, Job.owner_id == owner_id)
        )
    ).one_or_none()
    if found is None:
        msg = "There is no such job."
        raise NotFound(msg, code="job_not_found")
    return await _with_place(session, view_of(found[0], found[1]), found[0])


async def list_job_views(
    session: AsyncSession,
    owner_id: UUID,
    *,
    statuses: Iterable[str] = (),
    kinds: Iterable[str] = (),
    after: str | None = None,
    limit: int = 50,
) -> Page[JobView]:
    """The owner's jobs, newest first."""
    statement = select(Job, Track.title).outerjoin(Track, Track.id == Job.track_id).where(Job.owner_id == owner_id)
    if wanted := [str(status) for status in statuses]:
        statement = statement.where(Job.status.in_(wanted))
    if of := [str(kind) for kind in kinds]:
        statement = statement.where(Job.kind.in_(of))
    if after:
        statement = statement.where(_BY_AGE.after(after, descending=True))
    found = (await session.execute(_BY_AGE.order(statement, descending=True).limit(limit + 1))).all()
    rows, more = found[:limit], len(found) > limit
    views = [await _with_place(session, view_of(job, title), job) for job, title in rows]
    return Page(tuple(views), cursor_of(rows[-1][0].created_at, rows[-1][0].id) if more else None)


async def list_family(session: AsyncSession, owner_id: UUID, job_ids: Sequence[UUID]) -> list[JobView]:
    """These jobs and those they started, oldest first."""
    statement = (
        select(Job, Track.title)
        .outerjoin(Track, Track.id == Job.track_id)
        .where(Job.owner_id == owner_id, or_(Job.id.in_(job_ids), Job.parent_id.in_(job_ids)))
        .order_by(Job.created_at, Job.id)
    )
    return [view_of(job, title) for job, title in await session.execute(statement)]


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
        may_retry=job.status == Status.FAILED and job.kind != Kind.MAINTENANCE,
    )


async def _with_place(session: AsyncSession, view: JobView, job: Job) -> JobView:
    if job.status != Status.QUEUED:
        return view
    return replace(view, waiting=(await jobs.estimate_wait(session, job)).text)
