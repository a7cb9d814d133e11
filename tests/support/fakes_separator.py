"""A separator that needs no time: every stem is an equal part of the input, the last closes the sum."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from soundforge.engines import OnProgress, Pcm, Separated, StemFile
from soundforge.errors import Invalid

STEMS = ("vocals", "drums", "bass", "other")


class FakeSeparator:
    """Fake of Separator. ``heard`` keeps what it was given; with ``gate`` it waits there before it writes."""

    name = "fake"
    label = "Fake separation"

    def __init__(self, gate: asyncio.Event | None = None, error: Exception | None = None) -> None:
        self.heard: list[Pcm] = []
        self._gate, self._error = gate, error

    def models(self) -> tuple[str, ...]:
        return ("fake",)

    def stems(self, model: str) -> tuple[str, ...]:
        if model not in self.models():
            raise Invalid("This engine has no such model.", code="unknown_model")
        return STEMS

    def needs_mb(self, seconds: float) -> int:
        return 10

    async def separate(
        self, pcm: Pcm, *, model: str, folder: Path, threads: int, on_progress: OnProgress | None = None
    ) -> Separated:
        names = self.stems(model)
        self.heard.append(pcm)
        with _told(on_progress):
            if self._gate:
                await self._gate.wait()
            if self._error:
                raise self._error
            files = await asyncio.to_thread(_write, pcm, folder, names)
        cost = {"cpu_s": 0.0, "wall_s": 0.0, "peak_rss_mb": 1.0}
        return Separated(files, 0.0, (), engine=self.name, model=model, cost=cost)


@contextmanager
def _told(on_progress: OnProgress | None) -> Iterator[None]:
    if on_progress:
        on_progress(0.0, "separating")
    yield
    if on_progress:
        on_progress(100.0, "encoding")


def _write(pcm: Pcm, folder: Path, names: tuple[str, ...]) -> tuple[StemFile, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    sound = np.fromfile(pcm.path, "<f4").reshape(-1, pcm.channels)
    if not len(sound):
        raise Invalid("There is no sound in this file.", code="no_sound")
    whole = np.rint(np.clip(sound, -1, 1 - 2**-23) * 2**23).astype(np.int32)
    part = whole // len(names)
    files = []
    for number, name in enumerate(names):
        steps = part if number < len(names) - 1 else whole - part * (len(names) - 1)
        soundfile.write(folder / f"{name}.flac", steps << 8, pcm.sample_rate_hz, subtype="PCM_24")
        (folder / f"{name}.dat").write_bytes(b"\2\0\0\0" + bytes(20))
        files.append(StemFile(name, folder / f"{name}.flac", folder / f"{name}.dat"))
    return tuple(files)
