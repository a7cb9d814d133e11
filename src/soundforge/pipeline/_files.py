"""Between storage and rows: a file is real once its row is committed, and gone once its object is."""

from soundforge import library
from soundforge.db import reading
from soundforge.library import NewFile
from soundforge.storage import Storage, Stored


def new_file(stored: Stored, media_type: str) -> NewFile:
    """The row-to-be of a stored object."""
    return NewFile(key=stored.key, size_bytes=stored.size_bytes, sha256=stored.sha256, media_type=media_type)


async def sweep_prefix(storage: Storage, prefix: str) -> list[str]:
    """Remove what a dead run stored but never made real; returns the removed keys."""
    keys = [key async for key, _size in storage.list(prefix)]
    if not keys:
        return []
    async with reading() as session:
        real = {file.key for file in await library.list_files(session, prefix)}
    gone = [key for key in keys if key not in real]
    for key in gone:
        await storage.remove(key)
    return gone
