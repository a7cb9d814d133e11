"""Received bytes wait in ``incoming/`` for their import job; hashing and decoding are the job's."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select

from soundforge import jobs, sources
from soundforge.config import Settings, make_private
from soundforge.db import reading
from soundforge.errors import Invalid, Unavailable
from soundforge.tables import ACTIVE, Job, Kind, Status

LONGEST_NAME = 300
_MB = 1 << 20


@dataclass(frozen=True)
class Upload:
    """Received bytes that wait in ``incoming/<id>`` for their import job; ``name``: the user's, fit to show.

    ``is_list``: they are a list of songs to fetch, not a song.
    """

    id: UUID
    name: str
    size_bytes: int
    is_list: bool = False


@asynccontextmanager
async def open_upload(settings: Settings, name: str, chunks: AsyncIterable[bytes]) -> AsyncIterator[Upload]:
    """Write bytes to disk under a name of ours; the block asks for their import.

    Nothing is left of them when they are refused or break off, or when the block fails. Raises ``Invalid``
    ("too_large", "empty_file", "not_audio") and ``Unavailable`` ("disk_full").
    """
    upload_id = uuid4()
    whole = settings.incoming_folder / str(upload_id)
    part = whole.with_suffix(".part")
    try:
        size = await _write(part, chunks, settings.max_upload_mb * _MB)
        await asyncio.to_thread(sources.check_file, part, max_mb=settings.max_upload_mb)
        is_list = await asyncio.to_thread(sources.is_list, part, name)
        await asyncio.to_thread(part.rename, whole)
        yield Upload(upload_id, sources.one_line(name)[-LONGEST_NAME:], size, is_list)
    except BaseException:
        with suppress(OSError):  # a disk that cannot be written holds nothing of it either
            _remove([part, whole])
        raise


async def remove_left_uploads(settings: Settings) -> int:
    """Remove received files that no import needs any more; gives their number.

    A completed import needs its file no more, but may have been killed before it said so. One that failed by
    no fault of the file keeps it for a day, so that it can be tried again; a file without any import belongs to
    a process that died.
    """
    before = datetime.now(UTC) - jobs.KEEP_UPLOADS
    found = await asyncio.to_thread(_received, settings.incoming_folder)
    async with reading() as session:
        rows = await session.execute(
            select(Job.unique_key, Job.status, Job.finished_at).where(
                Job.kind == Kind.IMPORT, Job.unique_key.in_([path.name for path in found])
            )
        )
        imports = {name: (status, finished_at) for name, status, finished_at in rows}
    left = [path for path, written_at in found.items() if _is_left(written_at, before, *imports.get(path.name, ()))]
    await asyncio.to_thread(_remove, left)
    return len(left)


def _is_left(
    written_at: datetime, before: datetime, status: Status | None = None, finished_at: datetime | None = None
) -> bool:
    if status in ACTIVE:
        return False
    return status == Status.COMPLETED or max(written_at, finished_at or written_at) < before


async def _write(part: Path, chunks: AsyncIterable[bytes], most: int) -> int:
    size = 0
    with on_disk():
        await asyncio.to_thread(make_private, part.parent)
        file = await asyncio.to_thread(part.open, "xb")
    try:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise too_large(most // _MB)
            with on_disk():
                await asyncio.to_thread(file.write, chunk)
    finally:
        with on_disk():
            await asyncio.to_thread(file.close)
    return size


@contextmanager
def on_disk() -> Iterator[None]:
    """Turn what the disk says into ``Unavailable`` ("disk_full")."""
    try:
        yield
    except OSError as error:
        sentence = "This file could not be received: the disk is full or cannot be written."
        raise Unavailable(sentence, code="disk_full", detail=str(error)) from error


def too_large(most_mb: int) -> Invalid:
    """The refusal of a file over the limit."""
    return Invalid(f"This file is larger than the {most_mb} MB that are allowed here.", code="too_large")


def _received(folder: Path) -> dict[Path, datetime]:
    """Files in ``folder`` and when they were written last."""
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # its import was completed at this moment
            found[path] = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return found


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
