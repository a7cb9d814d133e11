"""Sounds whose truth is known, made of sines and noise; all mono float32."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundforge_runners.analysis import Source

type Sound = NDArray[np.float32]

RATE_HZ = 22_050
TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}


def sine(
    frequency_hz: float, seconds: float, amplitude: float = 0.3, rate_hz: int = RATE_HZ, phase: float = 0
) -> Sound:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(amplitude * np.sin(2 * np.pi * frequency_hz * at + phase), dtype=np.float32)


def noise(seconds: float, amplitude: float = 0.1, rate_hz: int = RATE_HZ) -> Sound:
    return np.random.default_rng(5).normal(0, amplitude, round(seconds * rate_hz)).astype(np.float32)


def silence(seconds: float, rate_hz: int = RATE_HZ) -> Sound:
    return np.zeros(round(seconds * rate_hz), dtype=np.float32)


def kick() -> Sound:
    at = np.arange(round(0.15 * RATE_HZ)) / RATE_HZ
    return np.asarray(0.8 * np.sin(2 * np.pi * 60 * at) * np.exp(-at / 0.04), dtype=np.float32)


def snare() -> Sound:
    sound = noise(0.12, 0.25)
    return np.asarray(sound * np.exp(-np.arange(len(sound)) / RATE_HZ / 0.03), dtype=np.float32)


def hat() -> Sound:
    sound = np.diff(noise(0.04, 0.08), prepend=0)
    return np.asarray(sound * np.exp(-np.arange(len(sound)) / RATE_HZ / 0.008), dtype=np.float32)


@lru_cache(64)
def chord(root: int, quality: str, seconds: float, tuning_cents: float = 0) -> Sound:
    """A triad with a bass note; `root` 0 is C. Five partials per tone."""
    pitches = [36 + root, *(60 + (root + tone) % 12 for tone in TRIADS[quality])]
    tones = [
        sine(440 * 2 ** ((pitch - 69 + tuning_cents / 100) / 12) * partial, seconds, 0.06 / partial)
        for pitch in pitches
        for partial in range(1, 6)
    ]
    sound = np.sum(tones, axis=0)
    ramp = np.minimum(1, np.arange(len(sound)) / 200)
    played = np.asarray(sound * ramp * ramp[::-1], dtype=np.float32)
    played.flags.writeable = False  # it is kept
    return played


def place(sound: Sound, hits: Sequence[float], hit: Sound) -> None:
    """Add `hit` at each time in seconds, as far as it fits."""
    for at_s in hits:
        start = round(at_s * RATE_HZ)
        part = sound[start : start + len(hit)]
        part += hit[: len(part)]


def progression(
    chords: Sequence[tuple[int, str]], bpm: float, beats_each: int, lead_in_s: float = 0.4, tuning_cents: float = 0
) -> Sound:
    """Chords in turn, each as long as `beats_each` beats."""
    each_s = beats_each * 60 / bpm
    sound = silence(lead_in_s + each_s * len(chords) + 0.5)
    for index, (root, quality) in enumerate(chords):
        place(sound, [lead_in_s + index * each_s], chord(root, quality, each_s, tuning_cents))
    return sound


def rock_song(bpm: float = 120, bars: int = 16, lead_in_s: float = 0.4, tuning_cents: float = 0) -> Sound:
    """C, G, Am, F with a plain rock beat; the second half is louder."""
    sound = progression([(0, "maj"), (7, "maj"), (9, "min"), (5, "maj")] * (bars // 4), bpm, 4, lead_in_s, tuning_cents)
    beat_s = 60 / bpm
    beats = lead_in_s + beat_s * np.arange(bars * 4)
    place(sound, list(beats[::2]), kick())
    place(sound, list(beats[1::2]), snare())
    place(sound, list(beats + beat_s / 2), hat())
    sound[len(sound) // 2 :] *= 2
    return sound


def write(sound: Sound, path: Path, rate_hz: int = RATE_HZ) -> Source:
    """Write raw PCM; a two-dimensional sound is [frames, channels]."""
    sound.astype("<f4").tofile(path)
    return Source(path, rate_hz, 1 if sound.ndim == 1 else sound.shape[1], len(sound))
