"""From spectrum to pitch: a log-frequency scale, the tuning, the harmonic part, chroma."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, rank_filter

from soundforge_runners.analysis._source import Samples

STEPS = 5
"""Steps per semitone."""
_LOWEST, _HIGHEST = 28, 96
PITCHES = (_HIGHEST - _LOWEST) * STEPS + 1
_TUNING_RANGE_HZ = (150.0, 1800.0)
_SPREAD = 0.35
_HARMONIC_FRAMES, _PERCUSSIVE_PITCHES = 17, 31
_CHUNK = 2048


def midi_scale() -> NDArray[np.float64]:
    """Pitch of each step as a MIDI number, [PITCHES]."""
    return _LOWEST + np.arange(PITCHES) / STEPS


def pitch_bands(rate_hz: int, window: int) -> tuple[Samples, int]:
    """Matrix [PITCHES, bins] from magnitudes to pitch, and how many bins of the spectrum it takes.

    A band is a triangle, one step wide to each side or one bin where bins are further apart.
    """
    width_hz = rate_hz / window
    centre = 440 * 2 ** ((midi_scale() - 69) / 12)
    half = np.maximum(centre * (2 ** (1 / 12 / STEPS) - 1), width_hz)
    bins = int(np.ceil((centre[-1] + half[-1]) / width_hz)) + 1
    distance = np.abs(np.arange(bins) * width_hz - centre[:, None]) / half[:, None]
    weights = np.maximum(0, 1 - distance)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32), bins


class TuningHistogram:
    """Where partials lie between the semitones: peaks of the spectrum, interpolated, weighted by magnitude.

    As in Gomez, "Tonal description of polyphonic audio", INFORMS 2006, with a parabola through the log magnitudes.
    """

    def __init__(self, bin_hz: float) -> None:
        """Take spectra whose bins lie `bin_hz` apart."""
        self._bin_hz = bin_hz
        self._first, self._last = (round(edge / bin_hz) for edge in _TUNING_RANGE_HZ)
        self._weights = np.zeros(100)

    def add(self, magnitude: Samples) -> None:
        """Add [frames, bins]."""
        level = np.log(magnitude[:, self._first - 1 : self._last + 1] + 1e-9)
        left, middle, right = level[:, :-2], level[:, 1:-1], level[:, 2:]
        floor = middle.max(axis=1, keepdims=True, initial=-30) - 5
        frame, place = np.nonzero((middle > left) & (middle >= right) & (middle > floor))
        a, b, c = (side[frame, place] for side in (left, middle, right))
        offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
        midi = 69 + 12 * np.log2((self._first + place + offset) * self._bin_hz / 440)
        cents = np.floor((midi - np.floor(midi)) * 100).astype(int) % 100
        self._weights += np.bincount(cents, weights=np.exp(b), minlength=100)

    def cents(self) -> float:
        """Give the deviation from equal temperament at 440 Hz, -50..50."""
        smooth = gaussian_filter1d(self._weights, 6, mode="wrap")
        if smooth.max() <= 0:
            return 0.0
        best = int(np.argmax(smooth))
        left, right = smooth[best - 1], smooth[(best + 1) % 100]
        offset = 0.5 * (left - right) / min(left - 2 * smooth[best] + right, -1e-12)
        return float((best + 0.5 + offset + 50) % 100 - 50)


def harmonic_part(pitch: Samples) -> Samples:
    """Keep what lasts and drop what is broad: median filters along time and pitch (Fitzgerald, DAFx 2010).

    Takes and gives [PITCHES, frames]; works in chunks, so that memory stays small beside the input.
    """
    half = _HARMONIC_FRAMES // 2
    parts = []
    for start in range(0, pitch.shape[1], _CHUNK):
        first, stop = max(0, start - half), min(pitch.shape[1], start + _CHUNK + half)
        parts.append(_harmonic(pitch[:, first:stop])[:, start - first : start - first + _CHUNK])
    return np.concatenate(parts, axis=1) if parts else pitch


def _harmonic(pitch: Samples) -> Samples:
    lasting = _running_median(pitch, _HARMONIC_FRAMES)
    broad = np.ascontiguousarray(_running_median(np.ascontiguousarray(pitch.T), _PERCUSSIVE_PITCHES).T)
    lasting, broad = lasting**2, broad**2
    mask = lasting / np.maximum(lasting + broad, 1e-12)
    return np.asarray(pitch * mask, dtype=np.float32)


def _running_median(rows: Samples, width: int) -> Samples:
    """Median along each row. All rows go through one pass of the fast one-dimensional filter, mirrored at the ends."""
    half = width // 2
    padded = np.pad(rows, ((0, 0), (half, half)), mode="symmetric")
    flat = rank_filter(padded.ravel(), width // 2, size=width)
    return np.asarray(flat.reshape(padded.shape)[:, half:-half], dtype=np.float32)


def chroma_bands(tuning_cents: float, low: float, high: float) -> Samples:
    """Matrix [12, PITCHES] that folds the pitches `low` to `high` (MIDI, soft edges of 3 semitones) onto C..B."""
    midi = midi_scale() - tuning_cents / 100
    distance = (midi[None] - np.arange(12)[:, None] + 6) % 12 - 6
    edges = np.clip((midi - low) / 3 + 0.5, 0, 1) * np.clip((high - midi) / 3 + 0.5, 0, 1)
    return (np.exp(-0.5 * (distance / _SPREAD) ** 2) * edges).astype(np.float32)
