"""Processor seconds per minute of sound, ours beside the naive script: one long song, one thread, second run of each.

    python -m bench.analysis_cost [SONGS] [--seconds 600]

SONGS is a folder made by `bench.songs`; its mixes are joined until the song is long enough. Without it the songs of
`bench.analysis` are taken, and rendered where they are missing.
"""

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import numpy as np
import soundfile as sf

from bench.analysis import FOLDER, listen, listen_naively, rendered
from bench.scores import Heard

SEED = 2027
_SHORTEST_S = 40


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("songs", type=Path, nargs="?")
    ask.add_argument("--seconds", type=float, default=600)
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder, "long.wav")
        join(asked.songs or _songs(asked.seconds), song, asked.seconds)
        ours, naive = (warm_cost_s(how, song) / asked.seconds * 60 for how in (listen, listen_naively))
    print(f"ours {ours:.3f}, naive {naive:.3f} CPU s per minute: 1/{naive / ours:.1f}")


def _songs(seconds: float) -> Path:
    rendered(SEED, math.ceil(seconds / _SHORTEST_S), "clean")
    return FOLDER / str(SEED)


def join(songs: Path, out: Path, seconds: float) -> None:
    """Write mixes one after the other until `seconds` are full."""
    parts, missing = [], 0
    for path in sorted(songs.glob("*/mix.flac")):
        sound, rate = sf.read(path, dtype="float32", always_2d=True)
        missing = missing or round(seconds * rate)
        parts.append(sound[:missing])
        missing -= len(parts[-1])
        if not missing:
            break
    sf.write(out, np.concatenate(parts), rate, subtype="PCM_16")


def warm_cost_s(how: Callable[[Path], Heard], song: Path) -> float:
    """CPU seconds of the second run."""
    how(song)
    before = time.process_time()
    how(song)
    return time.process_time() - before


if __name__ == "__main__":
    main()
