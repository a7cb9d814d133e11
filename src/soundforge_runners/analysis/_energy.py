"""How much is going on, 0..1 per second: rises with loudness, with the density of onsets and with brightness."""

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._spectrum import HOP_S, PITCH_HOP_S, Spectra
from soundforge_runners.analysis._tempo import onset_curve

type Array = NDArray[np.float64]

_QUIETEST_LU, _WEIGHTS = -24.0, (0.6, 0.25, 0.15)


def energy_curve(spectra: Spectra, duration_s: float) -> Array:
    """Give one value per second (at least one), over the second that begins there. There is no ground truth for this.

    Level counts from 24 LU below to 4 above the song's own loudness, onsets up to twice their mean strength,
    the spectral centroid from 500 Hz to 5 kHz.
    """
    edges = np.append(np.arange(0, max(1, round(duration_s))), max(duration_s, 1.0))
    level = 10 * np.log10(np.maximum(_means(spectra.shape[0], edges / PITCH_HOP_S), 1e-9))
    onsets = _means(np.maximum(onset_curve(spectra.onset_bands), 0), edges / HOP_S)
    centroid = _means(spectra.shape[1], edges / PITCH_HOP_S)
    parts = (
        (level - np.percentile(level, 90) - _QUIETEST_LU) / -_QUIETEST_LU,
        onsets / max(2 * float(onsets.mean()), 1e-9),
        np.log(np.maximum(centroid, 1) / 500) / np.log(10),
    )
    return np.asarray(sum(weight * part.clip(0, 1) for weight, part in zip(_WEIGHTS, parts, strict=True)))


def bar_energy(curve: Array, edges_s: Array) -> Array:
    """Mean of the curve over each bar."""
    total = np.append(0, np.cumsum(curve))
    sums = np.diff(np.interp(edges_s, np.arange(len(total)), total))
    return np.asarray((sums / np.maximum(np.diff(edges_s), 1e-9)).clip(0, 1))


def _means(values: NDArray[np.floating], edges: Array) -> Array:
    total = np.append(0, np.cumsum(values, dtype=np.float64))
    sums = np.diff(np.interp(edges, np.arange(len(total)), total))
    return np.asarray(sums / np.maximum(np.diff(edges), 1e-9))
