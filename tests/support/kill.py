"""Killing at a named step, found from outside: the product knows nothing of it.

Steps that end in the database are held there: a trigger of the test waits for a lock of the test, for one job only.
The other steps are seen in the row or in the work folder, and the kill follows within a millisecond or two.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import pipeline
from soundforge.tables import Job
from tests.support.moments import Moment
from tests.support.servers import postmaster_pid, until
from tests.support.studio import OVER_S, Process, Studio

HELD = {"claiming", "files moved", "before commit", "before ack"}
MOMENT_S = 60.0  # for a step to come
CALM_S = 30.0  # until the purge of a fresh start is through
CHILD_S = 10.0  # for the next child to come, at a random moment
SOONEST_S = 0.05  # what is sooner is at once
WITHIN_S = 60.0  # from the restart until every job is where it belongs
_KEY = 770_077

_GATES = f"""
CREATE TABLE IF NOT EXISTS kill_armed (step text, job_id text);
CREATE OR REPLACE FUNCTION kill_gate() RETURNS trigger LANGUAGE plpgsql AS $gate$
DECLARE
  new_row jsonb := to_jsonb(NEW);
  job text := coalesce(new_row->'args'->>'job_id', split_part(new_row->>'key', '/', 2), new_row->>'id');
  here text := concat_ws(' ', TG_ARGV[0], CASE TG_ARGV[0] WHEN 'page' THEN new_row->'params'->>'offset' END);
BEGIN
  IF EXISTS (SELECT FROM kill_armed WHERE step = here AND job_id = job) THEN
    PERFORM pg_advisory_xact_lock({_KEY});
  END IF;
  RETURN NEW;
END $gate$;
CREATE CONSTRAINT TRIGGER kill_claiming AFTER UPDATE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.run > OLD.run) EXECUTE FUNCTION kill_gate('claiming');
CREATE CONSTRAINT TRIGGER kill_page AFTER UPDATE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.params->'offset' IS DISTINCT FROM OLD.params->'offset') EXECUTE FUNCTION kill_gate('page');
CREATE TRIGGER kill_files BEFORE INSERT ON files FOR EACH ROW EXECUTE FUNCTION kill_gate('files moved');
CREATE CONSTRAINT TRIGGER kill_commit AFTER UPDATE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.status = 'completed') EXECUTE FUNCTION kill_gate('before commit');
CREATE TRIGGER kill_ack BEFORE UPDATE ON oban_jobs FOR EACH ROW
  WHEN (OLD.state = 'executing' AND NEW.state = 'completed') EXECUTE FUNCTION kill_gate('before ack');
"""
_WAITING = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {_KEY} AND NOT granted"
_PLACES = """
SELECT j.id::text, j.kind, j.status, o.state::text, o.attempted_by[1], o.attempted_at AT TIME ZONE 'UTC',
  (SELECT count(*) FROM oban_jobs l WHERE l.args->>'job_id' = j.id::text
   AND l.state IN ('available', 'scheduled', 'retryable', 'executing'))
FROM jobs j LEFT JOIN oban_jobs o ON o.id = j.oban_job_id WHERE j.status NOT IN ('completed', 'failed')
"""


@dataclass
class Outcome:
    """What a kill came to; times in seconds."""

    moment: Moment
    hit: str = "nothing"  # who died
    placed_s: float = 0.0  # until every job was where it belongs: from the restart; from the kill, if that comes late
    over_s: float = 0.0  # from then until every job was finished
    runs: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line of the report."""
        runs = " ".join(f"{kind}:{runs}" for kind, runs in self.runs.items())
        return (
            f"{self.moment}: killed {self.hit}; in place {self.placed_s:.1f} s, over {self.over_s:.1f} s; runs {runs}"
        )


def install_gates(dsn: str) -> None:
    """Put the triggers into the test's database.

    The step of a page of an import is ``page`` and where the next one begins, in entries; 0 for the last.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_GATES.encode())


class Gate:
    """The test's lock: whoever comes to an armed step waits until it is let go."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Close the gate."""
        self._connection = connection
        connection.execute(f"SELECT pg_advisory_lock({_KEY})".encode())

    def waiting(self) -> list[int]:
        """Backends that stand before it."""
        return [row[0] for row in self._connection.execute(_WAITING.encode()).fetchall()]

    def status(self, job: Job) -> str:
        """How far a job's row is."""
        row = self._connection.execute("SELECT status FROM jobs WHERE id = %s", [job.id]).fetchone()
        return str(row[0]) if row else ""

    def open(self, *, abort: bool) -> None:
        """Let those who wait go on, or end them; a gate whose server died is open already."""
        with contextlib.suppress(psycopg.OperationalError):
            for pid in self.waiting() if abort else []:
                self._connection.execute("SELECT pg_terminate_backend(%s)", [pid])
            until(lambda: not abort or not self.waiting())
            self._connection.execute("DELETE FROM kill_armed")
            self._connection.execute(f"SELECT pg_advisory_unlock({_KEY})".encode())


@contextmanager
def open_gate(dsn: str) -> Iterator[Gate]:
    """Close the gate for the length of the block."""
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        yield Gate(connection)
    finally:
        connection.close()


def strike(studio: Studio, moment: Moment) -> Outcome:
    """Ask for work, kill at the moment, start again, wait until all is in place and then until all is over.

    Quick machines: where a child was through before its moment came, the next one is met sooner after its step.
    """
    outcome, job, dead = hit(studio, moment)
    if outcome.hit == "nothing" and moment.after_s:
        studio.wait_until_over(OVER_S)
        return strike(studio, replace(moment, after_s=moment.after_s / 2 if moment.after_s > SOONEST_S else 0.0))
    assert outcome.hit != "nothing" or moment.step == "random", "there was nobody to kill"
    outcome.placed_s = until_placed(studio) if moment.late else 0.0
    began = time.monotonic()
    for process in dead:
        process.start()
    until_placed(studio)
    outcome.placed_s = outcome.placed_s or time.monotonic() - began
    for process in dead:
        studio.wait_for(process)
    outcome.over_s = studio.wait_until_over(OVER_S)
    outcome.runs = dict(studio.ask("SELECT kind, run FROM jobs WHERE id = %s OR parent_id = %s", job.id, job.id) or [])
    return outcome


def hit(studio: Studio, moment: Moment) -> tuple[Outcome, Job, list[Process]]:
    """Ask for work and kill at the moment; what has to be started again comes last."""
    outcome = Outcome(moment)
    with open_gate(studio.dsn) as gate:
        job = request(studio, moment)
        node = wait_for_moment(studio, gate, moment, job)
        dead = kill(studio, moment, node, job, outcome)
        gate.open(abort=moment.answer == "aborts")
    return outcome, job, dead


def request(studio: Studio, moment: Moment) -> Job:
    """Ask for the moment's work, and arm its step for that job in the same transaction."""
    upload = studio.receive() if moment.work == "import" else None

    async def ask(session: AsyncSession, owner_id: UUID) -> Job:
        if upload:
            job = await pipeline.request_import(session, owner_id, upload)
        else:
            track_id = await session.scalar(text("SELECT id FROM tracks ORDER BY created_at LIMIT 1"))
            assert track_id is not None
            wanted = {"separation": pipeline.request_separation, "analysis": pipeline.request_analysis}[moment.work]
            job = await wanted(session, owner_id, track_id)
        armed = {"step": moment.step, "job": str(job.id)}
        await session.execute(text("INSERT INTO kill_armed VALUES (:step, :job)"), armed)
        return job

    return studio.do(ask)


def wait_for_moment(studio: Studio, gate: Gate, moment: Moment, job: Job) -> str | None:
    """Return when it is there, with the node that has the job where one has."""
    if moment.step in HELD:
        until(lambda: bool(gate.waiting()), within_s=MOMENT_S)
    elif moment.step == "claimed":
        until(lambda: gate.status(job) == "processing", within_s=MOMENT_S, every_s=0.002)
    elif moment.step == "child started":
        until(lambda: bool(records(studio, job)), within_s=MOMENT_S, every_s=0.002)
    time.sleep(moment.after_s + moment.share * studio.song_s)
    rows = studio.ask("SELECT attempted_by[1] FROM oban_jobs WHERE args->>'job_id' = %s", str(job.id))
    return rows[0][0] if rows else None


def records(studio: Studio, job: Job | None = None) -> list[Path]:
    """What living runs wrote down of their children."""
    return list(studio.settings.work_folder.glob(f"*/{job.id if job else '*'}/*/**/child-*.json"))


def kill(studio: Studio, moment: Moment, node: str | None, job: Job, outcome: Outcome) -> list[Process]:
    """kill -9 the victim; return what has to be started again."""
    if moment.victim == "postgres":
        outcome.hit = "the postmaster"
        os.kill(postmaster_pid(studio.postgres), signal.SIGKILL)
        return []
    if moment.victim == "child":
        _kill_child(studio, job if moment.step != "random" else None, outcome)
        return []
    victim = {"server": studio.server, "worker": studio.worker}.get(moment.victim) or _holder(studio, node)
    victim.kill()
    outcome.hit = f"the {victim.name}"
    return [victim]


def _holder(studio: Studio, node: str | None) -> Process:
    return next(process for process in studio.processes if process.node == node)


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


def until_placed(studio: Studio) -> float:
    """Wait until every job is where it belongs, within a minute; return how long it took."""
    try:
        return until(lambda: misplaced(studio) == [], within_s=WITHIN_S, every_s=0.05)
    except AssertionError as late:
        raise AssertionError(f"not in place: {misplaced(studio)}") from late


def misplaced(studio: Studio) -> list[Any] | None:
    """Jobs neither over, nor in the hands of a living process, nor queued with exactly one Oban job to come."""
    rows = studio.ask(_PLACES)
    if rows is None:
        return None
    alive = {process.node: process for process in studio.processes if process.node}
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
        try:
            until(lambda look=look: look() == [], within_s=CALM_S, every_s=0.1)
        except AssertionError as late:
            raise AssertionError(f"still there: {look()}") from late
