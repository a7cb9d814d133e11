"""A separator that needs no time: every stem is an equal part of the input, the last closes the sum."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from soundforge.engines import OnProgress, Pcm, Separated, SeparateOptions, StemFile
from soundforge.errors import Invalid

DEFAULT = SeparateOptions()
STEMS = ("vocals", "drums", "bass", "other")


class FakeSeparator:
    """Fake of Separator. ``heard`` keeps what it was given; with ``gate`` it waits there before it writes."""

    name = "fake"
    label = "Fake separation"

    def __init__(self, gate: asyncio.Event | None = None, error: Exception | None = None) -> None:
        self.heard: list[Pcm] = []
        self.options: list[SeparateOptions] = []
        self._gate, self._error = gate, error

    def models(self) -> tuple[str, ...]:
        return ("fake",)

    def stems(self, model: str) -> tuple[str, ...]:
        if model not in self.models():
            raise Invalid("This engine has no such model.", code="unknown_model")
        return STEMS

    def precisions(self) -> tuple[str, ...]:
        return ("float32",)

    def needs_mb(self, seconds: float) -> int:
        return 10

    async def separate(
        self,
        pcm: Pcm,
        *,
        model: str,
        folder: Path,
        threads: int,
        options: SeparateOptions = DEFAULT,
        on_progress: OnProgress | None = None,
    ) -> Separated:
        options.check(self.stems(model), self.precisions(), pcm.duration_s)
        self.heard.append(pcm)
        self.options.append(options)
        with _told(on_progress):
            if self._gate:
                await self._gate.wait()
            if self._error:
                raise self._error
            files = await asyncio.to_thread(_write, pcm, folder, options)
        cost = {"cpu_s": 0.0, "wall_s": 0.0, "peak_rss_mb": 1.0}
        closing = _closing(options)
        return Separated(files, 0.0, (), engine=self.name, model=model, cost=cost, closing=closing)


@contextmanager
def _told(on_progress: OnProgress | None) -> Iterator[None]:
    if on_progress:
        on_progress(0.0, "separating")
    yield
    if on_progress:
        on_progress(100.0, "encoding")


def _write(pcm: Pcm, folder: Path, options: SeparateOptions) -> tuple[StemFile, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    sound = np.fromfile(pcm.path, "<f4").reshape(-1, pcm.channels)
    if options.region_s:
        first, stop = (round(second * pcm.sample_rate_hz) for second in options.region_s)
        sound = sound[first:stop]
    if not len(sound):
        raise Invalid("There is no sound in this file.", code="no_sound")
    whole = np.rint(np.clip(sound, -1, 1 - 2**-23) * 2**23).astype(np.int32)
    part = whole // len(STEMS)
    parts = dict.fromkeys(STEMS, part) | {"other": whole - part * (len(STEMS) - 1)}
    if options.two_stem:
        voice = parts[options.two_stem]
        parts = {options.two_stem: voice, f"no_{options.two_stem}": whole - voice}
    files = []
    for name, steps in parts.items():
        if name in (options.stems or parts):
            soundfile.write(folder / f"{name}.flac", steps << 8, pcm.sample_rate_hz, subtype="PCM_24")
            (folder / f"{name}.dat").write_bytes(b"\2\0\0\0" + bytes(20))
            files.append(StemFile(name, folder / f"{name}.flac", folder / f"{name}.dat"))
    return tuple(files)


def _closing(options: SeparateOptions) -> str:
    if options.raw or (options.stems and set(options.stems) != set(STEMS)):
        return ""
    return f"no_{options.two_stem}" if options.two_stem else "other"
