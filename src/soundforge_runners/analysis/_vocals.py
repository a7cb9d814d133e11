"""Where somebody sings, read from the level of a vocal stem; there is no guess without one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._document import Document, rounded
from soundforge_runners.analysis._source import Source

type Array = NDArray[np.float64]

_STEP_S = 0.1
_BELOW_LOUD_DB, _FLOOR_DBFS, _CERTAIN_DB = 22.0, -50.0, 12.0
_BELOW_SONG_DB = 30.0
_STEM = "vocals"
_SHORTEST_S, _BREATH_S = 0.3, 0.8


@dataclass(frozen=True)
class VocalSpan:
    """Singing without a pause longer than a breath."""

    start_s: float
    end_s: float
    confidence: float
    """How far the level stands above the threshold, 0..1."""


@dataclass(frozen=True)
class Vocals:
    """What a vocal stem says; `share` is the part of the song with singing, 0..1."""

    share: float
    spans: tuple[VocalSpan, ...]


def vocals_of(stems: Mapping[str, Source]) -> Document | None:
    """Give the document's `vocals` for the stems of one song; None if none of them is the vocals."""
    if _STEM not in stems:
        return None
    others = (loud_db(levels(stem)) for name, stem in stems.items() if name != _STEM)
    found = find_vocals(stems[_STEM], max(others, default=-np.inf))
    spans = [{"start_s": span.start_s, "end_s": span.end_s, "confidence": span.confidence} for span in found.spans]
    document: Document = rounded({"share": found.share, "spans": spans})
    return document


def find_vocals(stem: Source, song_db: float = -np.inf) -> Vocals:
    """Find singing: level within 22 dB of the stem's loud passages, within 30 of the song's, and above -50 dBFS.

    What leaks into the stem is seldom so loud. `song_db` is the level of the loudest other stem's loud passages.
    """
    level_db = levels(stem)
    if not len(level_db):
        return Vocals(0.0, ())
    threshold_db = max(loud_db(level_db) - _BELOW_LOUD_DB, song_db - _BELOW_SONG_DB, _FLOOR_DBFS)
    steps = _bridged(level_db > threshold_db, round(_BREATH_S / _STEP_S))
    spans = [_span(level_db, first, stop, threshold_db) for first, stop in _runs(steps)]
    kept = [replace(span, end_s=min(span.end_s, stem.duration_s)) for span in spans if _is_long(span)]
    sung_s = sum(span.end_s - span.start_s for span in kept)
    return Vocals(float(min(1.0, sung_s / stem.duration_s)), tuple(kept))


def loud_db(level_db: Array) -> float:
    """Level of the loud passages: only a twentieth of the steps is louder."""
    return float(np.percentile(level_db, 95)) if len(level_db) else -np.inf


def levels(stem: Source) -> Array:
    """Root mean square of each tenth of a second in dBFS, block by block, so that memory does not grow."""
    width = max(1, round(_STEP_S * stem.sample_rate_hz))
    rest, sums = np.empty(0, dtype=np.float32), []
    for block in stem.blocks():
        power = np.concatenate([rest, np.einsum("fc,fc->f", block, block) / np.float32(stem.channels)])
        whole = len(power) // width * width
        sums.append(power[:whole].reshape(-1, width).mean(axis=1, dtype=np.float64))
        rest = power[whole:]
    if len(rest):
        sums.append(np.array([rest.mean(dtype=np.float64)]))
    power_of_steps = np.concatenate(sums) if sums else np.empty(0)
    return np.asarray(10 * np.log10(np.maximum(power_of_steps, 1e-12)))


def _bridged(active: NDArray[np.bool_], breath: int) -> NDArray[np.bool_]:
    """Fill pauses of at most `breath` steps between active ones."""
    filled = active.copy()
    for first, stop in _runs(~active):
        if first > 0 and stop < len(active) and stop - first <= breath:
            filled[first:stop] = True
    return filled


def _runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.nonzero(np.diff(np.concatenate([[0], active.astype(np.int8), [0]])))[0]
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def _span(level_db: Array, first: int, stop: int, threshold_db: float) -> VocalSpan:
    above = float(np.percentile(level_db[first:stop], 75)) - threshold_db
    return VocalSpan(first * _STEP_S, stop * _STEP_S, float(np.clip(above / _CERTAIN_DB, 0, 1)))


def _is_long(span: VocalSpan) -> bool:
    return span.end_s - span.start_s >= _SHORTEST_S
