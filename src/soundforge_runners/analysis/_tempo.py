"""How fast: one onset curve from four bands, and the tempo that its repetition speaks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import uniform_filter1d

from soundforge_runners.analysis._source import Samples
from soundforge_runners.analysis._spectrum import HOP_S

type Array = NDArray[np.float64]

_BAND_WEIGHTS = np.array([1.0, 0.7, 0.7, 0.7])
_MEAN_S = 3.0
_WINDOW_S = 12.0
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 220.0
_COMB = (1, 2, 4)
_PERCUSSIVE = 0.6
_NEGLIGIBLE = 0.25
_PERCUSSIVE_PRIOR, _SOFT_PRIOR = (125.0, 0.8), (90.0, 0.5)


@dataclass(frozen=True)
class Tempo:
    """The best tempo and what else it could be, best first; scores are relative to the best, 0..1."""

    bpm: float
    salience: float
    """How much of the onset curve repeats at this tempo, 0..1."""
    alternatives: tuple[tuple[float, float], ...]


def onset_curve(bands: Samples) -> Array:
    """Fold [4, frames] to one curve: bands at equal strength, less the mean of 3 s around. Zeros if nothing happens."""
    spread = bands.std(axis=1)
    if not (spread > 1e-6).any():
        return np.zeros(bands.shape[1])
    scale = np.where(spread > 1e-6, _BAND_WEIGHTS / np.maximum(spread, 1e-6), 0)
    curve = scale @ bands.astype(np.float64)
    return np.asarray(curve - uniform_filter1d(curve, round(_MEAN_S / HOP_S)))


def onset_span(bands: Samples) -> tuple[float, float]:
    """Seconds of the first and the last onset that is not negligible in its band."""
    strong = np.percentile(bands, 98, axis=1, keepdims=True)
    active = np.nonzero((bands > _NEGLIGIBLE * np.maximum(strong, 1e-6)).any(axis=0))[0]
    return (float(active[0] * HOP_S), float(active[-1] * HOP_S)) if len(active) else (0.0, 0.0)


def percussiveness(bands: Samples) -> float:
    """How strong onsets are above 2.5 kHz (drums) beside those between 160 and 500 Hz (strings, keys); 0 and up."""
    low, high = np.percentile(bands[1], 98), np.percentile(bands[3], 98)
    return float(high / max(float(low), 1e-9))


def estimate_tempo(curve: Array, drums: float) -> Tempo | None:
    """Find the tempo by autocorrelation over 12 s, a comb at 1, 2 and 4 beats, and a log-normal prior.

    The comb is that of Scheirer (JASA 1998) in the lag domain; the prior that of Ellis (JNMR 2007), with another centre
    for music without drums (`drums`: its percussiveness). None where nothing repeats.
    """
    correlation = _autocorrelation(curve)
    if correlation is None:
        return None
    tempi = np.exp(np.arange(np.log(_SLOWEST_BPM), np.log(_FASTEST_BPM), 0.005))
    lags = 60 / tempi / HOP_S
    comb = np.mean([np.interp(lags * times, np.arange(len(correlation)), correlation) for times in _COMB], axis=0)
    score = np.maximum(comb, 0) * _prior(tempi, drums)
    peaks = _peaks(score)
    if not len(peaks):
        return None
    best = peaks[0]
    others = tuple((float(tempi[peak]), float(score[peak] / score[best])) for peak in peaks[1:5])
    return Tempo(bpm=float(tempi[best]), salience=float(np.clip(comb[best], 0, 1)), alternatives=others)


def repetition(curve: Array, tempi: Array) -> Array | None:
    """Autocorrelation of the onset curve at one beat of each tempo, -1..1; None where nothing repeats."""
    correlation = _autocorrelation(curve)
    if correlation is None:
        return None
    lags = 60 / tempi / HOP_S
    return np.asarray(np.interp(lags, np.arange(len(correlation)), correlation).clip(-1, 1))


def periodicity(curve: Array) -> Array:
    """Autocorrelation of the whole onset curve, 1 at lag 0, at lags of `HOP_S` up to 12 s; empty without change."""
    power = float(curve @ curve)
    if power <= 0:
        return np.empty(0)
    lags = min(round(_WINDOW_S / HOP_S), len(curve))
    spectrum = rfft(curve, 2 * len(curve))
    return np.asarray(irfft(np.abs(spectrum) ** 2)[:lags] / power)


def _prior(tempi: Array, drums: float) -> Array:
    centre, octaves = _PERCUSSIVE_PRIOR if drums >= _PERCUSSIVE else _SOFT_PRIOR
    return np.asarray(np.exp(-0.5 * (np.log2(tempi / centre) / octaves) ** 2))


def _autocorrelation(curve: Array) -> Array | None:
    """Mean autocorrelation of half-overlapping windows, 1 at lag 0; None for a curve without change."""
    width = min(round(_WINDOW_S / HOP_S), len(curve))
    if width < 2 / HOP_S:
        return None
    starts = range(0, len(curve) - width + 1, max(1, width // 2))
    windows = np.stack([curve[start : start + width] for start in starts])
    windows = windows - windows.mean(axis=1, keepdims=True)
    power = np.abs(rfft(windows, 2 * width, axis=1)) ** 2
    correlation = irfft(power.sum(axis=0))[:width]
    if correlation[0] <= 1e-9:
        return None
    overlap = np.maximum(1 - np.arange(width) / width, 0.25)
    return np.asarray(correlation / correlation[0] / overlap)


def _peaks(score: Array) -> NDArray[np.intp]:
    """Give local maxima, the highest first."""
    inner = np.nonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:]) & (score[1:-1] > 0))[0] + 1
    return inner[np.argsort(-score[inner], kind="stable")]
