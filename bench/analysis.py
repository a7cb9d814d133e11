"""Accuracy and cost of the analysis beside the naive librosa script, on songs whose truth is known.

    python -m bench.analysis [--seed 31] [--count 144] [--way thirds|clean|mp3|ogg|noisy|late|mono|dull|long|...]
                             [--who both|ours|naive] [--songs FOLDER] [--worst 10]

What is missing of `count` songs is rendered into `build/bench-songs/<seed>`, which git ignores. `--way thirds` leaves a
third as it is, encodes a third again and treats a third (noise, mono, nothing above 4 kHz, eight seconds of silence
before it, four minutes long, a key change, other sound fonts). What the naive script hears lies beside each song and is
not heard twice. `--songs` takes a folder made by `bench.songs` instead: `<id>/mix.flac` and `<id>/truth.json` each.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import soundfile as sf

from bench.analysis_report import Rows, print_report
from bench.analysis_treatments import COMPOSED, WAYS, treated, way_of
from bench.scores import Heard, heard_by_naive, heard_by_us, heard_from_file, heard_to_file, score
from bench.songs import Variation, compose, render
from soundforge_runners.analysis import Source, analyze

DEVELOPMENT_SEED = 31
"""Choices are made on this set; what is reported comes from another one."""
FOLDER = Path(__file__).parent.parent / "build" / "bench-songs"


@dataclass(frozen=True)
class Given:
    """A song as it lies on disk, what is true of it, and what is to be done to it before anybody listens."""

    path: Path
    truth: dict[str, Any]
    way: str


type Listener = Callable[[Path], Heard]


def main() -> None:
    """Measure and print."""
    asked = _asked()
    given = songs_in(asked.songs, asked.way) if asked.songs else rendered(asked.seed, asked.count, asked.way)
    naive = [] if asked.who == "ours" else measure(listen_naively, given, kept_as="naive")
    ours = [] if asked.who == "naive" else measure(listen, given)
    print_report(ours, naive, asked.worst)


def _asked() -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seed", type=int, default=DEVELOPMENT_SEED)
    ask.add_argument("--count", type=int, default=144)
    ask.add_argument("--way", choices=(*WAYS, "thirds"), default="thirds")
    ask.add_argument("--who", choices=("both", "ours", "naive"), default="both")
    ask.add_argument("--songs", type=Path)
    ask.add_argument("--worst", type=int, default=0)
    return ask.parse_args()


def rendered(seed: int, count: int, way: str) -> list[Given]:
    """Render what is missing of the set; truth.json is written last and marks a whole song."""
    given = []
    for number in range(count):
        its_way = way_of(number) if way == "thirds" else way
        song = compose(seed, number, COMPOSED.get(its_way, Variation()))
        folder = FOLDER / str(seed) / (f"{song.name}_{its_way}" if its_way in COMPOSED else song.name)
        if not (folder / "truth.json").exists():
            print(f"rendering {folder.name}", flush=True)
            render(song, folder, with_stems=False)
        given.append(_given(folder, its_way))
    return given


def songs_in(folder: Path, way: str) -> list[Given]:
    """Take the songs that lie in a folder."""
    found = sorted(path.parent for path in folder.glob("*/truth.json"))
    return [_given(path, way_of(number) if way == "thirds" else way) for number, path in enumerate(found)]


def _given(folder: Path, way: str) -> Given:
    return Given(folder / "mix.flac", json.loads((folder / "truth.json").read_text()), way)


def listen(path: Path) -> Heard:
    """Analyse with our own engine, decoding included."""
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "pcm.f32")
        source = decoded(path, raw)
        analyze(source, Path(folder, "peaks.dat"), lambda _, part, __: document.update(part), lambda *_: None)
    return heard_by_us(document)


def decoded(path: Path, raw: Path) -> Source:
    """Write the file's samples to `raw`, a block at a time."""
    with sf.SoundFile(path) as sound, raw.open("wb") as out:
        for block in sound.blocks(1 << 19, dtype="float32", always_2d=True):
            block.tofile(out)
        return Source(raw, sound.samplerate, sound.channels, raw.stat().st_size // (4 * sound.channels))


def listen_naively(path: Path) -> Heard:
    """Analyse with the naive script."""
    from bench.naive_librosa import analyze as analyze_naively  # noqa: PLC0415 - librosa takes seconds to load

    return heard_by_naive(analyze_naively(path))


def measure(how: Listener, given: list[Given], kept_as: str | None = None) -> Rows:
    """Score every song; what was heard is kept beside the song under a name, if there is one, and not heard again."""
    rows: Rows = []
    warm = False
    for song in given:
        kept = song.path.with_name(f"{kept_as}_{song.way}.json") if kept_as else None
        with tempfile.TemporaryDirectory() as folder:
            path, truth = treated(song.way, song.path, song.truth, Path(folder))
            if kept and kept.exists():
                heard, spent_s = heard_from_file(kept)
            else:
                heard, spent_s = _timed(how, path, warm=warm)
                warm = True
                if kept:
                    heard_to_file(kept, heard, spent_s)
        rows.append(_row(truth, heard, song.way, spent_s))
    return rows


def _timed(how: Listener, path: Path, *, warm: bool) -> tuple[Heard, float]:
    """Listen, and give the CPU seconds; the first song is heard twice, so that warming up does not count."""
    if not warm:
        how(path)
    before = time.process_time()
    return how(path), time.process_time() - before


def _row(truth: dict[str, Any], heard: Heard, way: str, spent_s: float) -> dict[str, Any]:
    found = score(truth, heard, truth["duration_s"])
    told = {"tempo_confidence": heard.tempo_confidence, "key_confidence": heard.key_confidence}
    known = {"id": truth["id"], "style": truth["style"], "way": way, "minutes": truth["duration_s"] / 60}
    return {**found, **told, **known, "cpu_s": spent_s}


if __name__ == "__main__":
    main()
