"""A voice over music that repeats: what other moments of the song have too is accompaniment.

Z. Rafii, B. Pardo, "Music/voice separation using the similarity matrix", ISMIR 2012 (REPET-SIM), within a window, so
that memory does not grow with the length and a frame depends on its neighbourhood alone.
"""

import numpy as np
from numpy.typing import NDArray

from soundforge_runners._dsp_frames import Grid

type Plane = NDArray[np.float32]  # [frames, bins]

SECONDS = 8.0  # how far to both sides moments are compared
APART_S = 0.4  # nearer moments are the same tone, not a repetition
MOMENTS = 8
COMPARED_HZ = (100.0, 5000.0)
_AT_ONCE = 64


def reach_frames(grid: Grid) -> int:
    """How many frames to both sides a frame's result depends on."""
    return grid.frames_within(SECONDS)


def lone_share(magnitude: Plane, grid: Grid) -> Plane:
    """The share of each bin's power, 0 to 1, that does not come back in the most similar moments around it."""
    low, high = (grid.bin_at(hz) for hz in COMPARED_HZ)
    heard = magnitude[:, low:high]
    heard = heard / (np.linalg.norm(heard, axis=1, keepdims=True) + 1e-9)
    share = np.empty_like(magnitude)
    for at in range(0, len(magnitude), _AT_ONCE):
        part = magnitude[at : at + _AT_ONCE]
        background = np.median(magnitude[_moments(heard, at, len(part), grid)], axis=1)
        np.minimum(background, part, out=background)
        power = background * background
        lone = (part - background) ** 2
        share[at : at + _AT_ONCE] = lone / (lone + power + 1e-12)
    return share


def _moments(heard: Plane, at: int, count: int, grid: Grid) -> NDArray[np.int_]:
    """For ``count`` frames from ``at``: themselves and the frames most like them, [count, up to MOMENTS]."""
    reach, apart = reach_frames(grid), grid.frames_within(APART_S)
    first = max(0, at - reach)
    likeness = heard[at : at + count] @ heard[first : at + count + reach].T
    distance = np.abs(np.arange(at, at + count)[:, None] - np.arange(first, first + likeness.shape[1]))
    likeness[(distance > reach) | ((distance < apart) & (distance > 0))] = -1
    best = np.argsort(-likeness, axis=1, kind="stable")[:, :MOMENTS]
    mine = np.arange(at, at + count)[:, None]
    return np.where(np.take_along_axis(likeness, best, axis=1) >= 0, best + first, mine)
