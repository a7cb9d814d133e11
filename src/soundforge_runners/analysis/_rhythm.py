"""The rhythm stage: onsets, tempo, beats, bars, in this order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._beats import track_beats
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._meter import Accents, Grid, find_bars
from soundforge_runners.analysis._spectrum import HOP_S, Spectra
from soundforge_runners.analysis._tempo import Tempo, estimate_tempo, is_percussive, onset_curve

type Array = NDArray[np.float64]

_FEWEST_BEATS = 4
_LEAST_SALIENCE = 0.05
_CURVE_BEATS = 16
_STABLE_SHARE = 0.02


@dataclass(frozen=True)
class Rhythm:
    """Beats with their bars; tempo and its alternatives."""

    grid: Grid
    tempo: Tempo
    bpm: float
    """From the beats themselves."""

    @property
    def downbeats_s(self) -> Array:
        """Times of the first beats of the bars."""
        return self.grid.beats_s[self.grid.downbeats]

    def curve(self) -> list[tuple[float, float]]:
        """(seconds, bpm) over every 16 beats."""
        beats = self.grid.beats_s
        knots = beats[::_CURVE_BEATS]
        counts = np.diff(np.arange(0, len(beats), _CURVE_BEATS))
        tempi = 60 * counts / np.diff(knots)
        return [(float(t), float(bpm)) for t, bpm in zip(knots[:-1], tempi, strict=True)]

    def is_stable(self) -> bool:
        """Tell whether one tempo describes the whole song within 2 %."""
        tempi = np.array([bpm for _, bpm in self.curve()])
        return bool((np.abs(tempi / self.bpm - 1) <= _STABLE_SHARE).all())

    def alternatives(self) -> list[tuple[float, float]]:
        """Other tempi with their scores, 0..1, best first."""
        return list(self.tempo.alternatives)

    def confidence(self) -> float:
        """How likely the tempo is right, 0..1: the beats are even, and the second best tempo is far behind."""
        second = self.tempo.alternatives[0][1] if self.tempo.alternatives else 0.0
        return float(np.clip(self.regularity() * (1 - 0.5 * second), 0, 1))

    def bar_confidence(self) -> float:
        """How far the chosen bars stand before the second best, 0..1."""
        return float(np.clip(self.grid.margin / max(self.grid.strength, 1e-9), 0, 1))

    def regularity(self) -> float:
        """Share of beats whose distance is within 8 % of the local median, 0..1."""
        gaps = np.diff(self.grid.beats_s)
        return float(np.mean(np.abs(gaps / np.median(gaps) - 1) < 0.08))


def find_rhythm(spectra: Spectra, chroma: Chroma) -> Rhythm | None:
    """Find tempo, beats and bars; None where there is no beat."""
    curve = onset_curve(spectra.onset_bands)
    tempo = estimate_tempo(curve, percussive=is_percussive(spectra.onset_bands))
    if tempo is None or tempo.salience < _LEAST_SALIENCE:
        return None
    beats_s = track_beats(curve, tempo.bpm) * HOP_S
    if len(beats_s) < _FEWEST_BEATS:
        return None
    grid = find_bars(beats_s, Accents(spectra.onset_bands, chroma.whole))
    return Rhythm(grid=grid, tempo=tempo, bpm=60 / float(np.median(np.diff(grid.beats_s))))
