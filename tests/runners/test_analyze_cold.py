"""Twenty analyzers at once on a machine that has never run one, and songs of hours: slow, so with the engines."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.signals import rock_song, write

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]

AT_ONCE = 20
TWO_HOURS = """
import resource, sys
from pathlib import Path
import numpy as np
from soundforge_runners.analysis import Source, analyze

class Looped(Source):
    def blocks(self):
        song = np.fromfile(self.path, dtype="<f4")[:, None].repeat(2, axis=1)
        for start in range(0, self.frames, len(song)):
            yield song[: self.frames - start]

document = {}
source = Looped(Path(sys.argv[1]), 22050, 2, 7200 * 22050)
warnings = analyze(source, Path(sys.argv[2]), lambda _, part, __: document.update(part), lambda *_: None)
high = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
codes = [one["code"] for one in warnings]
print(int(high.split()[1]) >> 10, document["tempo"]["bpm"], document["key"]["camelot"], codes)
"""


def environment(home: Path) -> Mapping[str, str]:
    """As a child of the studio gets it: an empty home, no cache of anybody, our modules."""
    return {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}


def request(folder: Path) -> dict[str, Any]:
    source = write(rock_song(bars=4), folder / "pcm.f32")
    said = {"path": source.path, "peaks_path": folder / "peaks.dat"}
    numbers = {"sample_rate_hz": source.sample_rate_hz, "channels": source.channels, "frames": source.frames}
    return {**{name: str(path) for name, path in said.items()}, **numbers}


def test_twenty_cold_starts_at_once_all_answer_alike_and_leave_no_cache(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    folders = [tmp_path / str(number) for number in range(AT_ONCE)]
    children = []
    for folder in folders:
        folder.mkdir()
        command = [sys.executable, "-m", "soundforge_runners.analyze"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        children.append(subprocess.Popen(command, **pipes, text=True, env=environment(home)))
    said = [
        child.communicate(json.dumps(request(folder)) + "\n") for child, folder in zip(children, folders, strict=True)
    ]
    assert [(child.returncode, errors) for child, (_, errors) in zip(children, said, strict=True)] == [
        (0, "")
    ] * AT_ONCE
    parts = [
        [line for line in answer.splitlines() if '"part"' in line and "peaks.dat" not in line] for answer, _ in said
    ]
    assert len(parts[0]) == 7
    assert all(one == parts[0] for one in parts)
    assert list(home.rglob("*")) == []


def test_two_hours_are_heard_within_a_gigabyte(tmp_path: Path) -> None:
    song = write(rock_song(bars=16), tmp_path / "pcm.f32")
    command = [sys.executable, "-c", TWO_HOURS, str(song.path), str(tmp_path / "peaks.dat")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment(tmp_path))
    peak_mb, bpm, camelot, codes = done.stdout.split(maxsplit=3)
    assert int(peak_mb) < 1000
    assert float(bpm) == pytest.approx(120, rel=0.01)
    assert camelot == "8B"
    assert codes.strip() == "[]"
