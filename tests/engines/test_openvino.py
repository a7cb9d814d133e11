"""The engine with the smallest networks, in one child that stays: all that a separator must do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from soundforge.children import open_warm
from soundforge.engines import ModelStore, SeparateOptions, Separator
from soundforge.engines._openvino import OpenVinoSeparator
from soundforge.errors import Invalid
from tests.engines.contract_separator import SeparatorContract, write_pcm
from tests.support.audio import sweep
from tests.support.leaks import keep_process
from tests.support.small_models import PLENTY, children, read, separate, small_store

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return small_store(tmp_path_factory.mktemp("models"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenVinoSeparator]:
    """Started once: no test here ends it, and each is answered by the same child."""
    made = OpenVinoSeparator(lambda: store, PLENTY)
    async with open_warm(tmp_path_factory.mktemp("node") / "warm"):
        await separate(made, write_pcm(tmp_path_factory.mktemp("first") / "mix.f32", sweep(0.3), 44_100))
        for child in children():
            keep_process(child.pid)
        yield made


class TestOpenVinoSeparator(SeparatorContract):
    @pytest.fixture
    def separator(self, engine: OpenVinoSeparator) -> Separator:
        return engine


async def test_a_warm_engine_is_asked_again_and_gives_the_same(engine: OpenVinoSeparator, tmp_path: Path) -> None:
    pcm, before = write_pcm(tmp_path / "mix.f32", sweep(1.2), 44_100), [child.pid for child in children()]
    first = read(await separate(engine, pcm))
    again = read(await separate(engine, pcm))
    assert [child.pid for child in children()] == before
    assert len(before) == 1
    assert all(np.array_equal(first[name], again[name]) for name in first)


async def test_only_the_files_of_the_wanted_stems_are_used(
    engine: OpenVinoSeparator, store: ModelStore, tmp_path: Path
) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(1.2), 44_100)
    every = read(await separate(engine, pcm, "small_ft", SeparateOptions(raw=True)))
    vocals = store.path("small_ft", next(file for file in store.spec("small_ft").files if file.makes == ("vocals",)))
    alone = tmp_path / "alone"
    (alone / "small_ft").mkdir(parents=True)
    (alone / "small_ft" / vocals.name).write_bytes(vocals.read_bytes())
    lonely = OpenVinoSeparator(lambda: ModelStore(alone, models=store.models), PLENTY)
    found = await separate(lonely, pcm, "small_ft", SeparateOptions(stems=("vocals",)))
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
        pcm,
        model="small_ft",
        folder=tmp_path / "stems",
        threads=1,
        on_progress=lambda percent, _: heard.append(percent),
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
