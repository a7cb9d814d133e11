"""Weights that are not those of our network are refused in words, before anything is computed."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from soundforge_runners._protocol import Refused
from soundforge_runners.htdemucs import Architecture, Network
from tests.support.networks import FOUR, FULL, TINY, write_network

type Tensors = dict[str, NDArray[Any]]


def metadata(**change: Any) -> dict[str, str]:
    kwargs = {"sources": list(FOUR), **FULL, **change}
    return {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(kwargs)}


def rename(tensors: Tensors) -> None:
    tensors["encoder.0.convolution.weight"] = tensors.pop("encoder.0.conv.weight")


def reshape(tensors: Tensors) -> None:
    tensors["tencoder.1.conv.weight"] = tensors["tencoder.1.conv.weight"][:, :, :7]


def add(tensors: Tensors) -> None:
    tensors["lstm.weight"] = np.zeros((2, 2), np.float16)


def test_the_measures_of_the_official_network() -> None:
    network = Architecture.from_metadata(metadata())
    assert (network.segment, network.segment_frames, network.frames) == (Fraction(39, 5), 343_980, 336)
    assert (network.bins, network.inner_channels, network.width(3)) == (2048, 512, 384)


@pytest.mark.parametrize(("damage", "name"), [(rename, "encoder.0.conv"), (reshape, "tencoder.1"), (add, "lstm")])
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, damage: Callable[[Tensors], None], name: str) -> None:
    path = write_network(tmp_path / "tiny.safetensors")
    tensors = load_file(path)
    damage(tensors)
    save_file(tensors, path, metadata(**TINY))
    with pytest.raises(Refused, match="demucs engine") as refusal:
        Network(path)
    assert (refusal.value.code, refusal.value.family) == ("wrong_weights", "broken")
    assert name in str(refusal.value)


@pytest.mark.parametrize(
    "change",
    [{"t_emb": "cape"}, {"norm_starts": 2}, {"audio_channels": 1}, {"cac": False}, {"nfft": 256}, {"segment": "x"}],
)
def test_a_network_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refusal:
        Architecture.from_metadata(metadata(**change))
    assert refusal.value.code == "unsupported_model"


def test_a_network_of_another_class_is_refused() -> None:
    with pytest.raises(Refused, match="klass"):
        Architecture.from_metadata({**metadata(), "klass": "demucs.hdemucs.HDemucs"})


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(Refused) as refusal:
        Network(path)
    assert refusal.value.code in ("wrong_weights", "unsupported_model")
    with pytest.raises(Refused) as refusal:
        Network(tmp_path / "none.safetensors")
    assert refusal.value.code == "model_missing"
