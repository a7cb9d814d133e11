"""Where the key changes: the scale over time, by a path that pays for every change."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chords import NO_CHORD, ChordPath, runs, slot_means, viterbi
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._key import Key, estimate_key, key_scores

type Array = NDArray[np.float64]

_AROUND_S, _STEP_S = 7.0, 2.0
_SHARPNESS, _STAY = 6.0, 1 - 1e-9
_SHORTEST_S = 14.0
_TO_RELATIVE_MAJOR = 3


@dataclass(frozen=True)
class KeySpan:
    """A part of the song in one key: slots `first` to `stop` of the chord grid."""

    start_s: float
    first: int
    stop: int
    key: Key


def find_keys(chroma: Chroma, path: ChordPath) -> list[KeySpan]:
    """Give one span for the whole song, or several where another scale takes over for 14 s or more.

    A step from major to its relative minor is no change here: both use the same notes, and few listeners agree.
    """
    scales = _scale_of_slots(chroma, path)
    edges = [start for start, _ in runs(scales)]
    spans = [(first, stop) for first, stop in zip(edges, [*edges[1:], len(scales)], strict=True)]
    if any(path.edges_s[stop] - path.edges_s[first] < _SHORTEST_S for first, stop in spans):
        spans = _without_short(spans, scales, path.edges_s)
    return [KeySpan(float(path.edges_s[a]), a, b, _key_of(chroma, path, slice(a, b))) for a, b in spans]


def main_key(path: ChordPath, spans: list[KeySpan]) -> Key:
    """Give the key of the longest part."""
    return max(spans, key=lambda span: path.edges_s[span.stop] - path.edges_s[span.first]).key


def _scale_of_slots(chroma: Chroma, path: ChordPath) -> NDArray[np.intp]:
    """The relative major (0..11) of the scale in each slot."""
    lengths = np.diff(path.edges_s)
    times = np.arange(0, path.edges_s[-1], _STEP_S)
    spans = [np.clip(times + shift, 0, path.edges_s[-1]) for shift in (-_AROUND_S, _STEP_S + _AROUND_S)]
    chords = np.zeros((24, len(lengths)))
    sounding = np.nonzero(path.states != NO_CHORD)[0]
    chords[path.states[sounding], sounding] = 1
    near = [_sums(rows * lengths, path.edges_s, *spans) for rows in (slot_means(chroma.whole, path.edges_s), chords)]
    keys = key_scores(near[0], near[1] / np.maximum(spans[1] - spans[0], 1e-9))
    scores = np.maximum(keys[:12], np.roll(keys[12:], _TO_RELATIVE_MAJOR, axis=0))
    found = viterbi(_SHARPNESS * _STEP_S * scores, _STAY)
    middles = path.edges_s[:-1] + lengths / 2
    return np.asarray(found[np.searchsorted(times, middles, side="right") - 1])


def _sums(rows: Array, edges_s: Array, start_s: Array, stop_s: Array) -> Array:
    """What slots hold between each start and stop, [rows, spans]; a slot counts in part where a span cuts it."""
    total = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    return np.array([np.interp(stop_s, edges_s, row) - np.interp(start_s, edges_s, row) for row in total])


def _without_short(spans: list[tuple[int, int]], scales: NDArray[np.intp], edges_s: Array) -> list[tuple[int, int]]:
    """Give short parts to the part before them (the first to the one after), then join equal neighbours."""
    scales = scales.copy()
    for first, stop in spans:
        if edges_s[stop] - edges_s[first] < _SHORTEST_S and len(spans) > 1:
            scales[first:stop] = scales[first - 1] if first else scales[min(stop, len(scales) - 1)]
    return runs(scales)


def _key_of(chroma: Chroma, path: ChordPath, slots: slice) -> Key:
    edges_s = path.edges_s[slots.start : slots.stop + 1]
    whole = edges_s[[0, -1]] if slots.start or slots.stop < len(path.states) else None
    mean = chroma.whole.mean(axis=1, dtype=np.float64) if whole is None else slot_means(chroma.whole, whole)[:, 0]
    return estimate_key(mean, path.share(slots), path.first(slots))
