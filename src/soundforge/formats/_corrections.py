"""What a person put right in an analysis, laid over what was found. Pure; docs/adr/0014 says why it is laid over.

A correction's value is absolute (a tempo, a moment, a key), never "twice" or "a half beat later": laid over a newer
analysis that found something else, it still means what its author heard.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from soundforge.formats._grid import Grid, barred, counted, even, ratio_of, shifted

type Value = Mapping[str, Any]
type Document = dict[str, Any]

CORRECTABLE: Final = ("tempo", "downbeat", "meter", "key", "sections")
_DIGITS = 4


@dataclass(frozen=True)
class Correction:
    """One field put right: ``value`` as ``read_correction`` gives it,, when (ISO 8601, UTC), and by whom."""

    field: str
    value: Value
    corrected_at: str = ""
    by: str = ""


def found_value(field: str, document: Value) -> dict[str, Any] | None:
    """What the analysis itself says of a field, also in a corrected document; None where it says nothing."""
    if field in document.get("corrections", {}):
        known: dict[str, Any] | None = document["corrections"][field]["found"]
        return known
    if field == "downbeat":
        grid = grid_of(document)
        first = grid.first_downbeat_s if grid.downbeats else None
        sure = (document.get("downbeats") or {}).get("confidence")
        return None if first is None else {"t_s": first, "confidence": sure}
    found = document.get(field)
    if not found:
        return None
    if field == "sections":
        return {"sections": found}
    return {name: found[name] for name in (*_TOLD[field], "confidence") if name in found}


def corrected(document: Document, corrections: Sequence[Correction]) -> Document:
    """The document as its user says it is; ``corrections`` tells both values of each field that was put right."""
    by_field = {one.field: one for one in corrections}
    values = {field: one.value for field, one in by_field.items()}
    told = {
        field: {
            "value": dict(by_field[field].value),
            "found": found_value(field, document),
            "corrected_at": by_field[field].corrected_at,
            "by": by_field[field].by,
        }
        for field in CORRECTABLE
        if field in by_field
    }
    changed = {**document, **_rhythm(document, values), **_key(document, values), "corrections": told}
    return {**changed, **_structure(document, changed, values)}


def _rhythm(document: Document, values: Mapping[str, Value]) -> Document:
    """Tempo, metre, beats and downbeats."""
    if not values.keys() & {"tempo", "downbeat", "meter"}:
        return {}
    meter = _meter(document, values)
    beats_per_bar = (meter or {}).get("beats_per_bar") or 4
    anchor = values.get("downbeat", {}).get("t_s")
    grid, tempo = _counted(document, values, anchor, beats_per_bar)
    duration_s = document["source"]["duration_s"]
    if anchor is not None:
        grid = shifted(grid, anchor, duration_s)
    start = anchor if anchor is not None else grid.first_downbeat_s
    if start is not None and values.keys() & {"downbeat", "meter"}:
        grid = barred(grid, start, beats_per_bar)
    return {"tempo": tempo, "meter": meter, **_grid_document(document, grid, values)}


def _counted(
    document: Document, values: Mapping[str, Value], anchor: float | None, beats_per_bar: int
) -> tuple[Grid, Document | None]:
    """The grid in the tempo that the user names, and the tempo."""
    grid, found = grid_of(document), document.get("tempo")
    if "tempo" not in values:
        return grid, found
    bpm = values["tempo"]["bpm"]
    tempo = {"stable": True, "alternatives": [], "curve": [], **(found or {}), "bpm": bpm, "confidence": 1.0}
    ratio = ratio_of(bpm, found["bpm"], drifts=not found.get("stable", True)) if found and grid.beats_s else None
    if ratio is not None:
        curve = [{**one, "bpm": round(one["bpm"] * float(ratio), _DIGITS)} for one in tempo["curve"]]
        return counted(grid, ratio, at_s=anchor), {**tempo, "curve": curve}
    start = anchor if anchor is not None else grid.first_downbeat_s
    if start is None:
        return grid, tempo
    grid = even(bpm, start, document["source"]["duration_s"], beats_per_bar)
    return grid, {**tempo, "stable": True, "curve": [{"t_s": round(start, _DIGITS), "bpm": bpm}]}


def _meter(document: Document, values: Mapping[str, Value]) -> Document | None:
    if "meter" not in values:
        return document.get("meter")
    signature = values["meter"]["signature"]
    return {"beats_per_bar": values["meter"]["beats_per_bar"], "signature": signature, "confidence": 1.0}


def _grid_document(document: Document, grid: Grid, values: Mapping[str, Value]) -> Document:
    if not grid.beats_s:
        return {"beats": document.get("beats"), "downbeats": document.get("downbeats")}
    sure = (document.get("downbeats") or {}).get("confidence") or 0.0
    regular = (document.get("beats") or {}).get("confidence")
    return {
        "beats": {
            "times_s": [round(beat, _DIGITS) for beat in grid.beats_s],
            "confidence": 1.0 if regular is None else regular,
        },
        "downbeats": {
            "beat_indices": list(grid.downbeats),
            "confidence": 1.0 if values.keys() & {"downbeat", "meter"} else sure,
        },
    }


def _key(document: Document, values: Mapping[str, Value]) -> Document:
    if "key" not in values:
        return {}
    more = {"alternatives": [], "changes": [], "tuning_cents": 0.0, **(document.get("key") or {})}
    return {"key": {**more, **values["key"], "confidence": 1.0}}


def _structure(document: Document, changed: Document, values: Mapping[str, Value]) -> Document:
    """Sections and cues: those of the user; what was found follows the bars where these were moved."""
    grid = grid_of(changed)
    bars = [grid.beats_s[i] for i in grid.downbeats]
    structure: Document = {}
    if "sections" in values:
        structure["sections"] = [_section(one, document) for one in values["sections"]["sections"]]
    elif "downbeat" in values and bars and document.get("sections"):
        structure["sections"] = _on_bars(document["sections"], bars)
    if document.get("cues") and bars and values.keys() & {"tempo", "downbeat", "meter"}:
        structure["cues"] = _cues(document["cues"], bars, moves="downbeat" in values)
    return structure


def _section(section: Value, document: Document) -> Document:
    """A section of the user's with its energy: the mean of the curve over its seconds."""
    energy = document.get("energy") or {}
    rate = energy.get("curve_hz") or 1
    curve = (energy.get("curve") or [])[int(section["start_s"] * rate) : math.ceil(section["end_s"] * rate)]
    return {**section, "confidence": 1.0, "energy": round(sum(curve) / len(curve), _DIGITS) if curve else None}


def _on_bars(sections: Sequence[Value], bars: Sequence[float]) -> list[Document]:
    """Sections whose boundaries inside the song lie on bars; one that would lose its room stays as it was."""
    inner = [_nearest(bars, section["start_s"]) for section in sections[1:]]
    starts = [sections[0]["start_s"], *inner]
    ends = [*inner, sections[-1]["end_s"]]
    if any(start >= end for start, end in zip(starts, ends, strict=True)):
        return [dict(section) for section in sections]
    spans = zip(sections, starts, ends, strict=True)
    return [{**section, "start_s": start, "end_s": end} for section, start, end in spans]


def _cues(cues: Sequence[Value], bars: Sequence[float], *, moves: bool) -> list[Document]:
    """Cues with the bars counted anew; where the bars moved, those that lay on one lie on one again."""
    placed = []
    for cue in cues:
        t_s = cue["t_s"]
        if cue["kind"] == "first_downbeat":
            t_s = bars[0]
        elif moves and cue["kind"] != "fade_out":
            t_s = _nearest(bars, t_s)
        bar = max(0, sum(1 for start in bars if start <= t_s + 0.01) - 1)
        placed.append({**cue, "t_s": round(t_s, _DIGITS), "bar": bar})
    return sorted(placed, key=lambda cue: (cue["t_s"], cue["kind"]))


def _nearest(bars: Sequence[float], t_s: float) -> float:
    nearest: float = min(bars, key=lambda bar: abs(bar - t_s))
    return round(nearest, _DIGITS)


def grid_of(document: Value) -> Grid:
    """Beats and bars as the document has them; empty where it has none."""
    beats = (document.get("beats") or {}).get("times_s") or ()
    return Grid(tuple(beats), tuple((document.get("downbeats") or {}).get("beat_indices") or ()))


_TOLD: Final = {"tempo": ("bpm",), "meter": ("signature", "beats_per_bar"), "key": ("tonic", "mode", "camelot")}
