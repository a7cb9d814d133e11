"""A song in a few figures and sentences, from its analysis document: what a radar and pictures show. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from soundforge.formats._vocals import sung_share

type Document = Mapping[str, Any]

_TONES: Final = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_PARTS: Final = 8  # of a song without sections


@dataclass(frozen=True)
class Measure:
    """One figure: in words with its unit, and as a share (0 to 1) of what music has; None where nothing was found."""

    name: str
    words: str
    share: float | None


@dataclass(frozen=True)
class Passage:
    """A section, or an eighth of a song without sections: what the curves and maps show there, in words."""

    start_s: float
    name: str
    energy: str
    loudness: str
    brightness: str
    tones: str


@dataclass(frozen=True)
class Sketch:
    """The song in small: figures of the whole, a sentence for each picture over time, and the same by passages."""

    measures: tuple[Measure, ...]
    loudness: str
    brightness: str
    tones: str
    passages: tuple[Passage, ...]


def sketch(document: Document) -> Sketch | None:
    """What there is to draw and tell; None before the stages that tell it have run, or in silence."""
    features, drawn = document.get("features"), document.get("pictures")
    if not features or not drawn:
        return None
    return Sketch(
        measures=_measures(document, features),
        loudness=_loudness(document.get("loudness") or {}),
        brightness=_brightness(features, drawn["centroid_hz"]),
        tones=f"Strongest on the whole: {_strongest(features.get('chroma_mean') or ())}.",
        passages=tuple(_passage(document, drawn, *part) for part in _parts(document)),
    )


def _measures(document: Document, features: Document) -> tuple[Measure, ...]:
    loudness = document.get("loudness") or {}
    energy = (document.get("energy") or {}).get("value_0_1")
    centroid = (features.get("centroid_hz") or {}).get("mean")
    return (
        _measure("Energy", energy, lambda value: value, "{:.0%}"),
        _measure("Loudness", loudness.get("integrated_lufs"), lambda value: (value + 30) / 24, "{:.1f} LUFS"),
        _measure("Dynamics", loudness.get("range_lu"), lambda value: value / 20, "{:.1f} LU"),
        _measure("Brightness", centroid, lambda value: math.log(max(value, 1) / 300) / math.log(20), "{:,.0f} Hz"),
        _measure("Percussion", _mean(features, "percussive_share"), lambda value: value, "{:.0%}"),
        _measure("Noise", _mean(features, "flatness"), lambda value: math.sqrt(max(value, 0)), "{:.3f}"),
        _measure("Singing", sung_share(document.get("vocals")), lambda value: value, "{:.0%} of the song"),
    )


def _mean(features: Document, name: str) -> float | None:
    found: float | None = (features.get(name) or {}).get("mean")
    return found


def _measure(name: str, value: float | None, share: Any, words: str) -> Measure:
    if value is None:
        return Measure(name, "–", None)
    return Measure(name, words.format(value), min(1.0, max(0.0, share(value))))


def _loudness(found: Document) -> str:
    if found.get("integrated_lufs") is None:
        return "Silent."
    told = f"{found['integrated_lufs']:.1f} LUFS on the whole"
    if found.get("range_lu") is not None:
        told += f", range {found['range_lu']:.1f} LU"
    return f"{told}."


def _brightness(features: Document, curve: Sequence[float]) -> str:
    mean = _mean(features, "centroid_hz")
    if mean is None or not curve:
        return "Nothing to hear."
    ordered = sorted(curve)
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.05, 0.95))
    return f"{_kilo(mean)} on average, mostly {_kilo(low)} to {_kilo(high)}."


def _kilo(hertz: float) -> str:
    return f"{hertz / 1000:.1f} kHz" if hertz >= 1000 else f"{hertz:.0f} Hz"  # noqa: PLR2004 - what kilo means


def _parts(document: Document) -> list[tuple[float, float, str]]:
    sections = document.get("sections") or []
    if sections:
        return [(one["start_s"], one["end_s"], (one.get("label") or one["group"]).capitalize()) for one in sections]
    each_s = document["source"]["duration_s"] / _PARTS
    return [(i * each_s, (i + 1) * each_s, f"{i + 1} of {_PARTS}") for i in range(_PARTS)]


def _passage(document: Document, drawn: Document, start_s: float, end_s: float, name: str) -> Passage:
    width_s = drawn["column_s"]
    span = slice(int(start_s / width_s), max(int(start_s / width_s) + 1, math.ceil(end_s / width_s)))
    energy = document.get("energy") or {}
    rate = energy.get("curve_hz") or 1
    lively = (energy.get("curve") or [])[int(start_s * rate) : math.ceil(end_s * rate)]
    loud = [value for value in drawn["loudness_lufs"][span] if value is not None]
    return Passage(
        start_s=start_s,
        name=name,
        energy=f"{_average(lively):.0%}" if lively else "–",
        loudness=f"{_average(loud):.1f} LUFS" if loud else "silent",
        brightness=_kilo(_average(drawn["centroid_hz"][span])) if drawn["centroid_hz"][span] else "–",
        tones=_strongest([sum(row[span]) for row in drawn["chroma"]]),
    )


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _strongest(chroma: Sequence[float]) -> str:
    order = sorted(range(len(chroma)), key=lambda tone: -chroma[tone])[:3]
    return ", ".join(_TONES[tone] for tone in order if chroma[tone] > 0) or "none"
