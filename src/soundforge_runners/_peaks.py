"""Waveform peaks: BBC audiowaveform `.dat`, version 2, 8 bits, 256 samples per pixel, one channel.

Format: https://github.com/bbc/audiowaveform, doc/DataFormat.md. A header of 24 bytes, little-endian
(version, flags, sample rate, samples per pixel, length in pixels, channels), then minimum and maximum of each pixel
as signed bytes.
"""

import struct
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SAMPLES_PER_PIXEL = 256
_VERSION = 2
_EIGHT_BITS = 1
_HEADER = struct.Struct("<iIiiIi")


class PeaksWriter:
    """Write the peaks of a sound that arrives in blocks of any length; memory stays at one block.

    Channels are folded, not mixed: a pixel's minimum is the lowest sample of any channel and its maximum the highest,
    so opposite phase does not vanish from the picture. Full scale (1.0) is 128 steps; what passes it is clipped.
    """

    def __init__(self, path: Path, sample_rate_hz: int, channels: int) -> None:
        """Open `path` for writing; `channels` is the width of the blocks to come."""
        self._channels = channels
        self._sample_rate_hz = sample_rate_hz
        self._rest = np.empty((0, channels), dtype=np.float32)
        self._frames = 0
        self._pixels = 0
        self._file = path.open("wb")
        self._write_header()

    def add(self, block: NDArray[np.float32]) -> None:
        """Add float32 [frames, channels]; a pixel that is still open waits for the next block."""
        if block.ndim != 2 or block.shape[1] != self._channels:
            message = f"expected [frames, {self._channels}], got {block.shape}"
            raise ValueError(message)
        self._frames += len(block)
        frames = np.concatenate([self._rest, block]) if len(self._rest) else block
        whole = len(frames) // SAMPLES_PER_PIXEL * SAMPLES_PER_PIXEL
        self._write_pixels(frames[:whole].reshape(-1, SAMPLES_PER_PIXEL * self._channels))
        self._rest = frames[whole:].copy()

    def close(self) -> int:
        """Write the last, shorter pixel and the final header; give the number of frames taken. May be done twice."""
        if not self._file.closed:
            if len(self._rest):
                self._write_pixels(self._rest.reshape(1, -1))
            self._file.seek(0)
            self._write_header()
            self._file.close()
        return self._frames

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write_pixels(self, pixels: NDArray[np.float32]) -> None:
        extremes = np.stack([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
        self._file.write(_as_bytes(extremes).tobytes())
        self._pixels += len(pixels)

    def _write_header(self) -> None:
        rate, pixels = self._sample_rate_hz, self._pixels
        self._file.write(_HEADER.pack(_VERSION, _EIGHT_BITS, rate, SAMPLES_PER_PIXEL, pixels, 1))


def _as_bytes(extremes: NDArray[np.float32]) -> NDArray[Any]:
    """[-1, 1] as signed bytes, rounded towards zero as audiowaveform does; not-a-number becomes 0."""
    return np.clip(np.nan_to_num(extremes * 128), -128, 127).astype(np.int8)
