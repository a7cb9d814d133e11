"""The yardstick: what the usual librosa tutorial does. Frozen: it is measured against, never improved.

One file in, a dictionary out with the same names as our own analysis, as far as it has them. Beats by `beat_track`,
downbeats as every fourth beat, key by mean CQT chroma and Krumhansl's profiles, chords by the best triad of each frame,
sections by agglomerative clustering of MFCC into one part per 12 seconds, loudness by pyloudnorm.
"""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pyloudnorm

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
RATE_HZ = 22_050
SECONDS_PER_SECTION = 12


def analyze(path: Path) -> dict[str, Any]:
    """Analyse one sound file."""
    sound, rate = librosa.load(path, sr=RATE_HZ, mono=True)
    chroma = librosa.feature.chroma_cqt(y=sound, sr=rate)
    frames_s = librosa.times_like(chroma, sr=rate)
    mfcc = librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=13)
    tempo, beats = librosa.beat.beat_track(y=sound, sr=rate)
    beats_s = librosa.frames_to_time(beats, sr=rate)
    duration_s = len(sound) / rate
    return {
        "tempo_bpm": float(np.atleast_1d(tempo)[0]),
        "beats_s": beats_s,
        "downbeats_s": beats_s[::4],
        "key": key_of(chroma.mean(axis=1)),
        "chords": chords_of(chroma, frames_s, duration_s),
        "sections": sections_of(mfcc, frames_s, duration_s),
        "integrated_lufs": loudness_of(path),
        "features": features_of(sound, rate, mfcc, chroma),
    }


def key_of(chroma: np.ndarray) -> str:
    """Best correlation among 24 rotated profiles."""
    scores = [np.corrcoef(np.roll(profile, tonic), chroma)[0, 1] for profile in (MAJOR, MINOR) for tonic in range(12)]
    best = int(np.argmax(scores))
    return f"{NAMES[best % 12]} {('major', 'minor')[best // 12]}"


def chords_of(chroma: np.ndarray, frames_s: np.ndarray, duration_s: float) -> list[tuple[float, float, str]]:
    """Best of 24 triads for each frame, equal neighbours joined."""
    shapes = {"maj": (0, 4, 7), "min": (0, 3, 7)}
    labels = [f"{root}:{quality}" for quality in shapes for root in NAMES]
    templates = np.array([np.roll(np.isin(np.arange(12), s), r) for s in shapes.values() for r in range(12)], float)
    best = (templates / np.linalg.norm(templates, axis=1, keepdims=True) @ librosa.util.normalize(chroma)).argmax(
        axis=0
    )
    starts = np.append(0, np.nonzero(np.diff(best))[0] + 1)
    edges = np.append(frames_s[starts], duration_s)
    edges[0] = 0.0
    return [(float(a), float(b), labels[best[i]]) for a, b, i in zip(edges[:-1], edges[1:], starts, strict=True)]


def sections_of(mfcc: np.ndarray, frames_s: np.ndarray, duration_s: float) -> list[tuple[float, float]]:
    """Cut by agglomerative clustering into one part per 12 s."""
    count = max(2, round(duration_s / SECONDS_PER_SECTION))
    edges = np.append(frames_s[librosa.segment.agglomerative(mfcc, count)], duration_s)
    edges[0] = 0.0
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def loudness_of(path: Path) -> float:
    """Integrated loudness of the file as it is."""
    sound, rate = librosa.load(path, sr=None, mono=False)
    return float(pyloudnorm.Meter(rate).integrated_loudness(np.atleast_2d(sound).T))


def features_of(sound: np.ndarray, rate: float, mfcc: np.ndarray, chroma: np.ndarray) -> dict[str, Any]:
    """Give the features that every tutorial lists, each from its own call."""
    harmonic, percussive = librosa.effects.hpss(sound)
    onset = librosa.onset.onset_strength(y=sound, sr=rate)
    rows = {
        "centroid": librosa.feature.spectral_centroid(y=sound, sr=rate),
        "bandwidth": librosa.feature.spectral_bandwidth(y=sound, sr=rate),
        "rolloff": librosa.feature.spectral_rolloff(y=sound, sr=rate),
        "flatness": librosa.feature.spectral_flatness(y=sound),
        "contrast": librosa.feature.spectral_contrast(y=sound, sr=rate),
        "zcr": librosa.feature.zero_crossing_rate(sound),
        "rms": librosa.feature.rms(y=sound),
        "tonnetz": librosa.feature.tonnetz(y=harmonic, sr=rate),
        "tempogram": librosa.feature.tempogram(onset_envelope=onset, sr=rate),
        "mfcc": mfcc,
        "chroma": chroma,
        "percussive_rms": librosa.feature.rms(y=percussive),
    }
    return {name: (row.mean(axis=1).tolist(), row.std(axis=1).tolist()) for name, row in rows.items()}
