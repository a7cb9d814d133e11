"""The harmony stage: chords, the key they speak for and where it changes, once more the chords in the light of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chords import ChordPath, find_chords
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._key import Key, scale_triads
from soundforge_runners.analysis._key_changes import KeySpan, find_keys, main_key
from soundforge_runners.analysis._meter import half_beat_later
from soundforge_runners.analysis._qualities import Chord, name_chords

type Array = NDArray[np.float64]

_GRID_WITHOUT_BEATS_S = 0.5
_EDGE_S = 0.02


@dataclass(frozen=True)
class Harmony:
    """Key and chords of a song; `spans` are more than one where the key changes."""

    key: Key
    spans: tuple[KeySpan, ...]
    chords: tuple[Chord, ...]


def find_harmony(chroma: Chroma, beats_s: Array | None, duration_s: float) -> Harmony:
    """Find chords first without a key, then the key, then the chords with it and the key once more."""
    edges_s = half_beat_grid(beats_s, duration_s)
    path = find_chords(chroma, edges_s)
    path = find_chords(chroma, edges_s, _diatonic(path, find_keys(chroma, path)))
    spans = find_keys(chroma, path)
    keys = [span.key for span in spans for _ in range(span.first, span.stop)]
    return Harmony(main_key(path, spans), tuple(spans), tuple(name_chords(path, chroma, keys)))


def _diatonic(path: ChordPath, spans: list[KeySpan]) -> NDArray[np.bool_]:
    """Mark the triads of the key, [24, slots]."""
    marks = np.zeros((24, len(path.states)), dtype=bool)
    for span in spans:
        marks[list(scale_triads(span.key.tonic, span.key.mode)), span.first : span.stop] = True
    return marks


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
