import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from soundforge.children import Child, Limits, call, open_child, runner
from soundforge.errors import Invalid, SoundForgeError
from tests.support.audio import EVERY_KIND, sweep, write_audio
from tests.support.libraries import libraries

LIMITS = Limits(total_s=50, silence_s=30, memory_mb=512)
ROOT = Path(__file__).parents[2]
LINUX = sys.platform == "linux"


def request(source: Path) -> dict[str, Any]:
    out = source.with_name("out.f32")
    return {"source": str(source), "out": str(out), "folder": str(source.parent), "max_duration_s": 60}


async def test_the_decoder_has_no_network_no_core_dump_and_little_of_all_else(tmp_path: Path) -> None:
    source = write_audio(tmp_path / "a.wav", sweep(0.1))
    async with open_child(runner("decode"), folder=tmp_path, limits=LIMITS) as child:
        await child.ask(request(source))
        assert child.hello["network"] in ("none", "host")
        if LINUX:
            mine, its = (Path(f"/proc/{who}/ns/net").readlink() for who in ("self", child.pid))
            assert (mine != its) == (child.hello["network"] == "none"), "it says what is true"
            process = psutil.Process(child.pid)
            assert process.rlimit(psutil.RLIMIT_CORE)[1] == 0
            assert process.rlimit(psutil.RLIMIT_AS)[1] == 1 << 30
            assert 60 < process.rlimit(psutil.RLIMIT_CPU)[1] < 120
            assert process.rlimit(psutil.RLIMIT_FSIZE)[1] == 61 * 192_000 * 8


async def test_a_file_in_the_folder_is_never_imported(tmp_path: Path) -> None:
    for name in ("json.py", "soundfile.py", "numpy.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the folder')")
    source = write_audio(tmp_path / "a.wav", sweep(0.1))
    assert (await call(runner("decode"), request(source), folder=tmp_path, limits=LIMITS))["frames"] == 4410


async def test_an_output_over_its_limit_is_refused_and_removed(tmp_path: Path) -> None:
    source = write_audio(tmp_path / "a.wav", sweep(2))
    # No byte code: Python takes a write that the limit cut short for a whole one and keeps a torn module.
    limited = ["/bin/sh", "-c", 'ulimit -f 10 && exec env PYTHONDONTWRITEBYTECODE=1 "$@"', "sh", *runner("decode")]
    with pytest.raises(Invalid) as caught:
        await call(limited, request(source), folder=tmp_path, limits=LIMITS)
    assert caught.value.code == "too_large"
    assert not list(tmp_path.glob("out.f32*"))


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_damaged_files_end_in_a_result_or_one_sentence(tmp_path: Path, kind: str) -> None:
    good = write_audio(tmp_path / "good", sweep(0.3, rate=48000), rate=48000, kind=kind).read_bytes()
    damage = random.Random(kind)
    async with open_child(runner("decode"), folder=tmp_path, limits=LIMITS) as child:
        for _ in range(25):
            data = bytearray(good)
            for _ in range(damage.choice((1, 3, 30))):
                at = damage.randrange(damage.choice((64, 1024, len(data)))) % len(data)
                data[at] = damage.randrange(256)
            await _decode_or_refuse(child, tmp_path / "bad", bytes(data))
        assert child.alive


@pytest.mark.parametrize("kept", [42, 100, 4000])
async def test_a_flac_cut_before_its_first_sound_says_that_it_is_cut(tmp_path: Path, kept: int) -> None:
    source = write_audio(tmp_path / "a.flac", sweep(3))
    source.write_bytes(source.read_bytes()[:kept])
    with pytest.raises(Invalid) as caught:
        await call(runner("decode"), request(source), folder=tmp_path, limits=LIMITS)
    assert caught.value.code == "truncated"
    assert "cut short" in caught.value.sentence


async def _decode_or_refuse(child: Child, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refusal: SoundForgeError | None = None
    try:
        result = await child.ask(request(path))
    except Invalid as error:  # any other family is a fault of ours
        refusal = error
    if refusal:
        assert refusal.sentence.endswith(".")
    else:
        assert path.with_name("out.f32").stat().st_size == result["frames"] * result["channels"] * 4


def test_the_decoder_can_be_tried_by_hand(tmp_path: Path) -> None:
    source = write_audio(tmp_path / "a.flac", sweep(0.2))
    environment = {"PYTHONPATH": str(ROOT / "src"), **libraries()}
    done = subprocess.run(
        runner("decode"), input=json.dumps(request(source)), capture_output=True, text=True, timeout=30,
        env=environment, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1])["frames"] == 8820
