"""Cue points: what an analysis found as people take it over, and places on the grid. Pure."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from soundforge.formats._grid import Grid, grid_of

_DIGITS = 4
_KINDS: Final = {  # name and colour
    "first_downbeat": ("First bar", "aqua"),
    "mix_in": ("Mix in", "green"),
    "drop": ("Drop", "orange"),
    "vocals_in": ("Vocals in", "purple"),
    "vocals_out": ("Vocals out", "purple"),
    "mix_out": ("Mix out", "red"),
    "fade_out": ("Fade", "yellow"),
}
_SECTION_COLOUR: Final = "blue"


@dataclass(frozen=True)
class FoundCue:
    """A moment that an analysis found worth a cue; those of sections are many and become memory cues."""

    t_s: float
    name: str
    colour: str
    is_section: bool


def found_cues(document: Mapping[str, Any]) -> list[FoundCue]:
    """The cues of a document in the order of time; a section is named as its user or the analysis names it."""
    sections = {one["start_s"]: str(one.get("label") or one["group"]) for one in document.get("sections") or ()}
    found = []
    for cue in document.get("cues") or ():
        name, colour = _KINDS.get(cue["kind"], (sections.get(cue["t_s"], "Section").capitalize(), _SECTION_COLOUR))
        found.append(FoundCue(cue["t_s"], name, colour, is_section=cue["kind"] not in _KINDS))
    return sorted(found, key=lambda cue: (cue.t_s, cue.is_section))


def has_grid(document: Mapping[str, Any]) -> bool:
    """Whether there are beats to count."""
    return len(grid_of(document).beats_s) > 1


def on_beat(document: Mapping[str, Any], t_s: float) -> float:
    """The nearest beat; the same moment where none is nearer than the beats are apart there."""
    grid = grid_of(document)
    if len(grid.beats_s) < 2:  # noqa: PLR2004 - a distance takes two
        return t_s
    nearest = grid.nearest(t_s)
    beat = grid.beats_s[nearest]
    return beat if abs(beat - t_s) <= grid.interval_at(nearest) else t_s


def beats_on(document: Mapping[str, Any], t_s: float, beats: float) -> float:
    """So many beats later, or earlier; what lies between two beats keeps its place there.

    Before and behind all beats they go on as they are at that end.
    """
    grid = grid_of(document)
    place = _place(grid, t_s) + beats
    index = min(max(math.floor(place), 0), len(grid.beats_s) - 1)
    return round(grid.beats_s[index] + (place - index) * grid.interval_at(index), _DIGITS)


def _place(grid: Grid, t_s: float) -> float:
    """Where a moment lies, counted in beats from the first."""
    index = max(0, bisect_right(grid.beats_s, t_s) - 1)
    return index + (t_s - grid.beats_s[index]) / grid.interval_at(index)
