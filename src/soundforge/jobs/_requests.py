"""What may be asked of jobs: add, retry, cancel. Rows and Oban jobs in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import oban
import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import logs
from soundforge.errors import Conflict
from soundforge.jobs._fence import JOBS
from soundforge.jobs._kinds import KINDS
from soundforge.jobs._node import find_any_node
from soundforge.jobs._reads import get_job
from soundforge.tables import ACTIVE, RUNNING, Job, Kind, Status

_log = logs.get(__name__)

# Written out: with parameters, a statement that the driver prepares no longer matches the index of active jobs.
_ACTIVE = text(f"status IN ({', '.join(sorted(f"'{status.value}'" for status in ACTIVE))})")
# One that a worker has fetched at this moment is left: the claim reads the row and calls it off itself.
_CALL_OFF = text("""
UPDATE oban_jobs SET state = 'cancelled', cancelled_at = timezone('UTC', now())
WHERE id = :id AND state IN ('available', 'scheduled', 'retryable', 'suspended')
""")


@dataclass(frozen=True)
class NewJob:
    """A job about to be queued."""

    kind: Kind
    owner_id: UUID
    unique_key: str
    track_id: UUID | None = None
    parent_id: UUID | None = None
    params: dict[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid4)


async def add_job(
    session: AsyncSession,
    *,
    kind: Kind,
    owner_id: UUID,
    unique_key: str,
    track_id: UUID | None = None,
    parent_id: UUID | None = None,
    params: dict[str, Any] | None = None,
) -> Job:
    """Queue a job: its row and its Oban job, in the transaction of ``session``.

    Raises ``Conflict`` ("already_running", with ``fields["job_id"]``) while the owner has an active
    job of this kind with the same ``unique_key``; the transaction stays usable.
    """
    new = NewJob(kind, owner_id, unique_key, track_id, parent_id, params or {})
    if not await add_jobs(session, [new]):
        raise await _already_running(session, kind, owner_id, unique_key)
    return await get_job(session, owner_id, new.id)


async def add_jobs(session: AsyncSession, new: Sequence[NewJob]) -> list[UUID]:
    """Queue many jobs at once, by three statements; gives the ids of those that are not under way already."""
    if not new:
        return []
    unique = [JOBS.c.owner_id, JOBS.c.kind, JOBS.c.unique_key]
    adding = insert(JOBS).values([_row_of(one) for one in new])
    added = adding.on_conflict_do_nothing(index_elements=unique, index_where=_ACTIVE).returning(JOBS.c.id)
    ids = set((await session.scalars(added)).all())
    fresh = [one for one in new if one.id in ids]
    if fresh:
        enqueued = await _enqueuer().enqueue_many(
            [_oban_job(one.id, one.kind, one.track_id) for one in fresh], conn=session
        )
        linked = [{"row_id": UUID(one.args["job_id"]), "oban_id": one.id} for one in enqueued]
        link = update(JOBS).where(JOBS.c.id == bindparam("row_id")).values(oban_job_id=bindparam("oban_id"))
        await session.execute(link, linked)
    return [one.id for one in fresh]


async def retry_job(session: AsyncSession, owner_id: UUID, job_id: UUID) -> Job:
    """Queue a failed job again, with all its attempts.

    Raises ``NotFound``, ``Conflict`` ("not_failed", "already_running").
    """
    job = await get_job(session, owner_id, job_id, lock=True)
    if job.status != Status.FAILED:
        msg = f"Only a failed job can be tried again; this one is {job.status}."
        raise Conflict(msg, code="not_failed")
    kind = Kind(job.kind)
    try:
        async with session.begin_nested():
            values: dict[str, Any] = dict.fromkeys(
                ("error", "error_code", "next_attempt_at", "cancel_requested_at", "finished_at", "wait_reason")
            )
            values["oban_job_id"] = await _enqueue(session, job_id, kind, job.track_id)
            values |= {"status": Status.QUEUED.value, "attempt": 0, "max_attempts": KINDS[kind].attempts}
            await session.execute(update(JOBS).where(JOBS.c.id == job_id).values(values))
    except IntegrityError as error:
        if "uq_jobs_active" not in str(error.orig):
            raise
        raise await _already_running(session, kind, owner_id, job.unique_key) from error
    return await get_job(session, owner_id, job_id)


async def request_cancel(session: AsyncSession, owner_id: UUID, job_id: UUID) -> Job:
    """Cancel a job: a queued one ends at once, with its Oban job; a running one is asked to stop.

    Then ``wake_cancelled`` it.

    Raises ``NotFound``, ``Conflict`` ("already_finished").
    """
    job = await get_job(session, owner_id, job_id, lock=True)
    if job.status == Status.QUEUED:
        values = {
            "status": Status.FAILED.value,
            "error_code": "cancelled",
            "error": "This was cancelled.",
            "wait_reason": None,
            "next_attempt_at": None,
            "finished_at": func.clock_timestamp(),
        }
        await session.execute(_CALL_OFF, {"id": job.oban_job_id})
    elif job.status in RUNNING:
        values = {"cancel_requested_at": func.coalesce(JOBS.c.cancel_requested_at, func.clock_timestamp())}
    else:
        msg = f"This job is {job.status} already."
        raise Conflict(msg, code="already_finished")
    await session.execute(update(JOBS).where(JOBS.c.id == job_id).values(values))
    return await get_job(session, owner_id, job_id)


async def wake_cancelled(job: Job) -> None:
    """After the commit of a cancellation: tell the worker of a running job now.

    Only speeds things up: the worker reads the row twice a second. So a process without a node (a command) need not.
    """
    node = find_any_node()
    if node is None or job.oban_job_id is None or job.status not in RUNNING:
        return
    try:
        await node.oban.cancel_job(job.oban_job_id)
    except (psycopg.OperationalError, PoolTimeout) as error:
        _log.warning("job.wake_up_lost", job_id=str(job.id), error=str(error))


def _row_of(new: NewJob) -> dict[str, Any]:
    return {
        "id": new.id,
        "kind": new.kind.value,
        "owner_id": new.owner_id,
        "track_id": new.track_id,
        "parent_id": new.parent_id,
        "unique_key": new.unique_key,
        "params": new.params,
        "result": {},
        "status": Status.QUEUED.value,
        "progress": 0,
        "stage": "",
        "stages_s": [],
        "run": 0,
        "attempt": 0,
        "max_attempts": KINDS[new.kind].attempts,
    }


def _oban_job(job_id: UUID, kind: Kind, track_id: UUID | None) -> oban.Job:
    spec = KINDS[kind]
    args = {"job_id": str(job_id), "kind": kind.value, "track_id": str(track_id) if track_id else None}
    return oban.Job(spec.worker_path, queue=spec.queue, max_attempts=spec.attempts, args=args, tags=[kind.value])


async def _enqueue(session: AsyncSession, job_id: UUID, kind: Kind, track_id: UUID | None) -> int:
    enqueued = await _enqueuer().enqueue(_oban_job(job_id, kind, track_id), conn=session)
    if enqueued.id is None:
        msg = "Oban gave no id"
        raise RuntimeError(msg)
    return enqueued.id


@cache
def _enqueuer() -> oban.Oban:
    """An Oban that only writes through our sessions: its own pool is never opened."""
    return oban.Oban(pool=AsyncConnectionPool("", open=False), name="soundforge-enqueue")


async def _already_running(session: AsyncSession, kind: Kind, owner_id: UUID, unique_key: str) -> Conflict:
    same = select(JOBS.c.id).where(
        JOBS.c.owner_id == owner_id, JOBS.c.kind == kind.value, JOBS.c.unique_key == unique_key, _ACTIVE
    )
    other = (await session.execute(same)).scalars().first()
    return Conflict(
        f"The same {kind.value} is under way already.",
        code="already_running",
        fields={"job_id": str(other)} if other else None,
    )
