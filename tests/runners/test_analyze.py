import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundforge_runners._protocol import Channel, Refused
from soundforge_runners.analyze import handle
from tests.support.signals import rock_song, write

COMPILERS = ("numba", "llvmlite", "librosa", "sklearn")


@pytest.fixture
def request_(tmp_path: Path) -> dict[str, Any]:
    source = write(rock_song(bars=4), tmp_path / "pcm.f32")
    return {
        "path": str(source.path),
        "sample_rate_hz": source.sample_rate_hz,
        "channels": source.channels,
        "frames": source.frames,
        "peaks_path": str(tmp_path / "peaks.dat"),
    }


@pytest.fixture
def channel() -> Iterator[Channel]:
    reading, writing = os.pipe()
    with io.FileIO(reading), io.FileIO(writing, "wb"):
        yield Channel(writing)


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"channels": 6}, {"sample_rate_hz": 0}])
def test_what_is_no_sound_is_refused(request_: dict[str, Any], channel: Channel, wrong: dict[str, int]) -> None:
    with pytest.raises(Refused) as refusal:
        handle({**request_, **wrong}, channel)
    assert refusal.value.code == "no_sound"


def test_nothing_that_compiles_at_run_time_is_loaded() -> None:
    program = f"""
import sys
import soundforge_runners.analysis
print([name for name in {COMPILERS!r} if name in sys.modules])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout.replace("'", '"')) == []
