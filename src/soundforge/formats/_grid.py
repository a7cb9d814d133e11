"""The grid of beats and bars, and what a person may do to it. Pure; times in seconds from the start of the song.

Whatever is done keeps the beats in order and inside the song. What a tracker followed stays followed: a doubled tempo
puts a beat into the middle of every two, so a song that drifts still drifts.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

# Ratios between a tempo that somebody names and the one that was found at which the beats that were found are right,
# and only counted otherwise.
_RATIOS = tuple(Fraction(*pair) for pair in ((1, 4), (1, 3), (1, 2), (2, 3), (1, 1), (3, 2), (2, 1), (3, 1), (4, 1)))
_STEADY, _DRIFTING = 0.001, 0.04  # how far from such a ratio a named tempo may be, as a share of it
_SAME = 1e-4  # of a beat


@dataclass(frozen=True)
class Grid:
    """Beats in ascending order; ``downbeats`` are indices of those that begin a bar."""

    beats_s: tuple[float, ...]
    downbeats: tuple[int, ...]

    @property
    def first_downbeat_s(self) -> float | None:
        """Where the first bar begins; the first beat where no bars are known."""
        return self.beats_s[self.downbeats[0] if self.downbeats else 0] if self.beats_s else None

    @property
    def bars_s(self) -> list[float]:
        """Where the bars begin."""
        return [self.beats_s[i] for i in self.downbeats]

    def interval_at(self, index: int) -> float:
        """Distance in seconds from a beat to the next one; behind the last, that of the last two."""
        index = min(index, len(self.beats_s) - 2)
        return self.beats_s[index + 1] - self.beats_s[index]

    def nearest(self, t_s: float) -> int:
        """Index of the beat that is nearest to a moment."""
        right = bisect_right(self.beats_s, t_s)
        return min(
            (i for i in (right - 1, right) if 0 <= i < len(self.beats_s)), key=lambda i: abs(self.beats_s[i] - t_s)
        )


def grid_of(document: Mapping[str, Any]) -> Grid:
    """Beats and bars as a document has them; empty where it has none."""
    beats = (document.get("beats") or {}).get("times_s") or ()
    return Grid(tuple(beats), tuple((document.get("downbeats") or {}).get("beat_indices") or ()))


def ratio_of(named_bpm: float, found_bpm: float, *, drifts: bool) -> Fraction | None:
    """The ratio at which the found beats serve the named tempo; None where only an even grid does."""
    told = named_bpm / found_bpm
    slack = _DRIFTING if drifts else _STEADY
    best = min(_RATIOS, key=lambda ratio: abs(told / ratio - 1))
    return best if abs(told / best - 1) <= slack else None


def counted(grid: Grid, ratio: Fraction, *, at_s: float | None = None) -> Grid:
    """The same beats counted ``ratio`` times as fast; of beats that go, the one nearest to ``at_s`` stays."""
    return _thinned(_parted(grid, ratio.numerator), ratio.denominator, at_s)


def even(bpm: float, at_s: float, duration_s: float, beats_per_bar: int) -> Grid:
    """A grid of one tempo over the whole song, a bar beginning at ``at_s``."""
    period = 60 / bpm
    before = math.floor(at_s / period)
    count = before + math.ceil((duration_s - at_s) / period)
    beats = [at_s + (i - before) * period for i in range(count)]
    kept = tuple(beat for beat in beats if 0 <= beat < duration_s)
    return barred(Grid(kept, ()), at_s, beats_per_bar) if kept else Grid((), ())


def shifted(grid: Grid, at_s: float, duration_s: float) -> Grid:
    """The whole grid moved by that part of a beat that brings a beat to ``at_s``; it reaches there at least."""
    if len(grid.beats_s) < 2:  # noqa: PLR2004 - a distance takes two
        return grid
    grid = _reaching(grid, at_s)
    beats = grid.beats_s
    index = min(max(bisect_right(beats, at_s) - 1, 0), len(beats) - 1)
    part = (at_s - beats[index]) / grid.interval_at(index)
    if min(part, 1 - part) < _SAME:
        return _inside(grid, duration_s)
    moved = [beats[0] - (1 - part) * grid.interval_at(0)]
    moved += [beat + part * grid.interval_at(i) for i, beat in enumerate(beats)]
    return _inside(Grid(tuple(moved), tuple(i + 1 for i in grid.downbeats)), duration_s)


def barred(grid: Grid, at_s: float, beats_per_bar: int) -> Grid:
    """The same beats with bars of ``beats_per_bar``, one of which begins at the beat nearest to ``at_s``."""
    if not grid.beats_s:
        return grid
    first = grid.nearest(at_s) % beats_per_bar
    return replace(grid, downbeats=tuple(range(first, len(grid.beats_s), beats_per_bar)))


def _reaching(grid: Grid, at_s: float) -> Grid:
    """The grid carried on at either end, at the pace it has there, until it holds ``at_s``."""
    beats = grid.beats_s
    pace, last = grid.interval_at(0), grid.interval_at(len(beats) - 1)
    before, behind = (max(0, math.ceil(gap)) for gap in ((beats[0] - at_s) / pace, (at_s - beats[-1]) / last))
    earlier = [beats[0] - step * pace for step in range(before, 0, -1)]
    later = [beats[-1] + step * last for step in range(1, behind + 1)]
    return Grid((*earlier, *beats, *later), tuple(i + before for i in grid.downbeats))


def _inside(grid: Grid, duration_s: float) -> Grid:
    """The beats that lie in the song."""
    kept = tuple(beat for beat in grid.beats_s if 0 <= beat < duration_s)
    gone = sum(1 for beat in grid.beats_s if beat < 0)
    return Grid(kept, tuple(i - gone for i in grid.downbeats if 0 <= i - gone < len(kept)))


def _parted(grid: Grid, parts: int) -> Grid:
    """Each distance between two beats in ``parts`` equal ones, and each bar in as many bars."""
    beats, downs = grid.beats_s, grid.downbeats
    if parts == 1 or not beats:
        return grid
    between = [beat + step / parts * grid.interval_at(i) for i, beat in enumerate(beats[:-1]) for step in range(parts)]
    length = downs[-1] - downs[-2] if len(downs) > 1 else 0
    bars = [*zip(downs, [*downs[1:], downs[-1] + length], strict=True)] if downs else []
    begins = (parts * start + step * (end - start) for start, end in bars for step in range(parts))
    count = len(between) + 1
    return Grid((*between, beats[-1]), tuple(sorted({begin for begin in begins if begin < count})))


def _thinned(grid: Grid, parts: int, at_s: float | None) -> Grid:
    """Every ``parts``-th beat, and every ``parts``-th bar, counted from the first bar."""
    if parts == 1 or not grid.beats_s:
        return grid
    anchor = grid.nearest(at_s) if at_s is not None else grid.downbeats[0] if grid.downbeats else 0
    first = anchor % parts
    downs = grid.downbeats[_place(grid.downbeats, anchor) % parts :: parts]
    kept = tuple((i - first) // parts for i in downs if (i - first) % parts == 0)
    return Grid(grid.beats_s[first::parts], kept)


def _place(downbeats: Sequence[int], index: int) -> int:
    """How many bars begin before a beat."""
    return sum(1 for downbeat in downbeats if downbeat < index)
