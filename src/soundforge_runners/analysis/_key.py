"""The key, by correlation with tonal profiles, and its name on the Camelot wheel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MODES = ("major", "minor")
CAMELOT = {
    "major": ("8B", "3B", "10B", "5B", "12B", "7B", "2B", "9B", "4B", "11B", "6B", "1B"),
    "minor": ("5A", "12A", "7A", "2A", "9A", "4A", "11A", "6A", "1A", "8A", "3A", "10A"),
}
# Sha'ath, "Estimation of key in digital music recordings", MSc thesis, Birkbeck 2011.
_PROFILES = np.array(
    [
        [6.6, 2.0, 3.5, 2.3, 4.6, 4.0, 2.5, 5.2, 2.4, 3.7, 2.3, 3.4],
        [6.5, 2.7, 3.5, 5.4, 2.6, 3.5, 2.5, 5.2, 4.0, 2.7, 4.3, 3.2],
    ]
)
_DEGREES = {
    "major": {(0, 0): 1.0, (2, 1): 0.5, (4, 1): 0.4, (5, 0): 0.8, (7, 0): 0.9, (9, 1): 0.6},
    "minor": {(0, 1): 1.0, (3, 0): 0.6, (5, 1): 0.7, (7, 1): 0.6, (7, 0): 0.6, (8, 0): 0.7, (10, 0): 0.6},
}
_CHORD_WEIGHT = 1.0
_FIRST_CHORD_WEIGHT = 0.15
_SHARPNESS = 12.0


@dataclass(frozen=True)
class Key:
    """A key with what else it could be."""

    tonic: int
    mode: str
    confidence: float
    alternatives: tuple[tuple[int, str, float], ...]
    """(tonic, mode, probability), most probable first."""


def estimate_key(chroma: Array, chord_share: Array, first_chord: int | None) -> Key:
    """Choose among 24 keys.

    `chroma` [12] is the mean over the song; `chord_share` [24] the share of time of each major (0..11) and minor
    (12..23) chord. A key scores by the profile's correlation with the chroma (Krumhansl, "Cognitive Foundations of
    Musical Pitch", 1990), by the time its own chords sound, and a little by the chord the song begins with.
    """
    scores = key_scores(chroma, chord_share)
    if first_chord is not None:
        scores[first_chord] += _FIRST_CHORD_WEIGHT
    chances = np.exp(_SHARPNESS * (scores - scores.max()))
    chances /= chances.sum()
    order = [int(key) for key in np.argsort(-chances, kind="stable")]
    ranked = [(key % 12, MODES[key // 12], float(chances[key])) for key in order[:4]]
    (tonic, mode, confidence), *others = ranked
    return Key(tonic=tonic, mode=mode, confidence=confidence, alternatives=tuple(others))


def key_scores(chroma: Array, chord_share: Array) -> Array:
    """Score of each of the 24 keys, major first; [12] and [24] give [24], with a further axis for moments too."""
    centred = chroma - chroma.mean(axis=0)
    even = np.maximum(np.linalg.norm(centred, axis=0), 1e-9)
    return np.asarray(_KEY_PROFILES @ (centred / even) + _CHORD_WEIGHT * (_KEY_CHORDS @ chord_share))


def camelot(tonic: int, mode: str) -> str:
    """Name the key as DJs do, e.g. 8A for A minor."""
    return CAMELOT[mode][tonic]


def scale_triads(tonic: int, mode: str) -> frozenset[int]:
    """Triads that belong to a key: 0..11 major, 12..23 minor."""
    return frozenset((tonic + degree) % 12 + 12 * minor for degree, minor in _DEGREES[mode])


def _key_profiles() -> Array:
    """[24, 12]: the profile of each key, centred and of unit length, so that a product is a correlation."""
    centred = _PROFILES - _PROFILES.mean(axis=1, keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return np.array([np.roll(unit[key // 12], key % 12) for key in range(24)])


def _key_chords() -> Array:
    """[24, 24]: how much the time of each triad speaks for each key."""
    weights = np.zeros((24, 24))
    for key in range(24):
        for (degree, minor), weight in _DEGREES[MODES[key // 12]].items():
            weights[key, (key + degree) % 12 + 12 * minor] = weight
    return weights


_KEY_PROFILES, _KEY_CHORDS = _key_profiles(), _key_chords()
