"""Rule 8: after a run nothing of it is left, unless it was completed."""

import asyncio
import contextlib
import shutil
from pathlib import Path

from soundforge import logs
from soundforge.jobs._node import OnSweep
from soundforge.jobs._run import Run

_log = logs.get(__name__)


async def clean(run: Run, *, keep_stored: bool) -> None:
    """Remove the work folder, and what the run stored unless it counts."""
    if not keep_stored:
        await remove_stored(run.node.on_sweep, run.prefix)
    await asyncio.to_thread(remove_folder, run.folder)


async def remove_stored(on_sweep: OnSweep, prefix: str) -> None:
    """Remove what a dead run stored; a storage that is away now must not change the job's ending.

    The next purge tries again, see ``list_dead_runs``.
    """
    try:
        await on_sweep(prefix)
    except Exception:  # noqa: BLE001 - storage adapters fail in ways of their own
        _log.exception("job.stored_files_left", prefix=prefix)


def remove_folder(folder: Path) -> None:
    """Remove a run's folder, and its job's when that was the last."""
    shutil.rmtree(folder, onexc=_left)
    with contextlib.suppress(OSError):  # other runs of the job may still be there
        folder.parent.rmdir()


def _left(_function: object, path: str, error: BaseException) -> None:
    if not isinstance(error, FileNotFoundError):
        _log.error("job.folder_left", path=path, error=str(error))
