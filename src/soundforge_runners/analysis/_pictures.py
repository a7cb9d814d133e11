"""The song in small, a few hundred columns of equal length: what pictures over time are drawn from."""

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._features import audible
from soundforge_runners.analysis._loudness import STEP_S, Loudness
from soundforge_runners.analysis._spectrum import PITCH_HOP_S, Spectra

type Array = NDArray[np.float64]

MOST_COLUMNS = 300
SHORTEST_COLUMN_S = 0.25
STEPS = 99  # a whole number from 0 to this stands for each value of a heat map
_SHORT_TERM_S = 3.0
_FLOOR_LUFS = -70.0
_SPREADS = 2.5  # of its standard deviation: how far either way a coefficient is told


def pictures(spectra: Spectra, chroma: Chroma, loudness: Loudness, duration_s: float) -> dict[str, object]:
    """Give means over the columns: loudness (null in silence), centroid, chroma, mel cepstrum.

    Of each column's chroma the strongest tone is `STEPS`; a silent column is 0 throughout. Each coefficient of the
    cepstrum goes from `low` to `high`, both in dB: value = low + whole number / `STEPS` * (high - low).
    """
    columns = int(min(MOST_COLUMNS, max(1, np.ceil(duration_s / SHORTEST_COLUMN_S))))
    edges_s = np.linspace(0, duration_s, columns + 1)
    heard = audible(spectra)
    tones = _means(chroma.whole * heard[: chroma.whole.shape[1]], edges_s)
    cepstrum = _means(spectra.mfcc, edges_s)
    low, high = _span(cepstrum)
    return {
        "columns": columns,
        "column_s": duration_s / columns,
        "steps": STEPS,
        "loudness_lufs": _loudness(loudness, edges_s),
        "centroid_hz": [round(value) for value in _means(spectra.shape[1:2], edges_s)[0]],
        "chroma": _whole(tones / np.maximum(tones.max(axis=0), 1e-9)),
        "mfcc": {
            "low": low[:, 0].tolist(),
            "high": high[:, 0].tolist(),
            "values": _whole((cepstrum - low) / (high - low)),
        },
    }


def _means(values: NDArray[np.floating], edges_s: Array) -> Array:
    """Mean of [rows, pitch frames] over each column; a column between two frames has what lies there."""
    total = np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    edges = (edges_s / PITCH_HOP_S).clip(0, values.shape[1])
    sums = np.array([np.diff(np.interp(edges, np.arange(total.shape[1]), row)) for row in total])
    return np.asarray(sums / np.maximum(np.diff(edges), 1e-6))


def _loudness(loudness: Loudness, edges_s: Array) -> list[float | None]:
    """Short-term loudness of the three seconds around each column's middle."""
    values = loudness.short_term_lufs
    if not len(values):
        return [None] * (len(edges_s) - 1)
    middles = _SHORT_TERM_S / 2 + STEP_S * np.arange(len(values))
    at = np.interp((edges_s[:-1] + edges_s[1:]) / 2, middles, np.maximum(values, _FLOOR_LUFS))
    return [round(float(value), 1) if value > _FLOOR_LUFS else None for value in at]


def _span(values: Array) -> tuple[Array, Array]:
    """What each row goes from and to, [rows, 1] each; never the same."""
    middle = values.mean(axis=1, keepdims=True)
    reach = np.maximum(_SPREADS * values.std(axis=1, keepdims=True), 1e-3)
    return middle - reach, middle + reach


def _whole(shares: Array) -> list[list[int]]:
    return [[int(value) for value in row] for row in np.rint(STEPS * shares.clip(0, 1))]
