"""What somebody asks to put right, read into a correction's value. Pure.

What is asked may be relative ("twice the tempo", "half a beat later", "the bar begins near here"); what is kept is
absolute, see ``_corrections``.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from soundforge.errors import Invalid
from soundforge.formats._corrections import CORRECTABLE, Document, Value
from soundforge.formats._grid import grid_of
from soundforge.formats._keys import read_key
from soundforge.formats._sections import joined, moved, parted, read_sections, renamed

METERS: Final = {"4/4": 4, "3/4": 3, "6/8": 2, "2/4": 2, "5/4": 5, "7/4": 7}
"""Signatures and the beats of their bars; 6/8 is counted in dotted quarters."""
SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0
_DIGITS = 4


def read_correction(field: str, wish: Value, document: Document) -> dict[str, Any]:
    """The value that somebody asks for, checked and complete; ``document`` is the present one. Raises ``Invalid``.

    - tempo: ``bpm``, or ``times`` the present one
    - downbeat, where a bar begins: ``t_s``; the beat nearest to ``near_s``; the present first one moved ``by_s``
      seconds or ``by_beats``
    - meter: ``signature``
    - key: ``key``, as "8A" or "A minor"
    - sections: the whole list as ``sections``; or ``rename`` (where it begins) with ``label``, ``move`` with ``to_s``,
      ``part`` (where), ``join`` (where it begins: to the one before); with ``snap``, to the nearest bar
    """
    if field not in _READ:
        raise Invalid(f"What can be corrected is {', '.join(CORRECTABLE)}.", code="invalid_correction")
    return _READ[field](wish, document)


def _read_tempo(wish: Value, document: Document) -> dict[str, Any]:
    if "times" in wish:
        present = (document.get("tempo") or {}).get("bpm")
        if present is None:
            raise _refused("No tempo is known that could be multiplied.", "times")
        bpm = present * _number(wish, "times")
    else:
        bpm = _number(wish, "bpm")
    if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
        raise _refused(f"A tempo lies between {SLOWEST_BPM:.0f} and {FASTEST_BPM:.0f} BPM.", "bpm")
    return {"bpm": round(bpm, _DIGITS)}


def _read_downbeat(wish: Value, document: Document) -> dict[str, Any]:
    t_s = _number(wish, "t_s") if "t_s" in wish else _beat(wish, document)
    if not 0 <= t_s < document["source"]["duration_s"]:
        raise _refused("A bar begins inside the song.", "t_s")
    return {"t_s": round(t_s, _DIGITS)}


def _beat(wish: Value, document: Document) -> float:
    """A moment named by the grid: the beat near a moment, or where the first bar would begin if the grid moved."""
    grid = grid_of(document)
    if len(grid.beats_s) < 2:  # noqa: PLR2004 - a distance takes two
        raise _refused("No beats are known: give the tempo, and the second at which a bar begins.", "t_s")
    if not wish.keys() & {"near_s", "by_s", "by_beats"}:
        raise _refused("Say where a bar begins, or by how much the grid shall move.", "t_s")
    if "near_s" in wish:
        return grid.beats_s[grid.nearest(_number(wish, "near_s"))]
    bars = grid.bars_s or [grid.beats_s[0]]
    beat_s = grid.interval_at(grid.nearest(bars[0]))
    by_s = _number(wish, "by_s") if "by_s" in wish else _number(wish, "by_beats") * beat_s
    return next((bar + by_s for bar in bars if bar + by_s >= 0), bars[0])


def _read_meter(wish: Value, _document: Document) -> dict[str, Any]:
    signature = str(wish.get("signature", ""))
    if signature not in METERS:
        raise _refused(f"A metre is one of {', '.join(METERS)}.", "signature")
    return {"signature": signature, "beats_per_bar": METERS[signature]}


def _read_key(wish: Value, _document: Document) -> dict[str, Any]:
    key = read_key(str(wish.get("key", "")))
    if key is None:
        raise _refused("A key is written like 8A or A minor.", "key")
    return {"tonic": key.tonic, "mode": key.mode, "camelot": key.camelot}


def _read_sections(wish: Value, document: Document) -> dict[str, Any]:
    duration_s = document["source"]["duration_s"]
    if "sections" in wish:
        return {"sections": read_sections(wish["sections"], duration_s)}
    present = document.get("sections") or [{"start_s": 0.0, "end_s": duration_s, "group": "A", "label": None}]
    if "rename" in wish:
        edited = renamed(present, _number(wish, "rename"), str(wish.get("label", "")))
    elif "move" in wish:
        edited = moved(present, _number(wish, "move"), _snapped(wish, "to_s", document))
    elif "part" in wish:
        edited = parted(present, _snapped(wish, "part", document))
    elif "join" in wish:
        edited = joined(present, _number(wish, "join"))
    else:
        raise _refused("Say what to do: rename, move, part or join a section, or give all sections.", "sections")
    return {"sections": read_sections(edited, duration_s)}


def _snapped(wish: Value, name: str, document: Document) -> float:
    t_s, bars = _number(wish, name), grid_of(document).bars_s
    return min(bars, key=lambda bar: abs(bar - t_s)) if wish.get("snap") and bars else t_s


def _number(wish: Value, name: str) -> float:
    try:
        number = float(wish[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _refused("Write a number.", name)
    return number


def _refused(sentence: str, name: str) -> Invalid:
    return Invalid(sentence, code="invalid_correction", fields={name: sentence})


_READ: Final[Mapping[str, Callable[[Value, Document], dict[str, Any]]]] = {
    "tempo": _read_tempo,
    "downbeat": _read_downbeat,
    "meter": _read_meter,
    "key": _read_key,
    "sections": _read_sections,
}
