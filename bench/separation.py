"""Measure our Demucs against the demucs command line: same file, same weights, in turn, whole processes.

    python -m bench.separation PYTHON [--seconds 180] [--rounds 5] [--precisions float32 bfloat16] [--streams 2]

``PYTHON`` is an interpreter with torch, demucs and numpy. The network has the full size and live random weights, so the
work is the same as with the real ones and the stems are noise. Both sides do one shift at an overlap of 0.25; the
demucs command writes 16-bit WAV, ours decodes, separates in a child and writes 24-bit FLAC and waveforms.

Printed per run: wall time, CPU time (user and system, with children), peak memory of all processes together (resident,
looked at every 0.1 s) and the machine's load; then the median of the ratios of each round.
"""

import argparse
import asyncio
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import soundfile

from soundforge.engines import DECODER, ModelFile, ModelSpec, ModelStore, SeparateOptions
from soundforge.engines._machine import THIS_MACHINE, Machine
from soundforge.engines._openvino import OpenVinoSeparator
from tests.support.networks import FULL, write_network

RATE = 44_100
FILE, MODEL, HUB = "955717e8.safetensors", "htdemucs", "models--adefossez--HTDemucs"
REVISION = "0" * 40


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def write_song(path: Path, seconds: float) -> None:
    """Noise with a beat, 16-bit stereo, written in blocks."""
    random = np.random.default_rng(1)
    with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_16") as file:
        left = round(seconds * RATE)
        while left > 0:
            beat = np.exp(-np.arange(RATE // 2) / 4000)[:, None]
            file.write((0.2 * beat * random.standard_normal((RATE // 2, 2)))[:left])
            left -= RATE // 2


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end."""
    began, cpu, peak = time.monotonic(), _children_cpu(), 0.0
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, _tree_mb(process.pid))
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Cost(time.monotonic() - began, _children_cpu() - cpu, peak)


def demucs_command(python: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The demucs command line, which finds our weights where the hub's would lie."""
    snapshot = folder / "hub" / HUB / "snapshots" / REVISION
    if not snapshot.exists():
        snapshot.mkdir(parents=True)
        (folder / "hub" / HUB / "refs").mkdir()
        (folder / "hub" / HUB / "refs" / "main").write_text(REVISION)
        (snapshot / f"{MODEL}.yaml").write_text(f"models: ['{FILE.partition('.')[0]}']\n")
        (snapshot / FILE).symlink_to(folder / MODEL / FILE)
    words = ["-n", MODEL, "-d", "cpu", "--shifts", "1", "--overlap", "0.25", "-o", str(folder / "out")]
    hub = {"HF_HUB_CACHE": str(folder / "hub"), "HF_HUB_OFFLINE": "1"}
    return [python, "-I", "-m", "demucs", *words, str(folder / "song.wav")], {**os.environ, **hub}


def our_command(folder: Path, precision: str, streams: int) -> tuple[list[str], dict[str, str]]:
    """This file, asked to separate once."""
    words = ["--once", str(folder), "--precisions", precision, "--streams", str(streams)]
    return [sys.executable, "-m", "bench.separation", "-", *words], dict(os.environ)


async def separate_once(folder: Path, precision: str, streams: int) -> None:
    """What `soundforge separate` does, with weights that no table knows."""
    digest = hashlib.sha256((folder / MODEL / FILE).read_bytes()).hexdigest()
    file = ModelFile(FILE, (folder / MODEL / FILE).stat().st_size, digest)
    stems = ("vocals", "drums", "bass", "other")
    spec = ModelSpec(MODEL, "Demucs", stems, ("openvino",), "none", may_sell=True, files=(file,))
    store = ModelStore(folder, models={MODEL: spec})
    machine = Machine(free_mb=lambda: 64_000 if streams > 1 else 1200, flags=THIS_MACHINE.flags)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        out = Path(name)
        pcm = (await DECODER.decode(folder / "song.wav", out / "song.f32", folder=out, max_duration_s=1e5)).pcm
        await OpenVinoSeparator(lambda: store, machine).separate(
            pcm,
            model=MODEL,
            folder=out / "stems",
            threads=os.cpu_count() or 1,
            options=SeparateOptions(precision=precision),
        )


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    if arguments.once:
        asyncio.run(separate_once(arguments.once, arguments.precisions[0], arguments.streams))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_song(folder / "song.wav", arguments.seconds)
        write_network(folder / MODEL / FILE, options=FULL)
        commands = {"demucs": demucs_command(arguments.python, folder)} if arguments.python != "-" else {}
        for precision in arguments.precisions:
            commands[precision] = our_command(folder, precision, arguments.streams)
        rounds = []
        for number in range(arguments.rounds):
            order = list(commands.items())[:: 1 if number % 2 == 0 else -1]
            rounds.append({who: _told(number, who, measure(*command)) for who, command in order})
        _tell_ratios(rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("python", help="an interpreter with demucs; - leaves it out")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _told(number: int, who: str, cost: Cost) -> Cost:
    load = os.getloadavg()[0]
    words = (
        f"round {number + 1}  {who:9} wall {cost.wall_s:7.1f} s  cpu {cost.cpu_s:7.1f} s  peak {cost.peak_mb:6.0f} MB"
    )
    print(f"{words}  load {load:.1f}", flush=True)
    return cost


def _tell_ratios(rounds: list[dict[str, Cost]]) -> None:
    for who in rounds[0]:
        if who != "demucs" and "demucs" in rounds[0]:
            wall = [one["demucs"].wall_s / one[who].wall_s for one in rounds]
            cpu = [one["demucs"].cpu_s / one[who].cpu_s for one in rounds]
            spread = f"[{min(wall):.2f}-{max(wall):.2f}]"
            print(
                f"{who}: {statistics.median(wall):.2f}x {spread} faster by wall, {statistics.median(cpu):.2f}x by CPU"
            )


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _tree_mb(pid: int) -> float:
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return sum(one.memory_info().rss for one in processes) / 1e6
    except psutil.Error:  # ended while we looked
        return 0.0


if __name__ == "__main__":
    main()
