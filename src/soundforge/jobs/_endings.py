"""The five endings of a run, each one transaction of ours before Oban's own acknowledgement.

=============  =========================  ==========================  ==========================
ending         because of                 the row                     what Oban is told
=============  =========================  ==========================  ==========================
done           the body is through        completed                   nothing: completed
try again      Unavailable, attempts left failed → queued, a time     the error: it backs off
give up        Rejected, Broken, a bug,   failed                      Cancel(code)
               the last attempt, cancel
postponed      Retry-After                failed → queued, a time     Snooze: attempt given back
interrupted    shutdown, database away    failed → queued             Snooze(0): attempt given back
=============  =========================  ==========================  ==========================
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

import oban
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import logs
from soundforge.errors import SoundForgeError, Unavailable
from soundforge.jobs._fence import AWAY, JOBS, Superseded, patient_transaction
from soundforge.jobs._kinds import backoff_s
from soundforge.jobs._requeue import fail, requeue
from soundforge.jobs._run import Run
from soundforge.jobs._watch import Stop
from soundforge.tables import Status

POSTPONE_LIMIT = 50  # runs after which Retry-After no longer gives the attempt back
_FOREVER_S = float("inf")
_AGAIN_S = 1.0
_FULL = {errno.ENOSPC, errno.EDQUOT}

_log = logs.get(__name__)


class Ending(Enum):
    """How a run ended."""

    DONE = auto()
    TRY_AGAIN = auto()
    GIVE_UP = auto()
    POSTPONED = auto()
    INTERRUPTED = auto()
    CANCELLED = auto()  # a way to give up that nobody needs to look at
    SUPERSEDED = auto()  # none: the run had lost its row


@dataclass(frozen=True)
class Verdict:
    """How a run is to end, and why."""

    ending: Ending
    code: str = ""
    sentence: str = ""
    wait_s: float = 0.0
    error: BaseException | None = None
    keeps_oban_job: bool = False  # superseded, and queued anew under the same Oban job


def judge(run: Run, stop: Stop | None, error: BaseException | None) -> Verdict:
    """Choose the ending. A reason to stop comes before whatever the stopped body said."""
    if run.finished:
        return Verdict(Ending.DONE)
    if stop is Stop.CANCELLED:
        return cancelled()
    if stop is Stop.SUPERSEDED or (stop is None and isinstance(error, Superseded)):
        return Verdict(Ending.SUPERSEDED)
    if stop in (Stop.SHUTDOWN, Stop.DATABASE_AWAY):
        return interrupted()
    if stop is Stop.TIMED_OUT:
        error = Unavailable("This took longer than it may. It is tried again.", code="timed_out")
    return _judge_error(run, error)


def cancelled() -> Verdict:
    """The ending of a job that its owner stopped."""
    return Verdict(Ending.CANCELLED, "cancelled", "This was cancelled.")


def interrupted(error: BaseException | None = None) -> Verdict:
    """The ending of a run that nobody is to blame for."""
    return Verdict(Ending.INTERRUPTED, "interrupted", "The work was interrupted and starts again.", error=error)


def _judge_error(run: Run, error: BaseException | None) -> Verdict:
    if isinstance(error, OSError) and error.errno in _FULL:
        error = Unavailable("The disk is full.", code="disk_full", detail=str(error))
    if not isinstance(error, SoundForgeError):
        sentence = "Something went wrong inside Sound Forge. The log has the details."
        return Verdict(Ending.GIVE_UP, "bug", sentence, error=error)
    if not isinstance(error, Unavailable):
        return Verdict(Ending.GIVE_UP, error.code, error.sentence, error=error)
    if error.code == AWAY:
        return interrupted(error)
    if error.retry_after_s is not None and run.run < POSTPONE_LIMIT:
        return Verdict(Ending.POSTPONED, error.code, error.sentence, run.node.scaled(error.retry_after_s), error)
    if run.attempt < run.max_attempts:
        wait_s = run.node.scaled(backoff_s(run.kind, run.attempt))
        return Verdict(Ending.TRY_AGAIN, error.code, error.sentence, wait_s, error)
    return Verdict(Ending.GIVE_UP, error.code, error.sentence, error=error)


async def write(run: Run, verdict: Verdict) -> Verdict:
    """Write the ending under the run's fence, and return the one that came true.

    When the row has slipped away it decides: one that is completed in this very run was completed by
    it, by a commit whose answer got lost.
    """
    if verdict.ending is Ending.DONE:
        return verdict
    if verdict.ending is not Ending.SUPERSEDED:
        try:
            return await _write_at_last(run, verdict)
        except Superseded:
            pass
    row = await _read_row(run)
    if row is not None and (row.status, row.run) == (Status.COMPLETED, run.run):
        return Verdict(Ending.DONE)
    keeps = row is not None and (row.status, row.oban_job_id) == (Status.QUEUED, run.oban_job.id)
    return Verdict(Ending.SUPERSEDED, "superseded", "Another run has this job now.", keeps_oban_job=keeps)


async def _write_at_last(run: Run, verdict: Verdict) -> Verdict:
    """Write the ending, however often it takes; one that came through without an answer is superseded the next time."""
    told = False
    while True:
        try:
            return await _write(run, verdict)
        except Unavailable as error:
            if run.node.stopping.is_set():
                raise
            if not told:
                _log.warning("job.ending_waits", job_id=str(run.job_id), run=run.run, error_code=error.code)
            told = True
        await asyncio.sleep(run.node.scaled(_AGAIN_S))


async def _write(run: Run, verdict: Verdict) -> Verdict:
    asked: list[datetime | None] = []

    async def begin(session: AsyncSession) -> None:
        asked[:] = [await run.fence.lock(session)]

    async with _patient(run, begin) as session:
        if asked[0] is not None and verdict.ending is not Ending.GIVE_UP:
            verdict = cancelled()
        reason = {"code": verdict.code, "sentence": verdict.sentence}
        if verdict.ending in (Ending.GIVE_UP, Ending.CANCELLED):
            await fail(session, run.fence, **reason, stages_s=run.stages_s)
        else:
            await requeue(session, run.fence, **reason, next_attempt_at=_later(verdict.wait_s))
    return verdict


def tell_oban(verdict: Verdict) -> object:
    """Return what the worker returns, or raise the error that makes Oban back off."""
    match verdict.ending:
        case Ending.TRY_AGAIN if verdict.error is not None:
            raise verdict.error
        case Ending.POSTPONED | Ending.INTERRUPTED:
            return oban.Snooze(round(verdict.wait_s))
        case Ending.SUPERSEDED if verdict.keeps_oban_job:
            return oban.Snooze(0)
        case Ending.GIVE_UP | Ending.CANCELLED | Ending.SUPERSEDED:
            return oban.Cancel(verdict.code)
        case _:
            return None


async def _read_row(run: Run) -> Any:
    found: list[Any] = []

    async def read(session: AsyncSession) -> None:
        statement = select(JOBS.c.status, JOBS.c.run, JOBS.c.oban_job_id).where(JOBS.c.id == run.job_id)
        found[:] = [(await session.execute(statement)).one_or_none()]

    async with _patient(run, read):
        return found[0]


def _patient(run: Run, begin: Callable[[AsyncSession], Awaitable[None]]) -> AbstractAsyncContextManager[AsyncSession]:
    """Wait for the database as long as the node lives: an ending that is not written leaves the row running."""
    return patient_transaction(begin, limit_s=_FOREVER_S, give_up=run.node.stopping.is_set)


def _later(wait_s: float) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=round(wait_s)) if wait_s else None
