"""Peak memory and cost of a long file: `python -m bench.analysis_memory [--minutes 60] [--songs FOLDER]`.

The songs of the folder (by default the development set of `bench.analysis`) are joined to a raw stereo file at 44.1
kHz, and the runner analyses it in a process of its own, as in the studio.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import cycle
from pathlib import Path

import soundfile as sf

from bench.analysis import DEVELOPMENT_SEED, FOLDER

RATE_HZ = 44_100


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--songs", type=Path, default=FOLDER / str(DEVELOPMENT_SEED))
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "pcm.f32")
        frames = join(asked.songs, raw, round(asked.minutes * 60 * RATE_HZ))
        result = analyze(raw, frames, Path(folder, "peaks.dat"))
    cost, warnings = result["cost"], [warning["code"] for warning in result["warnings"]]
    print(
        f"{asked.minutes:g} min: {cost['peak_rss_mb']} MB at most, "
        f"{cost['cpu_s'] / asked.minutes:.3f} CPU s per minute, warnings {warnings}"
    )


def join(songs: Path, out: Path, frames: int) -> int:
    """Write mixes in turn until there are so many frames."""
    left = frames
    with out.open("wb") as raw:
        for path in cycle(sorted(songs.glob("*/mix.flac"))):
            sound, _ = sf.read(path, dtype="float32", always_2d=True)
            sound[:left].tofile(raw)
            left -= min(left, len(sound))
            if not left:
                return frames
    raise SystemExit(f"There are no songs in {songs}; `make bench-analysis` renders some.")


def analyze(raw: Path, frames: int, peaks: Path) -> dict[str, object]:
    """Ask a runner that starts for this alone, and give its result."""
    request = {
        "path": str(raw),
        "sample_rate_hz": RATE_HZ,
        "channels": 2,
        "frames": frames,
        "peaks_path": str(peaks),
    }
    command = [sys.executable, "-m", "soundforge_runners.analyze"]
    done = subprocess.run(command, input=json.dumps(request) + "\n", capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
