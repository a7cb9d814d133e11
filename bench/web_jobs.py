"""Fifty jobs that move five times a second: 250 changes, each told by the trigger as by a worker's tick."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

JOBS = 50
RATE = 5  # changes of each job in a second
STEP_S = 1 / (JOBS * RATE)
MOST = 600  # changes of each job: two minutes


@dataclass
class Ticks:
    """How many changes were committed, and when each was: (job, progress) → seconds since the epoch."""

    count: int = 0
    at: dict[tuple[str, int], float] = field(default_factory=dict)


@asynccontextmanager
async def ticking(dsn: str, owner_id: UUID) -> AsyncIterator[Ticks]:
    """Let fifty jobs of the newest tracks run and move until the block ends; at most two minutes."""
    ticks = Ticks()
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        jobs = await _start(connection, owner_id)
        task = asyncio.create_task(_tick(connection, jobs, ticks))
        try:
            yield ticks
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("UPDATE jobs SET status = 'completed' WHERE id = ANY(%s)", [jobs])


async def _start(connection: psycopg.AsyncConnection, owner_id: UUID) -> list[UUID]:
    made = await connection.execute(
        """INSERT INTO jobs (id, kind, owner_id, track_id, unique_key, params, result, status, progress, stage, run,
                             attempt, max_attempts)
           SELECT gen_random_uuid(), 'analysis', owner_id, id, id::text, '{}', '{}', 'queued', 0, '', 0, 0, 3
           FROM tracks WHERE owner_id = %s AND deleted_at IS NULL ORDER BY created_at DESC LIMIT %s RETURNING id""",
        [owner_id, JOBS],
    )
    jobs = [row[0] for row in await made.fetchall()]
    await connection.execute("UPDATE jobs SET status = 'processing', run = 1 WHERE id = ANY(%s)", [jobs])
    return jobs


async def _tick(connection: psycopg.AsyncConnection, jobs: list[UUID], ticks: Ticks) -> None:
    """Move one job after the other; what is late is made up for."""
    began = time.monotonic()
    for number in range(1, MOST + 1):
        progress = min(number, 100)  # it never falls; later only what a job does changes
        for job in jobs:
            await asyncio.sleep(max(0, began + ticks.count * STEP_S - time.monotonic()))
            ticks.at.setdefault((str(job), progress), time.time())
            moved = "UPDATE jobs SET progress = %s, stage = %s WHERE id = %s"
            await connection.execute(moved, [progress, f"step {number}", job])
            ticks.count += 1
