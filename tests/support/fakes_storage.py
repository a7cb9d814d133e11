"""Storage in memory, for tests that are not about disks; it passes the contract suite of the real one."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from soundforge.errors import Conflict, Invalid, NotFound, Unavailable
from soundforge.storage import Stored, check_key, check_prefix


class MemoryStorage:
    """A :class:`soundforge.storage.Storage` that forgets; ``room_bytes`` makes it run full, ``is_away`` away."""

    def __init__(self, room_bytes: int = 1 << 30) -> None:
        self.objects: dict[str, bytes] = {}
        self.room_bytes = room_bytes
        self.is_away = False

    async def put(self, path: Path, key: str) -> Stored:
        check_key(key)
        content = await asyncio.to_thread(path.read_bytes)
        self._check_there()
        if any(key == one or key.startswith(f"{one}/") or one.startswith(f"{key}/") for one in self.objects):
            raise Conflict("There is already a file under this key.", code="key_taken", detail=key)
        if len(content) > await self.free_bytes():
            raise Unavailable("The disk is full.", code="disk_full")
        self.objects[key] = content
        return Stored(key, len(content), hashlib.sha256(content).hexdigest())

    @asynccontextmanager
    async def local(self, key: str) -> AsyncIterator[Path]:
        content = await self.read(key)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, key.rpartition("/")[2])
            await asyncio.to_thread(path.write_bytes, content)
            yield path

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        check_key(key)
        if start < 0 or (stop is not None and stop < start):
            raise Invalid("This range of bytes makes no sense.", code="bad_range")
        self._check_there()
        if key not in self.objects:
            raise NotFound("This file is no longer in storage.", code="file_gone", detail=key)
        return self.objects[key][start:stop]

    async def remove(self, prefix: str) -> int:
        folder = prefix.endswith("/")
        if folder:
            check_prefix(prefix)
        else:
            check_key(prefix)
        self._check_there()
        gone = [key for key in self.objects if (key.startswith(prefix) if folder else key == prefix)]
        for key in gone:
            del self.objects[key]
        return len(gone)

    async def list(self, prefix: str = "") -> AsyncIterator[tuple[str, int]]:
        if prefix:
            check_prefix(prefix)
        self._check_there()
        for key, content in [*self.objects.items()]:
            if key.startswith(prefix):
                yield key, len(content)

    async def free_bytes(self) -> int:
        self._check_there()
        return self.room_bytes - sum(map(len, self.objects.values()))

    def _check_there(self) -> None:
        if self.is_away:
            raise Unavailable("The storage does not answer.", code="storage_away")
