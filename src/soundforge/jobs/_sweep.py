"""At a node's start: what dead ones left under names whose slots we hold. At its stop: what only it needed."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from soundforge import children, db, logs
from soundforge.jobs._cleaning import remove_stored
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
    for job_id, run in await asyncio.to_thread(lambda: list(_runs(folder))):
        if not await _counts(job_id, run):
            await remove_stored(on_sweep, prefix_of(job_id, run))
    await asyncio.to_thread(_remove, folder)


async def clear_files(name: str, folder: Path) -> None:
    """The same without rows, which may be those of another machine of that name: children, then files.

    The rows of a dead node wait for the leader's rescue, and what its runs stored goes with that.
    """
    await _kill_survivors(name, folder)
    await asyncio.to_thread(_remove, folder)


async def remove_own_files(folder: Path) -> None:
    """Remove what a node that has stopped needed for itself: decoded audio, homes of warm children.

    A run's folder that is still there stays for the next start, which asks the run's row what becomes of the rest.
    """
    await asyncio.to_thread(_remove_all_but_runs, folder)


async def _kill_survivors(name: str, folder: Path) -> None:
    killed = await asyncio.to_thread(children.sweep, folder)
    if killed:
        _log.warning("node.survivors_killed", node=name, groups=killed)


def _runs(folder: Path) -> Iterator[tuple[UUID, int]]:
    """Find ``<job>/<run>/`` folders; anything else in a node's folder is of no run."""
    for path in sorted(folder.glob("*/*/")):
        if _is_job(path.parent) and path.name.isdecimal():
            yield UUID(path.parent.name), int(path.name)


def _is_job(folder: Path) -> bool:
    try:
        UUID(folder.name)
    except ValueError:
        return False
    return True


def _remove_all_but_runs(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if not _is_job(path):
            _remove(path)
    with contextlib.suppress(OSError):  # a run's folder is still there, or there never was one
        folder.rmdir()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, onexc=_left)


def _left(_function: object, path: str, error: BaseException) -> None:
    if not isinstance(error, FileNotFoundError):
        _log.error("node.files_left", path=path, error=str(error))


async def _counts(job_id: UUID, run: int) -> bool:
    """Whether the job was completed by this run."""
    async with db.reading() as session:
        row = (await session.execute(select(JOBS.c.status, JOBS.c.run).where(JOBS.c.id == job_id))).one_or_none()
    return row is not None and (row.status, row.run) == (Status.COMPLETED, run)
