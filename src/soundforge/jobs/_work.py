"""The frame around every worker's body: claim → body → one of the five endings → nothing left behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast
from uuid import UUID

import oban

from soundforge import logs
from soundforge.errors import Unavailable
from soundforge.jobs._claim import Candidate, Needs, NotYet, claim
from soundforge.jobs._cleaning import clean
from soundforge.jobs._endings import Ending, Verdict, judge, tell_oban, write
from soundforge.jobs._failures import log_failure
from soundforge.jobs._kinds import backoff_s
from soundforge.jobs._node import get_node
from soundforge.jobs._run import Run
from soundforge.jobs._watch import Stop, watch
from soundforge.tables import Kind

_log = logs.get(__name__)

_AGAIN_S = 1.0

type Body = Callable[[Run], Awaitable[None]]


class Worker:
    """What the Oban worker of a kind is made of: give it ``body``, and ``needs`` where it must fit in.

    Oban stores the path of the class in its rows: never rename or move one that was released.
    """

    async def body(self, run: Run) -> None:  # noqa: ARG002 - for subclasses
        """Do the work: read, work, write in ``run.done()``."""
        raise TypeError(f"{type(self).__name__} has no body")

    async def needs(self, candidate: Candidate) -> int | NotYet | None:  # noqa: ARG002 - for subclasses
        """Say what must be there before the job may begin: MB of memory, a reason to wait, or None."""
        return None

    async def process(self, job: oban.Job) -> object:
        """Work one job; Oban calls it."""
        return await work(job, self.body, needs=self.needs)

    def backoff(self, job: oban.Job) -> int:
        """Return the seconds until the next attempt; Oban asks after an error."""
        return retry_in_s(job)


def retry_in_s(oban_job: oban.Job) -> int:
    """Return when Oban tries a failed job again, in whole seconds of its node's clock."""
    node = get_node(oban_job.attempted_by[0])
    return round(node.scaled(backoff_s(Kind(oban_job.args["kind"]), oban_job.attempt)))


async def work(oban_job: oban.Job, body: Body, *, needs: Needs | None = None) -> object:
    """Work one job from claim to ending; what it returns or raises is Oban's to read.

    Where the database went away between two answers Oban puts the job back without spending an attempt: the next
    claim ends the run that this one may have left.
    """
    node = get_node(oban_job.attempted_by[0])
    task = cast("asyncio.Task[object]", asyncio.current_task())  # Oban gives each job one
    node.at_work[task] = oban_job.id
    about = {"job_id": oban_job.args["job_id"], "oban_job_id": oban_job.id, "node": node.name}
    try:
        answer = await claim(node, oban_job, needs)
        verdict = await _work(answer, body) if isinstance(answer, Run) else None
    except Unavailable as error:
        _log.warning("job.put_back", **about, error_code=error.code, error=error.sentence, detail=error.detail)
        return oban.Snooze(round(node.scaled(_AGAIN_S)))
    except Exception:
        _log.exception("job.broken", **about)
        raise
    finally:
        node.memory.release(UUID(oban_job.args["job_id"]))
        del node.at_work[task]
    return answer if verdict is None else tell_oban(verdict)


async def _work(run: Run, body: Body) -> Verdict:
    log = _log.bind(job_id=str(run.job_id), kind=run.kind.value, run=run.run, attempt=run.attempt)
    log.info("job.began", queue=run.queue, node=run.node.name)
    keep_stored = True  # unless we know that the run came to nothing
    try:
        verdict = await write(run, judge(run, *await _supervise(run, body)))
        keep_stored = verdict.ending is Ending.DONE
    finally:  # also when Oban's grace is over: then the row stays as it is, and rescue finds it
        await clean(run, keep_stored=keep_stored)
    if verdict.ending is Ending.DONE:
        log.info("job.done")
    else:
        log_failure(run, verdict)
    return verdict


async def _supervise(run: Run, body: Body) -> tuple[Stop | None, BaseException | None]:
    """Run the body until it is through or has to stop; when this returns it is over."""
    worker = asyncio.create_task(_whole(run, body), name=f"job-{run.job_id}")
    watcher = asyncio.create_task(watch(run), name=f"watch-{run.job_id}")
    stopped = False
    try:
        await asyncio.wait({worker, watcher}, return_when=asyncio.FIRST_COMPLETED)
        stopped = not worker.done()
    finally:
        watcher.cancel()
        worker.cancel()
        await asyncio.wait({worker, watcher})
    if stopped and (fault := watcher.exception()) is not None:
        return None, fault
    return watcher.result() if stopped else None, _error_of(worker)


async def _whole(run: Run, body: Body) -> None:
    if run.fault is not None:
        raise run.fault
    await asyncio.to_thread(run.folder.mkdir, parents=True, exist_ok=True)
    await body(run)
    if not run.finished:
        async with run.done():
            pass


def _error_of(task: asyncio.Task[None]) -> BaseException | None:
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception()
