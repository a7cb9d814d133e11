"""The spectrum of a long file in blocks that do not show: frames lie on one grid, whatever the blocks.

Frame ``k`` covers samples ``(k-2)·hop`` to ``(k+2)·hop`` (75 % overlap, square-root Hann window on both ways, so what
is not changed comes back exactly); frame −1 is the first that touches the file.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.fft
from numpy.typing import NDArray

type Samples = NDArray[np.float32]  # [frames, channels]
type Spectrum = NDArray[np.complex64]  # [channels, frames of the grid, bins]

HOP_S = 1536 / 44_100  # 35 ms, so windows of 139 ms: resolves the partials of a bass and still the strokes of drums
TOP_HZ = 22_050.0  # nothing above is separated: it stays in what is left over
FIRST_FRAME = -1
_AT_ONCE = 64


@dataclass(frozen=True)
class Grid:
    """The frames of one sample rate: ``hop`` samples apart, ``4·hop`` long, the lowest ``bins`` bins kept."""

    rate_hz: int
    hop: int
    bins: int

    @classmethod
    def for_rate(cls, rate_hz: int) -> Self:
        """The grid with the same durations at any rate."""
        hop = int(scipy.fft.next_fast_len(max(8, round(HOP_S * rate_hz)), real=True))
        return cls(rate_hz, hop, min(2 * hop + 1, int(TOP_HZ * 4 * hop / rate_hz) + 1))

    @property
    def size(self) -> int:
        """Samples of a window."""
        return 4 * self.hop

    @property
    def bin_hz(self) -> float:
        """Distance of two bins."""
        return self.rate_hz / self.size

    @property
    def frames_per_s(self) -> float:
        """Frames in a second."""
        return self.rate_hz / self.hop

    @property
    def window(self) -> Samples:
        """Square root of a periodic Hann window, scaled so that analysis and synthesis give back the sound."""
        return np.sqrt((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.size) / self.size)) / 2).astype(np.float32)

    def end_frame(self, length: int) -> int:
        """One past the last frame that touches a file of ``length`` samples."""
        return (length - 1) // self.hop + 3

    def start_of(self, frame: int) -> int:
        """The first sample of a frame."""
        return (frame - 2) * self.hop

    def frames_within(self, seconds: float) -> int:
        """The whole frames nearest to a duration, at least one."""
        return max(1, round(seconds * self.frames_per_s))

    def bin_at(self, hz: float) -> int:
        """The bin at a frequency, at most the number of bins."""
        return min(self.bins, round(hz / self.bin_hz))


def analyse(samples: Samples, grid: Grid) -> Spectrum:
    """Spectrum of samples that begin at a frame's start and end at a frame's end."""
    frames = (len(samples) - grid.size) // grid.hop + 1
    windows = np.lib.stride_tricks.sliding_window_view(samples, grid.size, axis=0)[:: grid.hop]  # [frames, channels, n]
    out = np.empty((samples.shape[1], frames, grid.bins), np.complex64)
    for at in range(0, frames, _AT_ONCE):
        part = scipy.fft.rfft(windows[at : at + _AT_ONCE] * grid.window, axis=-1)
        out[:, at : at + _AT_ONCE] = part[:, :, : grid.bins].transpose(1, 0, 2)
    return out


class Synthesis:
    """Turns frames back into samples; keeps the tail that the next frames still add to."""

    def __init__(self, grid: Grid, channels: int) -> None:
        self._grid = grid
        self._tail = np.zeros((grid.size - grid.hop, channels), np.float32)

    def add(self, spectrum: Spectrum) -> Samples:
        """Add the next frames; gives the ``frames·hop`` samples that are finished by them."""
        grid, frames = self._grid, spectrum.shape[1]
        out = np.zeros((frames * grid.hop + len(self._tail), spectrum.shape[0]), np.float32)
        out[: len(self._tail)] = self._tail
        for at in range(0, frames, _AT_ONCE):
            pieces = scipy.fft.irfft(spectrum[:, at : at + _AT_ONCE], grid.size, axis=-1) * grid.window
            for k in range(pieces.shape[1]):
                start = (at + k) * grid.hop
                out[start : start + grid.size] += pieces[:, k].T
        self._tail = out[frames * grid.hop :].copy()
        return out[: frames * grid.hop]
