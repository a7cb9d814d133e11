"""Large files come in parts: each is appended to ``incoming/<id>.part`` as it comes, and what has come stays.

The length of that file is the offset at which the next part begins, also after a crash. One request at a time has the
file, by a lock of the operating system that no crash leaves behind.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import jobs, library, sources
from soundforge.config import Settings, make_private
from soundforge.errors import Conflict, Invalid, Rejected
from soundforge.pipeline._incoming import LONGEST_NAME, Upload, on_disk, too_large
from soundforge.pipeline._models import check_model
from soundforge.tables import PartialUpload

PART_BYTES = 8 << 20  # the largest part of one request
KEEP_PARTS = jobs.KEEP_UPLOADS  # without a new part
_MB = 1 << 20


@dataclass(frozen=True)
class PartialFile:
    """An upload under way, its file open for this request alone."""

    upload: PartialUpload
    path: Path
    file: BufferedWriter
    settings: Settings

    @property
    def offset(self) -> int:
        """How many bytes have come."""
        return self.file.tell()

    async def append(self, chunks: AsyncIterable[bytes], *, offset: int) -> None:
        """Add a part that begins at ``offset``; what came of one that breaks off stays.

        Raises ``Conflict`` ("wrong_offset"), ``Invalid`` ("part_too_large") and ``Unavailable`` ("disk_full").
        """
        began = self.offset
        if offset != began:
            sentence = f"This part begins at {offset}, but {began} bytes are here."
            raise Conflict(sentence, code="wrong_offset", fields={"offset": str(began)})
        room = min(PART_BYTES, self.upload.size_bytes - began)
        async for chunk in chunks:
            if self.offset - began + len(chunk) > room:
                with on_disk():
                    await asyncio.to_thread(self._cut, began)
                sentence = f"A part has at most {PART_BYTES} bytes, and ends where the file ends."
                raise Invalid(sentence, code="part_too_large")
            with on_disk():
                await asyncio.to_thread(self._write, chunk)

    @asynccontextmanager
    async def completed(self) -> AsyncIterator[Upload]:
        """Check the file that is whole now, and give it to the block, which asks for its import.

        A file that is refused goes at once; when the block fails otherwise it stays, and can be asked for again.
        Raises what ``sources.check_file`` does.
        """
        whole = self.path.with_suffix("")
        try:
            await asyncio.to_thread(sources.check_file, self.path, max_mb=self.settings.max_upload_mb)
        except Invalid:
            await asyncio.to_thread(self.path.unlink, missing_ok=True)
            raise
        is_list = await asyncio.to_thread(sources.is_list, self.path, self.upload.name)
        await asyncio.to_thread(self.path.rename, whole)
        try:
            yield Upload(self.upload.id, self.upload.name, self.upload.size_bytes, is_list)
        except Rejected:
            whole.unlink(missing_ok=True)
            raise
        except BaseException:
            with suppress(OSError):
                whole.rename(self.path)
            raise

    def _write(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.file.flush()  # what is counted as here is in the file

    def _cut(self, size: int) -> None:
        self.file.truncate(size)
        self.file.seek(size)


async def begin_upload(
    session: AsyncSession, settings: Settings, owner_id: UUID, name: str, size_bytes: int, *, model: str = ""
) -> PartialUpload:
    """Expect a file of so many bytes; its parts come by ``open_part``.

    Raises ``Invalid`` ("too_large", "empty_file", as ``check_model``) and ``Conflict`` ("too_many_uploads").
    """
    if size_bytes > settings.max_upload_mb * _MB:
        raise too_large(settings.max_upload_mb)
    if size_bytes <= 0:
        raise Invalid("The file is empty.", code="empty_file")
    shown = sources.one_line(name)[-LONGEST_NAME:]
    return await library.add_upload(session, owner_id, shown, size_bytes, check_model(model) if model else "")


@asynccontextmanager
async def open_part(settings: Settings, upload: PartialUpload) -> AsyncIterator[PartialFile]:
    """Open the file of an upload for one request; raises ``Conflict`` ("upload_busy") while another has it."""
    path = part_path(settings, upload.id)
    with on_disk():
        file = await asyncio.to_thread(_open, path)
    try:
        _lock(file)
        yield PartialFile(upload, path, file, settings)
    finally:
        with on_disk():
            await asyncio.to_thread(file.close)


async def received_bytes(settings: Settings, upload_id: UUID) -> int:
    """How many bytes of an upload are here."""

    def size() -> int:
        try:
            return part_path(settings, upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    return await asyncio.to_thread(size)


async def stop_upload(session: AsyncSession, settings: Settings, owner_id: UUID, upload_id: UUID) -> Path:
    """Expect a file no more; gives the path whose file is to go once that is committed."""
    await library.remove_upload(session, owner_id, upload_id)
    return part_path(settings, upload_id)


async def forget_late_uploads(session: AsyncSession, before: datetime) -> int:
    """Expect no more what has not got on since ``before``; ``remove_left_uploads`` takes the files."""
    return len(await library.forget_uploads_before(session, before))


def part_path(settings: Settings, upload_id: UUID) -> Path:
    """Where the bytes of an upload come together."""
    return settings.incoming_folder / f"{upload_id}.part"


def _open(path: Path) -> BufferedWriter:
    make_private(path.parent)
    return path.open("ab")


def _lock(file: BufferedWriter) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Conflict("Another part of this file is being received.", code="upload_busy") from error
