"""Our loudness beside ffmpeg's `ebur128`, on songs of `bench.songs`.

    python -m bench.loudness [--seed 31] [--count 36]

Needs ffmpeg (Debian: ffmpeg). The benchmark may differ by .1 LU and .2 dB.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from bench.analysis import DEVELOPMENT_SEED, decoded, rendered
from soundforge_runners.analysis._loudness import measured

NAMES = ("integrated_lufs", "range_lu", "max_short_term_lufs", "true_peak_dbtp")


def main() -> None:
    """Measure and print the mean and the largest difference of each figure."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seed", type=int, default=DEVELOPMENT_SEED)
    ask.add_argument("--count", type=int, default=36)
    asked = ask.parse_args()
    rows = [differences(song.path) for song in rendered(asked.seed, asked.count, "thirds")]
    print(f"\n{len(rows)} songs\n\n| figure | mean difference | largest |\n|---|---|---|")
    for name, values in zip(NAMES, np.array(rows).T, strict=True):
        print(f"| {name} | {values.mean():+.3f} | {np.abs(values).max():.3f} |")


def differences(path: Path) -> list[float]:
    """Ours less ffmpeg's, in the order of `NAMES`."""
    with tempfile.TemporaryDirectory() as folder:
        ours = measured(decoded(path, Path(folder, "pcm.f32")))
    return [getattr(ours, name) - theirs for name, theirs in zip(NAMES, by_ffmpeg(path), strict=True)]


def by_ffmpeg(path: Path) -> list[float]:
    """What ffmpeg says, with its own one decimal, in the order of `NAMES`."""
    command = [
        "ffmpeg",
        "-hide_banner",
        "-nostats",
        "-i",
        str(path),
        "-af",
        "ebur128=peak=true:framelog=info",
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    momentary, summary = said.rsplit("Summary:", 1)
    short_term = [float(value) for value in re.findall(r"\bS: *(-?[\d.]+)", momentary)]
    patterns = (r"I: +(-?[\d.]+) LUFS", r"LRA: +(-?[\d.]+) LU", r"Peak: +(-?[\d.]+) dBFS")
    integrated, spread, peak = (float(re.search(pattern, summary).group(1)) for pattern in patterns)
    return [integrated, spread, max(short_term), peak]


if __name__ == "__main__":
    main()
