"""What ``db verify`` looks at: whether rows, files, jobs and processes agree.

It may be asked while jobs run. Storage and processes are looked at before the rows and after them,
and only what was so both times is a finding; what a running job has stored is not yet real.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundforge import children, jobs, library
from soundforge.config import Settings
from soundforge.db import reading
from soundforge.errors import NotFound
from soundforge.storage import Storage
from soundforge.tables import File, Job

_STEP_BYTES = 1 << 22


@dataclass(frozen=True)
class Finding:
    """Something that does not agree: ``code`` for programs, one sentence for people."""

    code: str
    sentence: str


@dataclass(frozen=True)
class _Rows:
    """One snapshot of the database."""

    files: dict[str, File]
    orphans: Sequence[jobs.Orphan]
    running: Sequence[Job]
    living_nodes: set[str]

    @property
    def runs(self) -> set[tuple[str, str]]:
        """Job and number of each run that goes on now."""
        return {(str(job.id), str(job.run)) for job in self.running}


async def verify(settings: Settings, storage: Storage) -> list[Finding]:
    """Compare rows with objects (key, size, hash), rows with Oban's jobs, and look for processes of dead runs."""
    before = await _look(settings, storage)
    rows = await _read_rows()
    after = await _look(settings, storage)
    findings = [*_compare_jobs(rows), *_compare_keys(rows, before[0], after[0])]
    findings += [finding async for finding in _compare_contents(rows, storage, after[0])]
    findings += _left_processes(settings.work_folder, rows, before[1].items() & after[1].items())
    return findings


async def _look(settings: Settings, storage: Storage) -> tuple[dict[str, int], dict[int, Path]]:
    """Objects with their sizes, and groups of children with their folders."""
    stored = {key: size async for key, size in storage.list("")}
    return stored, await asyncio.to_thread(children.find_living, settings.work_folder)


async def _read_rows() -> _Rows:
    async with reading() as session:
        figures = await jobs.queue_figures(session)
        return _Rows(
            files={file.key: file for file in await library.list_files(session)},
            orphans=await jobs.check_orphans(session),
            running=await jobs.list_running(session),
            living_nodes={queue.node for queue in figures.nodes if queue.silent_s < jobs.STALE_S},
        )


def _compare_jobs(rows: _Rows) -> list[Finding]:
    unmatched = [
        Finding(orphan.code, f"Job {orphan.job_id} and Oban job {orphan.oban_job_id} do not match.")
        for orphan in rows.orphans
    ]
    dead = [job for job in rows.running if job.node not in rows.living_nodes]
    return unmatched + [
        Finding("no_worker", f"Job {job.id} is {job.status}, but its worker {job.node} shows no sign of life.")
        for job in dead
    ]


def _compare_keys(rows: _Rows, before: dict[str, int], after: dict[str, int]) -> list[Finding]:
    not_yet_real = tuple(f"jobs/{job_id}/{run}/" for job_id, run in rows.runs)
    extra = sorted(key for key in before.keys() & after.keys() - rows.files.keys() if not key.startswith(not_yet_real))
    missing = sorted(rows.files.keys() - before.keys() - after.keys())
    return [
        *(Finding("no_row", f"{key} lies in storage, but no row names it.") for key in extra),
        *(Finding("no_file", f"A row names {key}, but it is not in storage.") for key in missing),
    ]


async def _compare_contents(rows: _Rows, storage: Storage, stored: dict[str, int]) -> AsyncIterator[Finding]:
    for key in sorted(rows.files.keys() & stored.keys()):
        file = rows.files[key]
        if stored[key] != file.size_bytes:
            yield Finding("wrong_size", f"{key} has {stored[key]} bytes, its row says {file.size_bytes}.")
        elif await _sha256(storage, key, stored[key]) not in (file.sha256, None):
            yield Finding("wrong_hash", f"{key} is not what was stored: its SHA-256 differs.")


async def _sha256(storage: Storage, key: str, size: int) -> str | None:
    """The object's hash; None where it was removed meanwhile."""
    digest = hashlib.sha256()
    try:
        for start in range(0, size, _STEP_BYTES):
            digest.update(await storage.read(key, start, min(size, start + _STEP_BYTES)))
    except NotFound:
        return None
    return digest.hexdigest()


def _left_processes(work_folder: Path, rows: _Rows, living: set[tuple[int, Path]]) -> list[Finding]:
    """Children work in ``<node>/<job>/<run>/…`` and end with their run; in ``<node>/warm/<number>`` with their node."""
    found = [(group, folder.relative_to(work_folder).parts) for group, folder in living]
    return [
        Finding("process_left", f"Process group {group} still lives, but {_owner(node, job_id, run)} does not.")
        for group, (node, job_id, run, *_) in sorted(found)
        if (node not in rows.living_nodes if job_id == jobs.WARM else (job_id, run) not in rows.runs)
    ]


def _owner(node: str, job_id: str, run: str) -> str:
    return f"its worker {node}" if job_id == jobs.WARM else f"run {run} of job {job_id}"
