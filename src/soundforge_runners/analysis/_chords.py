"""Chords on the half-beat grid: 24 triads and "no chord", by templates and a Viterbi path."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._source import Samples
from soundforge_runners.analysis._spectrum import PITCH_HOP_S

type Array = NDArray[np.float64]
type States = NDArray[np.intp]

NO_CHORD = 24
_STATES = 25
_TEMPERATURE = 15.0
_BASS_BONUS = 0.3
_DIATONIC_BONUS = 0.05
_STAY = 0.8
_NO_CHORD_SIMILARITY = 0.55


@dataclass(frozen=True)
class ChordPath:
    """A state per slot of the grid: 0..11 major, 12..23 minor, 24 none; the chance of each state per slot."""

    edges_s: Array
    states: States
    chances: Array

    def share(self, slots: slice = slice(None)) -> Array:
        """Part of the time of these slots that each of the 24 triads sounds."""
        lengths = np.diff(self.edges_s)[slots]
        times = np.bincount(self.states[slots], weights=lengths, minlength=_STATES)[:24]
        return np.asarray(times / max(float(lengths.sum()), 1e-9))

    def first(self, slots: slice = slice(None)) -> int | None:
        """Give the first chord that is one."""
        states = self.states[slots]
        sounding = states[states != NO_CHORD]
        return int(sounding[0]) if len(sounding) else None


def find_chords(chroma: Chroma, edges_s: Array, diatonic: NDArray[np.bool_] | None = None) -> ChordPath:
    """Find the triad of each slot between `edges_s`; `diatonic` [24, slots] marks those that get a small bonus."""
    whole, middle, bass = (slot_means(part, edges_s) for part in (chroma.whole, chroma.middle, chroma.bass))
    heard = (whole + middle) / 2
    similarity = _templates() @ _unit(heard - 0.5 * heard.min(axis=0))
    roots = bass / np.maximum(bass.max(axis=0), 1e-9)
    similarity += _BASS_BONUS * np.concatenate([roots, roots])
    if diatonic is not None:
        similarity += _DIATONIC_BONUS * diatonic
    silent = whole.max(axis=0) < 0.05 * max(float(np.percentile(whole.max(axis=0), 95)), 1e-9)
    none = np.where(silent, 9.0, _NO_CHORD_SIMILARITY)
    emission = _TEMPERATURE * np.concatenate([similarity, none[None]])
    return ChordPath(edges_s, viterbi(emission, _STAY), chances_of(emission))


def chances_of(emission: Array) -> Array:
    """Turn log-likelihoods [states, slots] into chances that sum to 1 in each slot."""
    chances = np.exp(emission - emission.max(axis=0))
    return np.asarray(chances / chances.sum(axis=0))


def slot_means(chroma: Samples, edges_s: Array) -> Array:
    """Mean chroma of each slot, [12, slots]."""
    total = np.concatenate([np.zeros((12, 1)), np.cumsum(chroma, axis=1, dtype=np.float64)], axis=1)
    at, edges = np.arange(total.shape[1]) - 0.5, edges_s / PITCH_HOP_S
    sums = np.array([np.diff(np.interp(edges, at, row)) for row in total])
    return np.asarray(sums / np.maximum(np.diff(edges), 1e-9))


def viterbi(emission: Array, stay: float) -> States:
    """Most probable path through [states, slots] log-likelihoods; every change is equally probable."""
    states, slots = emission.shape
    cost = np.log((1 - stay) / (states - 1)) - np.log(stay)
    score, came_from = emission[:, 0].copy(), np.empty((slots, states), dtype=np.intp)
    here = np.arange(states)
    for slot in range(1, slots):
        best = int(score.argmax())
        jump = score[best] + cost > score
        came_from[slot] = np.where(jump, best, here)
        score = np.where(jump, score[best] + cost, score) + emission[:, slot]
    path = np.empty(slots, dtype=np.intp)
    path[-1] = score.argmax()
    for slot in range(slots - 1, 0, -1):
        path[slot - 1] = came_from[slot, path[slot]]
    return path


def runs(states: States) -> list[tuple[int, int]]:
    """First and one past the last slot of every run of equal states."""
    changes = np.nonzero(np.diff(states))[0] + 1
    edges = [0, *(int(change) for change in changes), len(states)]
    return list(pairwise(edges))


def _templates() -> Array:
    """[24, 12] triads of unit length."""
    shapes = [[1.0 if tone in triad else 0.0 for tone in range(12)] for triad in ((0, 4, 7), (0, 3, 7))]
    return _unit(np.array([np.roll(shape, root) for shape in shapes for root in range(12)]).T).T


def _unit(columns: Array) -> Array:
    return np.asarray(columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-9))
