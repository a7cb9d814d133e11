"""The harmony stage: chords, the key they speak for, and once more the chords in the light of the key."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chords import ChordPath, find_chords
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._key import Key, estimate_key, scale_triads
from soundforge_runners.analysis._meter import half_beat_later

type Array = NDArray[np.float64]

_GRID_WITHOUT_BEATS_S = 0.5
_EDGE_S = 0.02


@dataclass(frozen=True)
class Harmony:
    """Key and chords of a song."""

    key: Key
    path: ChordPath


def find_harmony(chroma: Chroma, beats_s: Array | None, duration_s: float) -> Harmony:
    """Find chords and key; without beats the grid is half a second wide."""
    edges_s = half_beat_grid(beats_s, duration_s)
    mean = chroma.whole.mean(axis=1, dtype=np.float64)
    scale: frozenset[int] = frozenset()
    for _ in range(2):
        path = find_chords(chroma, edges_s, scale)
        key = estimate_key(mean, path.share(), path.first())
        scale = scale_triads(key.tonic, key.mode)
    return Harmony(key=key, path=path)


def half_beat_grid(beats_s: Array | None, duration_s: float) -> Array:
    """Edges of half beats from 0 to the end, carried on evenly before the first and after the last beat."""
    if beats_s is None or len(beats_s) < 2:
        last_start_s = max(duration_s - _GRID_WITHOUT_BEATS_S / 2, 1e-6)
        return np.append(np.arange(0, last_start_s, _GRID_WITHOUT_BEATS_S), duration_s)
    inner = np.sort(np.concatenate([beats_s, half_beat_later(beats_s)]))
    step = float(np.median(np.diff(inner)))
    before, after = np.arange(inner[0] - step, 0, -step)[::-1], np.arange(inner[-1] + step, duration_s, step)
    edges = np.concatenate([before, inner, after])
    edges = edges[(edges > _EDGE_S) & (edges < duration_s - _EDGE_S)]
    return np.concatenate([[0.0], edges, [duration_s]])
