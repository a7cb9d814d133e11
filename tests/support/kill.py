"""Killing at a named step, found from outside: the product knows nothing of it.

Steps that end in the database are held there, see ``gates``. The other steps are seen in the row or in the work
folder, and the kill follows within a millisecond or two. It counts only where there was work in hand: whatever the
moment, a kill that would meet nobody at work is left out, and a sooner moment is tried.

How long what follows may take has two parts. What goes by the house's clocks (heartbeats, rescue, back-off) is scaled
as they are: with clocks as people have them it is 35 s from the last heartbeat to the rescue, with clocks scaled by
0.05 it is 1.75 s. What does not (a program starts, a busy machine falls behind, the work is done again) has fixed
allowances; docs/reliability.md says what was measured.
"""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, pipeline
from soundforge.jobs._clock import CONFIRM_S, HEARTBEAT_S, STAGE_S, STALE_S
from soundforge.jobs._run import AWAY_LIMIT_S
from soundforge.tables import Job, Kind
from tests.support.gates import Gate, open_gate
from tests.support.moments import REDRAWS, Moment, draws
from tests.support.servers import postmaster_pid, until
from tests.support.studio import OVER_S, Process, Studio

HELD = {"claiming", "files moved", "before commit", "before ack", "ending", "cleaning", "telling"}
FAULTS = {"tried again": "40001", "given up": "P0001"}  # of PostgreSQL: what time mends, and what it does not
CAUSES = {"given up": "bug", "cancelled": "cancelled"}
MOMENT_S = 60.0  # for a step to come
CALM_S = 30.0  # until the purge of a fresh start is through
CHILD_S = 10.0  # for the next child to come, at a random moment
START_S = 30.0  # for what died to serve again: a Python process, or PostgreSQL's recovery
LOAD_S = 3.0  # that a busy machine is behind its clocks
WORK_S = 30.0  # for the work to be done again

_PLACES = """
SELECT j.id::text, j.kind, j.status, o.state::text, o.attempted_by[1], o.attempted_at AT TIME ZONE 'UTC',
  (SELECT count(*) FROM oban_jobs l WHERE l.args->>'job_id' = j.id::text
   AND l.state IN ('available', 'scheduled', 'retryable', 'executing'))
FROM jobs j LEFT JOIN oban_jobs o ON o.id = j.oban_job_id WHERE j.status NOT IN ('completed', 'failed')
"""
_IN_HAND = (
    "SELECT args->>'kind' FROM oban_jobs WHERE state = 'executing' AND (%s::text IS NULL OR attempted_by[1] = %s)"
)
_SILENT = """
SELECT coalesce(extract(epoch FROM timezone('UTC', now()) - min(updated_at)), 0)::float
FROM oban_producers WHERE node = %s
"""
_USUAL = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ended - started_at))::float FROM (
  SELECT j.started_at, CASE WHEN %s THEN j.finished_at ELSE max(c.finished_at) END AS ended
  FROM jobs j LEFT JOIN jobs c ON c.parent_id = j.id WHERE j.kind = %s AND j.status = 'completed' AND j.run = 1
  GROUP BY j.id HAVING coalesce(max(c.run), 1) = 1
) AS took
"""


@dataclass
class Outcome:
    """What a kill came to; times in seconds."""

    moment: Moment
    hit: str = ""  # who died; nobody, where there was no work in hand
    work: list[str] = field(default_factory=list)  # in the hands of who died
    dying: list[psutil.Process] = field(default_factory=list)  # that end because of it, and answer until they do
    silent_s: float = 0.0  # between its last heartbeat and its death
    placed_s: float = 0.0  # until every job was where it belongs: from the restart; from the kill, if that comes late
    over_s: float = 0.0  # from then until every job was finished
    runs: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line of the report."""
        runs = " ".join(f"{kind}:{runs}" for kind, runs in self.runs.items())
        hit = f"killed {self.hit} over {', '.join(sorted(set(self.work)))}"
        return f"{self.moment}: {hit}; in place {self.placed_s:.1f} s, over {self.over_s:.1f} s; runs {runs}"


def strike(studio: Studio, moment: Moment) -> Outcome:
    """Ask for work, kill at the moment, start again, wait until all is in place and then until all is over."""
    outcome, job, dead = hit(studio, moment)
    within_s = limit_s(studio, outcome)
    if moment.late:
        outcome.placed_s = until_placed(studio, [], within_s)
    began = time.monotonic()
    for process in dead:
        process.start()
    until_placed(studio, dead, LOAD_S)
    outcome.placed_s = outcome.placed_s or time.monotonic() - began
    for process in dead:
        studio.wait_for(process)
    outcome.over_s = studio.wait_until_over(WORK_S + studio.scaled(_waits_s(moment)))
    if moment.ending:
        settle(studio, moment, job)
    outcome.runs = dict(studio.ask("SELECT kind, run FROM jobs WHERE id = %s OR parent_id = %s", job.id, job.id) or [])
    return outcome


def limit_s(studio: Studio, outcome: Outcome) -> float:
    """Give how long after the kill every job must be in place: at the latest when the rescue has found the orphan.

    A dead node's heartbeat is too old after STALE_S; the next pass of the leader sees that, those of CONFIRM_S confirm.
    """
    return studio.scaled(STALE_S + HEARTBEAT_S + CONFIRM_S) - outcome.silent_s + LOAD_S


def _waits_s(moment: Moment) -> float:
    """Give how long a job in place may wait before it is worked, before clocks are scaled: one back-off, never two."""
    backoff_s = jobs.KINDS[Kind(moment.work)].backoff_s
    away_s = AWAY_LIMIT_S if moment.victim == "postgres" else 0.0
    return max(backoff_s, away_s) + HEARTBEAT_S + STAGE_S


def hit(studio: Studio, moment: Moment) -> tuple[Outcome, Job, list[Process]]:
    """Ask for work and kill at the moment, or at a sooner one; what has to be started again comes last."""
    for drawn in draws(moment):
        outcome = Outcome(drawn)
        with open_gate(studio.dsn) as gate:
            job = request(studio, drawn)
            came = wait_for_moment(studio, gate, drawn, job)
            dead = kill(studio, job, outcome) if came else []
            gate.open(abort=drawn.answer == "aborts")
        psutil.wait_procs(outcome.dying, timeout=START_S)
        if outcome.hit:
            return outcome, job, dead
        studio.wait_until_over(OVER_S)
    msg = f"{moment}: drawn {REDRAWS + 1} times, and each time the work was over before anybody could be killed"
    raise AssertionError(msg)


def request(studio: Studio, moment: Moment) -> Job:
    """Ask for the moment's work; arm its step, and the fault of its first run, in the same transaction."""
    upload = studio.receive() if moment.work == "import" else None

    async def ask(session: AsyncSession, owner_id: UUID) -> Job:
        if upload:
            job = await pipeline.request_import(session, owner_id, upload)
        else:
            track_id = await session.scalar(text("SELECT id FROM tracks ORDER BY created_at LIMIT 1"))
            assert track_id is not None
            wanted = {"separation": pipeline.request_separation, "analysis": pipeline.request_analysis}[moment.work]
            job = await wanted(session, owner_id, track_id)
        armed = {"step": "ending" if moment.step == "cleaning" else moment.step, "job": str(job.id)}
        await session.execute(text("INSERT INTO kill_armed VALUES (:step, :job)"), armed)
        fault = {"job": str(job.id), "sqlstate": FAULTS.get(moment.ending or "")}
        await session.execute(text("INSERT INTO kill_faults VALUES (:job, :sqlstate)"), fault)
        return job

    return studio.do(ask)


def wait_for_moment(studio: Studio, gate: Gate, moment: Moment, job: Job) -> bool:
    """Return when it is there; False where the work was over before."""
    provoke(studio, moment, job)
    if moment.step in HELD:
        until(lambda: bool(gate.waiting()) or _is_over(studio, job), within_s=MOMENT_S)
        if not gate.waiting():
            return False
    elif moment.step == "claimed" or moment.is_own:
        until(lambda: gate.status(job) == "processing", within_s=MOMENT_S, every_s=0.002)
    elif moment.step == "child started":
        until(lambda: bool(records(studio, job)), within_s=MOMENT_S, every_s=0.002)
    if moment.step == "cleaning":
        gate.hold_files(within_s=MOMENT_S)
    time.sleep(moment.after_s + (moment.share * usual_s(studio, moment) if moment.share else 0.0))
    return True


def provoke(studio: Studio, moment: Moment, job: Job) -> None:
    """Bring about an ending that comes from outside: a cancellation once a stage is kept, SIGTERM to a worker."""
    if moment.ending == "cancelled":
        kept = "SELECT 1 FROM analysis_parts WHERE job_id = %s"
        until(lambda: bool(studio.ask(kept, job.id)) or _is_over(studio, job), within_s=MOMENT_S, every_s=0.002)
        asked = "UPDATE jobs SET cancel_requested_at = clock_timestamp() WHERE id = %s AND status = 'processing'"
        studio.ask(asked, job.id)
    elif moment.ending == "put back":
        until(lambda: bool(records(studio, job)), within_s=MOMENT_S, every_s=0.002)
        studio.worker.ask_to_end()


def _is_over(studio: Studio, job: Job) -> bool:
    over = "SELECT 1 FROM jobs j JOIN oban_jobs o ON o.id = j.oban_job_id WHERE j.id = %s AND o.state = 'completed'"
    return bool(studio.ask(over, job.id))


def usual_s(studio: Studio, moment: Moment) -> float:
    """Give how long the work takes here, a song with what it asks for; measured on those that nobody killed."""
    rows = studio.ask(_USUAL, moment.is_own, moment.work)
    assert rows is not None
    return float(rows[0][0])


def records(studio: Studio, job: Job | None = None) -> list[Path]:
    """What living runs wrote down of their children."""
    return list(studio.settings.work_folder.glob(f"*/{job.id if job else '*'}/*/**/child-*.json"))


def kill(studio: Studio, job: Job, outcome: Outcome) -> list[Process]:
    """kill -9 the moment's victim if it has work in hand; return what has to be started again."""
    victim = _victim(studio, job, outcome.moment)
    node = victim.node if victim else None
    outcome.work = in_hand(studio, node)
    if not outcome.work:
        return []
    if victim is not None:
        outcome.silent_s = silent_s(studio, node)
        victim.kill()
        outcome.hit = f"the {victim.name}"
        return [victim]
    if outcome.moment.victim == "child":
        _kill_child(studio, job if outcome.moment.step != "random" else None, outcome)
        return []
    postmaster = psutil.Process(postmaster_pid(studio.postgres))
    outcome.dying = postmaster.children()
    postmaster.kill()
    outcome.hit = "the postmaster"
    return _ended(studio, outcome.moment)


def _victim(studio: Studio, job: Job, moment: Moment) -> Process | None:
    """Give the process that is to die; None where it is none of ours."""
    if moment.victim != "holder":
        return {"server": studio.server, "worker": studio.worker}.get(moment.victim)
    held = "SELECT attempted_by[1] FROM oban_jobs WHERE args->>'job_id' = %s AND state = 'executing'"
    nodes = studio.ask(held, str(job.id))
    return next(process for process in studio.processes if nodes == [(process.node,)])


def in_hand(studio: Studio, node: str | None) -> list[str]:
    """Kinds of the jobs that a node works on at this moment; without one, of all."""
    return [row[0] for row in studio.ask(_IN_HAND, node, node) or []]


def silent_s(studio: Studio, node: str | None) -> float:
    """How long ago a node beat last."""
    rows = studio.ask(_SILENT, node)
    return float(rows[0][0]) if rows else 0.0


def _ended(studio: Studio, moment: Moment) -> list[Process]:
    """See that a worker that was asked to end does so without a database as well."""
    if moment.ending != "put back":
        return []
    until(lambda: not studio.worker.runs, within_s=START_S)
    return [studio.worker]


def _kill_child(studio: Studio, job: Job | None, outcome: Outcome) -> None:
    """Kill the child of a job; at a random moment any that works now or comes next, unless the work is over before."""
    deadline = time.monotonic() + (0 if job else CHILD_S)
    while not _kill_recorded(records(studio, job), outcome):
        if time.monotonic() >= deadline or studio.active() == []:
            return
        time.sleep(0.005)


def _kill_recorded(found: list[Path], outcome: Outcome) -> bool:
    for record in found:
        with contextlib.suppress(OSError, ValueError, psutil.Error):  # written, or removed, at this moment
            group = json.loads(record.read_text())
            psutil.Process(group["id"]).kill()
            outcome.hit = f"a {group['program']} child"
            return True
    return False


def until_placed(studio: Studio, started: list[Process], within_s: float) -> float:
    """Wait until every job is where it belongs, ``within_s`` after the started and the database serve again.

    Returns how long it took, from now on, in seconds.
    """
    began = serving_at = time.monotonic()
    serving = False
    while misplaced(studio) != []:
        now = time.monotonic()
        if not serving:
            serving_at, serving = now, studio.serve(*started)
            assert now - began < START_S, f"not back after {START_S} s: {[process.name for process in started]}"
        assert now - serving_at < within_s, f"not in place within {within_s:.1f} s: {misplaced(studio)}"
        time.sleep(0.02)
    return time.monotonic() - began


def settle(studio: Studio, moment: Moment, job: Job) -> None:
    """See that what was to fail failed for its own reason, and rows and files agree then too; try it again."""
    if moment.victim == "postgres":  # what a run stored and could not take back without it goes with the purge
        studio.do(pipeline.request_purge)
        studio.wait_until_over(OVER_S)
    ((status, code),) = studio.ask("SELECT status, error_code FROM jobs WHERE id = %s", job.id) or []
    if status == "completed" and _may_complete(moment):
        return
    assert (status, code) == ("failed", CAUSES.get(moment.ending or ""))
    agree(studio.verify)
    studio.do(lambda session, owner_id: jobs.retry_job(session, owner_id, job.id))
    studio.wait_until_over(OVER_S)


def _may_complete(moment: Moment) -> bool:
    """Whether the job goes on by itself: only its first run was to fail, and a giving up that was lost is none."""
    is_lost = moment.victim == "postgres" or (moment.step, moment.answer) == ("ending", "aborts")
    return moment.ending in ("tried again", "put back") or (moment.ending == "given up" and is_lost)


def misplaced(studio: Studio) -> list[Any] | None:
    """Jobs neither over, nor in the hands of a living process, nor queued with exactly one Oban job to come."""
    rows = studio.ask(_PLACES)
    if rows is None:
        return None
    alive: dict[str | None, Process] = {process.node: process for process in studio.processes if process.node}
    return [row for row in rows if not _in_place(alive, *row[2:])]


def _in_place(alive: dict[str | None, Process], status: str, state: str, node: str, since: Any, live: int) -> bool:
    if live != 1:
        return False
    if state == "executing":
        return node in alive and since >= alive[node].began_at
    return status == "queued" and state in ("available", "scheduled", "retryable")


_WRONG = """
SELECT 'track twice: ' || audio_sha256 FROM tracks GROUP BY audio_sha256 HAVING count(*) > 1
UNION ALL SELECT concat_ws(' ', 'failed:', kind, id, error_code, error) FROM jobs WHERE status = 'failed'
UNION ALL SELECT 'stems: ' || count(s.id) FROM jobs j LEFT JOIN stems s ON s.job_id = j.id
  WHERE j.kind = 'separation' GROUP BY j.id HAVING count(s.id) <> 4
UNION ALL SELECT 'no analysis' FROM jobs j WHERE j.kind = 'analysis'
  AND NOT EXISTS (SELECT FROM analysis_parts p WHERE p.job_id = j.id)
UNION ALL SELECT 'import without its track' FROM jobs j WHERE j.kind = 'import'
  AND NOT EXISTS (SELECT FROM tracks t WHERE t.id::text = j.result->>'track_id')
UNION ALL SELECT 'track without its jobs' FROM jobs j WHERE j.kind = 'import'
  AND (SELECT count(*) FROM jobs c WHERE c.parent_id = j.id) <> 2
"""


def check_whole(studio: Studio) -> None:
    """Everything is done once, and rows, files, jobs and processes agree.

    A house that was just started asks for its purge; what disagrees only while that runs is none of our findings.
    """
    live = "SELECT id FROM oban_jobs WHERE state IN ('available', 'scheduled', 'retryable', 'executing')"
    for look in (lambda: studio.ask(_WRONG), lambda: studio.ask(live), studio.left_over, studio.verify):
        agree(look)


def agree(look: Callable[[], Any]) -> None:
    """Wait until there is nothing to be seen."""
    try:
        until(lambda: look() == [], within_s=CALM_S, every_s=0.1)
    except AssertionError as late:
        raise AssertionError(f"still there: {look()}") from late
