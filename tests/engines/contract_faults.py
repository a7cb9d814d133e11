"""How every separator fails: a typed error, nothing left, and the next song is fine.

A test module subclasses ``FaultContract`` and gives the fixtures ``separator`` and ``needs_mb``, the name of the
constant that says how much memory the engine may take.
"""

import asyncio
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from soundforge.children import open_warm
from soundforge.engines import Pcm, Separator
from soundforge.errors import Broken, Invalid, SoundForgeError, Unavailable
from tests.engines.contract_separator import write_pcm
from tests.support.audio import sweep
from tests.support.processes import none_left

RATE = 44_100


def corrupt(folder: Path) -> Pcm:
    """Shorter than it says."""
    pcm = write_pcm(folder / "mix.f32", sweep(0.5), RATE)
    return Pcm(pcm.path, RATE, pcm.channels, pcm.frames + 1)


def empty(folder: Path) -> Pcm:
    return write_pcm(folder / "mix.f32", sweep(0), RATE)


def no_numbers(folder: Path) -> Pcm:
    sound = sweep(0.5)
    sound[len(sound) // 2] = np.nan
    return write_pcm(folder / "mix.f32", sound, RATE)


def larger_than_the_disk(folder: Path) -> Pcm:
    """A file of nothing but a length; what is made of it would need several times as much."""
    frames = 1 << 41 >> 3
    path = folder / "mix.f32"
    with path.open("wb") as file:
        file.truncate(frames * 8)
    return Pcm(path, RATE, 2, frames)


CASES = {
    corrupt: (Broken, "pcm_incomplete"),
    empty: (Invalid, "no_sound"),
    no_numbers: (Broken, "not_finite"),
    larger_than_the_disk: (Unavailable, "disk_full"),
}


class FaultContract:
    @pytest.fixture
    def separator(self) -> Separator:
        raise LookupError("the test class must give the separator")

    @pytest.fixture
    def needs_mb(self) -> str:
        raise LookupError("the test class must give the constant's name")

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
    async def test_a_song_that_cannot_be_separated(self, separator: Separator, tmp_path: Path, case) -> None:  # noqa: ANN001 - a function of CASES
        kind, code = CASES[case]
        await self.fails(separator, case(tmp_path), tmp_path, kind, code)

    async def test_after_a_fault_the_next_song_is_fine(self, separator: Separator, tmp_path: Path) -> None:
        """Also where the engine stays for it."""
        async with open_warm(tmp_path / "warm"):
            for case in (corrupt, no_numbers):
                await self.fails(separator, case(tmp_path), tmp_path, *CASES[case])
            pcm = write_pcm(tmp_path / "next.f32", sweep(0.5), RATE)
            found = await separator.separate(pcm, model=separator.models()[0], folder=tmp_path / "next", threads=1)
            assert len(found.stems) == len(separator.stems(found.model))

    async def test_a_child_that_is_killed(self, separator: Separator, tmp_path: Path) -> None:
        pcm = write_pcm(tmp_path / "mix.f32", sweep(20), RATE)
        work = asyncio.create_task(self.fails(separator, pcm, tmp_path, Unavailable, "engine_crashed"))
        async with asyncio.timeout(60):
            while not (records := [*tmp_path.rglob("child-*.json")]):
                assert not work.done(), work.exception()
                await asyncio.sleep(0.01)
        group = json.loads(records[0].read_text())["id"]
        os.killpg(group, signal.SIGKILL)
        await work
        assert none_left([group])

    async def test_a_child_that_takes_too_much_memory(
        self, separator: Separator, tmp_path: Path, needs_mb: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pcm = write_pcm(tmp_path / "mix.f32", sweep(20), RATE)
        monkeypatch.setattr(needs_mb, 8)
        await self.fails(separator, pcm, tmp_path, Broken, "out_of_memory")

    async def fails(self, separator: Separator, pcm: Pcm, folder: Path, kind: type[SoundForgeError], code: str) -> None:
        with pytest.raises(kind) as fault:
            await separator.separate(pcm, model=separator.models()[0], folder=folder / "stems", threads=1)
        assert fault.value.code == code
        left = {path.name for path in (folder / "stems").glob("*")} if (folder / "stems").exists() else set()
        assert not [name for name in left if name.endswith((".f32", ".json"))], "no scratch, no child"
