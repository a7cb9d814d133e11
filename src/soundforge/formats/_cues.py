"""Cue points laid over what was found: singing adds some, moved bars and edited sections move some. Pure.

A cue is ``t_s``, ``kind``, ``bar`` (from 0 at the first downbeat) and ``confidence``; lists are in order of time.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from soundforge.formats._vocals import likely_sung

type Value = Mapping[str, Any]
type Cues = list[dict[str, Any]]

_BESIDE_BARS: Final = ("fade_out", "vocals_in", "vocals_out")
_OF_SECTIONS: Final = ("section", "drop")
_FEWEST_SUNG_S: Final = 1.0  # less is a shout, or something that leaked into the stem
_SAME_S: Final = 0.05
_NEAR_BARS: Final = 8
# The analysis tells drops from other sections by the same figures: tests hold them together.
_DROP_ENERGY, _DROP_RISE = 0.6, 0.2
_DIGITS: Final = 4


def with_vocals(cues: Sequence[Value], vocals: Value, bars: Sequence[float]) -> Cues:
    """Where singing begins and ends, among the other cues: singing that is more likely than not, and no shout."""
    sung = [span for span in likely_sung(vocals) if span["end_s"] - span["start_s"] >= _FEWEST_SUNG_S]
    if not sung:
        return [dict(cue) for cue in cues]
    ends = ((sung[0], "start_s", "vocals_in"), (sung[-1], "end_s", "vocals_out"))
    added = [_cue(span[edge], kind, bars, span["confidence"]) for span, edge, kind in ends]
    return _ordered([*cues, *added])


def first_bar(bars: Sequence[float]) -> dict[str, Any]:
    """The cue that a song has as soon as anybody knows its bars."""
    return _cue(bars[0], "first_downbeat", bars, 1.0)


def on_bars(cues: Sequence[Value], bars: Sequence[float], *, moves: bool) -> Cues:
    """Cues with the bars counted anew; where the bars moved, those that lay on one lie on one again."""
    placed = []
    for cue in cues:
        t_s = cue["t_s"]
        if cue["kind"] == "first_downbeat":
            t_s = bars[0]
        elif moves and cue["kind"] not in _BESIDE_BARS:
            t_s = nearest(bars, t_s)
        placed.append({**cue, "t_s": round(t_s, _DIGITS), "bar": bar_at(bars, t_s)})
    return _ordered(placed)


def on_sections(cues: Sequence[Value], found: Sequence[Value], edited: Sequence[Value], bars: Sequence[float]) -> Cues:
    """Cues of the sections that somebody made of those that were ``found``; mixing in and out go along to the nearest.

    Mixing in goes only where a section began there; neither goes further than eight bars.
    """
    starts, found_starts = ([section["start_s"] for section in sections[1:]] for sections in (edited, found))
    kept = [cue for cue in cues if cue["kind"] not in _OF_SECTIONS]
    moved = [
        {**cue, **_moved(cue["t_s"], starts, bars)}
        if cue["kind"] == "mix_out" or (cue["kind"] == "mix_in" and _is_at(found_starts, cue["t_s"]))
        else cue
        for cue in kept
    ]
    return _ordered([*moved, *_section_cues(cues, edited, bars)])


def nearest(bars: Sequence[float], t_s: float) -> float:
    """The bar that begins nearest to a moment."""
    found: float = min(bars, key=lambda bar: abs(bar - t_s))
    return round(found, _DIGITS)


def bar_at(bars: Sequence[float], t_s: float) -> int:
    """The bar that sounds at a moment."""
    return max(0, sum(1 for start in bars if start <= t_s + 0.01) - 1)


def _section_cues(cues: Sequence[Value], edited: Sequence[Value], bars: Sequence[float]) -> Cues:
    known = {cue["t_s"]: cue["kind"] for cue in cues if cue["kind"] in _OF_SECTIONS}
    made = []
    for before, section in pairwise(edited):
        start_s = section["start_s"]
        kind = next((kind for t_s, kind in known.items() if abs(t_s - start_s) <= _SAME_S), _kind(before, section))
        kind = "drop" if section.get("label") == "drop" else kind
        made.append(_cue(start_s, kind, bars, 1.0))
    return made


def _kind(before: Value, section: Value) -> str:
    energy, rise = section.get("energy") or 0.0, (section.get("energy") or 0.0) - (before.get("energy") or 0.0)
    return "drop" if energy >= _DROP_ENERGY and rise >= _DROP_RISE else "section"


def _moved(t_s: float, starts: Sequence[float], bars: Sequence[float]) -> dict[str, Any]:
    """The nearest start, where it is near enough."""
    length_s = (bars[-1] - bars[0]) / max(1, len(bars) - 1)
    to_s: float = min(starts, key=lambda start: abs(start - t_s), default=t_s)
    to_s = to_s if abs(to_s - t_s) <= _NEAR_BARS * length_s + _SAME_S else t_s
    return {"t_s": round(to_s, _DIGITS), "bar": bar_at(bars, to_s)}


def _is_at(starts: Sequence[float], t_s: float) -> bool:
    return any(abs(start - t_s) <= _SAME_S for start in starts)


def _cue(t_s: float, kind: str, bars: Sequence[float], confidence: float) -> dict[str, Any]:
    return {"t_s": round(t_s, _DIGITS), "kind": kind, "bar": bar_at(bars, t_s), "confidence": confidence}


def _ordered(cues: Sequence[Value]) -> Cues:
    return sorted((dict(cue) for cue in cues), key=lambda cue: (cue["t_s"], cue["kind"]))
