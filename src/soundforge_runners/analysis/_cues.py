"""Cue points that a DJ would set: first downbeat, mix-in, sections, drops, mix-out, and where the song fades."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._structure import Section

type Array = NDArray[np.float64]

_DROP_RISE, _DROP_ENERGY, _DROP_CERTAIN = 0.2, 0.6, 0.4
_FADE_SHARE = 0.5
_BEATEN, _PHRASE_BARS = 0.5, 8
_FEWEST_BARS_LEFT, _WANTED_BARS_LEFT = 4, 8
_GUESS = 0.4


@dataclass(frozen=True)
class Cue:
    """A moment worth jumping to. `bar` counts from 0 at the first downbeat."""

    t_s: float
    kind: str
    bar: int
    confidence: float


@dataclass(frozen=True)
class Bars:
    """The bars of a song: where they begin, how strongly the beat is played in each, and how sure they are."""

    starts_s: Array
    pulse: Array
    confidence: float

    def at(self, t_s: float) -> int:
        """Bar that sounds at a moment."""
        return max(0, int(np.searchsorted(self.starts_s, t_s + 0.01)) - 1)

    def beaten(self) -> NDArray[np.bool_]:
        """Mark the bars whose beats are struck at least half as hard as in the louder half of the song."""
        strong = np.sort(self.pulse)[len(self.pulse) // 2 :]
        return np.asarray(self.pulse >= _BEATEN * float(np.median(strong)))


def find_cues(sections: Sequence[Section], bars: Bars, energy: Array) -> list[Cue]:
    """Set cues in order of time.

    `kind` is first_downbeat, mix_in, section, drop, mix_out or fade_out; all but the last lie on a downbeat.
    """
    if not len(bars.starts_s):
        return []
    cues = [Cue(float(bars.starts_s[0]), "first_downbeat", 0, bars.confidence)]
    for before, section in pairwise(sections):
        cues.append(_section_cue(before, section, bars))
    cues += [cue for cue in (mix_in(bars), mix_out(sections, bars)) if cue is not None]
    fade_s = fade_start(energy)
    if fade_s is not None:
        fallen = 1 - float(energy[-1]) / max(float(energy[int(fade_s)]), 1e-9)
        cues.append(Cue(fade_s, "fade_out", bars.at(fade_s), float(np.clip(fallen, 0, 1))))
    return sorted(cues, key=lambda cue: (cue.t_s, cue.kind))


def mix_in(bars: Bars) -> Cue | None:
    """Where to bring the song in: the first bar from which the beat is played, as surely as it goes on for 8 bars."""
    beaten = bars.beaten()
    if not beaten.any():
        return None
    bar = int(np.argmax(beaten))
    goes_on = float(beaten[bar : bar + _PHRASE_BARS].mean())
    return Cue(float(bars.starts_s[bar]), "mix_in", bar, bars.confidence * goes_on)


def mix_out(sections: Sequence[Section], bars: Bars) -> Cue | None:
    """Where to begin leaving: the last section that begins with 8 bars of beat to come, with 4 if there is none.

    Where no section of the second half does, 8 bars before the beat ends, and little confidence.
    """
    beaten = np.nonzero(bars.beaten())[0]
    if len(beaten) < 2 * _FEWEST_BARS_LEFT:
        return None
    end, half = int(beaten[-1]) + 1, len(bars.starts_s) // 2
    begins = [(bars.at(section.start_s), section.confidence) for section in sections[1:]]
    for wanted in (_WANTED_BARS_LEFT, _FEWEST_BARS_LEFT):
        fit = [(bar, sure) for bar, sure in begins if bar >= half and end - bar >= wanted]
        if fit:
            bar, sure = fit[-1]
            return Cue(float(bars.starts_s[bar]), "mix_out", bar, bars.confidence * sure)
    bar = max(half, end - _WANTED_BARS_LEFT)
    return Cue(float(bars.starts_s[bar]), "mix_out", bar, _GUESS * bars.confidence)


def fade_start(energy: Array) -> float | None:
    """Give the second from which the energy only falls, to half or less and over 4 s or more; None if it just ends."""
    smooth = np.convolve(energy, np.ones(3) / 3, mode="valid") if len(energy) >= 8 else energy[:0]
    start = len(smooth) - 1
    while start > 0 and smooth[start - 1] >= smooth[start] - 0.01:
        start -= 1
    falls = len(smooth) - start >= 4 and smooth[-1] <= _FADE_SHARE * smooth[start]
    return float(start + 1) if falls else None


def _section_cue(before: Section, section: Section, bars: Bars) -> Cue:
    rise = section.energy - before.energy
    bar, sure = bars.at(section.start_s), bars.confidence * section.confidence
    if section.energy >= _DROP_ENERGY and rise >= _DROP_RISE:
        return Cue(section.start_s, "drop", bar, sure * float(np.clip(rise / _DROP_CERTAIN, 0, 1)))
    return Cue(section.start_s, "section", bar, sure)
