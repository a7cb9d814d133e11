"""Accuracy and cost of the analysis beside the naive librosa script, on songs whose truth is known.

    python -m bench.analysis [SONGS] [--count 24] [--seed 2027] [--way clean|mp3|noisy|late|mono|dull|thirds]
                             [--split dev|test] [--only-ours] [--worst 10]

SONGS is a folder made by `bench.songs`: `<id>/mix.flac` and `<id>/truth.json` each. Without it, what is missing of
`count` songs is rendered into `build/bench-songs/<seed>`, which git ignores. `--way thirds` leaves a third as it is,
sends a third through MP3 and treats a third (noise, mono, nothing above 4 kHz, eight seconds of silence before it).
"""

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import numpy as np
import soundfile as sf

from bench.analysis_treatments import WAYS, treated, way_of
from bench.scores import METRICS, Heard, calibration_error, heard_by_naive, heard_by_us, interval, score
from bench.songs import compose, render
from soundforge_runners.analysis import Source, analyze

type Rows = list[dict[str, Any]]
type Songs = list[tuple[int, Path, dict[str, Any]]]

FOLDER = Path(__file__).parent.parent / "build" / "bench-songs"
SECONDS = 48.0


def main() -> None:
    """Measure and print."""
    asked = _asked()
    given = songs(asked.songs or rendered(asked.seed, asked.count), asked.split, asked.count)
    ours = measure(listen, given, asked.way)
    naive = [] if asked.only_ours else measure(listen_naively, given, asked.way)
    print_table(ours, naive)
    print_calibration(ours)
    print_styles(ours)
    print_worst(ours, asked.worst)


def _asked() -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("songs", type=Path, nargs="?")
    ask.add_argument("--count", type=int, default=24)
    ask.add_argument("--seed", type=int, default=2027)
    ask.add_argument("--way", choices=(*WAYS, "thirds"), default="clean")
    ask.add_argument("--split", choices=("dev", "test"))
    ask.add_argument("--only-ours", action="store_true")
    ask.add_argument("--worst", type=int, default=0)
    return ask.parse_args()


def rendered(seed: int, count: int) -> Path:
    """Render what is missing of the set; truth.json is written last and marks a whole song."""
    folder = FOLDER / str(seed)
    for number in range(count):
        song = compose(seed, number, SECONDS)
        if not (folder / song.name / "truth.json").exists():
            print(f"rendering {song.name}", flush=True)
            render(song, folder / song.name)
    return folder


def songs(folder: Path, split: str | None, count: int) -> Songs:
    """Give number, sound file and truth of the first `count` songs of a folder."""
    found: Songs = []
    for number, path in enumerate(sorted(folder.glob("*/truth.json"))[:count]):
        truth = json.loads(path.read_text())
        if split in (None, truth["split"]):
            found.append((number, path.parent / "mix.flac", truth))
    return found


def listen(path: Path) -> Heard:
    """Analyse with our own engine, decoding included."""
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        sound, rate = sf.read(path, dtype="float32", always_2d=True)
        raw = Path(folder, "pcm.f32")
        sound.tofile(raw)
        source = Source(raw, rate, sound.shape[1], len(sound))
        analyze(source, Path(folder, "peaks.dat"), lambda _, part, __: document.update(part), lambda *_: None)
    return heard_by_us(document)


def listen_naively(path: Path) -> Heard:
    """Analyse with the naive script."""
    from bench.naive_librosa import analyze as analyze_naively  # noqa: PLC0415 - librosa takes seconds to load

    return heard_by_naive(analyze_naively(path))


def measure(how: Callable[[Path], Heard], given: Songs, way: str) -> Rows:
    """Score every song; the first one is heard twice, so that warming up does not count."""
    rows: Rows = []
    for number, clean, song in given:
        with tempfile.TemporaryDirectory() as folder:
            path, truth = treated(way_of(number) if way == "thirds" else way, clean, song, Path(folder))
            if not rows:
                how(path)
            before = time.process_time()
            heard = how(path)
            spent = time.process_time() - before
        found = score(truth, heard, truth["duration_s"])
        told = {"tempo_confidence": heard.tempo_confidence, "key_confidence": heard.key_confidence}
        minutes = truth["duration_s"] / 60
        rows.append({**found, **told, "id": truth["id"], "style": truth["style"], "cpu_s": spent, "minutes": minutes})
    return rows


def print_table(ours: Rows, naive: Rows) -> None:
    """Print the mean of every metric with its interval, ours beside the naive script's."""
    print(f"\n{len(ours)} songs\n\n| metric | ours (95 %) | naive | paired gain (95 %) |\n|---|---|---|---|")
    for metric in METRICS:
        values = [row[metric] for row in ours]
        low, high = interval(values)
        line = f"| {metric} | {_mean(values):.3f} ({low:.2f} to {high:.2f}) |"
        if naive:
            gains = [a[metric] - b[metric] for a, b in zip(ours, naive, strict=True)]
            low, high = interval(gains)
            line += f" {_mean([row[metric] for row in naive]):.3f} | {_mean(gains):+.3f} ({low:+.2f} to {high:+.2f}) |"
        print(line)
    costs = [sum(row["cpu_s"] for row in rows) / sum(row["minutes"] for row in rows) for rows in (ours, naive) if rows]
    print("| CPU s per minute | " + " | ".join(f"{cost:.2f}" for cost in costs) + " |")


def print_calibration(rows: Rows) -> None:
    """Print how far what the document says of tempo and key lies from how often it is right."""
    print("\n| confidence | mean | right | calibration error |\n|---|---|---|---|")
    for name, metric in (("tempo", "tempo_acc1"), ("key", "key_exact")):
        said = np.array([row[f"{name}_confidence"] or 0.0 for row in rows])
        right = np.array([row[metric] for row in rows])
        print(f"| {name} | {said.mean():.3f} | {right.mean():.3f} | {calibration_error(said, right):.3f} |")


def print_styles(rows: Rows) -> None:
    """Print the mean of the main metrics per style."""
    columns = ("tempo_acc1", "beat_f", "downbeat_f", "key_weighted", "chord_majmin", "chord_tetrads", "boundary_f_3s")
    groups = defaultdict(list)
    for row in rows:
        groups[row["style"]].append(row)
    print("\n| style | " + " | ".join(columns) + " |\n|---" * 1 + "|---" * len(columns) + "|")
    for style, members in groups.items():
        means = (_mean([row[column] for row in members]) for column in columns)
        print(f"| {style} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")


def print_worst(rows: Rows, count: int) -> None:
    """Print the songs that went worst."""
    for row in sorted(rows, key=lambda row: sum(row[metric] for metric in METRICS))[:count]:
        print(row["id"], {metric: round(row[metric], 2) for metric in METRICS})


def _mean(values: list[float]) -> float:
    return sum(values) / max(len(values), 1)


if __name__ == "__main__":
    main()
