"""Jobs whose worker is gone: found by heartbeat, never by age, and decided by their row.

One node leads. An orphan is an executing Oban job whose producer shows no fresh heartbeat; it is
rescued when it still is one on a later pass, after a time in which every living producer has beaten.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import db, logs
from soundforge.jobs._clock import CONFIRM_S, HEARTBEAT_S, STALE_S
from soundforge.jobs._fence import JOBS, Fence
from soundforge.jobs._requeue import fail, requeue
from soundforge.tables import RUNNING, Status

_log = logs.get(__name__)

_INTERRUPTED = "The work was interrupted."
_ALIVE = """
  EXISTS (SELECT FROM oban_producers p WHERE p.uuid::text = j.attempted_by[2]
          AND p.updated_at > timezone('UTC', now()) - make_interval(secs => :stale_s))
"""
_EXECUTING = "SELECT j.id, j.attempted_at FROM oban_jobs j WHERE j.state = 'executing'"
_ORPHANS = text(f"{_EXECUTING} AND NOT {_ALIVE}")
_OF_NODE = text("SELECT id, attempted_at FROM oban_jobs WHERE state = 'executing' AND attempted_by[1] = :node")
_LOCK = text("""
SELECT id, attempt, max_attempts, args FROM oban_jobs
WHERE id = :id AND state = 'executing' AND attempted_at = :attempted_at FOR UPDATE
""")
_BACK = text("""
UPDATE oban_jobs SET state = 'available', attempt = attempt - :given_back, scheduled_at = timezone('UTC', now()),
  meta = meta || jsonb_build_object('rescued', coalesce((meta->>'rescued')::int, 0) + 1)
WHERE id = :id
""")
_END = text("""
UPDATE oban_jobs SET state = CAST(:state AS oban_job_state),
  cancelled_at = CASE WHEN :state = 'cancelled' THEN timezone('UTC', now()) END,
  discarded_at = CASE WHEN :state = 'discarded' THEN timezone('UTC', now()) END,
  errors = errors || jsonb_build_object('attempt', attempt, 'at', now(), 'error', CAST(:reason AS text))
WHERE id = :id
""")


@dataclass(frozen=True)
class Rescued:
    """A run that was ended for its dead worker: what it stored can go."""

    job_id: UUID
    run: int


@dataclass
class _Sighting:
    since: float
    passes: int = 1


@dataclass
class Lookout:
    """What a leader has seen so far; anything that shakes its sight makes it begin anew."""

    scale: float
    _seen: dict[tuple[Any, ...], _Sighting] = field(default_factory=dict)
    _last: float | None = None

    def forget(self) -> None:
        """Trust nothing that was seen: the database was away, or we were."""
        self._seen.clear()
        self._last = None

    def confirm(self, found: set[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return those of ``found`` that have been there long enough."""
        now = time.monotonic()
        if self._last is not None and now - self._last > 4 * HEARTBEAT_S * self.scale:
            self.forget()  # a suspended machine: others have missed their heartbeats as well
        self._last = now
        earlier = self._seen
        self._seen = {}
        for key in found:
            sighting = earlier.get(key)
            self._seen[key] = _Sighting(sighting.since, sighting.passes + 1) if sighting else _Sighting(now)
        return [key for key, seen in self._seen.items() if self._is_sure(seen, now)]

    def _is_sure(self, seen: _Sighting, now: float) -> bool:
        return seen.passes > 1 and now - seen.since >= CONFIRM_S * self.scale


async def rescue_orphans(lookout: Lookout) -> list[Rescued]:
    """One pass of the leader."""
    stale = {"stale_s": STALE_S * lookout.scale}
    async with db.reading() as session:
        found = {tuple(row) for row in await session.execute(_ORPHANS, stale)}
    return await rescue_all(lookout.confirm(found))


async def rescue_node(node: str) -> list[Rescued]:
    """At a node's start, when its slot is won: whatever ran under its name is dead."""
    async with db.transaction() as session:
        await session.execute(text("DELETE FROM oban_producers WHERE node = :node"), {"node": node})
        found = [tuple(row) for row in await session.execute(_OF_NODE, {"node": node})]
    return await rescue_all(found)


async def rescue_all(orphans: Sequence[tuple[Any, ...]]) -> list[Rescued]:
    """Decide each Oban job (id, attempted_at) that nobody works, by its row; those that got on meanwhile are left."""
    rescued = []
    for oban_job_id, attempted_at in orphans:
        async with db.transaction() as session:
            ended = await _rescue(session, oban_job_id, attempted_at)
        if ended is not None:
            rescued.append(ended)
    return rescued


async def _rescue(session: AsyncSession, oban_job_id: int, attempted_at: object) -> Rescued | None:
    """Decide one orphan: its row and Oban's job, in one transaction."""
    key = {"id": oban_job_id, "attempted_at": attempted_at}
    orphan = (await session.execute(_LOCK, key)).one_or_none()
    if orphan is None:
        return None  # its worker lived after all
    row = await _lock_row(session, orphan)
    if row is None or row.oban_job_id != oban_job_id or row.status not in {Status.QUEUED, *RUNNING}:
        await _end(session, oban_job_id, "cancelled", "its row has no use for it any more")
        return None
    if row.status == Status.QUEUED:
        await session.execute(_BACK, {"id": oban_job_id, "given_back": min(1, orphan.attempt)})
        return None
    await _end_run(session, row, orphan)
    return Rescued(row.id, row.run)


async def _lock_row(session: AsyncSession, orphan: Row[Any]) -> Row[Any] | None:
    job_id = orphan.args.get("job_id")
    if job_id is None:
        return None
    return (await session.execute(select(JOBS).where(JOBS.c.id == UUID(job_id)).with_for_update())).one_or_none()


async def _end_run(session: AsyncSession, row: Row[Any], orphan: Row[Any]) -> None:
    fence = Fence(row.id, row.run, Status(row.status))
    if row.cancel_requested_at is not None:
        ending, code = "cancelled", "cancelled"
        await fail(session, fence, code=code, sentence="This was cancelled.")
        await _end(session, orphan.id, "cancelled", "cancelled by its owner")
    elif orphan.attempt >= orphan.max_attempts:
        ending, code = "gave up", "interrupted"
        await fail(session, fence, code=code, sentence=f"{_INTERRUPTED} It was tried {orphan.attempt} times.")
        await _end(session, orphan.id, "discarded", "its worker died")
    else:
        ending, code = "queued again", "interrupted"
        await requeue(session, fence, code=code, sentence=f"{_INTERRUPTED} It starts again.")
        await session.execute(_BACK, {"id": orphan.id, "given_back": 0})
    _log.warning(
        "job.rescued",
        job_id=str(row.id),
        track_id=str(row.track_id) if row.track_id else None,
        kind=row.kind,
        run=row.run,
        attempt=f"{orphan.attempt}/{orphan.max_attempts}",
        node=row.node,
        error_code=code,
        ending=ending,
    )


async def _end(session: AsyncSession, oban_job_id: int, state: str, reason: str) -> None:
    await session.execute(_END, {"id": oban_job_id, "state": state, "reason": reason})
