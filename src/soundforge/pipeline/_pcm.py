"""The work cache: decoded audio that separation and analysis of one track share."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from soundforge.engines import Pcm

KEEP_BYTES = 4 << 30


@dataclass
class _Entry:
    pcm: Pcm
    size: int
    users: int = 0


@dataclass
class _Door:
    """Lets one reader in at a time, to look whether the song must be decoded."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


@dataclass
class PcmCache:
    """Raw float32 files on the node's own disk, by the SHA-256 of their source; least used go first."""

    keep_bytes: int = KEEP_BYTES
    _folder: Path | None = None
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _doors: dict[str, _Door] = field(default_factory=dict)

    def keep(self, folder: Path, sha256: str, pcm: Pcm) -> None:
        """Move freshly decoded audio into the cache, which lies in ``folder`` on the disk where it was decoded."""
        if sha256 in self._entries:
            return
        if self._folder != folder:  # what a dead predecessor left is of no use: nothing says what it is
            shutil.rmtree(folder, ignore_errors=True)
            self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = pcm.path.rename(folder / f"{sha256}.f32")
        kept = Pcm(path=path, sample_rate_hz=pcm.sample_rate_hz, channels=pcm.channels, frames=pcm.frames)
        self._entries[sha256] = _Entry(kept, path.stat().st_size)
        self._trim()

    @asynccontextmanager
    async def open(self, folder: Path, sha256: str, decode: Callable[[], Awaitable[Pcm]]) -> AsyncIterator[Pcm]:
        """The decoded audio, from the cache or by ``decode``; it stays as long as somebody reads it."""
        async with self._alone(sha256):
            if sha256 not in self._entries or not self._entries[sha256].pcm.path.exists():
                self._entries.pop(sha256, None)
                self.keep(folder, sha256, await decode())
            entry = self._entries[sha256]
            entry.users += 1
        try:
            yield entry.pcm
        finally:
            entry.users -= 1
            self._entries[sha256] = self._entries.pop(sha256)  # now the most recently used
            self._trim()

    @asynccontextmanager
    async def _alone(self, sha256: str) -> AsyncIterator[None]:
        """Hold the song's lock, which goes with the last who wants it."""
        door = self._doors.setdefault(sha256, _Door())
        door.wanted += 1
        try:
            async with door.lock:
                yield
        finally:
            door.wanted -= 1
            if not door.wanted:
                del self._doors[sha256]

    def _trim(self) -> None:
        total = sum(entry.size for entry in self._entries.values())
        for sha256, entry in list(self._entries.items())[:-1]:
            if total <= self.keep_bytes:
                return
            if not entry.users:
                entry.pcm.path.unlink(missing_ok=True)
                del self._entries[sha256]
                total -= entry.size
