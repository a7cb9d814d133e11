"""One pass over the sound, two short-time spectra, shared by every later stage.

The sound is folded to mono, brought to 22.05 kHz and to one loudness, and cut twice: into 93 ms every 11.6 ms for
onsets and timbre, and into 372 ms every 92.9 ms for pitch. Only small summaries of each frame are kept, so that an hour
costs about 100 MB.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import soxr
from scipy.fft import dct, rfft

from soundforge_runners.analysis._pitch import PITCHES, TuningHistogram, pitch_bands
from soundforge_runners.analysis._source import Samples, Source

RATE_HZ = 22_050
HOP = 256
PITCH_HOP = 2048
HOP_S = HOP / RATE_HZ
PITCH_HOP_S = PITCH_HOP / RATE_HZ
_FAST_WINDOW, _PITCH_WINDOW = 2048, 8192
_REFERENCE_LUFS = -20.0
_MELS = 81
_COEFFICIENTS = 14
_BAND_EDGES_HZ = (0, 160, 500, 2500, 11_025)
_BATCH = 1024
_EVERY = PITCH_HOP // HOP
TUNING_EVERY = 4
_OFFSET_SHARE = 0.2
_CONTRAST_EVERY, _CONTRAST_SHARE = 4, 0.02
_CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 6400, 10_000)


@dataclass(frozen=True)
class Spectra:
    """What the stages need of the sound; times are frame number times hop, frames are centred."""

    onset_bands: Samples
    """[4, frames]: rise of level per band below 160, 500, 2500 and 11025 Hz, every `HOP_S`."""
    mfcc: Samples
    """[14, pitch frames]: mel cepstrum, every `PITCH_HOP_S`."""
    shape: Samples
    """[7, pitch frames]: level (mean square), centroid, bandwidth, 85 % roll-off in Hz, flatness 0..1, share of samples
    where the sign changes, root mean square of the samples."""
    contrast_db: Samples
    """[7, every fourth pitch frame]: peaks above valleys, below 200 Hz and in the octaves from there."""
    pitch: Samples
    """[`PITCHES`, pitch frames]: magnitude per fifth of a semitone from E1, not yet tuned."""
    tuning_cents: float
    """Deviation from A4 = 440 Hz, -50..50."""
    gain: float
    """What the sound was multiplied by before all this."""


def read_spectra(
    source: Source, integrated_lufs: float, on_progress: Callable[[float], None], *, is_opposite: bool = False
) -> Spectra:
    """Make the pass. `on_progress` hears the share done, 0..1.

    Of channels in opposite phase, which cancel where they are added, the difference is heard.
    """
    fast, slow = _Cutter(_FAST_WINDOW, HOP), _Cutter(_PITCH_WINDOW, PITCH_HOP)
    onsets, pitches = _OnsetPass(), _PitchPass()
    gain = 10 ** ((_REFERENCE_LUFS - integrated_lufs) / 20)
    for share, sound in _mono(source, gain, is_opposite=is_opposite):
        for frames in fast.cut(sound):
            onsets.add(frames)
        for frames in slow.cut(sound):
            pitches.add(frames)
        on_progress(share)
    for frames in fast.last():
        onsets.add(frames)
    for frames in slow.last():
        pitches.add(frames)
    return _joined(onsets, pitches, gain)


def _joined(onsets: "_OnsetPass", pitches: "_PitchPass", gain: float) -> Spectra:
    pitch = np.concatenate(pitches.bands, axis=1)
    mfcc, shape = np.concatenate(onsets.mfcc, axis=1), np.concatenate(onsets.shape, axis=1)
    frames = min(pitch.shape[1], mfcc.shape[1])
    return Spectra(
        onset_bands=np.concatenate(onsets.bands, axis=1),
        mfcc=mfcc[:, :frames],
        shape=shape[:, :frames],
        pitch=pitch[:, :frames],
        contrast_db=np.concatenate(onsets.contrast, axis=1),
        tuning_cents=pitches.tuning.cents(),
        gain=gain,
    )


def _mono(source: Source, gain: float, *, is_opposite: bool) -> Iterator[tuple[float, Samples]]:
    """Give (share done, mono at `RATE_HZ`), less a constant offset: its edges would sound like clicks."""
    resampler = soxr.ResampleStream(source.sample_rate_hz, RATE_HZ, 1, dtype="float32", quality="MQ")
    done, offset = 0, np.float32(0)
    weights = np.full(source.channels, gain / source.channels, dtype=np.float32)
    if is_opposite:
        weights[-1] *= -1
    for block in source.blocks():
        mono = block @ weights
        offset = offset if done else _offset(mono)
        done += len(block)
        yield done / source.frames, resampler.resample_chunk(mono - offset, last=done >= source.frames)


def _offset(sound: Samples) -> np.float32:
    """Mean of the sound, where it is more than what low notes leave; else 0."""
    mean, spread = sound.mean(dtype=np.float64), sound.std(dtype=np.float64)
    return np.float32(mean if abs(mean) > _OFFSET_SHARE * spread else 0)


class _Cutter:
    """Cut a stream into overlapping frames centred at multiples of the hop; silence lies before and after."""

    def __init__(self, window: int, hop: int) -> None:
        self._window, self._hop = window, hop
        self._rest = np.zeros(window // 2, dtype=np.float32)

    def cut(self, sound: Samples) -> Iterator[Samples]:
        """Give views [frames <= _BATCH, window]."""
        sound = np.concatenate([self._rest, sound])
        count = max(0, (len(sound) - self._window) // self._hop + 1)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(sound, self._window)[:: self._hop]
            for start in range(0, count, _BATCH):
                yield frames[start : start + _BATCH]
        self._rest = sound[count * self._hop :].copy()

    def last(self) -> Iterator[Samples]:
        """Give the frames that reach past the end."""
        return self.cut(np.zeros(self._window // 2, dtype=np.float32))


class _OnsetPass:
    """Superflux onset strength in four bands (Boeck & Widmer, DAFx 2013), mel cepstrum and shape of the spectrum."""

    def __init__(self) -> None:
        self._window = np.hanning(_FAST_WINDOW + 1)[:-1].astype(np.float32)
        self._mel, centres = mel_bands(RATE_HZ, _FAST_WINDOW, _MELS)
        groups = [(centres >= low) & (centres < high) for low, high in pairwise(_BAND_EDGES_HZ)]
        self._groups = np.array([group / group.sum() for group in groups], dtype=np.float32)
        self._before = np.zeros((2, _MELS), dtype=np.float32)
        self._count = 0
        self._coarse = 0
        self._contrasts = _contrast_edges()
        self.contrast: list[Samples] = [np.empty((len(self._contrasts), 0), dtype=np.float32)]
        self.bands: list[Samples] = []
        self.mfcc: list[Samples] = []
        self.shape: list[Samples] = []

    def add(self, frames: Samples) -> None:
        """Add [frames, window]."""
        magnitude = np.abs(rfft(frames * self._window, axis=1))
        level = np.log1p(magnitude @ self._mel)
        history = np.concatenate([self._before, level])
        rise = np.maximum(0, level - _widest(history[:-2]))
        self._before = history[-2:]
        self.bands.append(self._groups @ rise.T)
        first = -self._count % _EVERY
        self._count += len(frames)
        coarse = magnitude[first::_EVERY]
        self.mfcc.append(_cepstrum(coarse @ self._mel))
        self.shape.append(np.concatenate([_shape(coarse), _wave(frames[first::_EVERY])]))
        seldom = coarse[-self._coarse % _CONTRAST_EVERY :: _CONTRAST_EVERY]
        self._coarse += len(coarse)
        self.contrast.append(_contrast(seldom, self._contrasts))


class _PitchPass:
    """Magnitude on a scale of fifths of a semitone, and where the partials lie between the semitones."""

    def __init__(self) -> None:
        self._window = np.hanning(_PITCH_WINDOW + 1)[:-1].astype(np.float32)
        self._bands, self._bins = pitch_bands(RATE_HZ, _PITCH_WINDOW)
        self._count = 0
        self.tuning = TuningHistogram(RATE_HZ / _PITCH_WINDOW)
        self.bands: list[Samples] = [np.empty((PITCHES, 0), dtype=np.float32)]

    def add(self, frames: Samples) -> None:
        """Add [frames, window]."""
        magnitude = np.abs(rfft(frames * self._window, axis=1)[:, : self._bins])
        self.bands.append(self._bands @ magnitude.T)
        first = -self._count % TUNING_EVERY
        self._count += len(frames)
        self.tuning.add(magnitude[first::TUNING_EVERY])


def mel_bands(rate_hz: int, window: int, count: int) -> tuple[Samples, Samples]:
    """Triangular bands [bins, count] of unit weight on O'Shaughnessy's mel scale from 27.5 Hz, and their centres."""
    top = 2595 * np.log10(1 + rate_hz / 2 / 700)
    low = 2595 * np.log10(1 + 27.5 / 700)
    edges = 700 * (10 ** (np.linspace(low, top, count + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(window, 1 / rate_hz)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    weights /= np.maximum(weights.sum(axis=0), 1)
    return weights.astype(np.float32), edges[1:-1].astype(np.float32)


def _widest(level: Samples) -> Samples:
    """Largest of each band and its two neighbours: vibrato then makes no onset."""
    padded = np.pad(level, ((0, 0), (1, 1)), mode="edge")
    return np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])


def _cepstrum(mel: Samples) -> Samples:
    decibels = 20 * np.log10(np.maximum(mel, 1e-4))
    return np.ascontiguousarray(dct(decibels, axis=1, norm="ortho")[:, :_COEFFICIENTS].T)


def _shape(magnitude: Samples) -> Samples:
    """Level, centroid, bandwidth, roll-off and flatness per frame (Peeters, CUIDADO 2004)."""
    bins = np.linspace(0, RATE_HZ / 2, magnitude.shape[1], dtype=np.float32)
    total = np.maximum(magnitude.sum(axis=1), 1e-9)
    centroid = magnitude @ bins / total
    bandwidth = np.sqrt(np.maximum(0, magnitude @ bins**2 / total - centroid**2))
    rolloff = bins[(np.cumsum(magnitude, axis=1) < 0.85 * total[:, None]).sum(axis=1).clip(max=len(bins) - 1)]
    power = magnitude**2 + 1e-10
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
    return np.stack([power.mean(axis=1), centroid, bandwidth, rolloff, flatness]).astype(np.float32)


def _wave(frames: Samples) -> Samples:
    """Share of sign changes and root mean square of each frame, [2, frames]; the frames neither overlap nor gap."""
    negative = np.signbit(frames)
    changes = (negative[:, 1:] != negative[:, :-1]).mean(axis=1, dtype=np.float32)
    power = np.einsum("fs,fs->f", frames, frames) / np.float32(frames.shape[1])
    return np.stack([changes, np.sqrt(power)]).astype(np.float32)


def _contrast_edges() -> list[tuple[int, int, int]]:
    """First bin, one past the last, and how many of them are a peak or a valley."""
    bins = [round(edge * _FAST_WINDOW / RATE_HZ) for edge in _CONTRAST_EDGES_HZ]
    return [(low, high, max(1, round(_CONTRAST_SHARE * (high - low)))) for low, high in pairwise(bins)]


def _contrast(magnitude: Samples, edges: list[tuple[int, int, int]]) -> Samples:
    """Peaks beside valleys of each band in dB (Jiang et al., "Music type classification", ICME 2002)."""
    rows = []
    for low, high, few in edges:
        band = np.partition(magnitude[:, low:high], (few - 1, high - low - few), axis=1)
        valley, peak = band[:, :few].mean(axis=1), band[:, -few:].mean(axis=1)
        rows.append(20 * np.log10((peak + 1e-4) / (valley + 1e-4)))
    return np.array(rows, dtype=np.float32)
