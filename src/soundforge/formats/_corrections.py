"""What a person put right in an analysis, laid over what was found. Pure; docs/adr/0014 says why it is laid over.

A correction's value is absolute (a tempo, a moment, a key), never "twice" or "a half beat later": laid over a newer
analysis that found something else, it still means what its author heard.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from soundforge.formats._cues import first_bar, nearest, on_bars, on_sections, with_vocals
from soundforge.formats._grid import Grid, barred, counted, even, grid_of, ratio_of, shifted

type Value = Mapping[str, Any]
type Document = dict[str, Any]

CORRECTABLE: Final = ("tempo", "downbeat", "meter", "key", "sections")
_DIGITS = 4


@dataclass(frozen=True)
class Correction:
    """One field put right: ``value`` as ``read_correction`` gives it, when (ISO 8601, UTC), by whom, steps so far."""

    field: str
    value: Value
    corrected_at: str = ""
    by: str = ""
    steps: int = 0


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
    """The document as its user says it is, with the cues of its singing.

    ``corrections`` tells both values of each field that was put right.
    """
    if document.get("cues") and document.get("vocals"):
        document = {**document, "cues": with_vocals(document["cues"], document["vocals"], grid_of(document).bars_s)}
    by_field = {one.field: one for one in corrections}
    values = {field: one.value for field, one in by_field.items()}
    told = {
        field: {
            "value": dict(by_field[field].value),
            "found": found_value(field, document),
            "corrected_at": by_field[field].corrected_at,
            "by": by_field[field].by,
            "steps": by_field[field].steps,
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
    tempo = {"stable": True, "curve": [], **(found or {}), "bpm": bpm, "confidence": 1.0}
    tempo["alternatives"] = _others(found or {}, tempo, ("bpm",))
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
    """The key that the user names for the whole song: changes that were found, from another key, go."""
    if "key" not in values:
        return {}
    found, named = document.get("key") or {}, values["key"]
    more = {"alternatives": [], "changes": [], "tuning_cents": 0.0, **found}
    if found.get("camelot") != named["camelot"]:
        more = {**more, "changes": [], "alternatives": _others(found, named, _TOLD["key"])}
    return {"key": {**more, **named, "confidence": 1.0}}


def _others(found: Value, named: Value, what: Sequence[str]) -> list[Document]:
    """What else it could be beside what the user says: what was found first, then its own alternatives."""
    first = {**{name: found[name] for name in what}, "score": found.get("confidence", 0.0)} if found else None
    others = [first, *found.get("alternatives", ())] if first else []
    return [one for one in others if any(one[name] != named[name] for name in what)]


def _structure(document: Document, changed: Document, values: Mapping[str, Value]) -> Document:
    """Sections and cues: those of the user; what was found follows the bars where these were moved."""
    bars, found, cues = grid_of(changed).bars_s, document.get("sections") or [], document.get("cues")
    structure: Document = {}
    if found and bars and "downbeat" in values:
        found = structure["sections"] = _on_bars(found, bars)
    if "sections" in values:
        structure["sections"] = [_section(one, document) for one in values["sections"]["sections"]]
    if bars and values.keys() & {"tempo", "downbeat", "meter"}:
        cues = structure["cues"] = on_bars(cues or [first_bar(bars)], bars, moves="downbeat" in values)
    if bars and cues and "sections" in values:
        structure["cues"] = on_sections(cues, found, structure["sections"], bars)
    return structure


def _section(section: Value, document: Document) -> Document:
    """A section of the user's with its energy: the mean of the curve over its seconds."""
    energy = document.get("energy") or {}
    rate = energy.get("curve_hz") or 1
    curve = (energy.get("curve") or [])[int(section["start_s"] * rate) : math.ceil(section["end_s"] * rate)]
    return {**section, "confidence": 1.0, "energy": round(sum(curve) / len(curve), _DIGITS) if curve else None}


def _on_bars(sections: Sequence[Value], bars: Sequence[float]) -> list[Document]:
    """Sections whose boundaries inside the song lie on bars; one that would lose its room stays as it was."""
    inner = [nearest(bars, section["start_s"]) for section in sections[1:]]
    starts = [sections[0]["start_s"], *inner]
    ends = [*inner, sections[-1]["end_s"]]
    if any(start >= end for start, end in zip(starts, ends, strict=True)):
        return [dict(section) for section in sections]
    spans = zip(sections, starts, ends, strict=True)
    return [{**section, "start_s": start, "end_s": end} for section, start, end in spans]


_TOLD: Final = {"tempo": ("bpm",), "meter": ("signature", "beats_per_bar"), "key": ("tonic", "mode", "camelot")}
