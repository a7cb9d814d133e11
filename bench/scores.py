"""Judge an analysis beside the truth, with the measures of MIREX as mir_eval computes them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np

METRICS = (
    "tempo_acc1",
    "tempo_acc2",
    "beat_f",
    "beat_amlt",
    "downbeat_f",
    "metre",
    "key_weighted",
    "key_exact",
    "chord_majmin",
    "chord_root",
    "chord_tetrads",
    "boundary_f_3s",
    "boundary_f_05s",
)
_TEMPO_TOLERANCE = 0.04
_OCTAVES = (1.0, 2.0, 0.5, 3.0, 1 / 3)
_CHORD_JUDGES = {
    "chord_majmin": mir_eval.chord.majmin,
    "chord_root": mir_eval.chord.root,
    "chord_tetrads": mir_eval.chord.tetrads,
}


@dataclass(frozen=True)
class Heard:
    """What an analysis says, in one shape for all of them; None or empty where it says nothing."""

    tempo_bpm: float | None
    beats_s: np.ndarray
    downbeats_s: np.ndarray
    beats_per_bar: int | None
    key: str | None
    chords: list[tuple[float, float, str]]
    sections: list[tuple[float, float]]
    tempo_confidence: float | None = None
    key_confidence: float | None = None


def heard_by_us(document: dict[str, Any]) -> Heard:
    """Read our own document."""
    beats = np.array((document["beats"] or {"times_s": []})["times_s"])
    downbeats = (document["downbeats"] or {"beat_indices": []})["beat_indices"]
    key = document["key"]
    return Heard(
        tempo_bpm=document["tempo"] and document["tempo"]["bpm"],
        beats_s=beats,
        downbeats_s=beats[np.array(downbeats, dtype=int)],
        beats_per_bar=document["meter"] and document["meter"]["beats_per_bar"],
        key=key and f"{key['tonic']} {key['mode']}",
        chords=[(c["start_s"], c["end_s"], c["label"]) for c in document["chords"] or []],
        sections=[(s["start_s"], s["end_s"]) for s in document["sections"] or []],
        tempo_confidence=document["tempo"] and document["tempo"]["confidence"],
        key_confidence=key and key["confidence"],
    )


def heard_by_naive(found: dict[str, Any]) -> Heard:
    """Read what the naive script gives."""
    names = ("tempo_bpm", "beats_s", "downbeats_s", "key", "chords", "sections")
    return Heard(beats_per_bar=4, **{name: found[name] for name in names})


def heard_to_file(path: Path, heard: Heard, cpu_s: float) -> None:
    """Keep what was heard, and what it cost."""
    values = {**asdict(heard), "beats_s": heard.beats_s.tolist(), "downbeats_s": heard.downbeats_s.tolist()}
    path.write_text(json.dumps({"heard": values, "cpu_s": cpu_s}))


def heard_from_file(path: Path) -> tuple[Heard, float]:
    """Give what was kept: heard, CPU seconds."""
    kept = json.loads(path.read_text())
    arrays = {name: np.array(kept["heard"].pop(name)) for name in ("beats_s", "downbeats_s")}
    return Heard(**kept["heard"], **arrays), kept["cpu_s"]


def score(truth: dict[str, Any], heard: Heard, duration_s: float) -> dict[str, float]:
    """Give every metric, 0..1; what was not found counts 0."""
    beats, downbeats = np.array(truth["beats_s"]), np.array(truth["downbeats_s"])
    return {
        **_tempo(truth["tempo_bpm"], heard.tempo_bpm),
        "beat_f": mir_eval.beat.f_measure(beats, heard.beats_s) if len(heard.beats_s) else 0.0,
        "beat_amlt": mir_eval.beat.continuity(beats, heard.beats_s)[3] if len(heard.beats_s) > 1 else 0.0,
        "downbeat_f": mir_eval.beat.f_measure(downbeats, heard.downbeats_s) if len(heard.downbeats_s) else 0.0,
        "metre": float(heard.beats_per_bar == truth["beats_per_bar"]),
        **_key(truth["key"], heard.key),
        **_chords(truth["chords"], heard.chords),
        **_boundaries(truth["sections"], heard.sections, duration_s),
    }


def interval(values: list[float], rounds: int = 2000) -> tuple[float, float]:
    """Bootstrap 95 % interval of the mean (Efron, 1979)."""
    drawn = np.random.default_rng(0).choice(np.array(values), size=(rounds, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def calibration_error(said: np.ndarray, right: np.ndarray, bins: int = 4) -> float:
    """Expected calibration error over bins of equal size (Naeini et al., AAAI 2015)."""
    groups = [group for group in np.array_split(np.argsort(said, kind="stable"), bins) if len(group)]
    return float(sum(abs(said[group].mean() - right[group].mean()) * len(group) for group in groups) / len(said))


def _tempo(truth_bpm: float, bpm: float | None) -> dict[str, float]:
    right = [bpm is not None and abs(bpm / (truth_bpm * octave) - 1) < _TEMPO_TOLERANCE for octave in _OCTAVES]
    return {"tempo_acc1": float(right[0]), "tempo_acc2": float(any(right))}


def _key(truth: str, key: str | None) -> dict[str, float]:
    weighted = mir_eval.key.evaluate(truth, key)["Weighted Score"] if key else 0.0
    return {"key_weighted": weighted, "key_exact": float(weighted == 1)}


def _chords(truth: list[list[Any]], chords: list[tuple[float, float, str]]) -> dict[str, float]:
    if not chords:
        return dict.fromkeys(_CHORD_JUDGES, 0.0)
    spans, names = np.array([row[:2] for row in truth]), [row[2] for row in truth]
    found, labels = np.array([row[:2] for row in chords]), [row[2] for row in chords]
    low, high = spans.min(), spans.max()
    found, labels = mir_eval.util.adjust_intervals(found, labels, low, high, mir_eval.chord.NO_CHORD)
    merged, names, labels = mir_eval.util.merge_labeled_intervals(spans, names, found, labels)
    lengths = mir_eval.util.intervals_to_durations(merged)
    judged = {name: judge(names, labels) for name, judge in _CHORD_JUDGES.items()}
    return {name: mir_eval.chord.weighted_accuracy(found, lengths) for name, found in judged.items()}


def _boundaries(truth: list[list[Any]], sections: list[tuple[float, float]], duration_s: float) -> dict[str, float]:
    if not sections:
        return {"boundary_f_3s": 0.0, "boundary_f_05s": 0.0}
    spans = np.array([row[:2] for row in truth], dtype=float)
    spans[0, 0], spans[-1, 1] = 0.0, max(duration_s, spans[-1, 0] + 0.01)
    return {
        f"boundary_f_{name}": mir_eval.segment.detection(spans, np.array(sections), window)[2]
        for name, window in (("3s", 3.0), ("05s", 0.5))
    }
