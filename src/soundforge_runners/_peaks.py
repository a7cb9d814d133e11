"""Waveform peaks at four levels: BBC audiowaveform `.dat`, version 2, 8 bits, one channel, one level behind the other.

Format: https://github.com/bbc/audiowaveform, doc/DataFormat.md. A level is a whole `.dat` file: a header of 24 bytes,
little-endian (version, flags, sample rate, samples per pixel, length in pixels, channels), then minimum and maximum of
each pixel as signed bytes. The finest level comes first, so whoever reads but one reads that.
"""

import struct
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLES_PER_PIXEL = 256
LEVELS, FACTOR = 4, 4
_VERSION = 2
_EIGHT_BITS = 1
_HEADER = struct.Struct("<iIiiIi")

Pixels: TypeAlias = NDArray[np.int8]  # [pixels, 2]: minimum, maximum


def levels_of(frames: int) -> list[tuple[int, int]]:
    """Samples per pixel and length in pixels of each level of so long a sound, the finest first."""
    widths = [SAMPLES_PER_PIXEL * FACTOR**level for level in range(LEVELS)]
    return [(width, -(-frames // width)) for width in widths]


class PeaksWriter:
    """Write the peaks of a sound that arrives in blocks of any length; memory stays at a block and the pixels.

    Channels are folded, not mixed: a pixel's minimum is the lowest sample of any channel and its maximum the highest,
    so opposite phase does not vanish from the picture. Full scale (1.0) is 128 steps; what passes it is clipped.
    """

    def __init__(self, path: Path, sample_rate_hz: int, channels: int) -> None:
        """Open `path` for writing; `channels` is the width of the blocks to come."""
        self._channels = channels
        self._sample_rate_hz = sample_rate_hz
        self._rest = np.empty((0, channels), dtype=np.float32)
        self._frames = 0
        self._pixels: list[Pixels] = [np.empty((0, 2), dtype=np.int8)]
        self._file = path.open("wb")

    def add(self, block: NDArray[np.float32]) -> None:
        """Add float32 [frames, channels]; a pixel that is still open waits for the next block."""
        if block.ndim != 2 or block.shape[1] != self._channels:
            message = f"expected [frames, {self._channels}], got {block.shape}"
            raise ValueError(message)
        self._frames += len(block)
        frames = np.concatenate([self._rest, block]) if len(self._rest) else block
        whole = len(frames) // SAMPLES_PER_PIXEL * SAMPLES_PER_PIXEL
        self._add_pixels(frames[:whole].reshape(-1, SAMPLES_PER_PIXEL * self._channels))
        self._rest = frames[whole:].copy()

    def close(self) -> int:
        """Add the last, shorter pixel and write all levels; give the number of frames taken. May be done twice."""
        if not self._file.closed:
            with self._file:
                if len(self._rest):
                    self._add_pixels(self._rest.reshape(1, -1))
                pixels = np.concatenate(self._pixels)
                for width, _ in levels_of(self._frames):
                    self._write_level(width, pixels)
                    pixels = _coarser(pixels)
        return self._frames

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add_pixels(self, pixels: NDArray[np.float32]) -> None:
        self._pixels.append(_as_bytes(np.stack([pixels.min(axis=1), pixels.max(axis=1)], axis=1)))

    def _write_level(self, samples_per_pixel: int, pixels: Pixels) -> None:
        self._file.write(_HEADER.pack(_VERSION, _EIGHT_BITS, self._sample_rate_hz, samples_per_pixel, len(pixels), 1))
        self._file.write(pixels.tobytes())


def _coarser(pixels: Pixels) -> Pixels:
    """Four pixels as one; the last one may stand for fewer."""
    starts = np.arange(0, len(pixels), FACTOR)
    if not len(starts):
        return pixels
    low, high = np.minimum.reduceat(pixels[:, 0], starts), np.maximum.reduceat(pixels[:, 1], starts)
    return np.stack([low, high], axis=1)


def _as_bytes(extremes: NDArray[np.float32]) -> NDArray[Any]:
    """[-1, 1] as signed bytes, rounded towards zero as audiowaveform does; not-a-number becomes 0."""
    return np.clip(np.nan_to_num(extremes * 128), -128, 127).astype(np.int8)
