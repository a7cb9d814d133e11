"""Sections that begin on bars: where the sound changes, which parts are alike, and cautious names for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from soundforge_runners.analysis._spectrum import HOP_S, PITCH_HOP_S, Spectra

type Array = NDArray[np.float64]

_SECTION_COST, _USUAL_BARS = 15.0, 32
_PHRASE_BARS = 4
_ODD_COST, _HALF_PHRASE_COST, _RING_COST = 10.0, 4.0, 20.0
_SHORTEST_BARS, _LONGEST_BARS = 2, 64
_ONSET_WEIGHT = 1.2
_SAME_GROUP = 0.73
_QUIET, _LOUD, _DIP = 0.35, 0.6, 0.15


@dataclass(frozen=True)
class Section:
    """Part of a song. `group` is equal where the music is alike; `label` is None unless it is likely."""

    start_s: float
    end_s: float
    group: str
    label: str | None
    confidence: float
    energy: float


def bar_edges(downbeats_s: Array, duration_s: float) -> Array:
    """Give the bars' edges; what lies before the first downbeat belongs to the first bar, the end to the last."""
    inner = downbeats_s[(downbeats_s > 0) & (downbeats_s < duration_s)]
    return np.concatenate([inner, [duration_s]]) if len(inner) else np.array([0.0, duration_s])


def find_sections(spectra: Spectra, edges_s: Array, energy: Array) -> list[Section]:
    """Cut at the bars and name the parts. `energy` [bars] is 0..1."""
    features = bar_features(spectra, edges_s)
    starts = segment(features)
    stops = [*starts[1:], len(features)]
    spans = list(zip(starts, stops, strict=True))
    means = np.array([features[start:stop].mean(axis=0) for start, stop in spans])
    levels = [float(energy[start:stop].mean()) for start, stop in spans]
    groups = alike(means)
    clarity = _clarity(means)
    labels = name_sections(groups, levels)
    edges = [0.0, *(float(edges_s[start]) for start in starts[1:]), float(edges_s[-1])]
    rows = zip(edges[:-1], edges[1:], groups, labels, clarity, levels, strict=True)
    return [
        Section(start, end, chr(ord("A") + min(group, 25)), label, confidence, level)
        for start, end, group, label, confidence, level in rows
    ]


def bar_features(spectra: Spectra, edges_s: Array) -> Array:
    """Mean cepstrum and onset bands of each bar, standardised, [bars, 18]."""
    timbre = _means(spectra.mfcc, edges_s / PITCH_HOP_S)
    onsets = _means(spectra.onset_bands, edges_s / HOP_S)
    features = np.concatenate([_standard(timbre), _ONSET_WEIGHT * _standard(onsets)])
    return np.ascontiguousarray(features.T)


def segment(features: Array) -> list[int]:
    """Best first bars of sections: least squared error within sections plus a cost for each (Jensen, EURASIP 2007)."""
    bars = len(features)
    total = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0)])
    square = np.concatenate([[0.0], np.cumsum((features**2).sum(axis=1))])
    best, came_from = np.full(bars + 1, np.inf), np.zeros(bars + 1, dtype=np.intp)
    best[0] = 0.0
    for stop in range(1, bars + 1):
        starts = np.arange(max(0, stop - _LONGEST_BARS), max(1, stop - _SHORTEST_BARS + 1))
        error = square[stop] - square[starts] - ((total[stop] - total[starts]) ** 2).sum(axis=1) / (stop - starts)
        costs = best[starts] + error + section_costs(starts, stop, bars)
        best[stop], came_from[stop] = costs.min(), starts[costs.argmin()]
    edges, at = [], bars
    while at > 0:
        at = int(came_from[at])
        edges.append(at)
    return edges[::-1]


def section_costs(starts: NDArray[np.intp], stop: int, bars: int) -> Array:
    """Cost of sections from each of these bars to `stop` in a song of so many bars.

    A long song says more about each of its parts, so a new one must say more, too. Music is built of four bars and two:
    other lengths cost extra, which also puts fills into the section that they end. The first section may begin with an
    upbeat; the last bars, where the song rings out, are none.
    """
    lengths = stop - starts
    cost = np.full(len(starts), _SECTION_COST * max(1.0, bars / _USUAL_BARS) ** 0.5)
    if stop == bars:
        return cost + np.where(lengths <= _SHORTEST_BARS, _RING_COST, 0)
    uneven = np.where(lengths % 2 == 1, _ODD_COST, np.where(lengths % _PHRASE_BARS, _HALF_PHRASE_COST, 0))
    short = np.where(lengths < _PHRASE_BARS, _HALF_PHRASE_COST, 0)
    return cost + np.where(starts > 0, uneven + short, 0)


def alike(means: Array) -> list[int]:
    """Group sections whose mean features are close, numbered by first appearance.

    Agglomerative with average distance (Sokal & Michener, 1958).
    """
    if len(means) < 2:
        return [0] * len(means)
    distance = pdist(means) / np.sqrt(means.shape[1])
    clusters = fcluster(linkage(distance, method="average"), _SAME_GROUP, criterion="distance")
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(cluster), len(numbers)) for cluster in clusters]


def name_sections(groups: list[int], levels: list[float]) -> list[str | None]:
    """Name only what is likely: quiet edges are intro and outro, the loudest group that comes back is the chorus."""
    labels: list[str | None] = [None] * len(groups)
    if len(groups) < 3:
        return labels
    repeated = {group for group in groups if groups.count(group) > 1}
    mean = {group: float(np.mean(np.array(levels)[np.array(groups) == group])) for group in repeated}
    loudest = max(mean, key=lambda group: (mean[group], -group), default=None)
    for index, (group, level) in enumerate(zip(groups, levels, strict=True)):
        if group == loudest and mean[group] >= _LOUD:
            labels[index] = "chorus"
        elif 0 < index < len(groups) - 1 and _is_break(level, levels[index - 1], levels[index + 1]):
            labels[index] = "break"
    for index, neighbour, label in ((0, 1, "intro"), (-1, -2, "outro")):
        if labels[index] is None and levels[index] < levels[neighbour]:
            labels[index] = label
    return labels


def _is_break(level: float, before: float, after: float) -> bool:
    return level < _QUIET and level < min(before, after) - _DIP


def _clarity(means: Array) -> list[float]:
    """How far each section lies from the one before it, 0..1."""
    if len(means) < 2:
        return [0.0] * len(means)
    steps = np.sqrt(((means[1:] - means[:-1]) ** 2).mean(axis=1))
    clear = 1 - np.exp(-steps)
    return [float(clear[0]), *(float(value) for value in clear)]


def _means(rows: NDArray[np.float32], edges: Array) -> Array:
    total = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1, dtype=np.float64)], axis=1)
    at = np.arange(total.shape[1]) - 0.5
    sums = np.array([np.diff(np.interp(edges, at, row)) for row in total])
    return np.asarray(sums / np.maximum(np.diff(edges), 1e-9))


def _standard(rows: Array) -> Array:
    return np.asarray((rows - rows.mean(axis=1, keepdims=True)) / np.maximum(rows.std(axis=1, keepdims=True), 1e-9))
