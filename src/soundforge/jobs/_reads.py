"""Reading jobs: one or many."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.errors import NotFound
from soundforge.jobs._fence import JOBS
from soundforge.jobs._kinds import KEEP_UPLOADS
from soundforge.jobs._node import prefix_of
from soundforge.tables import ACTIVE, RUNNING, Job, Kind, Page, Sort, Status, read_again, read_page

_NEWEST = Sort(JOBS.c.created_at, JOBS.c.id, read=datetime.fromisoformat)


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
    until: str | None = None,
    limit: int = 50,
    kinds: Collection[Kind] = (),
    statuses: Collection[Status] = (),
    is_short: bool = False,
) -> Page[Job]:
    """Return a page of an owner's jobs, newest first; ``owner_id`` None: everybody's, for an admin.

    Without ``kinds`` or ``statuses`` all of them; ``is_short`` leaves out the downloads of an import; with ``until``
    those up to that cursor, a page that somebody has seen.
    Raises ``Invalid`` ("bad_cursor").
    """
    statement = select(Job)
    if owner_id is not None:
        statement = statement.where(Job.owner_id == owner_id)
    if is_short:
        statement = statement.where(or_(Job.kind != Kind.DOWNLOAD, Job.parent_id.is_(None)))
    if kinds:
        statement = statement.where(Job.kind.in_(sorted(kinds)))
    if statuses:
        statement = statement.where(Job.status.in_(sorted(statuses)))
    if until:
        return await read_again(session, statement, _NEWEST, descending=True, until=until, after=after)
    return await read_page(session, statement, _NEWEST, descending=True, limit=limit, after=after)


async def list_track_jobs(session: AsyncSession, owner_id: UUID, track_ids: Sequence[UUID]) -> Sequence[Job]:
    """Return all jobs of some tracks, oldest first."""
    statement = select(Job).where(Job.owner_id == owner_id, Job.track_id.in_(track_ids))
    return list(await session.scalars(statement.order_by(Job.created_at, Job.id)))


async def list_children(session: AsyncSession, owner_id: UUID, parent_id: UUID) -> Sequence[UUID]:
    """Return the active jobs that a job started, oldest first, as they are committed now."""
    statement = select(JOBS.c.id).where(JOBS.c.owner_id == owner_id, JOBS.c.parent_id == parent_id)
    active = statement.where(JOBS.c.status.in_([status.value for status in ACTIVE]))
    return (await session.scalars(active.order_by(JOBS.c.created_at, JOBS.c.id))).all()


async def list_left_failed(session: AsyncSession, owner_id: UUID, *, limit: int = 1000) -> Sequence[Job]:
    """Return the owner's jobs that failed, were not cancelled, and that no later one of the same work has replaced.

    The oldest first; housekeeping is left out, for it comes again by itself.
    """
    later = JOBS.alias("later")
    same = (later.c.owner_id == Job.owner_id, later.c.kind == Job.kind, later.c.unique_key == Job.unique_key)
    replaced = select(later.c.id).where(*same, later.c.created_at > Job.created_at).exists()
    failed = (Job.owner_id == owner_id, Job.status == Status.FAILED.value, Job.kind != Kind.MAINTENANCE.value)
    statement = select(Job).where(*failed, Job.error_code.is_distinct_from("cancelled"), not_(replaced))
    return list(await session.scalars(statement.order_by(Job.created_at, Job.id).limit(limit)))


def may_retry(job: Job) -> bool:
    """Whether trying again can help: an import of a file needs the file that it was given."""
    if job.kind == Kind.IMPORT and job.params.get("what") != "paste":
        late = job.finished_at is not None and job.finished_at < datetime.now(UTC) - KEEP_UPLOADS
        return job.status == Status.FAILED and not late and not job.params.get("upload_gone")
    return job.status == Status.FAILED and job.kind != Kind.MAINTENANCE


async def count_by_status(session: AsyncSession, owner_id: UUID, kinds: Collection[Kind]) -> dict[Status, int]:
    """Return how many jobs of these kinds an owner has in each status; the downloads of an import count with it."""
    counted = select(JOBS.c.status, func.count()).where(
        JOBS.c.owner_id == owner_id,
        JOBS.c.kind.in_(sorted(kinds)),
        or_(JOBS.c.kind != Kind.DOWNLOAD.value, JOBS.c.parent_id.is_(None)),
    )
    return {Status(status): count for status, count in await session.execute(counted.group_by(JOBS.c.status))}


async def list_failed_children(session: AsyncSession, owner_id: UUID, parent_id: UUID) -> Sequence[UUID]:
    """Return the downloads of an import that failed and that no later one of the same track has replaced."""
    failed = select(JOBS.c.id).where(JOBS.c.owner_id == owner_id, JOBS.c.parent_id == parent_id, is_left_failed())
    return (await session.scalars(failed.order_by(JOBS.c.created_at, JOBS.c.id))).all()


async def list_retried(session: AsyncSession, import_ids: Collection[UUID]) -> set[UUID]:
    """Return which of some imports another one took lines from that had come to nothing."""
    again = select(JOBS.c.parent_id).where(JOBS.c.parent_id.in_(import_ids), JOBS.c.kind == Kind.IMPORT.value)
    return {UUID(str(one)) for one in await session.scalars(again)}


def is_left_failed() -> ColumnElement[bool]:
    """Return the condition of a download that failed and that no later one of the same track has replaced."""
    later = JOBS.alias("later")
    replaced = (
        select(later.c.id)
        .where(later.c.track_id == JOBS.c.track_id, later.c.kind == JOBS.c.kind, later.c.created_at > JOBS.c.created_at)
        .exists()
    )
    return and_(JOBS.c.kind == Kind.DOWNLOAD.value, JOBS.c.status == Status.FAILED.value, not_(replaced))


async def list_running(session: AsyncSession) -> Sequence[Job]:
    """Return every running job of everybody."""
    return list(await session.scalars(select(Job).where(Job.status.in_([status.value for status in RUNNING]))))


async def list_dead_runs(session: AsyncSession, since: datetime) -> list[str]:
    """Return the storage prefixes of all runs that came to nothing, of jobs that last began after ``since``.

    Nothing may lie there but what rows name: whatever else does was left when its removal failed, or was killed.
    """
    rows = await session.execute(select(JOBS.c.id, JOBS.c.status, JOBS.c.run).where(JOBS.c.started_at > since))
    counts = {Status.COMPLETED.value, *(status.value for status in RUNNING)}
    return [
        prefix_of(row.id, run)
        for row in rows
        for run in range(1, row.run + 1)
        if run < row.run or row.status not in counts
    ]


async def list_made_files(session: AsyncSession, kind: Kind) -> Sequence[UUID]:
    """Return the ids of the files that completed jobs of a kind made, of everybody."""
    file_id = Job.result["file_id"].astext
    found = await session.scalars(select(file_id).where(Job.kind == kind.value, file_id.is_not(None)))
    return [UUID(text) for text in found]
