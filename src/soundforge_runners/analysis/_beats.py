"""Where the beats are: dynamic programming over the onset curve, and the choice between beat and half beat."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from soundforge_runners.analysis._spectrum import HOP_S

type Array = NDArray[np.float64]
type Indices = NDArray[np.intp]

_TIGHTNESS = 100.0
_EDGE_STRENGTH = 0.35
_EVEN_BEATS, _EARLY_S = 16, 0.06


def track_beats(curve: Array, bpm: float) -> Array:
    """Give beat times in frames (with a fraction): strong onsets in the most even distances (Ellis, JNMR 2007)."""
    period = 60 / bpm / HOP_S
    local = gaussian_filter1d(np.maximum(curve, 0), period / 32)
    spread = local.std()
    if spread <= 0:
        return np.empty(0)
    beats = _best_path(local / spread, period)
    beats = _without_weak_edges(beats, local / spread)
    return _refined(beats, local)


def carried_on(beats_s: Array, first_s: float, last_s: float) -> Array:
    """Carry the beats on evenly to the first and last onset: intros without drums have beats too."""
    ends = min(_EVEN_BEATS, len(beats_s) - 1)
    before, after = ((beats_s[ends] - beats_s[0]) / ends, (beats_s[-1] - beats_s[-1 - ends]) / ends)
    early = np.arange(beats_s[0] - before, first_s - _EARLY_S, -before)[::-1]
    late = np.arange(beats_s[-1] + after, last_s + _EARLY_S, after)
    return np.concatenate([early[early >= 0], beats_s, late])


def _best_path(local: Array, period: float) -> Indices:
    """Best chain of frames. Blocks of half a period depend only on what lies before them, so each is one array step."""
    lags = np.arange(max(1, round(period / 2)), round(period * 2) + 1)
    cost = -_TIGHTNESS * np.log(lags / period) ** 2
    frames, block = len(local), int(lags[0])
    score, before = local.copy(), np.full(frames, -1, dtype=np.intp)
    for start in range(block, frames, block):
        here = np.arange(start, min(frames, start + block))
        origin = here[:, None] - lags
        reach = np.where(origin >= 0, score[np.maximum(origin, 0)] + cost, -np.inf)
        best = reach.argmax(axis=1)
        value = reach[np.arange(len(here)), best]
        gain = np.maximum(value, 0)
        score[here] += gain
        before[here] = np.where(value > 0, here - lags[best], -1)
    return _backtrack(score, before, round(period))


def _backtrack(score: Array, before: Indices, period: int) -> Indices:
    last = len(score) - period + int(np.argmax(score[-period:])) if len(score) > period else int(np.argmax(score))
    chain = [last]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return np.array(chain[::-1], dtype=np.intp)


def _without_weak_edges(beats: Indices, local: Array) -> Indices:
    """Drop beats that the chain put into silence before the first and after the last real onset."""
    strength = local[beats]
    strong = np.nonzero(strength > _EDGE_STRENGTH * np.sqrt(np.mean(strength**2)))[0]
    return beats[strong[0] : strong[-1] + 1] if len(strong) else beats[:0]


def _refined(beats: Indices, local: Array) -> Array:
    """Place each beat between the frames by a parabola through its neighbours."""
    inner = beats[(beats > 0) & (beats < len(local) - 1)]
    left, middle, right = local[inner - 1], local[inner], local[inner + 1]
    bend = left - 2 * middle + right
    offset = np.where(bend < 0, 0.5 * (left - right) / np.minimum(bend, -1e-12), 0)
    return np.asarray(inner + np.clip(offset, -0.5, 0.5))
