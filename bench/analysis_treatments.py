"""What happens to songs on their way: the same music as a poor encoder, a radio or a careless export hands it on."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from bench.songs import Variation

type Sound = NDArray[np.float32]
type Truth = dict[str, Any]

LEAD_IN_S = 8.0
_NOISE_DB, _LOW_PASS_HZ = -20.0, 4000
_BLOCK = 1 << 16


def noisy(sound: Sound, rate: int) -> Sound:  # noqa: ARG001 - every treatment is called alike
    """White noise 20 dB below the song."""
    level = float(np.sqrt((sound**2).mean())) * 10 ** (_NOISE_DB / 20)
    return sound + np.random.default_rng(1).normal(0, level, sound.shape).astype(np.float32)


def late(sound: Sound, rate: int) -> Sound:
    """Eight seconds of silence before it."""
    return np.concatenate([np.zeros((round(LEAD_IN_S * rate), sound.shape[1]), dtype=np.float32), sound])


def mono(sound: Sound, rate: int) -> Sound:  # noqa: ARG001 - every treatment is called alike
    """One channel."""
    return sound.mean(axis=1, keepdims=True)


def dull(sound: Sound, rate: int) -> Sound:
    """Mono, and nothing left above 4 kHz."""
    low = sosfilt(butter(4, _LOW_PASS_HZ, fs=rate, output="sos"), mono(sound, rate), axis=0)
    return np.asarray(low, dtype=np.float32)


TREATMENTS: dict[str, Callable[[Sound, int], Sound]] = {"noisy": noisy, "late": late, "mono": mono, "dull": dull}
COMPOSED = {
    "long": Variation(seconds=240),
    "key_change": Variation(seconds=96, modulates=True),
    "other_font": Variation(other_font=True),
}
"""Treatments that music gets before it is played."""
CODECS: dict[str, dict[str, Any]] = {
    "mp3": {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.8},
    "ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.9},
}
_TREATED = (*TREATMENTS, *COMPOSED)
WAYS = ("clean", *CODECS, *_TREATED)


def way_of(number: int) -> str:
    """A third of the songs stays clean, a third is encoded again, a third is treated, whatever the style."""
    turn = number + number // 12  # styles come round every 12 songs
    codec, treatment = tuple(CODECS)[number // 12 % len(CODECS)], _TREATED[number // 3 % len(_TREATED)]
    return ("clean", codec, treatment)[turn % 3]


def treated(way: str, path: Path, truth: Truth, folder: Path) -> tuple[Path, Truth]:
    """Write the song into `folder` as this way leaves it; its truth moves with it."""
    if way == "clean" or way in COMPOSED:
        return path, truth
    sound, rate = sf.read(path, dtype="float32", always_2d=True)
    if way in CODECS:
        out = folder / f"mix.{way}"
        encoded(out, sound, rate, CODECS[way])
        return out, truth
    out = folder / "mix.wav"
    sf.write(out, TREATMENTS[way](sound, rate), rate, subtype="FLOAT")
    return out, _moved(truth, LEAD_IN_S) if way == "late" else truth


def encoded(out: Path, sound: Sound, rate: int, codec: dict[str, Any]) -> None:
    """Write block by block: libsndfile 1.2's Vorbis encoder dies of a minute at once."""
    with sf.SoundFile(out, "w", rate, sound.shape[1], **codec) as file:
        for start in range(0, len(sound), _BLOCK):
            file.write(sound[start : start + _BLOCK])


def _moved(truth: Truth, seconds: float) -> Truth:
    moved = copy.deepcopy(truth)
    for name in ("beats_s", "downbeats_s"):
        moved[name] = [time + seconds for time in moved[name]]
    for name in ("chords", "sections"):
        moved[name] = [[start + seconds, end + seconds, label] for start, end, label in moved[name]]
    moved["key_changes"] = [[time + seconds, key] for time, key in moved.get("key_changes", [])]
    moved["duration_s"] += seconds
    return moved
