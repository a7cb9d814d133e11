"""Steps of a job that are found in the database: a trigger of the test holds one job there until it is let go.

The same triggers make a first run fail where its files are stored already and their rows are not yet written.
"""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from soundforge.tables import Job
from tests.support.servers import until

_KEY = 770_077

_GATES = f"""
CREATE TABLE IF NOT EXISTS kill_armed (step text, job_id text);
CREATE TABLE IF NOT EXISTS kill_faults (job_id text, sqlstate text);
CREATE OR REPLACE FUNCTION kill_gate() RETURNS trigger LANGUAGE plpgsql AS $gate$
DECLARE
  new_row jsonb := to_jsonb(NEW);
  job text := coalesce(new_row->'args'->>'job_id', split_part(new_row->>'key', '/', 2), new_row->>'id');
  here text := concat_ws(' ', TG_ARGV[0], CASE TG_ARGV[0] WHEN 'page' THEN new_row->'params'->>'offset' END);
  fault text;
BEGIN
  IF EXISTS (SELECT FROM kill_armed WHERE step = here AND job_id = job) THEN
    PERFORM pg_advisory_xact_lock({_KEY});
  END IF;
  IF here = 'files moved' AND split_part(new_row->>'key', '/', 3) = '1' THEN
    SELECT sqlstate INTO fault FROM kill_faults WHERE job_id = job;
    IF fault IS NOT NULL THEN
      RAISE EXCEPTION 'this run was to fail here' USING ERRCODE = fault;
    END IF;
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
CREATE CONSTRAINT TRIGGER kill_ending AFTER UPDATE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.status = 'failed' AND OLD.status <> 'failed') EXECUTE FUNCTION kill_gate('ending');
CREATE TRIGGER kill_telling BEFORE UPDATE ON oban_jobs FOR EACH ROW
  WHEN (OLD.state = 'executing' AND NEW.state NOT IN ('executing', 'completed')) EXECUTE FUNCTION kill_gate('telling');
"""
_WAITING = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {_KEY} AND NOT granted"
_AT_FILES = "SELECT count(*) FROM pg_locks WHERE relation = 'files'::regclass AND NOT granted"


def install_gates(dsn: str) -> None:
    """Put the triggers into the test's database.

    The step of a page of an import is ``page`` and where the next one begins, in entries; 0 for the last. Of an ending
    that is no success: ``ending`` is before its commit, ``telling`` before Oban hears of it.
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

    def hold_files(self, within_s: float) -> None:
        """Let those who wait go on, as far as their next look at the rows of files; ``open`` lets go of that too.

        A run looks there between the commit of an ending that is no success and the removal of what it stored.
        """
        for statement in ("BEGIN", "LOCK TABLE files IN ACCESS EXCLUSIVE MODE"):
            self._connection.execute(statement.encode())
        self._connection.execute(f"SELECT pg_advisory_unlock({_KEY})".encode())
        until(lambda: bool(self._one(_AT_FILES)), within_s=within_s)

    def open(self, *, abort: bool) -> None:
        """Let those who wait go on, or end them; a gate whose server died is open already."""
        with contextlib.suppress(psycopg.OperationalError):
            for pid in self.waiting() if abort else []:
                self._connection.execute("SELECT pg_terminate_backend(%s)", [pid])
            until(lambda: not abort or not self.waiting())
            self._connection.execute("DELETE FROM kill_armed")
            self._connection.execute("COMMIT")  # of ``hold_files``; else a warning that nobody reads
            self._connection.execute("SELECT pg_advisory_unlock_all()")

    def _one(self, question: str) -> int:
        row = self._connection.execute(question.encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def open_gate(dsn: str) -> Iterator[Gate]:
    """Close the gate for the length of the block."""
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        yield Gate(connection)
    finally:
        connection.close()
