from pathlib import Path

import numpy as np
import pytest

from soundforge.engines import SEPARATORS, Pcm, Separator
from soundforge.engines._dsp import DspSeparator
from soundforge.engines._separation import separated_from
from soundforge.errors import Broken
from tests.engines.contract_faults import FaultContract
from tests.engines.contract_separator import SeparatorContract, write_pcm
from tests.support.audio import sweep
from tests.support.fakes_separator import FakeSeparator


class TestFakeSeparator(SeparatorContract):
    @pytest.fixture
    def separator(self) -> Separator:
        return FakeSeparator()


class TestDspSeparator(SeparatorContract):
    @pytest.fixture
    def separator(self) -> Separator:
        return DspSeparator()


class TestDspFaults(FaultContract):
    @pytest.fixture
    def separator(self) -> Separator:
        return DspSeparator()

    @pytest.fixture
    def needs_mb(self) -> str:
        return "soundforge.engines._dsp._NEEDS_MB"


def test_the_basic_separation_is_always_there() -> None:
    dsp = SEPARATORS["dsp"]
    assert (dsp.label, dsp.models()) == ("Basic separation", ("dsp",))
    assert dsp.stems("dsp") == ("vocals", "drums", "bass", "other")
    assert dsp.needs_mb(10) == dsp.needs_mb(3 * 3600), "memory does not grow with the length"


async def test_a_near_mono_song_comes_with_a_warning(tmp_path: Path) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.5, channels=1), 44_100)
    found = await DspSeparator().separate(pcm, model="dsp", folder=tmp_path / "stems", threads=1)
    assert [warning.code for warning in found.warnings] == ["near_mono"]


async def test_audio_shorter_than_it_says_is_broken_not_guessed(tmp_path: Path) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", np.zeros((100, 2), np.float32), 44_100)
    longer = Pcm(pcm.path, 44_100, 2, 101)
    with pytest.raises(Broken) as fault:
        await DspSeparator().separate(longer, model="dsp", folder=tmp_path / "stems", threads=1)
    assert fault.value.code == "pcm_incomplete"


@pytest.mark.parametrize("answer", [{}, {"stems": [{"name": "vocals", "path": "/etc/passwd", "peaks_path": "x"}]}])
def test_a_result_that_is_none_is_garbage(tmp_path: Path, answer: dict[str, object]) -> None:
    with pytest.raises(Broken) as fault:
        separated_from(answer, tmp_path, engine="dsp", model="dsp")
    assert fault.value.code == "engine_garbage"
