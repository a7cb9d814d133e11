"""Figures for ``/metrics`` and the admin table, and the check that rows and Oban jobs belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.tables import ACTIVE

_LIVE_STATES = "'available', 'scheduled', 'retryable', 'executing', 'suspended'"
_ACTIVE = ", ".join(f"'{status.value}'" for status in sorted(ACTIVE))

_DEPTHS = "SELECT queue, state::text, count(*) FROM oban_jobs GROUP BY 1, 2 ORDER BY 1, 2"
_WAITS = """
SELECT queue, count(*), greatest(max(extract(epoch FROM timezone('UTC', now()) - scheduled_at)), 0)::float
FROM oban_jobs WHERE state = 'available' GROUP BY 1 ORDER BY 1
"""
_RUN_TIMES = """
SELECT kind, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY took_s), max(took_s)
FROM (SELECT kind, extract(epoch FROM finished_at - started_at)::float AS took_s FROM jobs
      WHERE status = 'completed' AND finished_at > now() - interval '1 day') AS recent
GROUP BY 1 ORDER BY 1
"""
_FAILURES = """
SELECT kind, error_code, count(*) FROM jobs WHERE status = 'failed' GROUP BY 1, 2 ORDER BY 1, 2
"""
_NODES = """
SELECT node, queue, coalesce((meta->>'local_limit')::int, 0), coalesce((meta->>'paused')::bool, false),
       (SELECT count(*) FROM oban_jobs j WHERE j.state = 'executing' AND j.attempted_by[2] = p.uuid::text),
       updated_at AT TIME ZONE 'UTC', extract(epoch FROM timezone('UTC', now()) - updated_at)::float
FROM oban_producers p ORDER BY 1, 2
"""
_ORPHANS = f"""
SELECT 'row_without_oban_job', j.id, j.oban_job_id FROM jobs j
WHERE j.status IN ({_ACTIVE}) AND NOT EXISTS
  (SELECT FROM oban_jobs o WHERE o.id = j.oban_job_id AND o.state IN ({_LIVE_STATES}))
UNION ALL
SELECT 'oban_job_without_row', CAST(o.args->>'job_id' AS uuid), o.id FROM oban_jobs o
WHERE o.state IN ({_LIVE_STATES}) AND o.args ? 'job_id' AND NOT EXISTS
  (SELECT FROM jobs j WHERE j.oban_job_id = o.id AND j.status IN ({_ACTIVE}))
  AND NOT (o.state = 'executing' AND o.attempted_by[2] IN (SELECT uuid::text FROM oban_producers))
ORDER BY 1, 3
"""  # noqa: S608 - made of our own constants


@dataclass(frozen=True)
class Depth:
    """Oban jobs of a queue in one state."""

    queue: str
    state: str
    count: int


@dataclass(frozen=True)
class Waiting:
    """Jobs of a queue that could begin now, and since when the oldest could."""

    queue: str
    count: int
    longest_s: float


@dataclass(frozen=True)
class RunTime:
    """How long completed jobs of a kind took in the last day."""

    kind: str
    count: int
    median_s: float
    longest_s: float


@dataclass(frozen=True)
class Failures:
    """Failed jobs of a kind by cause."""

    kind: str
    error_code: str | None
    count: int


@dataclass(frozen=True)
class NodeQueue:
    """A queue as one node works it; ``silent_s`` is the age of its last heartbeat."""

    node: str
    queue: str
    limit: int
    paused: bool
    running: int
    beat_at: datetime
    silent_s: float


@dataclass(frozen=True)
class QueueFigures:
    """Everything that is measured about jobs."""

    depths: Sequence[Depth]
    waiting: Sequence[Waiting]
    run_times: Sequence[RunTime]
    failures: Sequence[Failures]
    nodes: Sequence[NodeQueue]


@dataclass(frozen=True)
class Orphan:
    """A row and an Oban job that do not belong together: ``row_without_oban_job``, ``oban_job_without_row``."""

    code: str
    job_id: UUID
    oban_job_id: int | None


async def queue_figures(session: AsyncSession) -> QueueFigures:
    """Measure queues, waits, run times, failures and nodes."""
    return QueueFigures(
        depths=[Depth(*row) for row in await _all(session, _DEPTHS)],
        waiting=[Waiting(*row) for row in await _all(session, _WAITS)],
        run_times=[RunTime(*row) for row in await _all(session, _RUN_TIMES)],
        failures=[Failures(*row) for row in await _all(session, _FAILURES)],
        nodes=[NodeQueue(*row) for row in await _all(session, _NODES)],
    )


async def check_orphans(session: AsyncSession) -> Sequence[Orphan]:
    """Find active rows without a live Oban job, and live Oban jobs without an active row.

    An ended row whose worker has yet to tell Oban is none: that takes a moment in every job.
    """
    return [Orphan(*row) for row in await _all(session, _ORPHANS)]


async def _all(session: AsyncSession, statement: str) -> Sequence[Any]:
    return (await session.execute(text(statement))).all()
