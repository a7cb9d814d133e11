"""The engine with the smallest networks: what can go wrong on the way, in children that end by it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soundforge.children import open_warm
from soundforge.engines import ModelStore, Separator
from soundforge.engines._openvino import OpenVinoSeparator
from soundforge.errors import Broken, SoundForgeError
from tests.engines.contract_faults import FaultContract
from tests.engines.contract_separator import write_pcm
from tests.support.audio import sweep
from tests.support.small_models import PLENTY, children, separate, small_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return small_store(tmp_path_factory.mktemp("models"))


@pytest.fixture
def engine(store: ModelStore) -> OpenVinoSeparator:
    return OpenVinoSeparator(lambda: store, PLENTY)


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncIterator[None]:
    async with open_warm(tmp_path / "warm"):
        yield


class TestOpenVinoFaults(FaultContract):
    @pytest.fixture
    def separator(self, engine: OpenVinoSeparator) -> Separator:
        return engine

    @pytest.fixture
    def needs_mb(self) -> str:
        return "soundforge.engines._openvino._ONE_STREAM_MB"


async def test_no_and_damaged_and_wrong_weights_are_told_apart_and_the_next_song_is_fine(
    engine: OpenVinoSeparator, store: ModelStore, warm: None, tmp_path: Path
) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.3), 44_100)
    (six,) = store.spec("small_6s").files
    wrong = replace(store.spec("small_6s"), name="small", stems=store.spec("small").stems)
    (tmp_path / "small").mkdir()

    async def code(models: dict[str, object], content: bytes | None) -> str:
        path = tmp_path / "small" / six.name
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        bad = OpenVinoSeparator(lambda: ModelStore(tmp_path, models=models), PLENTY)  # type: ignore[arg-type] # a table of one
        with pytest.raises(Broken) as fault:
            await separate(bad, pcm)
        return fault.value.code

    right = store.path("small_6s", six).read_bytes()
    assert await code({"small": wrong}, None) == "model_missing"
    assert await code({"small": wrong}, right[:-1] + b"x") == "model_damaged"
    other = replace(wrong, files=(replace(six, size_bytes=3, sha256=None),))
    assert await code({"small": other}, b"no.") == "wrong_weights"
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
        engine.separate(pcm, model="small", folder=tmp_path / "long", threads=2, on_progress=hear)
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
        await engine.separate(pcm, model="small", folder=tmp_path / "killed", threads=2, on_progress=kill)
    assert fault.value.code == "engine_crashed"
    assert (await separate(engine, pcm)).closing == "other"
