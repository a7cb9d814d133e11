"""The engine with tiny networks: all that a separator must do, and what can go wrong on the way."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from soundforge.engines import ModelStore, Pcm, Separated, SeparateOptions, Separator, open_engines
from soundforge.engines._openvino import Machine, OpenVinoSeparator
from soundforge.errors import Broken, Invalid, SoundForgeError, Unavailable
from tests.engines.contract_faults import FaultContract
from tests.engines.contract_separator import SeparatorContract, write_pcm
from tests.support.audio import Sound, sweep
from tests.support.model_stores import tiny_store

PLENTY = Machine(free_mb=lambda: 64_000, flags=lambda: frozenset({"avx512_bf16"}))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return tiny_store(tmp_path_factory.mktemp("models"))


@pytest.fixture
def engine(store: ModelStore) -> OpenVinoSeparator:
    return OpenVinoSeparator(lambda: store, PLENTY)


@pytest.fixture
async def warm() -> AsyncIterator[None]:
    async with open_engines():
        yield


class TestOpenVinoSeparator(SeparatorContract):
    @pytest.fixture
    async def separator(self, engine: OpenVinoSeparator, warm: None) -> Separator:
        return engine


class TestOpenVinoFaults(FaultContract):
    @pytest.fixture
    def separator(self, engine: OpenVinoSeparator) -> Separator:
        return engine

    @pytest.fixture
    def needs_mb(self) -> str:
        return "soundforge.engines._openvino._ONE_STREAM_MB"


async def separate(
    engine: OpenVinoSeparator, pcm: Pcm, model: str = "tiny", options: SeparateOptions | None = None
) -> Separated:
    folder = pcm.path.with_name("stems")
    return await engine.separate(pcm, model=model, folder=folder, threads=2, options=options or SeparateOptions())


def read(found: Separated) -> dict[str, Sound]:
    """The stems at the level of the song."""
    gain = 10 ** (found.gain_db / 20)
    return {stem.name: soundfile.read(stem.path, always_2d=True)[0] / gain for stem in found.stems}


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if "separate_openvino" in " ".join(one.cmdline())]


async def test_a_warm_engine_is_asked_again_and_gives_the_same(
    engine: OpenVinoSeparator, warm: None, tmp_path: Path
) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(1.2), 44_100)
    first, pids = read(await separate(engine, pcm)), [child.pid for child in children()]
    again = read(await separate(engine, pcm))
    assert [child.pid for child in children()] == pids
    assert len(pids) == 1
    assert all(np.array_equal(first[name], again[name]) for name in first)


async def test_only_the_files_of_the_wanted_stems_are_used(
    engine: OpenVinoSeparator, store: ModelStore, tmp_path: Path
) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(1.2), 44_100)
    every = read(await separate(engine, pcm, "tiny_ft", SeparateOptions(raw=True)))
    vocals = store.path("tiny_ft", next(file for file in store.spec("tiny_ft").files if file.makes == ("vocals",)))
    alone = tmp_path / "alone"
    (alone / "tiny_ft").mkdir(parents=True)
    (alone / "tiny_ft" / vocals.name).write_bytes(vocals.read_bytes())
    lonely = OpenVinoSeparator(lambda: ModelStore(alone, models=store.models), PLENTY)
    found = await separate(lonely, pcm, "tiny_ft", SeparateOptions(stems=("vocals",)))
    assert np.abs(read(found)["vocals"] - every["vocals"]).max() < 1e-5


async def test_raw_keeps_the_models_own_rest(engine: OpenVinoSeparator, tmp_path: Path) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(1.2), 44_100)
    closed = await separate(engine, pcm)
    rest = read(closed)["other"]
    raw = await separate(engine, pcm, options=SeparateOptions(raw=True))
    assert (closed.closing, raw.closing) == ("other", "")
    assert np.abs(rest - read(raw)["other"]).max() > 1e-3


async def test_progress_rises_through_a_bag(engine: OpenVinoSeparator, tmp_path: Path) -> None:
    heard: list[float] = []
    pcm = write_pcm(tmp_path / "mix.f32", sweep(4), 44_100)
    await engine.separate(
        pcm, model="tiny_ft", folder=tmp_path / "stems", threads=1, on_progress=lambda percent, _: heard.append(percent)
    )
    assert heard == sorted(heard)
    assert len({int(percent) for percent in heard if 2 < percent < 85}) > 10, "every segment is told"


async def test_bfloat16_is_labelled_and_refused_where_the_processor_has_none(
    engine: OpenVinoSeparator, store: ModelStore, tmp_path: Path
) -> None:
    pcm, wanted = write_pcm(tmp_path / "mix.f32", sweep(0.5), 44_100), SeparateOptions(precision="bfloat16")
    found = await separate(engine, pcm, options=wanted)
    assert [warning.code for warning in found.warnings] == ["reduced_precision"]
    plain = OpenVinoSeparator(lambda: store, replace(PLENTY, flags=lambda: frozenset({"avx2"})))
    with pytest.raises(Invalid) as refusal:
        await separate(plain, pcm, options=wanted)
    assert refusal.value.code == "unknown_precision"


@pytest.mark.parametrize(("free_mb", "threads", "streams"), [(64_000, 2, 2), (64_000, 1, 1), (1_300, 2, 1)])
def test_streams_are_chosen_by_free_memory(store: ModelStore, free_mb: int, threads: int, streams: int) -> None:
    engine = OpenVinoSeparator(lambda: store, replace(PLENTY, free_mb=lambda: free_mb))
    assert engine._streams(threads) == streams


async def test_too_little_memory_is_refused_before_a_child_starts(store: ModelStore, tmp_path: Path) -> None:
    engine = OpenVinoSeparator(lambda: store, replace(PLENTY, free_mb=lambda: 500))
    with pytest.raises(Unavailable, match="only 500 MB are free") as refusal:
        await separate(engine, write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100))
    assert refusal.value.code == "no_memory"
    assert not (tmp_path / "stems").exists()


async def test_no_and_damaged_and_wrong_weights_are_told_apart_and_the_next_song_is_fine(
    engine: OpenVinoSeparator, store: ModelStore, warm: None, tmp_path: Path
) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100)
    (six,) = store.spec("tiny_6s").files
    wrong = replace(store.spec("tiny_6s"), name="tiny", stems=store.spec("tiny").stems)
    (tmp_path / "tiny").mkdir()

    async def code(models: dict[str, object], content: bytes | None) -> str:
        path = tmp_path / "tiny" / six.name
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        bad = OpenVinoSeparator(lambda: ModelStore(tmp_path, models=models), PLENTY)  # type: ignore[arg-type] # a table of one
        with pytest.raises(Broken) as fault:
            await separate(bad, pcm)
        return fault.value.code

    right = store.path("tiny_6s", six).read_bytes()
    assert await code({"tiny": wrong}, None) == "model_missing"
    assert await code({"tiny": wrong}, right[:-1] + b"x") == "model_damaged"
    other = replace(wrong, files=(replace(six, size_bytes=3, sha256=None),))
    assert await code({"tiny": other}, b"no.") == "wrong_weights"
    assert (await separate(engine, pcm)).closing == "other"


async def test_samples_that_are_no_numbers_are_refused_and_leave_no_scratch(
    engine: OpenVinoSeparator, tmp_path: Path
) -> None:
    sound = sweep(0.5, rate=48_000)
    sound[100] = np.nan
    with pytest.raises(Broken) as fault:
        await separate(engine, write_pcm(tmp_path / "mix.f32", sound, 48_000))
    assert fault.value.code == "not_finite"
    assert not list((tmp_path / "stems").glob("*.f32"))


async def test_cancel_ends_within_two_seconds_and_the_next_song_is_fine(
    engine: OpenVinoSeparator, warm: None, tmp_path: Path
) -> None:
    pcm, started = write_pcm(tmp_path / "mix.f32", sweep(60), 44_100), asyncio.Event()

    def hear(percent: float, _stage: str) -> None:
        if percent > 2:
            started.set()

    work = asyncio.create_task(
        engine.separate(pcm, model="tiny", folder=tmp_path / "long", threads=2, on_progress=hear)
    )
    async with asyncio.timeout(100):
        await started.wait()
    asked_at = time.monotonic()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert time.monotonic() - asked_at < 2
    assert children() == []
    short = write_pcm(tmp_path / "short.f32", sweep(0.3), 44_100)
    assert (await separate(engine, short)).closing == "other"


async def test_a_killed_engine_is_told_and_the_next_song_is_fine(
    engine: OpenVinoSeparator, warm: None, tmp_path: Path
) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100)
    await separate(engine, pcm)
    (before,) = children()

    def kill(_percent: float, _stage: str) -> None:
        os.kill(before.pid, signal.SIGKILL)

    with pytest.raises(SoundForgeError) as fault:
        await engine.separate(pcm, model="tiny", folder=tmp_path / "killed", threads=2, on_progress=kill)
    assert fault.value.code == "engine_crashed"
    assert (await separate(engine, pcm)).closing == "other"
