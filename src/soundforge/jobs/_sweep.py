"""At a node's start: what dead runs left under a name whose slot we hold."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from soundforge import children, db, logs
from soundforge.jobs._cleaning import remove_folder, remove_stored
from soundforge.jobs._fence import JOBS
from soundforge.jobs._node import OnSweep, prefix_of
from soundforge.jobs._rescue import rescue_node
from soundforge.tables import Status

_log = logs.get(__name__)


async def clear(name: str, folder: Path, on_sweep: OnSweep) -> None:
    """End what a dead node left under ``name``, whose slot we hold: children first, then rows, then files."""
    await _kill_survivors(name, folder)
    for rescued in await rescue_node(name):
        await remove_stored(on_sweep, prefix_of(rescued.job_id, rescued.run))
    for job_id, run, left in await asyncio.to_thread(lambda: list(_runs(folder))):
        if not await _counts(job_id, run):
            await remove_stored(on_sweep, prefix_of(job_id, run))
        await asyncio.to_thread(remove_folder, left)


async def _kill_survivors(name: str, folder: Path) -> None:
    killed = await asyncio.to_thread(children.sweep, folder)
    if killed:
        _log.warning("node.survivors_killed", node=name, groups=killed)


def _runs(folder: Path) -> Iterator[tuple[UUID, int, Path]]:
    """Find ``<job>/<run>/`` folders; anything else is not of a run and stays."""
    for path in sorted(folder.glob("*/*/")):
        try:
            yield UUID(path.parent.name), int(path.name), path
        except ValueError:
            _log.warning("node.unknown_folder", path=str(path))


async def _counts(job_id: UUID, run: int) -> bool:
    """Whether the job was completed by this run."""
    async with db.reading() as session:
        row = (await session.execute(select(JOBS.c.status, JOBS.c.run).where(JOBS.c.id == job_id))).one_or_none()
    return row is not None and (row.status, row.run) == (Status.COMPLETED, run)
