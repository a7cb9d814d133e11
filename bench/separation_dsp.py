"""Measure the built-in separation on songs whose stems are known.

    python bench/separation_dsp.py SONGS [--kinds as-rendered panned balanced mono] [--only 0 3] [--songs]

``SONGS`` holds one folder per song with drums, bass, keys and lead as FLAC of one length; a missing stem is silent.
The lead counts as vocals, the keys as other, the mix is the sum of the stems. Each song is separated

- as rendered;
- *panned*: the keys folded to mono and panned by ±0.7 at constant power, the sign alternating from song to song;
- *balanced*: the keys left stereo, their balance moved by as much;
- *mono*: everything folded to mono on both channels.

Printed is the median over the songs, per stem, of the gain: SI-SDR of the stem minus SI-SDR of the mix taken for the
stem, both channels as one signal (J. Le Roux et al., "SDR – half-baked or well done?", ICASSP 2019). Silent stems are
passed over. CPU is user + system time of the whole work, encoding included, per second of music.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundforge_runners import _dsp_stream as stream
from soundforge_runners._stems import Source, StemWriter

type Sound = NDArray[np.float32]  # [frames, channels]

NAMES = {"drums": "drums", "bass": "bass", "keys": "other", "lead": "vocals"}
KINDS = ("as-rendered", "panned", "balanced", "mono")
PAN = 0.7
SILENT = 1e-9


@dataclass(frozen=True)
class Score:
    """One song in one treatment: gain in dB per stem, and CPU per second of music."""

    song: str
    gain_db: dict[str, float]
    cpu: float
    near_mono: bool

    @property
    def mean_db(self) -> float:
        """Mean gain over the song's stems."""
        return float(np.mean(list(self.gain_db.values())))


def load(folder: Path) -> tuple[dict[str, Sound], int]:
    """The stems of a song, by our names, and their rate."""
    stems, rate = {}, 0
    for theirs, ours in NAMES.items():
        path = folder / f"{theirs}.flac"
        if path.exists():
            stems[ours], rate = soundfile.read(path, dtype="float32", always_2d=True)
    return stems, rate


def treat(stems: dict[str, Sound], kind: str, number: int) -> dict[str, Sound]:
    """Place the stems in the stereo picture as ``kind`` says."""
    if kind == "mono":
        return {name: np.repeat(stem.mean(axis=1, keepdims=True), 2, axis=1) for name, stem in stems.items()}
    if kind == "as-rendered":
        return stems
    angle = (1 + (PAN if number % 2 == 0 else -PAN)) * np.pi / 4
    gains = np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])
    keys = stems["other"].mean(axis=1, keepdims=True) if kind == "panned" else stems["other"]
    return {**stems, "other": (keys * gains).astype(np.float32)}


def si_sdr(estimate: Sound, truth: Sound) -> float:
    """Scale-invariant signal to distortion ratio, dB."""
    e, t = estimate.astype(np.float64).ravel(), truth.astype(np.float64).ravel()
    target = (e @ t) / (t @ t) * t
    return float(10 * np.log10((target @ target + 1e-20) / ((e - target) @ (e - target) + 1e-20)))


def separate(mix: Sound, rate: int) -> tuple[dict[str, Sound], float, bool]:
    """The whole work from PCM to FLAC files: the stems read back, CPU seconds, and whether it was near mono."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "mix.f32")
        mix.tofile(path)
        source = Source(path, rate, mix.shape[1], len(mix))
        before = time.process_time()
        picture = stream.look(source)
        with StemWriter(source, Path(folder), stream.STEMS, closing=stream.REST) as writer:
            for block in stream.separate(source, picture):
                writer.add(block)
            result = writer.finish()
        cpu = time.process_time() - before
        stems = {
            one["name"]: soundfile.read(one["path"], dtype="float32", always_2d=True)[0] for one in result["stems"]
        }
    return stems, cpu, picture.near_mono


def score(folder: Path, kind: str, number: int) -> Score:
    """Separate one song and compare."""
    stems, rate = load(folder)
    stems = treat(stems, kind, number)
    mix = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    found, cpu, near_mono = separate(mix, rate)
    heard = {name: stem for name, stem in stems.items() if np.mean(stem**2) > SILENT}
    gains = {name: si_sdr(found[name], stem) - si_sdr(mix, stem) for name, stem in heard.items()}
    return Score(folder.name, gains, cpu / (len(mix) / rate), near_mono)


def show(kind: str, scores: Sequence[Score]) -> None:
    """Print one row of the table."""
    medians = [np.median([one.gain_db[name] for one in scores if name in one.gain_db]) for name in stream.STEMS]
    worst = min(scores, key=lambda one: one.mean_db)
    cells = " | ".join(f"{median:+6.1f}" for median in medians)
    cpu = np.mean([one.cpu for one in scores])
    print(f"| {kind:11} | {cells} | {worst.mean_db:+6.1f} ({worst.song}) | {cpu:.3f} |", flush=True)


def main() -> None:
    """Run over all songs of a folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("songs", type=Path, metavar="SONGS")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--only", nargs="+", type=int, help="numbers of songs")
    parser.add_argument("--songs", action="store_true", dest="each", help="print every song too")
    options = parser.parse_args()
    folders = [(number, path) for number, path in enumerate(sorted(p for p in options.songs.iterdir() if p.is_dir()))]
    chosen = [(number, path) for number, path in folders if options.only is None or number in options.only]
    print(f"| {'SI-SDR gain':11} | {' | '.join(f'{name:>6}' for name in stream.STEMS)} | worst song's mean | CPU |")
    print("|---|" + "---|" * 6)
    for kind in options.kinds:
        scores = []
        for number, path in chosen:
            scores.append(score(path, kind, number))
            if options.each:
                gains = " ".join(f"{name} {gain:+.1f}" for name, gain in scores[-1].gain_db.items())
                print(
                    f"{kind} {path.name}: {gains} mean {scores[-1].mean_db:+.1f} {'near mono' * scores[-1].near_mono}"
                )
        show(kind, scores)


if __name__ == "__main__":
    main()
