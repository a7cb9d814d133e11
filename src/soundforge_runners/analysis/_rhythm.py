"""The rhythm stage: onsets, tempo, beats, bars, in this order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._beats import carried_on, track_beats
from soundforge_runners.analysis._chroma import Chroma
from soundforge_runners.analysis._cues import Bars
from soundforge_runners.analysis._meter import Accents, Grid, best_bars, find_bars, half_beat_later
from soundforge_runners.analysis._spectrum import HOP_S, Spectra
from soundforge_runners.analysis._tempo import Tempo, estimate_tempo, onset_curve, onset_span, percussiveness

type Array = NDArray[np.float64]

_FEWEST_BEATS = 4
_LEAST_SALIENCE = 0.03
_RIVAL_SCORE, _RIVAL_MARGIN = 0.7, 0.5
_CROSS_RATIOS = (3 / 2, 2 / 3, 4 / 3, 3 / 4)
_FASTER_SCORE, _RATIO_SLACK = 0.5, 0.04
_THIRDS_STRUCK, _HALVES_STRUCK = 0.6, 0.45
_ANY_DRUMS = 0.26
_SLOW_BPM, _HALF_TIME_ACTIVITY, _HALF_TIME_MARGIN = 100.0, 0.45, 0.4
_FAST_BPM, _DOUBLE_TIME_ACTIVITY, _DOUBLE_TIME_SHARE = 140.0, 0.2, 0.75
_CLEAR_BASE, _CLEAR_SLOPE, _SECOND_DOUBT = 0.3, 4.0, 0.06
_OCTAVE_SCORE, _SAME_TEMPO = 0.1, 0.04
_CURVE_BEATS = 16
_TEMPO_SPAN = 32  # beats
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
        """Other tempi with their scores, 0..1, best first; double and half are always among them."""
        heard = [(self.tempo.bpm, 1.0), *self.tempo.alternatives]
        octaves = [(self.bpm * ratio, _OCTAVE_SCORE) for ratio in (0.5, 2.0)]
        others: list[tuple[float, float]] = []
        for bpm, score in (*heard, *octaves):
            if all(abs(bpm / known - 1) > _SAME_TEMPO for known in (self.bpm, *(other for other, _ in others))):
                others.append((bpm, score))
        return sorted(others, key=lambda other: -other[1])

    def confidence(self) -> float:
        """How likely the tempo is right, 0..1: beats are even, onsets repeat clearly, the second best is behind."""
        second = self.tempo.alternatives[0][1] if self.tempo.alternatives else 0.0
        clear = np.clip(_CLEAR_BASE + _CLEAR_SLOPE * self.tempo.salience, 0, 1)
        return float(np.clip(self.regularity() * clear * (1 - _SECOND_DOUBT * second), 0, 1))

    def bar_confidence(self) -> float:
        """How likely the bars are right, 0.5..1: by how far they stand before the second best."""
        return float(0.5 + 0.5 * np.clip(self.grid.margin / max(self.grid.strength, 1e-9), 0, 1))

    def regularity(self) -> float:
        """Share of beats whose distance is within 8 % of the local median, 0..1."""
        gaps = np.diff(self.grid.beats_s)
        return float(np.mean(np.abs(gaps / np.median(gaps) - 1) < 0.08))


def find_rhythm(spectra: Spectra, chroma: Chroma) -> Rhythm | None:
    """Find tempo, beats and bars; None where there is no beat."""
    curve, drums = onset_curve(spectra.onset_bands), percussiveness(spectra.onset_bands)
    tempo = estimate_tempo(curve, drums)
    if tempo is None or tempo.salience < _LEAST_SALIENCE:
        return None
    accents = Accents(spectra.onset_bands, chroma.whole)
    beats_s = _right_beats(curve, tempo, drums, accents)
    if beats_s is None:
        return None
    grid = best_bars(carried_on(beats_s, *onset_span(spectra.onset_bands)), accents)
    return Rhythm(grid=grid, tempo=tempo, bpm=_tempo_of(beats_s))


def bars_of(rhythm: Rhythm, accents: Accents) -> Bars:
    """The bars with the strength of the beats in each: the mean onset of all bands over the bar's beats."""
    grid = rhythm.grid
    struck = np.mean([accents.onset(band, grid.beats_s) for band in range(4)], axis=0)
    pulse = [struck[first : first + grid.beats_per_bar].mean() for first in grid.downbeats]
    return Bars(rhythm.downbeats_s, np.array(pulse), rhythm.bar_confidence())


def _tempo_of(beats_s: Array) -> float:
    """The median tempo over spans of up to 32 beats: single beats stand on a grid of 12 ms, spans do not show it."""
    span = max(1, min(_TEMPO_SPAN, len(beats_s) // 2))
    return 60 * span / float(np.median(beats_s[span:] - beats_s[:-span]))


def _right_beats(curve: Array, tempo: Tempo, drums: float, accents: Accents) -> Array | None:
    """Track the beats at the best tempo and its rivals, in phase and not at half time."""
    grid, *rivals = (_grid(curve, bpm, accents) for bpm in (tempo.bpm, *_cross_rivals(tempo)))
    if grid is None:
        return None
    for rival in rivals:
        if rival is not None and rival.strength > grid.strength + _RIVAL_MARGIN:
            grid = rival
    if is_two_thirds(grid.beats_s, accents):
        grid = _half_as_fast_again(curve, _bpm(grid), tempo, accents) or grid
    if drums >= _ANY_DRUMS and float(np.median(np.diff(grid.beats_s))) > 60 / _SLOW_BPM:
        double = _grid(curve, 2 * _bpm(grid), accents)
        if double is not None and is_half_time(grid, double, accents):
            return double.beats_s
    strong = strong_half(grid.beats_s, accents)
    return grid.beats_s if strong is None else find_bars([strong], accents).beats_s


def is_half_time(grid: Grid, double: Grid, accents: Accents) -> bool:
    """Tell whether slow beats are every other beat.

    Then sixteenths would be struck about as hard as the beats: so drum and bass is 170 and not 85. Or what lies between
    the beats is struck, swung notes before it and before the beats, and the bars of the doubled beats stand out more.
    """
    places = ((1 / 2,), (1 / 4, 3 / 4), (1 / 3, 5 / 6))
    between, sixteenths, swung = (float(accents.activity(grid.beats_s, at).mean()) for at in places)
    swings = between > _HALF_TIME_ACTIVITY and swung > sixteenths
    return sixteenths > _HALF_TIME_ACTIVITY or (swings and double.strength > grid.strength + _HALF_TIME_MARGIN)


def is_two_thirds(beats_s: Array, accents: Accents) -> bool:
    """Tell whether the beats are one and a half of the music's: all bands strike thirds as hard as beats, not halves.

    In 6/8, swing and waltz the bass does not play the thirds.
    """
    thirds, halves = accents.activity(beats_s, (1 / 3, 2 / 3)), accents.activity(beats_s, (1 / 2,))
    return bool(thirds.min() > _THIRDS_STRUCK and halves.mean() < _HALVES_STRUCK)


def _half_as_fast_again(curve: Array, bpm: float, tempo: Tempo, accents: Accents) -> Grid | None:
    heard = (tempo.bpm, *(other for other, score in tempo.alternatives if score >= _FASTER_SCORE))
    return next((_grid(curve, other, accents) for other in heard if abs(other / bpm / 1.5 - 1) < _RATIO_SLACK), None)


def strong_half(beats_s: Array, accents: Accents) -> Array | None:
    """Give every other beat where fast beats are half beats; None where they are beats.

    Half beats they are if nothing is struck between them, and every other one is weaker in all bands: so a pop song
    with eighths on the hi-hat is 96 and not 192, but a waltz (even) and drum and bass (busy) stay fast.
    """
    if float(np.median(np.diff(beats_s))) > 60 / _FAST_BPM or len(beats_s) < 2 * _FEWEST_BEATS:
        return None
    on = np.array([accents.onset(band, beats_s) for band in range(4)])
    halves = [on[:, start::2].mean(axis=1) for start in (0, 1)]
    weak, strong = sorted((0, 1), key=lambda half: float((halves[half] / np.maximum(on.mean(axis=1), 1e-9)).sum()))
    share = halves[weak] / np.maximum(halves[strong], 1e-9)
    empty = float(accents.activity(beats_s, (1 / 2,)).mean()) < _DOUBLE_TIME_ACTIVITY
    return beats_s[strong::2] if empty and share.max() < 1 and share.mean() < _DOUBLE_TIME_SHARE else None


def with_half_beats(beats_s: Array) -> Array:
    """Put a beat between every two."""
    return np.sort(np.concatenate([beats_s, half_beat_later(beats_s)]))


def _grid(curve: Array, bpm: float, accents: Accents) -> Grid | None:
    """Beats at this tempo, tracked as such, and as every other beat or half beat of slower and faster beats.

    Where a track slips out of phase in some part of the song, the others seldom do so too.
    """
    beats_s, slow_s, fast_s = (track_beats(curve, bpm * ratio) * HOP_S for ratio in (1.0, 0.5, 2.0))
    tracks = [beats_s, with_half_beats(slow_s) if len(slow_s) > 1 else slow_s, fast_s[::2]]
    long = [track for track in tracks if len(track) >= _FEWEST_BEATS]
    return find_bars(long, accents) if len(beats_s) >= _FEWEST_BEATS else None


def _bpm(grid: Grid) -> float:
    return 60 / float(np.median(np.diff(grid.beats_s)))


def _cross_rivals(tempo: Tempo) -> list[float]:
    """Strong alternatives at 3:2, 2:3, 4:3 or 3:4, which cross-rhythms may hide the beat behind."""
    ratios = [(bpm, bpm / tempo.bpm) for bpm, score in tempo.alternatives if score >= _RIVAL_SCORE]
    return [bpm for bpm, ratio in ratios if any(abs(ratio / cross - 1) < 0.03 for cross in _CROSS_RATIOS)]
