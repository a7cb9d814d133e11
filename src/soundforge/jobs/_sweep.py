"""At a node's start: what dead runs of this very node left on its disk goes, their children first."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from soundforge import children, db, logs
from soundforge.jobs._cleaning import remove_folder, remove_stored
from soundforge.jobs._fence import JOBS
from soundforge.jobs._node import Node, prefix_of
from soundforge.tables import Status

_log = logs.get(__name__)


async def kill_survivors(node: Node) -> None:
    """Kill what runs of this node's dead predecessor started; before their rows are touched."""
    if node.folder.exists():
        killed = await asyncio.to_thread(children.sweep, node.folder)
        if killed:
            _log.warning("node.survivors_killed", node=node.name, groups=killed)


async def sweep(node: Node) -> None:
    """Remove the work folders below this node's name, and what those runs stored unless it counts."""
    for job_id, run, folder in await asyncio.to_thread(lambda: list(_runs(node.folder))):
        if not await _counts(job_id, run):
            await remove_stored(node.on_sweep, prefix_of(job_id, run))
        await asyncio.to_thread(remove_folder, folder)


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
