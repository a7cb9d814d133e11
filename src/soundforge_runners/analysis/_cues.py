"""Cue points that a DJ would set: the first downbeat, where sections begin, drops, and where the song fades."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._structure import Section

type Array = NDArray[np.float64]

_DROP_RISE = 0.2
_DROP_ENERGY = 0.6
_FADE_SHARE = 0.5


@dataclass(frozen=True)
class Cue:
    """A moment worth jumping to. `bar` counts from 0 at the first downbeat."""

    t_s: float
    kind: str
    bar: int


def find_cues(sections: Sequence[Section], downbeats_s: Array, energy: Array) -> list[Cue]:
    """Set cues in order of time; `kind` is first_downbeat, section, drop or fade_out."""
    if not len(downbeats_s):
        return []
    cues = [Cue(float(downbeats_s[0]), "first_downbeat", 0)]
    for before, section in pairwise(sections):
        kind = "drop" if _is_drop(before, section) else "section"
        cues.append(Cue(section.start_s, kind, _bar(section.start_s, downbeats_s)))
    fade_s = fade_start(energy)
    if fade_s is not None:
        cues.append(Cue(fade_s, "fade_out", _bar(fade_s, downbeats_s)))
    return sorted(cues, key=lambda cue: (cue.t_s, cue.kind))


def fade_start(energy: Array) -> float | None:
    """Give the second from which the energy only falls, to half or less and over 4 s or more; None if it just ends."""
    smooth = np.convolve(energy, np.ones(3) / 3, mode="valid") if len(energy) >= 8 else energy[:0]
    start = len(smooth) - 1
    while start > 0 and smooth[start - 1] >= smooth[start] - 0.01:
        start -= 1
    falls = len(smooth) - start >= 4 and smooth[-1] <= _FADE_SHARE * smooth[start]
    return float(start + 1) if falls else None


def _is_drop(before: Section, section: Section) -> bool:
    return section.energy >= _DROP_ENERGY and section.energy - before.energy >= _DROP_RISE


def _bar(at_s: float, downbeats_s: Array) -> int:
    return max(0, int(np.searchsorted(downbeats_s, at_s + 0.01)) - 1)
