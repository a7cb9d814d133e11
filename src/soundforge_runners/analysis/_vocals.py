"""Where somebody sings, read from the level of a vocal stem; there is no guess without one."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis._source import Source

type Array = NDArray[np.float64]

_STEP_S = 0.1
_BELOW_LOUD_DB, _FLOOR_DBFS, _CERTAIN_DB = 22.0, -50.0, 12.0
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


def find_vocals(stem: Source) -> Vocals:
    """Find singing: level within 22 dB of the stem's loud passages and above -50 dBFS, which leakage seldom is."""
    level_db = levels(stem)
    if not len(level_db):
        return Vocals(0.0, ())
    threshold_db = max(float(np.percentile(level_db, 95)) - _BELOW_LOUD_DB, _FLOOR_DBFS)
    steps = _bridged(level_db > threshold_db, round(_BREATH_S / _STEP_S))
    spans = [_span(level_db, first, stop, threshold_db) for first, stop in _runs(steps)]
    kept = [replace(span, end_s=min(span.end_s, stem.duration_s)) for span in spans if _is_long(span)]
    sung_s = sum(span.end_s - span.start_s for span in kept)
    return Vocals(float(min(1.0, sung_s / stem.duration_s)), tuple(kept))


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
