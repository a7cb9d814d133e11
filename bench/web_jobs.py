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
MOST = 100  # changes of each job, a per cent each: twenty seconds


@dataclass
class Ticks:
    """How many changes were made, and when each began: (job, progress) → seconds since the epoch; track → job."""

    count: int = 0
    at: dict[tuple[str, int], float] = field(default_factory=dict)
    tracks: dict[str, str] = field(default_factory=dict)
    begin: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def ticking(dsn: str, owner_id: UUID) -> AsyncIterator[Ticks]:
    """Let fifty jobs of the newest tracks run until the block ends, and move from ``begin`` on for twenty seconds."""
    ticks = Ticks()
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        ticks.tracks = await _start(connection, owner_id)
        jobs = [*ticks.tracks.values()]
        task = asyncio.create_task(_tick(connection, jobs, ticks))
        try:
            yield ticks
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("UPDATE jobs SET status = 'completed' WHERE id = ANY(%s)", [jobs])


async def _start(connection: psycopg.AsyncConnection, owner_id: UUID) -> dict[str, str]:
    # Work that nobody begins stands behind the rows; without it they would be taken for strays and fail.
    asked = await connection.execute(
        """INSERT INTO oban_jobs (worker, state, scheduled_at)
           VALUES ('bench', 'scheduled', now() + interval '1 day') RETURNING id"""
    )
    made = await connection.execute(
        """INSERT INTO jobs (oban_job_id, id, kind, owner_id, track_id, unique_key, params, result, status, progress,
                             stage, run, attempt, max_attempts)
           SELECT %s, gen_random_uuid(), 'analysis', owner_id, id, id::text, '{}', '{}', 'queued', 0, '', 0, 0, 3
           FROM tracks WHERE owner_id = %s AND deleted_at IS NULL ORDER BY created_at DESC LIMIT %s
           RETURNING track_id, id""",
        [(await asked.fetchall())[0][0], owner_id, JOBS],
    )
    jobs = {str(track): str(job) for track, job in await made.fetchall()}
    move = "UPDATE jobs SET status = 'processing', run = 1 WHERE id = ANY(%s)"
    await connection.execute(move, [[*jobs.values()]])
    return jobs


async def _tick(connection: psycopg.AsyncConnection, jobs: list[str], ticks: Ticks) -> None:
    """Move one job after the other; what is late is made up for."""
    await ticks.begin.wait()
    began = time.monotonic()
    for progress in range(1, MOST + 1):
        for job in jobs:
            await asyncio.sleep(max(0, began + ticks.count * STEP_S - time.monotonic()))
            ticks.at[job, progress] = time.time()
            await connection.execute("UPDATE jobs SET progress = %s WHERE id = %s", [progress, job])
            ticks.count += 1
