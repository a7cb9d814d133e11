"""A song as the network wants it: two channels at its rate, about mean 0 and deviation 1, and the way back.

A song at another rate is resampled once, to a scratch file, for segments overlap and are read again; stems go back
through one resampler each, to the song's own rate and length. Memory does not depend on the length.
"""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from soundforge_runners._protocol import Refused
from soundforge_runners._stems import Samples, Source

Channels: TypeAlias = NDArray[np.float32]  # [2, samples]

CHANNELS = 2
_BLOCK_FRAMES = 1 << 18
_TINY = 1e-8  # as the official program has it


class Track:
    """A source at the network's rate, read from anywhere; a context manager, for its scratch file goes with it."""

    def __init__(self, source: Source, rate_hz: int, folder: Path) -> None:
        """Prepare ``source``; ``folder`` takes the scratch file. Refuses ``unsupported_format`` and ``disk_full``."""
        if source.channels > CHANNELS:
            raise Refused("unsupported_format", "This engine takes one channel or two.")
        self.source, self.rate_hz = source, rate_hz
        self.frames = max(1, round(source.frames * rate_hz / source.rate_hz))
        self._scratch = folder / "track.f32" if rate_hz != source.rate_hz else None
        self._folder, self._mean, self._deviation = folder, np.float32(0), np.float32(1)
        self._at_rate = source

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._scratch:
                stack.callback(self._scratch.unlink, missing_ok=True)  # also when the song itself is at fault
                self._folder.mkdir(parents=True, exist_ok=True)
                self._resample(self._scratch)
                self._at_rate = Source(self._scratch, self.rate_hz, self.source.channels, self.frames)
            self._measure()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._scratch:
            self._scratch.unlink(missing_ok=True)

    def read(self, start: int, stop: int) -> Channels:
        """Samples ``start`` to ``stop``, normalised, [2, samples]; what lies outside the song is zero there."""
        samples = self._at_rate.read(start, stop)
        inside = slice(max(0, -start), max(0, self.frames - start))
        samples[inside] = (samples[inside] - self._mean) / (self._deviation + np.float32(_TINY))
        return np.ascontiguousarray(np.broadcast_to(samples.T, (CHANNELS, len(samples))))

    def way_back(self, names: Sequence[str]) -> "WayBack":
        """What turns finished stems of the network into stems of the song."""
        resampled = self._scratch is not None
        streams = [
            _Resampler(self.rate_hz, self.source.rate_hz, self.source.channels, self.source.frames) for _ in names
        ]
        return WayBack(names, self._mean, self._deviation, self.source.channels, streams if resampled else [])

    def _resample(self, path: Path) -> None:
        if shutil.disk_usage(self._folder).free < self.frames * self.source.channels * 4:
            raise Refused("disk_full", "There is not enough disk space to resample the song.", family="unavailable")
        stream = _Resampler(self.source.rate_hz, self.rate_hz, self.source.channels, self.frames)
        with path.open("wb") as file:
            for start in range(0, self.source.frames, _BLOCK_FRAMES):
                stop = min(start + _BLOCK_FRAMES, self.source.frames)
                file.write(stream.add(self.source.read(start, stop)).tobytes())
            file.write(stream.finish().tobytes())

    def _measure(self) -> None:
        """Mean and deviation of the mono mix, in a pass over the song."""
        total, squares = 0.0, 0.0
        for start in range(0, self.frames, _BLOCK_FRAMES):
            mono = self._at_rate.read(start, min(start + _BLOCK_FRAMES, self.frames)).mean(axis=1, dtype=np.float64)
            total += float(mono.sum())
            squares += float(mono @ mono)
        mean = total / self.frames
        spread = max(0.0, squares - total * mean) / max(1, self.frames - 1)
        self._mean, self._deviation = np.float32(mean), np.float32(np.sqrt(spread))


class WayBack:
    """Stems at the song's level, rate, length and number of channels, block by block."""

    def __init__(
        self,
        names: Sequence[str],
        mean: np.float32,
        deviation: np.float32,
        channels: int,
        streams: "Sequence[_Resampler]",
    ) -> None:
        self._names, self._mean, self._scale = names, mean, deviation + np.float32(_TINY)
        self._channels, self._streams = channels, streams

    def add(self, stems: NDArray[np.float32]) -> dict[str, Samples]:
        """Take finished samples ``[stems, 2, samples]``; gives what is finished by them, by name."""
        level = stems * self._scale + self._mean
        if self._channels != CHANNELS:
            level = level.mean(axis=1, keepdims=True, dtype=np.float32)
        blocks = [np.ascontiguousarray(stem.T) for stem in level]
        if self._streams:
            blocks = [stream.add(block) for stream, block in zip(self._streams, blocks, strict=True)]
        return dict(zip(self._names, blocks, strict=True))

    def finish(self) -> dict[str, Samples]:
        """What is left in the resamplers."""
        return {name: stream.finish() for name, stream in zip(self._names, self._streams, strict=False)}


class _Resampler:
    """A stream at another rate, with a known number of samples at its end."""

    def __init__(self, came_hz: int, goes_hz: int, channels: int, frames: int) -> None:
        self._stream = soxr.ResampleStream(came_hz, goes_hz, channels, dtype="float32", quality="VHQ")
        self._left, self._channels = frames, channels

    def add(self, samples: Samples, *, last: bool = False) -> Samples:
        """The samples that are finished by these."""
        out = self._stream.resample_chunk(samples, last=last).reshape(-1, self._channels)[: self._left]
        self._left -= len(out)
        return np.ascontiguousarray(out, np.float32)

    def finish(self) -> Samples:
        """The rest; a sample that rounding leaves over is silent."""
        out = self.add(np.zeros((0, self._channels), np.float32), last=True)
        return np.concatenate([out, np.zeros((self._left, self._channels), np.float32)])
