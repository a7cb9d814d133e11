"""What a triad is more exactly: with a seventh, or with its third suspended; and the names of chords."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._chords import NO_CHORD, ChordPath, chances_of, runs, slot_means, viterbi
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._key import TONICS, Key

type Array = NDArray[np.float64]

QUALITIES = (("maj", "7", "maj7", "sus4"), ("min", "min7", "sus4"))
"""Of a major and of a minor triad; the plain triad first."""
_GAIN, _STAY = 6.0, 0.9
_LEAST = {"7": 0.5, "maj7": 0.68, "min7": 0.45, "sus4": 0.4}
_EXPECTED = 0.075
_DEGREES = {"7": (7,), "maj7": (0, 5), "min7": (2, 4, 9)}
_MINOR_DOMINANT = 4  # degree of a minor key's dominant above the relative major's tonic


@dataclass(frozen=True)
class Chord:
    """One chord; the label is Harte's (ISMIR 2005), e.g. `A:min7`, `C#:maj`, `N`."""

    start_s: float
    end_s: float
    label: str
    confidence: float


def name_chords(path: ChordPath, chroma: Chroma, keys: Sequence[Key]) -> list[Chord]:
    """Name the chord of each slot and join equal neighbours; `keys` has the key of each slot.

    The root and the third are the path's. A seventh counts from a share of the strongest pitch class on, which the
    overtones of a plain triad do not reach; a little less where the key expects it (the dominant's minor seventh, the
    major seventh on I and IV, minor sevenths on ii, iii and vi).
    """
    middle = slot_means(chroma.middle, path.edges_s)
    labels, beliefs = [], path.chances[path.states, np.arange(len(path.states))]
    for start, stop in runs(path.states):
        state = int(path.states[start])
        if state == NO_CHORD:
            labels += ["N"] * (stop - start)
            continue
        names, chances = _qualities(middle[:, start:stop], state, keys[start])
        labels += [f"{TONICS[state % 12]}:{name}" for name in names]
        beliefs[start:stop] *= chances
    return _joined(path.edges_s, labels, beliefs)


def _qualities(middle: Array, state: int, key: Key) -> tuple[list[str], Array]:
    """Quality of each slot of one triad, and how likely it is."""
    root, names = state % 12, QUALITIES[state // 12]
    tones = np.roll(middle, -root, axis=0)
    tones = tones / np.maximum(tones.max(axis=0), 1e-9)
    third = tones[3 if state // 12 else 4]
    evidence = {"7": tones[10], "min7": tones[10], "maj7": tones[11], "sus4": tones[5] - third}
    rows = [np.zeros(middle.shape[1])]
    rows += [evidence[name] - _LEAST[name] + _expected(name, root, key) for name in names[1:]]
    emission = _GAIN * np.array(rows)
    chosen = viterbi(emission, _STAY)
    return [names[state] for state in chosen], chances_of(emission)[chosen, np.arange(len(chosen))]


def _expected(name: str, root: int, key: Key) -> float:
    """How much easier the key makes this quality on this root; below 0 for harder."""
    if name not in _DEGREES:
        return 0.0
    degree = (root - key.tonic + (9 if key.mode == "minor" else 0)) % 12
    usual = degree in _DEGREES[name] or (name == "7" and key.mode == "minor" and degree == _MINOR_DOMINANT)
    return _EXPECTED if usual else -_EXPECTED


def _joined(edges_s: Array, labels: list[str], beliefs: Array) -> list[Chord]:
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    spans = runs(np.array([numbers[label] for label in labels], dtype=np.intp))
    return [
        Chord(float(edges_s[start]), float(edges_s[stop]), labels[start], float(beliefs[start:stop].mean()))
        for start, stop in spans
    ]
