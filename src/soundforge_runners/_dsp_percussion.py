"""Drums by median filtering: strokes are vertical lines of a spectrogram, tones horizontal ones.

D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010, with soft masks.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from soundforge_runners._dsp_frames import Grid

type Magnitude = NDArray[np.float32]  # [frames, bins]

TIME_S = 0.4
WIDTH_HZ = 64.0
TINY = 1e-12


def percussive_share(magnitude: Magnitude, grid: Grid) -> Magnitude:
    """The share of each bin's power, 0 to 1, that belongs to strokes. Reaches ``TIME_S`` / 2 both ways."""
    tones = running_median(np.ascontiguousarray(magnitude.T), _odd(TIME_S * grid.frames_per_s)).T
    strokes = running_median(magnitude, _odd(WIDTH_HZ / grid.bin_hz))
    strokes *= strokes
    return (strokes / (strokes + tones * tones + TINY)).astype(np.float32)


def running_median(rows: Magnitude, width: int) -> Magnitude:
    """Median of ``width`` (odd) neighbours along each row, mirrored at its ends.

    All rows are joined into one line, padded apart: scipy's one-dimensional filter keeps a sorted window and costs the
    same for any width, eight times less than the two-dimensional one at these.
    """
    reach = width // 2
    padded = np.pad(rows, ((0, 0), (reach, reach)), mode="symmetric")
    line = median_filter(padded.ravel(), width, mode="nearest").reshape(padded.shape)
    return np.ascontiguousarray(line[:, reach : reach + rows.shape[1]])


def _odd(width: float) -> int:
    return max(3, round((width - 1) / 2) * 2 + 1)
