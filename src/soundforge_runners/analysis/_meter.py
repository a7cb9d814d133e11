"""Which beats begin a bar, how long a bar is, and whether the beats lie half a beat beside the music's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._source import Samples
from soundforge_runners.analysis._spectrum import HOP_S, PITCH_HOP_S
from soundforge_runners.analysis._tempo import percussiveness

type Array = NDArray[np.float64]

_AROUND_BEATS = 1.8
_LOW_WEIGHT, _MIDDLE_WEIGHT = 0.5, 0.3
_TRIPLE_PENALTY = 0.12
_SHIFT_MARGIN, _TRACK_MARGIN = 1.15, 0.25
_CYMBALS_WEIGHT, _CYMBALS_AT_MOST = 0.22, 3.0
_DUPLE_SHARE = 0.75
_TERNARY_RATIO = 1.5
_DRUMMED, _SWING_BPM = 0.6, 100.0


@dataclass(frozen=True)
class Grid:
    """Beats in seconds, and the bars over them."""

    beats_s: Array
    beats_per_bar: int
    first_downbeat: int
    """Index of the first beat that begins a bar, 0..beats_per_bar - 1."""
    strength: float
    """How much stronger downbeats are than beats, in standard deviations."""
    margin: float
    """How far the best choice of bars is before the second."""

    @property
    def signature(self) -> str:
        """Metre as musicians write it; two beats to a bar are found only where each divides into three."""
        return {2: "6/8", 3: "3/4"}.get(self.beats_per_bar, "4/4")

    @property
    def downbeats(self) -> NDArray[np.intp]:
        """Indices of the beats that begin a bar."""
        return np.arange(self.first_downbeat, len(self.beats_s), self.beats_per_bar)


class Accents:
    """What makes a moment sound like the beginning of a bar: the harmony changes, and something low is struck."""

    def __init__(self, onset_bands: Samples, chroma: Samples) -> None:
        """Take onset bands [4, frames] and chroma [12, pitch frames]."""
        self._bands = onset_bands
        self.drums = percussiveness(onset_bands)
        self._sum = np.concatenate([np.zeros((12, 1)), np.cumsum(chroma, axis=1, dtype=np.float64)], axis=1)

    def harmonic_change(self, times_s: Array, around_s: float) -> Array:
        """Cosine distance between the mean chroma before and after each moment, 0..1."""
        before = self._mean_chroma(times_s - around_s, times_s)
        after = self._mean_chroma(times_s, times_s + around_s)
        norm = np.linalg.norm(before, axis=0) * np.linalg.norm(after, axis=0)
        cosine = np.einsum("ct,ct->t", before, after) / np.maximum(norm, 1e-9)
        return np.asarray(np.where(norm > 1e-9, 1 - cosine, 0))

    def onset(self, band: int, times_s: Array) -> Array:
        """Strongest onset of the band within two frames of each moment."""
        frames = np.round(times_s / HOP_S).astype(int)[:, None] + np.arange(-2, 3)
        inside = frames.clip(0, self._bands.shape[1] - 1)
        return np.asarray(self._bands[band][inside].max(axis=1), dtype=np.float64)

    def activity(self, beats_s: Array, places: tuple[float, ...]) -> Array:
        """Mean onset of each band at these places between the beats, beside that on the beats, [4]."""
        gaps = np.append(np.diff(beats_s), np.median(np.diff(beats_s)))
        on = np.array([self.onset(band, beats_s).mean() for band in range(4)])
        between = [[self.onset(band, beats_s + place * gaps).mean() for band in range(4)] for place in places]
        return np.asarray(np.mean(between, axis=0) / np.maximum(on, 1e-9))

    def of(self, times_s: Array, beat_s: float) -> Array:
        """Accent of each moment, in standard deviations."""
        change = _standard(self.harmonic_change(times_s, _AROUND_BEATS * beat_s))
        low, middle = (_standard(self.onset(band, times_s)) for band in (0, 1))
        return np.asarray(change + _LOW_WEIGHT * low + _MIDDLE_WEIGHT * middle)

    def _mean_chroma(self, start_s: Array, stop_s: Array) -> Array:
        """Mean of each span, [12, spans]; beyond the edges there is silence."""
        at = np.arange(self._sum.shape[1]) - 0.5
        starts, stops = start_s / PITCH_HOP_S, stop_s / PITCH_HOP_S
        sums = [np.interp(stops, at, row) - np.interp(starts, at, row) for row in self._sum]
        return np.asarray(np.array(sums) / np.maximum(stops - starts, 1e-9))


def find_bars(tracks: Sequence[Array], accents: Accents) -> Grid:
    """Choose among beats as tracked in several ways at one tempo, and shifted by half a beat; with bars over them.

    The first track stays unless the bars of another stand out more. Between beats and half beats, bars that stand out
    speak for beats, and so do cymbals, which are hit harder on beats than between. The phase of the first track, on
    which onsets are strongest, is given up for good reason only.
    """
    pairs = [[best_bars(beats_s, accents) for beats_s in (track, half_beat_later(track))] for track in tracks]
    clear = [max(grid.strength for grid in pair) for pair in pairs]
    clear[0] += _TRACK_MARGIN
    return max(pairs[int(np.argmax(clear))], key=lambda grid: _likelihood(grid, tracks[0], accents))


def _likelihood(grid: Grid, tracked_s: Array, accents: Accents) -> float:
    return _clarity(grid, accents) * (_SHIFT_MARGIN if _in_phase(grid.beats_s, tracked_s) else 1)


def _clarity(grid: Grid, accents: Accents) -> float:
    on, off = (float(accents.onset(3, times_s).mean()) for times_s in (grid.beats_s, half_beat_later(grid.beats_s)))
    cymbals = np.clip(on / max(off, 1e-9), 1 / _CYMBALS_AT_MOST, _CYMBALS_AT_MOST)
    return max(grid.strength, 1e-3) * float(cymbals**_CYMBALS_WEIGHT)


def _in_phase(beats_s: Array, others_s: Array) -> bool:
    """Tell whether most beats are nearer to the others than a quarter of a beat."""
    at = np.searchsorted(others_s, beats_s).clip(1, len(others_s) - 1)
    distance = np.minimum(np.abs(others_s[at] - beats_s), np.abs(others_s[at - 1] - beats_s))
    return bool(np.median(distance) < np.median(np.diff(beats_s)) / 4)


def best_bars(beats_s: Array, accents: Accents) -> Grid:
    """Choose the bar length and the first downbeat whose accents stand out most over the whole song.

    Two ternary beats make a 6/8 bar, unless they are fast and drummed: then it is swing or shuffle, in four.
    """
    both = np.sort(np.concatenate([beats_s, half_beat_later(beats_s)]))
    beat_s = float(np.median(np.diff(beats_s)))
    accent = accents.of(both, beat_s)[np.searchsorted(both, beats_s)]
    choices = sorted(
        (-(float(accent[first::bar].mean()) - _TRIPLE_PENALTY * (bar == 3)), bar, first)
        for bar in (4, 3)
        for first in range(bar)
    )
    (best, bar, first), (second, *_) = choices[:2]
    halved = first % 2
    duple, off = (float(accent[start::2].mean()) for start in (halved, 1 - halved))
    swings = accents.drums >= _DRUMMED and beat_s < 60 / _SWING_BPM
    if bar == 4 and duple > _DUPLE_SHARE * -best and not swings and is_ternary(beats_s, accents):
        return Grid(beats_s, 2, halved, strength=-best, margin=duple - off)
    return Grid(beats_s, bar, first, strength=-best, margin=second - best)


def is_ternary(beats_s: Array, accents: Accents) -> bool:
    """Tell whether the beats divide into three rather than two."""
    thirds, halves = accents.activity(beats_s, (1 / 3, 2 / 3)), accents.activity(beats_s, (1 / 2,))
    return bool(thirds[1:].mean() > _TERNARY_RATIO * halves[1:].mean())


def half_beat_later(beats_s: Array) -> Array:
    """Move every beat half way to the next."""
    gaps = np.diff(beats_s)
    return beats_s + np.append(gaps, gaps[-1]) / 2


def _standard(values: Array) -> Array:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9))
