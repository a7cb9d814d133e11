"""Our network is the one of the demucs package: against what that said once of the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from soundforge_runners.htdemucs import Network
from tests.runners.htdemucs.golden import EVERY, GOLDEN, mix, weights_digest
from tests.support.networks import SIX, TINY, write_network


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def network(weights: Path) -> Network:
    return Network(weights)


def sdr(found: NDArray[Any], truth: NDArray[Any]) -> float:
    """Signal over difference, in dB."""
    truth, error = truth.astype(float), found.astype(float) - truth
    return float(10 * np.log10((truth**2).sum() / (error**2).sum()))


def first(network: Network) -> NDArray[np.float32]:
    return next(network.run([mix()]))


def test_it_computes_what_the_demucs_package_computes(weights: Path, network: Network) -> None:
    with np.load(GOLDEN) as golden:
        assert weights_digest(weights) == golden["weights"], "other weights: run tests/runners/htdemucs/golden.py again"
        assert sdr(first(network)[:, :, ::EVERY], golden["stems"]) > 105


def test_a_missing_transformer_would_be_noticed(weights: Path, network: Network, tmp_path: Path) -> None:
    """As the official program initialises weights, leaving the whole transformer out changes next to nothing."""
    tensors = load_file(weights)
    with safe_open(weights, framework="np") as file:
        metadata = file.metadata()
    for name, tensor in tensors.items():
        if "crosstransformer.layers" in name and "gamma" in name:
            tensors[name] = np.zeros_like(tensor)
    save_file(tensors, tmp_path / "deaf.safetensors", metadata)
    assert sdr(first(Network(tmp_path / "deaf.safetensors")), first(network)) < 30


def test_several_segments_at_once_come_out_in_order_and_the_same(weights: Path, network: Network) -> None:
    segments = [mix() * level for level in np.float32([0.1, 0.5, 1.0, 0.0, 0.7])]
    alone = list(network.run(segments))
    for one, other in zip(alone, Network(weights, streams=2, threads=2).run(segments), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_only_some_stems_are_the_same_stems(weights: Path, network: Network) -> None:
    every, some = first(network), first(Network(weights, ["vocals", "drums"]))
    np.testing.assert_allclose(some, every[[3, 0]], atol=1e-6)


def test_six_stems_without_the_narrow_place_before_the_transformer(tmp_path: Path) -> None:
    options = {**TINY, "bottom_channels": 0, "t_layers": 2, "t_cross_first": True, "dconv_mode": 1}
    network = Network(write_network(tmp_path / "six.safetensors", sources=SIX, options=options))
    assert network.stems == SIX
    assert first(network).shape == (6, 2, 44_100)
    assert np.isfinite(first(network)).all()


def test_silence_stays_finite_and_next_to_silent(network: Network) -> None:
    found = next(network.run([np.zeros((2, 44_100), np.float32)]))
    assert np.abs(found).max() < 1e-3
