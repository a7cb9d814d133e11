"""From what was found to plain values for JSON: seconds, four decimals, confidence beside each claim."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._brevity import key_belief, tempo_belief
from soundforge_runners.analysis._cues import Cue
from soundforge_runners.analysis._harmony import Harmony
from soundforge_runners.analysis._key import TONICS, camelot
from soundforge_runners.analysis._loudness import Loudness
from soundforge_runners.analysis._rhythm import Rhythm
from soundforge_runners.analysis._structure import Section

type Document = dict[str, Any]

_DIGITS = 4


def waveform_document(levels_of_file: Sequence[tuple[int, int]]) -> Document:
    """Describe the peaks file by the samples per pixel and the length of each level."""
    levels = [{"samples_per_pixel": width, "length": pixels} for width, pixels in levels_of_file]
    return {"waveform": {"format": "audiowaveform-dat-v2", "bits": 8, "levels": levels}}


def loudness_document(loudness: Loudness) -> Document:
    """Give loudness and peaks."""
    names = ("integrated_lufs", "range_lu", "max_short_term_lufs", "sample_peak_dbfs", "true_peak_dbtp")
    return {"loudness": {name: getattr(loudness, name) for name in names}}


def rhythm_document(rhythm: Rhythm, duration_s: float) -> Document:
    """Give tempo, metre, beats and downbeats."""
    grid = rhythm.grid
    tempo = {
        "bpm": rhythm.bpm,
        "confidence": rhythm.confidence() * tempo_belief(duration_s),
        "stable": rhythm.is_stable(),
        "alternatives": [{"bpm": bpm, "score": score} for bpm, score in rhythm.alternatives()],
        "curve": [{"t_s": t, "bpm": bpm} for t, bpm in rhythm.curve()],
    }
    bars = rhythm.bar_confidence()
    return {
        "tempo": tempo,
        "meter": {"beats_per_bar": grid.beats_per_bar, "signature": grid.signature, "confidence": bars},
        "beats": {"times_s": grid.beats_s.tolist(), "confidence": rhythm.regularity()},
        "downbeats": {"beat_indices": grid.downbeats.tolist(), "confidence": bars},
    }


def harmony_document(harmony: Harmony, tuning_cents: float, duration_s: float) -> Document:
    """Give key and chords."""
    key, belief = harmony.key, key_belief(duration_s)
    changes = [
        {"t_s": span.start_s, **_key_document(span.key.tonic, span.key.mode, confidence=belief * span.key.confidence)}
        for span in harmony.spans[1:]
    ]
    named = [_key_document(tonic, mode, score=chance) for tonic, mode, chance in key.alternatives]
    first = _key_document(key.tonic, key.mode, confidence=belief * key.confidence)
    chords = [
        {"start_s": chord.start_s, "end_s": chord.end_s, "label": chord.label, "confidence": chord.confidence}
        for chord in harmony.chords
    ]
    key_document = {**first, "alternatives": named, "changes": changes, "tuning_cents": tuning_cents}
    return {"key": key_document, "chords": chords}


def structure_document(sections: Sequence[Section], curve: NDArray[np.float64]) -> Document:
    """Give sections and energy."""
    listed = [
        {
            "start_s": section.start_s,
            "end_s": section.end_s,
            "group": section.group,
            "label": section.label,
            "confidence": section.confidence,
            "energy": section.energy,
        }
        for section in sections
    ]
    value = float(np.mean(curve)) if len(curve) else 0.0
    return {"sections": listed or None, "energy": {"value_0_1": value, "curve_hz": 1, "curve": curve.tolist()}}


def cues_document(cues: Sequence[Cue]) -> Document:
    """Give cue points."""
    return {"cues": [{"t_s": cue.t_s, "kind": cue.kind, "bar": cue.bar, "confidence": cue.confidence} for cue in cues]}


def rounded(value: Any) -> Any:
    """Round every number to four decimals and turn -0.0 into 0.0; raises ValueError for what is no number."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        if not np.isfinite(value):
            raise ValueError("a figure is not a number")
        return round(float(value), _DIGITS) + 0.0
    return value


def _key_document(tonic: int, mode: str, **belief: float) -> Document:
    return {"tonic": TONICS[tonic], "mode": mode, "camelot": camelot(tonic, mode), **belief}
