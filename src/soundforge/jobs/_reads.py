"""Reading jobs: one, many, and how long one may have to wait."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.jobs._fence import JOBS
from soundforge.jobs._kinds import KINDS, kinds_of
from soundforge.tables import RUNNING, Job, Kind, Page, Sort, Status, read_page

_RECENT = 50  # runs that a median is taken of
_MINUTE_S = 60
_NEWEST = Sort(JOBS.c.created_at, JOBS.c.id, read=datetime.fromisoformat)


@dataclass(frozen=True)
class Wait:
    """What is before a queued job: how many jobs, and for about how long (None: not known yet)."""

    ahead: int
    about_s: float | None

    @property
    def text(self) -> str:
        """Return it for people, as in "waiting: 2 ahead, about 4 min"."""
        place = f"{self.ahead} ahead" if self.ahead else "next in line"
        if self.about_s is None:
            return f"waiting: {place}"
        if self.about_s < _MINUTE_S:
            return f"waiting: {place}, less than a minute"
        return f"waiting: {place}, about {round(self.about_s / _MINUTE_S)} min"


async def find_job(session: AsyncSession, owner_id: UUID, job_id: UUID, *, lock: bool = False) -> Job | None:
    """Return the owner's job, or None; ``lock`` keeps others from writing it until the transaction ends."""
    statement = select(Job).where(Job.id == job_id, Job.owner_id == owner_id)
    statement = statement.execution_options(populate_existing=True)
    if lock:
        statement = statement.with_for_update(key_share=True)
    return (await session.scalars(statement)).one_or_none()


async def get_job(session: AsyncSession, owner_id: UUID, job_id: UUID, *, lock: bool = False) -> Job:
    """Return the owner's job. Raises ``NotFound`` ("no_job")."""
    job = await find_job(session, owner_id, job_id, lock=lock)
    if job is None:
        msg = "There is no such job."
        raise NotFound(msg, code="no_job")
    return job


async def list_jobs(
    session: AsyncSession,
    owner_id: UUID | None,
    *,
    after: str | None = None,
    limit: int = 50,
    kinds: Collection[Kind] = (),
    statuses: Collection[Status] = (),
) -> Page[Job]:
    """Return a page of an owner's jobs, newest first; ``owner_id`` None: everybody's, for an admin.

    Without ``kinds`` or ``statuses`` all of them. Raises ``Invalid`` ("bad_cursor").
    """
    statement = select(Job)
    if owner_id is not None:
        statement = statement.where(Job.owner_id == owner_id)
    if kinds:
        statement = statement.where(Job.kind.in_(sorted(kinds)))
    if statuses:
        statement = statement.where(Job.status.in_(sorted(statuses)))
    return await read_page(session, statement, _NEWEST, descending=True, limit=limit, after=after)


async def list_track_jobs(session: AsyncSession, owner_id: UUID, track_ids: Sequence[UUID]) -> Sequence[Job]:
    """Return all jobs of some tracks, oldest first."""
    statement = select(Job).where(Job.owner_id == owner_id, Job.track_id.in_(track_ids))
    return list(await session.scalars(statement.order_by(Job.created_at, Job.id)))


async def list_running(session: AsyncSession) -> Sequence[Job]:
    """Return every running job of everybody."""
    return list(await session.scalars(select(Job).where(Job.status.in_([status.value for status in RUNNING]))))


async def count_ahead(session: AsyncSession, job: Job) -> int:
    """Return how many queued jobs, of anybody, are worked before this queued one."""
    statement = select(func.count()).select_from(JOBS).where(*_same_queue(job), JOBS.c.status == Status.QUEUED.value)
    return int(await session.scalar(statement.where(JOBS.c.oban_job_id < job.oban_job_id)) or 0)


async def estimate_wait(session: AsyncSession, job: Job) -> Wait:
    """Return what is before a queued job, from the medians of recent runs and the slots that are worked."""
    ahead = await count_ahead(session, job)
    running = [status.value for status in RUNNING]
    busy_now = select(func.count()).select_from(JOBS).where(*_same_queue(job), JOBS.c.status.in_(running))
    busy = int(await session.scalar(busy_now) or 0)
    slots = await _slots(session, KINDS[Kind(job.kind)].queue)
    median_s = await _median_s(session, Kind(job.kind))
    if median_s is None or slots == 0:
        return Wait(ahead, None)
    if ahead + busy < slots:
        return Wait(ahead, 0.0)
    return Wait(ahead, median_s * (ahead + busy / 2) / slots)  # a running job is half through, on average


def _same_queue(job: Job) -> list[ColumnElement[bool]]:
    return [JOBS.c.kind.in_([kind.value for kind in kinds_of(KINDS[Kind(job.kind)].queue)]), JOBS.c.id != job.id]


async def _slots(session: AsyncSession, queue: str) -> int:
    statement = text("SELECT coalesce(sum((meta->>'local_limit')::int), 0) FROM oban_producers WHERE queue = :queue")
    return int(await session.scalar(statement, {"queue": queue}) or 0)


async def _median_s(session: AsyncSession, kind: Kind) -> float | None:
    recent = (
        select(func.extract("epoch", JOBS.c.finished_at - JOBS.c.started_at).label("took_s"))
        .where(JOBS.c.kind == kind.value, JOBS.c.status == Status.COMPLETED.value)
        .order_by(JOBS.c.finished_at.desc())
        .limit(_RECENT)
        .subquery()
    )
    median = await session.scalar(select(func.percentile_cont(0.5).within_group(recent.c.took_s)))
    return None if median is None else float(median)
