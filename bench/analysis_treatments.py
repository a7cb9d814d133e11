"""What happens to songs on their way: the same music as a poor encoder, a radio or a careless export hands it on."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

type Sound = NDArray[np.float32]
type Truth = dict[str, Any]

LEAD_IN_S = 8.0
_NOISE_DB, _LOW_PASS_HZ = -20.0, 4000


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
WAYS = ("clean", "mp3", *TREATMENTS)


def way_of(number: int) -> str:
    """A third of the songs stays clean, a third goes through MP3, a third is treated, whatever the style."""
    turn = number + number // 12  # styles come round every 12 songs
    return ("clean", "mp3", tuple(TREATMENTS)[number // 3 % len(TREATMENTS)])[turn % 3]


def treated(way: str, path: Path, truth: Truth, folder: Path) -> tuple[Path, Truth]:
    """Write the song into `folder` as this way leaves it; its truth moves with it."""
    if way == "clean":
        return path, truth
    sound, rate = sf.read(path, dtype="float32", always_2d=True)
    if way == "mp3":
        out = folder / "mix.mp3"
        sf.write(out, sound, rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.8)
        return out, truth
    out = folder / "mix.wav"
    sf.write(out, TREATMENTS[way](sound, rate), rate, subtype="FLOAT")
    return out, _moved(truth, LEAD_IN_S) if way == "late" else truth


def _moved(truth: Truth, seconds: float) -> Truth:
    moved = copy.deepcopy(truth)
    for name in ("beats_s", "downbeats_s"):
        moved[name] = [time + seconds for time in moved[name]]
    for name in ("chords", "sections"):
        moved[name] = [[start + seconds, end + seconds, label] for start, end, label in moved[name]]
    moved["duration_s"] += seconds
    return moved
