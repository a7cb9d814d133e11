"""What ``db verify`` looks at: whether rows, files, jobs and processes agree."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from soundforge import children, jobs, library
from soundforge.config import Settings
from soundforge.db import reading
from soundforge.storage import Storage
from soundforge.tables import File

_STEP_BYTES = 1 << 22


@dataclass(frozen=True)
class Finding:
    """Something that does not agree: ``code`` for programs, one sentence for people."""

    code: str
    sentence: str


async def verify(settings: Settings, storage: Storage) -> list[Finding]:
    """Compare rows with objects (key, size, hash), rows with Oban's jobs, and look for processes of dead runs."""
    async with reading() as session:
        files = {file.key: file for file in await library.list_files(session)}
        orphans = await jobs.check_orphans(session)
        running = {(str(job.id), str(job.run)) for job in await jobs.list_running(session)}
    findings = [
        Finding(orphan.code, f"Job {orphan.job_id} and Oban job {orphan.oban_job_id} do not match.")
        for orphan in orphans
    ]
    findings += [finding async for finding in _compare(storage, files)]
    findings += await asyncio.to_thread(_left_processes, settings.work_folder, running)
    return findings


def _left_processes(work_folder: Path, running: set[tuple[str, str]]) -> list[Finding]:
    """Children are recorded in ``<node>/<job>/<run>/``; those of a run that is not running should be gone."""
    dead = [folder for folder in work_folder.glob("*/*/*") if (folder.parent.name, folder.name) not in running]
    return [
        Finding("process_left", f"Process group {group} of run {folder.name} of job {folder.parent.name} still lives.")
        for folder in dead
        for group in children.survivors(folder)
    ]


async def _compare(storage: Storage, files: dict[str, File]) -> AsyncIterator[Finding]:
    stored = {key: size async for key, size in storage.list("")}
    for key in sorted(stored.keys() - files.keys()):
        yield Finding("no_row", f"{key} lies in storage, but no row names it.")
    for key in sorted(files.keys() - stored.keys()):
        yield Finding("no_file", f"A row names {key}, but it is not in storage.")
    for key in sorted(files.keys() & stored.keys()):
        if stored[key] != files[key].size_bytes:
            yield Finding("wrong_size", f"{key} has {stored[key]} bytes, its row says {files[key].size_bytes}.")
        elif await _sha256(storage, key, stored[key]) != files[key].sha256:
            yield Finding("wrong_hash", f"{key} is not what was stored: its SHA-256 differs.")


async def _sha256(storage: Storage, key: str, size: int) -> str:
    digest = hashlib.sha256()
    for start in range(0, size, _STEP_BYTES):
        digest.update(await storage.read(key, start, min(size, start + _STEP_BYTES)))
    return digest.hexdigest()
