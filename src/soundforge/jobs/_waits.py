"""How long queued jobs may have to wait: four queries, for however many jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge.jobs._fence import JOBS
from soundforge.jobs._kinds import KINDS
from soundforge.tables import RUNNING, Job, Kind, Status

_RECENT = 50  # runs that a median is taken of
_MINUTE_S = 60

_SLOTS = text("""
    SELECT queue, coalesce(sum((meta->>'local_limit')::int) FILTER (WHERE meta->>'paused' IS DISTINCT FROM 'true'), 0)
    FROM oban_producers WHERE meta ? 'local_limit' GROUP BY queue
""")
_MEDIANS = text("""
    SELECT kinds.kind, took.median_s
    FROM unnest(CAST(:kinds AS text[])) AS kinds (kind)
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at)) AS median_s
        FROM (
            SELECT started_at, finished_at FROM jobs WHERE jobs.kind = kinds.kind AND status = 'completed'
            ORDER BY finished_at DESC LIMIT :recent
        ) AS recent
    ) AS took
    WHERE took.median_s IS NOT NULL
""")


@dataclass(frozen=True)
class Wait:
    """What is before a queued job: how many jobs, and for about how long (None: not known yet)."""

    ahead: int
    about_s: float | None
    stopped: str = ""  # why nothing of the queue begins at all: "this queue is paused"

    @property
    def text(self) -> str:
        """Return it for people, as in "waiting: 2 ahead, about 4 min"."""
        if self.stopped:
            return f"waiting: {self.stopped}"
        place = f"{self.ahead} ahead" if self.ahead else "next in line"
        if self.about_s is None:
            return f"waiting: {place}"
        if self.about_s < _MINUTE_S:
            return f"waiting: {place}, less than a minute"
        return f"waiting: {place}, about {round(self.about_s / _MINUTE_S)} min"


async def count_ahead(session: AsyncSession, job: Job) -> int:
    """Return how many queued jobs, of anybody, are worked before this queued one."""
    return (await _ahead(session, [job.id])).get(job.id, 0)


async def estimate_wait(session: AsyncSession, job: Job) -> Wait:
    """Return what is before a queued job, from the medians of recent runs and the slots that are worked."""
    return (await estimate_waits(session, [job]))[job.id]


async def estimate_waits(session: AsyncSession, queued: Sequence[Job]) -> dict[UUID, Wait]:
    """The same for many jobs at once, by their ids."""
    if not queued:
        return {}
    ahead = await _ahead(session, [job.id for job in queued])
    busy = await _busy(session)
    slots = {queue: int(count) for queue, count in (await session.execute(_SLOTS))}
    medians_s = await _medians_s(session, sorted({job.kind for job in queued}))
    waits = {}
    for job in queued:
        queue = KINDS[Kind(job.kind)].queue
        about_s = _about_s(ahead.get(job.id, 0), busy.get(queue, 0), slots.get(queue, 0), medians_s.get(job.kind))
        waits[job.id] = Wait(ahead.get(job.id, 0), about_s, _stopped(slots.get(queue)))
    return waits


def _stopped(slots: int | None) -> str:
    if slots is None:
        return "no worker runs this queue"
    return "this queue is paused" if slots == 0 else ""


def _about_s(ahead: int, busy: int, slots: int, median_s: float | None) -> float | None:
    if median_s is None or slots == 0:
        return None
    if ahead + busy < slots:
        return 0.0
    return median_s * (ahead + busy / 2) / slots  # a running job is half through, on average


def _queue_of_row() -> Any:
    return case({kind.value: spec.queue for kind, spec in KINDS.items()}, value=JOBS.c.kind)


async def _ahead(session: AsyncSession, job_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many are worked before each of these queued jobs."""
    place = func.row_number().over(partition_by=_queue_of_row(), order_by=JOBS.c.oban_job_id)
    places = select(JOBS.c.id, place.label("place")).where(JOBS.c.status == Status.QUEUED.value).subquery()
    found = await session.execute(select(places.c.id, places.c.place).where(places.c.id.in_(job_ids)))
    return {row.id: row.place - 1 for row in found}


async def _busy(session: AsyncSession) -> dict[str, int]:
    """How many jobs of each queue are running."""
    queue = _queue_of_row().label("queue")
    running = JOBS.c.status.in_([status.value for status in RUNNING])
    counted = select(queue, func.count()).where(running).group_by(text("queue"))
    return {name: int(count) for name, count in (await session.execute(counted))}


async def _medians_s(session: AsyncSession, kinds: Sequence[str]) -> dict[str, float]:
    """How long recent runs of each kind took, in seconds."""
    found = await session.execute(_MEDIANS, {"kinds": list(kinds), "recent": _RECENT})
    return {kind: float(median_s) for kind, median_s in found}
