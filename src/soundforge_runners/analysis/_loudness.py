"""Loudness and peaks after ITU-R BS.1770-4, EBU Tech 3341 (integrated, short-term) and EBU Tech 3342 (range)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from soundforge_runners.analysis._source import Samples, Source

type Array = NDArray[np.float64]

STEP_S = 0.1
_MOMENTARY_STEPS, _SHORT_TERM_STEPS = 4, 30
_ABSOLUTE_GATE_LUFS = -70.0
_TAPS, _STRIDE = 24, 16
_SEEN_EVERY = 5  # frames: enough to tell how much of the energy lies in the middle
_OPPOSITE = 0.9


@dataclass(frozen=True)
class Loudness:
    """LUFS, LU, dBFS and dBTP; None where the sound is too short or silent."""

    integrated_lufs: float | None
    range_lu: float | None
    max_short_term_lufs: float | None
    sample_peak_dbfs: float | None
    true_peak_dbtp: float | None
    short_term_lufs: Array
    """One value per 100 ms, over the 3 s that end there; -inf in silence."""
    side_share: float = 0.0
    """Share of the energy that is gone where both channels are added: 0 for mono, 1 for opposite phase."""

    @property
    def is_opposite(self) -> bool:
        """Tell whether the channels nearly cancel where they are added: by 10 dB."""
        return self.side_share > _OPPOSITE


class LoudnessMeter:
    """Measure a sound that arrives in blocks."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._sections = k_weighting(sample_rate_hz)
        self._state = np.zeros((len(self._sections), channels, 2))
        self._step = max(1, round(STEP_S * sample_rate_hz))
        self._rest = np.empty((channels, 0))
        self._steps: list[Array] = []
        self._true_peak = TruePeak(sample_rate_hz, channels)
        self._sample_peak = 0.0
        self._middle = self._side = 0.0

    def add(self, block: Samples) -> None:
        """Add float32 [frames, channels]."""
        sound = np.ascontiguousarray(block.T)
        self._sample_peak = max(self._sample_peak, float(np.abs(sound).max(initial=0)))
        self._true_peak.add(sound)
        self._add_width(sound[:, ::_SEEN_EVERY].astype(np.float64))
        weighted, self._state = sosfilt(self._sections, sound.astype(np.float64), axis=-1, zi=self._state)
        weighted = np.concatenate([self._rest, weighted], axis=1)
        whole = weighted.shape[1] // self._step * self._step
        steps = weighted[:, :whole].reshape(len(weighted), -1, self._step)
        self._steps.append(np.einsum("cns,cns->n", steps, steps) / self._step)
        self._rest = weighted[:, whole:]

    def result(self) -> Loudness:
        """Measure what was added so far."""
        steps = np.concatenate(self._steps) if self._steps else np.empty(0)
        momentary, short_term = _sliding_mean(steps, _MOMENTARY_STEPS), _sliding_mean(steps, _SHORT_TERM_STEPS)
        loudest = float(_lufs(short_term).max(initial=-np.inf))
        return Loudness(
            integrated_lufs=integrated_loudness(momentary),
            range_lu=loudness_range(short_term),
            max_short_term_lufs=loudest if loudest > _ABSOLUTE_GATE_LUFS else None,
            sample_peak_dbfs=_db(self._sample_peak),
            true_peak_dbtp=_db(max(self._true_peak.result(), self._sample_peak)),
            short_term_lufs=_lufs(short_term),
            side_share=self._side / max(self._middle + self._side, 1e-20),
        )

    def _add_width(self, sound: Array) -> None:
        """Energy of sum and difference, less constant offsets."""
        sound = sound - sound.mean(axis=1, keepdims=True) if sound.shape[1] else sound
        middle, side = sound[0] + sound[-1], sound[0] - sound[-1]
        self._middle += float(middle @ middle)
        self._side += float(side @ side)


def measured(source: Source) -> Loudness:
    """Measure a whole sound."""
    meter = LoudnessMeter(source.sample_rate_hz, source.channels)
    for block in source.blocks():
        meter.add(block)
    return meter.result()


def integrated_loudness(momentary: Array) -> float | None:
    """Gated loudness in LUFS of mean squares over 400 ms (BS.1770-4, gates at -70 LUFS and -10 LU); None if silent."""
    loud = momentary[_lufs(momentary) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return None
    loud = loud[_lufs(loud) > _lufs(loud.mean()) - 10]
    return float(_lufs(loud.mean()))


def loudness_range(short_term: Array) -> float | None:
    """Range in LU of mean squares over 3 s: 10th to 95th percentile, gates at -70 LUFS and -20 LU (Tech 3342)."""
    loud = short_term[_lufs(short_term) > _ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return None
    loud = loud[_lufs(loud) > _lufs(loud.mean()) - 20]
    low, high = np.percentile(_lufs(loud), [10, 95])
    return float(high - low)


def k_weighting(sample_rate_hz: int) -> Array:
    """Second-order sections of the K curve at any rate, from the analogue filters behind the table of BS.1770-4."""
    return np.array([_high_shelf(sample_rate_hz), _high_pass(sample_rate_hz)])


def _high_shelf(sample_rate_hz: int) -> list[float]:
    gain, quality = 3.999843853973347, 0.7071752369554196
    k = np.tan(np.pi * min(1681.974450955533 / sample_rate_hz, 0.49))
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    numerator = [high + band * k / quality + k * k, 2 * (k * k - high), high - band * k / quality + k * k]
    return [*(b / scale for b in numerator), 1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]


def _high_pass(sample_rate_hz: int) -> list[float]:
    quality = 0.5003270373238773
    k = np.tan(np.pi * 38.13547087602444 / sample_rate_hz)
    scale = 1 + k / quality + k * k
    return [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]


class TruePeak:
    """Highest absolute value between the samples, interpolated to at least 176 kHz (BS.1770-4, annex 2).

    Only where the filter lies wholly inside the sound: one that is cut off would ring at the cut, and ffmpeg does not
    count that either.
    """

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        factor = 4 if sample_rate_hz < 96_000 else 2 if sample_rate_hz < 192_000 else 1
        self._bands = _interpolation_bands(factor)
        self._rest = np.empty((channels, 0), dtype=np.float32)
        self._highest = 0.0

    def add(self, sound: Samples) -> None:
        """Add float32 [channels, frames]."""
        if self._bands.shape[1]:
            sound = np.concatenate([self._rest, sound], axis=1)
            long_enough = sound.shape[1] >= _TAPS - 1 + _STRIDE
            if long_enough:
                self._measure(sound)
            self._rest = sound[:, 1 - _TAPS :].copy() if long_enough else sound

    def result(self) -> float:
        """Give the peak so far as a factor of full scale; 0 for less than the filter's length."""
        return self._highest

    def _measure(self, sound: Samples) -> None:
        """Interpolate in strides; what is left of the last one is done once more from the end."""
        for channel in sound:
            windows = np.lib.stride_tricks.sliding_window_view(channel, _TAPS - 1 + _STRIDE)
            self._keep(np.ascontiguousarray(windows[::_STRIDE]))
            self._keep(windows[-1:])

    def _keep(self, windows: Samples) -> None:
        between = windows @ self._bands
        self._highest = max(self._highest, float(between.max()), -float(between.min()))


def _interpolation_bands(factor: int) -> Samples:
    """Matrix [window, outputs]: each column is one phase of a Kaiser-windowed sinc at one place of the stride."""
    at = np.arange(_TAPS) - (_TAPS - 1) // 2
    columns = []
    for phase in range(1, factor):
        distance = at - phase / factor
        taps = np.sinc(distance) * np.i0(8.0 * np.sqrt(np.clip(1 - (distance / (_TAPS / 2)) ** 2, 0, 1))) / np.i0(8.0)
        columns += [np.pad(taps / taps.sum(), (place, _STRIDE - 1 - place)) for place in range(_STRIDE)]
    return np.array(columns, dtype=np.float32).reshape(len(columns), _TAPS - 1 + _STRIDE).T


def _sliding_mean(steps: Array, width: int) -> Array:
    if len(steps) < width:
        return np.empty(0)
    return np.lib.stride_tricks.sliding_window_view(steps, width).mean(axis=-1)


def _lufs(mean_square: Array | np.float64) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(-0.691 + 10 * np.log10(mean_square))


def _db(factor: float) -> float | None:
    return float(20 * np.log10(factor)) if factor > 0 else None
