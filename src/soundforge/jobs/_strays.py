"""Active rows whose Oban job is over or gone: somebody ended it behind our back (a dashboard, a bug)."""

from typing import Any

from sqlalchemy import text

from soundforge import db, logs
from soundforge.jobs._fence import Fence
from soundforge.jobs._requeue import fail
from soundforge.jobs._rescue import Lookout, Rescued
from soundforge.tables import ACTIVE, Status

_log = logs.get(__name__)

_ACTIVE = ", ".join(f"'{status.value}'" for status in sorted(ACTIVE))
_STRAYS = f"""
SELECT j.id, j.kind, j.run, j.attempt, j.status, j.oban_job_id, o.state::text
FROM jobs j LEFT JOIN oban_jobs o ON o.id = j.oban_job_id
WHERE j.status IN ({_ACTIVE}) AND (o.id IS NULL OR o.state IN ('completed', 'discarded', 'cancelled'))
"""  # noqa: S608 - made of our own constants


async def end_strays(lookout: Lookout) -> list[Rescued]:
    """One pass of the leader: nobody will ever work these rows, so they fail and can be tried again."""
    async with db.reading() as session:
        found = {tuple(row) for row in await session.execute(text(_STRAYS))}
    ended = [await _end(stray) for stray in lookout.confirm(found)]
    return [stray for stray in ended if stray is not None]


async def _end(stray: tuple[Any, ...]) -> Rescued | None:
    job_id, kind, run, attempt, status, oban_job_id, state = stray
    async with db.transaction() as session:
        still = await session.execute(text(f"{_STRAYS} AND j.id = :id FOR UPDATE OF j"), {"id": job_id})
        if [tuple(row) for row in still] != [stray]:
            return None
        code, sentence = (
            ("cancelled", "This was cancelled.")
            if state == "cancelled"
            else ("interrupted", "The work was interrupted.")
        )
        await fail(session, Fence(job_id, run, Status(status)), code=code, sentence=sentence)
    about = {"job_id": str(job_id), "kind": kind, "run": run, "attempt": attempt, "oban_job_id": oban_job_id}
    _log.warning("job.stray_ended", **about, oban_state=state, error_code=code)
    return Rescued(job_id, run)
