"""A small song with all that a separator looks for: a voice in the middle, drums, a bass, chords at the sides."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 44100
BEAT_S = 0.5  # 120 BPM
CHORDS = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))  # Am F C G
MELODY = (69, 72, 76, 74, 72, 69, 67, 71)

type Mono = NDArray[np.float64]


def write_song(path: Path, *, seconds: float = 16.0, title: str = "", artist: str = "", album: str = "") -> Path:
    """Write the song as the extension says, with its tags; give the path."""
    beats = int(seconds / BEAT_S)
    voice, drums, bass, left, right = (np.zeros(round(seconds * RATE)) for _ in range(5))
    for beat in range(beats):
        chord = CHORDS[beat // 4 % len(CHORDS)]
        start = round(beat * BEAT_S * RATE)
        _add(voice, start, _tone(MELODY[beat % len(MELODY)], BEAT_S, harmonics=6, vibrato_hz=5.5))
        _add(drums, start, _kick() if beat % 2 == 0 else _snare(beat))
        _add(bass, start, _tone(chord[0] - 24, BEAT_S, harmonics=3))
        _add(left, start, _tone(chord[1], BEAT_S, harmonics=4))
        _add(right, start, _tone(chord[2], BEAT_S, harmonics=4))
    middle = 0.22 * voice + 0.4 * drums + 0.3 * bass
    sound = np.stack([middle + 0.15 * left, middle + 0.15 * right], axis=1)
    kind, subtype = path.suffix[1:].upper(), "PCM_16"
    with soundfile.SoundFile(path, "w", RATE, 2, subtype=subtype, format=kind) as file:
        for name, value in (("title", title), ("artist", artist), ("album", album)):
            if value:
                setattr(file, name, value)
        file.write((0.9 * sound / np.abs(sound).max()).astype(np.float32))
    return path


def _add(track: Mono, start: int, sound: Mono) -> None:
    length = min(len(sound), len(track) - start)
    track[start : start + length] += sound[:length]


def _tone(note: int, seconds: float, *, harmonics: int, vibrato_hz: float = 0.0) -> Mono:
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * 440 * 2 ** ((note - 69) / 12) * time + 2 * np.sin(2 * np.pi * vibrato_hz * time)
    shape = np.minimum(1, np.minimum(time, seconds - time) * 60)
    sound: Mono = shape * sum(np.sin(number * phase) / number for number in range(1, harmonics + 1))
    return sound


def _kick() -> Mono:
    time = np.arange(round(0.2 * RATE)) / RATE
    sound: Mono = np.sin(2 * np.pi * (50 * time + 6 * (1 - np.exp(-30 * time)))) * np.exp(-18 * time)
    return sound


def _snare(seed: int) -> Mono:
    time = np.arange(round(0.15 * RATE)) / RATE
    sound: Mono = np.random.default_rng(seed).standard_normal(len(time)) * 0.4 * np.exp(-28 * time)
    return sound
