import hashlib
from pathlib import Path
from typing import Any

import pytest

from soundforge.engines import MODELS, ModelFile, ModelSpec, ModelStore, model_store, open_models
from soundforge.errors import Broken, Conflict, Invalid

WEIGHTS = {"a.safetensors": b"a" * 1000, "b.safetensors": b"b" * 2000}


def tiny(name: str = "tiny", **change: Any) -> ModelSpec:
    files = tuple(
        ModelFile(file, len(content), hashlib.sha256(content).hexdigest(), makes=(stem,))
        for (file, content), stem in zip(WEIGHTS.items(), ("drums", "bass"), strict=True)
    )
    words: dict[str, Any] = {"label": "Tiny", "stems": ("drums", "bass"), "engines": ("fake",), "files": files}
    return ModelSpec(name=name, licence="MIT", may_sell=True, **{**words, **change})


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or WEIGHTS:
        (folder / name).write_bytes(WEIGHTS[name])


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", offline=tmp_path / "offline", models={"tiny": tiny()})


def test_every_model_tells_what_a_person_must_know_before_pulling_it() -> None:
    assert "dsp" in MODELS
    for name, spec in MODELS.items():
        assert spec.name == name
        assert spec.label
        assert len(set(spec.stems)) == len(spec.stems) >= 2
        assert spec.licence
        assert bool(spec.files) == bool(spec.repo) == bool(spec.about_mb)
        assert all(file.name.endswith(".safetensors") for file in spec.files), "a pickle is never loaded"
        made = [stem for file in spec.files for stem in file.makes]
        assert not made or sorted(made) == sorted(spec.stems), "each stem from one file, or all from all"
        if spec.size_bytes:
            assert abs(spec.size_bytes / 1e6 - spec.about_mb) < 1
        for file in spec.files:
            assert (file.size_bytes is None) == (file.sha256 is None)
            assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32


def test_a_bag_needs_only_the_files_of_the_wanted_stems() -> None:
    tuned = MODELS["htdemucs_ft"]
    assert [file.name for file in tuned.files_for(["vocals"])] == ["04573f0d.safetensors"]
    assert len(tuned.files_for(())) == 4
    assert len(MODELS["mdx_extra"].files_for(["vocals"])) == 4, "an average needs all of them"


async def test_a_model_is_here_when_all_its_files_are(store: ModelStore) -> None:
    assert not store.is_here("tiny")
    write(store.folder / "tiny", "a.safetensors")
    assert not store.is_here("tiny")
    assert [file.name for file in store.missing("tiny")] == ["b.safetensors"]
    with pytest.raises(Broken) as fault:
        await store.get_files("tiny")
    assert fault.value.code == "model_missing"
    assert [*await store.get_files("tiny", ["drums"])] == ["a.safetensors"], "what is asked for is there"
    write(store.folder / "tiny")
    assert store.is_here("tiny")


@pytest.mark.parametrize("place", ["tiny", "."])
async def test_an_offline_folder_is_used_in_place(store: ModelStore, tmp_path: Path, place: str) -> None:
    write(tmp_path / "offline" / place)
    assert store.is_here("tiny")
    files = await store.get_files("tiny")
    assert {path.parent for path in files.values()} == {tmp_path / "offline" / place}
    assert not store.folder.exists(), "nothing is copied"
    assert not store.is_pulled("tiny"), "so nobody is offered to remove it"
    with pytest.raises(Conflict) as refusal:
        store.remove("tiny")
    assert refusal.value.code == "model_not_pulled"


async def test_another_file_under_the_right_name_is_refused(store: ModelStore) -> None:
    write(store.folder / "tiny")
    changed = store.folder / "tiny" / "b.safetensors"
    await store.get_files("tiny")  # it was right before
    changed.write_bytes(b"B" * 2000)
    with pytest.raises(Broken) as fault:
        await store.get_files("tiny")
    assert fault.value.code == "model_damaged"
    assert "b.safetensors" in fault.value.sentence


async def test_a_file_of_another_size_is_not_here(store: ModelStore) -> None:
    write(store.folder / "tiny")
    (store.folder / "tiny" / "a.safetensors").write_bytes(b"a" * 999)
    assert not store.is_here("tiny")


async def test_what_the_hub_said_counts_where_the_table_knows_nothing(tmp_path: Path) -> None:
    spec = tiny(files=(ModelFile("a.safetensors"),))
    store = ModelStore(tmp_path, models={"tiny": spec})
    write(tmp_path / "tiny", "a.safetensors")
    (tmp_path / "tiny" / "a.safetensors.sha256").write_text(hashlib.sha256(b"another").hexdigest())
    with pytest.raises(Broken) as fault:
        await store.get_files("tiny")
    assert fault.value.code == "model_damaged"
    (tmp_path / "tiny" / "a.safetensors.sha256").write_text(hashlib.sha256(WEIGHTS["a.safetensors"]).hexdigest())
    assert await store.get_files("tiny")


def test_a_removed_model_leaves_nothing(store: ModelStore) -> None:
    write(store.folder / "tiny")
    assert store.remove("tiny") == 3000
    assert not (store.folder / "tiny").exists()
    with pytest.raises(Invalid):
        store.remove("../tiny")


def test_a_process_has_no_models_before_it_is_told_where(store: ModelStore) -> None:
    assert not model_store().is_here("htdemucs")
    assert model_store().is_here("dsp")
    with open_models(store):
        assert model_store() is store
    assert not model_store().is_here("htdemucs")
