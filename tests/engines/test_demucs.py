"""The demucs package for real, on tiny models: needs ``soundforge tools install demucs``."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import soundfile

from soundforge.children import open_warm
from soundforge.config import Settings
from soundforge.engines import ModelFile, ModelStore, SeparateOptions, Separator
from soundforge.engines._demucs import DemucsSeparator
from soundforge.errors import Broken
from soundforge.tools import Tools
from tests.engines.contract_faults import FaultContract
from tests.engines.contract_separator import SeparatorContract, write_pcm
from tests.support.audio import sweep
from tests.support.models import tiny_spec
from tests.support.require import demucs_python
from tests.support.source import ROOT

pytestmark = [pytest.mark.engines, pytest.mark.needs("demucs"), pytest.mark.timeout(600)]

FOUR = ("vocals", "drums", "bass", "other")


def run(script: str, *words: str) -> str:
    """Run a script of ours under the Python that has torch."""
    python = demucs_python()
    assert python is not None
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    argv = [str(python), str(ROOT / "tests" / "support" / script), *words]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=500).stdout


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    run("tiny_demucs.py", str(folder))
    return folder


def file_of(weights: Path, name: str, makes: tuple[str, ...] = ()) -> ModelFile:
    content = (weights / f"{name}.safetensors").read_bytes()
    return ModelFile(f"{name}.safetensors", len(content), hashlib.sha256(content).hexdigest(), makes)


@pytest.fixture
def separator(weights: Path, tmp_path: Path) -> Separator:
    files = {
        "tiny": (file_of(weights, "ht-0"),),
        "bag": (file_of(weights, "ht-0", ("drums", "bass")), file_of(weights, "ht-1", ("vocals", "other"))),
        "old": (file_of(weights, "hd-0"),),
    }
    specs = {name: tiny_spec(name, engines=("demucs",), files=of, stems=FOUR) for name, of in files.items()}
    store = ModelStore(tmp_path / "models", offline=weights, models=specs)
    return DemucsSeparator(lambda: store, lambda: Tools(Settings(_env_file=None).tools_folder))


class TestDemucsSeparator(SeparatorContract):
    @pytest.fixture
    def separator(self, separator: Separator) -> Separator:
        return separator


class TestDemucsFaults(FaultContract):
    @pytest.fixture
    def separator(self, separator: Separator) -> Separator:
        return separator

    @pytest.fixture
    def needs_mb(self) -> str:
        return "soundforge.engines._demucs._NEEDS_MB"


@pytest.mark.parametrize("model", ["bag", "old"])
async def test_bags_and_the_older_network_are_separated_too(separator: Separator, tmp_path: Path, model: str) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(2.5), 44_100)
    found = await separator.separate(pcm, model=model, folder=tmp_path / "stems", threads=2)
    assert [stem.name for stem in found.stems] == [*FOUR]
    assert found.closing == "other"
    assert (found.engine, found.model) == ("demucs", model)


async def test_wanted_stems_and_a_region_at_another_rate(separator: Separator, tmp_path: Path) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(3, rate=48_000), 48_000)
    options = SeparateOptions(two_stem="vocals", region_s=(0.5, 2.0))
    found = await separator.separate(pcm, model="bag", folder=tmp_path / "stems", threads=2, options=options)
    assert [stem.name for stem in found.stems] == ["vocals", "no_vocals"]
    assert {soundfile.info(stem.path).frames for stem in found.stems} == {72_000}


def damaged(path: Path, kind: str) -> None:
    """Make a file that must not be loaded of one that may."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    match kind:
        case "class":  # the package's own loader would run this
            header["__metadata__"] |= {"klass": "os.system", "args": '["touch /tmp/owned"]', "kwargs": "{}"}
        case "structure":
            header["__metadata__"]["structure"] = '{"_class": "os.system"}'
        case "shape":
            name = next(name for name in header if name != "__metadata__")
            header["renamed"] = header.pop(name)
        case _:
            content = content[:1000]
            path.with_name(f"bad-{kind}.safetensors").write_bytes(content)
            return
    said = json.dumps(header).encode()
    whole = len(said).to_bytes(8, "little") + said + content[8 + length :]
    path.with_name(f"bad-{kind}.safetensors").write_bytes(whole)


def test_blocks_equal_the_whole_a_card_without_memory_is_no_end_and_no_foreign_class_is_built(
    weights: Path,
) -> None:
    for kind in ("class", "structure", "shape", "cut"):
        damaged(weights / "ht-0.safetensors", kind)
    found = json.loads(run("demucs_checks.py", str(weights)))
    assert max(*found["blocks"].values(), found["blocks_of_the_old"]) < 1e-5, found
    assert found["without_card"] == {
        "asked": ["cuda", "cpu", "cpu"],
        "codes": ["gpu_out_of_memory"],
        "whole": True,
        "rises": True,
    }
    assert found["refused"] == {
        "bad-class": "unsupported_model",
        "bad-structure": "unsupported_model",
        "bad-shape": "wrong_weights",
        "bad-cut": "wrong_weights",
    }


async def test_weights_that_are_missing_or_wrong_are_a_typed_error(separator: Separator, tmp_path: Path) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.5), 44_100)
    empty = ModelStore(tmp_path / "none", models={"tiny": tiny_spec(engines=("demucs",))})
    with pytest.raises(Broken) as fault:
        await DemucsSeparator(lambda: empty).separate(pcm, model="tiny", folder=tmp_path / "s", threads=1)
    assert fault.value.code == "model_missing"
    content = b"no weights at all"
    spec = tiny_spec(
        engines=("demucs",), files=(ModelFile("x.safetensors", len(content), hashlib.sha256(content).hexdigest()),)
    )
    (tmp_path / "none" / "tiny").mkdir(parents=True)
    (tmp_path / "none" / "tiny" / "x.safetensors").write_bytes(content)
    wrong = ModelStore(tmp_path / "none", models={"tiny": spec})
    engine = DemucsSeparator(lambda: wrong, lambda: Tools(Settings(_env_file=None).tools_folder))
    with pytest.raises(Broken) as fault:
        await engine.separate(pcm, model="tiny", folder=tmp_path / "s", threads=1)
    assert fault.value.code == "wrong_weights"


async def test_the_models_stay_loaded_for_the_next_song(separator: Separator, tmp_path: Path) -> None:
    pcm = write_pcm(tmp_path / "mix.f32", sweep(0.5), 44_100)
    async with open_warm(tmp_path / "warm"):
        cost = [
            (await separator.separate(pcm, model="tiny", folder=tmp_path / "stems", threads=1)).cost["cpu_s"]
            for _ in range(2)
        ]
    assert cost[1] < cost[0] / 2, "torch is not loaded again"
