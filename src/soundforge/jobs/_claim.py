"""From an Oban job to a run: look whether it may begin, then take the row."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import oban
from sqlalchemy import Row, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import logs
from soundforge.errors import Unavailable
from soundforge.jobs._cleaning import remove_stored
from soundforge.jobs._fence import JOBS, Fence, patient_transaction
from soundforge.jobs._kinds import first_status
from soundforge.jobs._node import Node, prefix_of
from soundforge.jobs._requeue import requeue
from soundforge.jobs._run import Run
from soundforge.tables import RUNNING, Kind, Status

_FOREVER_S = float("inf")
_AGAIN_S = 10.0
_GIVEN = text("SELECT FROM oban_jobs WHERE id = :id AND state = 'executing' AND attempted_at = :attempted_at")

_log = logs.get(__name__)


@dataclass(frozen=True)
class Candidate:
    """A job that could begin now."""

    job_id: UUID
    kind: Kind
    owner_id: UUID
    track_id: UUID | None
    params: dict[str, Any]


@dataclass(frozen=True)
class NotYet:
    """The job must wait: ``reason`` is one sentence for the user; it is looked at again after ``wait_s``."""

    reason: str
    wait_s: float


type Needs = Callable[[Candidate], Awaitable[int | NotYet | None]]
"""What a job needs before it may begin: megabytes of memory, a reason to wait, or nothing (None)."""

type Answer = Run | oban.Cancel | oban.Snooze


async def claim(node: Node, oban_job: oban.Job, needs: Needs | None) -> Answer:
    """Make a run of ``oban_job``, or say what Oban is to do with it instead.

    Waits for the database as long as the node lives: until a run exists nothing else could be told.
    """
    job_id = UUID(oban_job.args["job_id"])
    async with _patient(node) as session:
        row = (await session.execute(select(JOBS).where(JOBS.c.id == job_id))).one_or_none()
    if row is None:
        return oban.Cancel("the row is gone")
    if row.oban_job_id != oban_job.id or row.status not in {Status.QUEUED, *RUNNING}:
        return oban.Cancel(f"the row is {row.status}")
    fault: Exception | None = None
    try:
        not_yet = await _look(node, row, needs)
    except Exception as error:  # noqa: BLE001 - the run will raise it: then the row says what is wrong
        not_yet, fault = None, error
    if not_yet is not None:
        return await _wait(node, oban_job, job_id, not_yet)
    return await _take(node, oban_job, job_id, fault)


async def _look(node: Node, row: Row[Any], needs: Needs | None) -> NotYet | None:
    if needs is None:
        return None
    try:
        need = await needs(Candidate(row.id, Kind(row.kind), row.owner_id, row.track_id, row.params))
    except Unavailable as error:
        return NotYet(error.sentence, error.retry_after_s or _AGAIN_S)
    if isinstance(need, int):
        reason = node.memory.promise(row.id, need)
        return NotYet(reason, _AGAIN_S) if reason else None
    return need


async def _wait(node: Node, oban_job: oban.Job, job_id: UUID, not_yet: NotYet) -> oban.Snooze:
    """Leave the row queued and say why; no run is spent and no attempt."""
    seconds = max(0, round(node.scaled(not_yet.wait_s)))
    again_at = datetime.now(UTC) + timedelta(seconds=seconds)
    async with _patient(node) as session:
        await session.execute(
            update(JOBS)
            .where(_ours(oban_job, job_id), JOBS.c.status == Status.QUEUED.value)
            .values(wait_reason=not_yet.reason, next_attempt_at=again_at)
        )
    return oban.Snooze(seconds)


async def _take(node: Node, oban_job: oban.Job, job_id: UUID, fault: Exception | None) -> Answer:
    async with _patient(node) as session:
        if not await _still_has_it(session, oban_job, job_id):
            return oban.Cancel("it was given to another worker")  # which Oban does not take from us any more
        lost = await _end_lost_run(session, oban_job, job_id)
        row = (await session.execute(_claim_statement(node, oban_job, job_id))).one_or_none()
    if lost is not None:
        await remove_stored(node.on_sweep, prefix_of(job_id, lost))
    if row is None:
        return oban.Cancel("the row was taken")
    return Run(node, row, oban_job, fault)


async def _still_has_it(session: AsyncSession, oban_job: oban.Job, job_id: UUID) -> bool:
    """Whether Oban's job is still the one that this worker was given: a rescue may have come before its claim.

    The row is locked first, as a rescue does before it decides; whoever comes second sees what the first one did.
    """
    await session.execute(select(JOBS.c.id).where(JOBS.c.id == job_id).with_for_update())
    given = {"id": oban_job.id, "attempted_at": oban_job.attempted_at}
    return (await session.execute(_GIVEN, given)).one_or_none() is not None


async def _end_lost_run(session: AsyncSession, oban_job: oban.Job, job_id: UUID) -> int | None:
    """End a run that this Oban job left behind and say which: Oban gives a job to one worker, so that run has none."""
    running = [status.value for status in RUNNING]
    statement = select(JOBS).where(_ours(oban_job, job_id), JOBS.c.status.in_(running)).with_for_update()
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    lost = Fence(row.id, row.run, Status(row.status))
    await requeue(session, lost, code="interrupted", sentence="The work was interrupted and starts again.")
    about = {"job_id": str(job_id), "kind": row.kind, "run": lost.run, "attempt": row.attempt, "node": row.node}
    _log.warning("job.lost_run_ended", **about, error_code="interrupted")
    return lost.run


def _claim_statement(node: Node, oban_job: oban.Job, job_id: UUID) -> Any:
    kind = Kind(oban_job.args["kind"])
    return (
        update(JOBS)
        .where(_ours(oban_job, job_id), JOBS.c.status == Status.QUEUED.value)
        .values(
            status=first_status(kind).value,
            run=JOBS.c.run + 1,
            progress=0,
            stage="",
            stages_s=[],
            wait_reason=None,
            node=node.name,
            attempt=oban_job.attempt,
            max_attempts=oban_job.max_attempts,
            next_attempt_at=None,
            error_code=None,
            error=None,
            started_at=func.clock_timestamp(),
            finished_at=None,
        )
        .returning(JOBS)
    )


def _ours(oban_job: oban.Job, job_id: UUID) -> Any:
    return (JOBS.c.id == job_id) & (JOBS.c.oban_job_id == oban_job.id)


def _patient(node: Node) -> AbstractAsyncContextManager[AsyncSession]:
    async def nothing(session: AsyncSession) -> None:
        await session.connection()

    return patient_transaction(nothing, limit_s=_FOREVER_S, give_up=node.stopping.is_set)
