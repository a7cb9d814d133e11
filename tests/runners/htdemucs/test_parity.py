"""Against the demucs package itself, in float64, with live weights: the same stems from the same song."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from soundforge.engines._openvino import OpenVinoSeparator
from soundforge_runners._stems import Source
from soundforge_runners.htdemucs import Network, Plan, Track, separate
from tests.runners.htdemucs.test_network import sdr
from tests.support.networks import FULL, REFERENCE, SIX, TINY, write_network
from tests.support.require import demucs_python

pytestmark = [pytest.mark.engines, pytest.mark.needs("demucs"), pytest.mark.timeout(1800)]

SEEDS = (1, 2, 3)


def song(seconds: float, seed: int) -> NDArray[np.float32]:
    """Noise of falling spectrum and a little white, [2, samples]."""
    random = np.random.default_rng(seed)
    white = random.standard_normal((2, round(seconds * 44_100)))
    deep = np.cumsum(white, axis=1)
    deep -= np.linspace(0, 1, deep.shape[1]) * deep[:, -1:]
    return (0.4 * deep / np.abs(deep).max() + 0.05 * random.standard_normal(deep.shape)).astype(np.float32)


def reference(weights: Path, mix: NDArray[np.float32], *more: str) -> NDArray[np.float64]:
    folder = weights.parent
    np.save(folder / "mix.npy", mix)
    files = [str(weights), str(folder / "mix.npy"), str(folder / "out.npy")]
    subprocess.run([str(demucs_python()), "-I", str(REFERENCE), *files, *more], check=True)
    found: NDArray[np.float64] = np.load(folder / "out.npy")
    return found


def ours(weights: Path, mix: NDArray[np.float32], **plan: Any) -> NDArray[np.float32]:
    path = weights.parent / "mix.f32"
    mix.T.astype("<f4").tofile(path)
    network = Network(weights, streams=2, threads=2)
    with Track(Source(path, 44_100, 2, mix.shape[1]), 44_100, weights.parent) as track:
        planned = Plan.of(track.frames, network.architecture.segment_frames, 44_100, **plan)
        back = track.way_back(network.stems)
        blocks = [back.add(stems) for stems, _share in separate(track, network, planned)]
    return np.stack([np.concatenate([block[name] for block in blocks]).T for name in network.stems])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("offsets", "overlap", "seconds"), [((), 0.25, 5.3), ((7000, 22_050), 0.1, 3.2), ((123,), 0.5, 0.3)]
)
def test_a_tiny_network_gives_the_same_stems(
    tmp_path: Path, seed: int, offsets: tuple[int, ...], overlap: float, seconds: float
) -> None:
    weights, mix = write_network(tmp_path / "tiny.safetensors", seed=seed), song(seconds, seed)
    words = ["--shifts", str(len(offsets)), "--overlap", str(overlap)]
    words += ["--offsets", *map(str, offsets)] if offsets else []
    found = ours(weights, mix, overlap=overlap, shifts=len(offsets), offsets=offsets)
    assert sdr(found, reference(weights, mix, *words)) > 105


def test_six_stems_without_the_narrow_place_give_the_same_stems(tmp_path: Path) -> None:
    options = {**TINY, "bottom_channels": 0, "t_layers": 5, "t_cross_first": True, "dconv_mode": 1}
    weights = write_network(tmp_path / "six.safetensors", sources=SIX, options=options)
    mix = song(1, 4)
    assert sdr(next(Network(weights).run([mix])), reference(weights, mix, "--direct")) > 105


@pytest.mark.parametrize("seed", SEEDS)
def test_the_full_size_gives_the_same_stems_and_in_bfloat16_nearly_so(tmp_path: Path, seed: int) -> None:
    weights, mix = write_network(tmp_path / "full.safetensors", seed=seed, options=FULL), song(7.8, seed)
    truth = reference(weights, mix, "--direct")
    assert sdr(next(Network(weights, threads=2).run([mix])), truth) > 105
    if "bfloat16" in OpenVinoSeparator().precisions():
        assert sdr(next(Network(weights, threads=2, precision="bfloat16").run([mix])), truth) > 33


def test_the_full_size_gives_the_same_stems_of_a_song_in_shifted_segments(tmp_path: Path) -> None:
    weights, mix = write_network(tmp_path / "full.safetensors", options=FULL), song(9, 1)
    truth = reference(weights, mix, "--shifts", "2", "--overlap", "0.25", "--offsets", "7000", "20000")
    assert sdr(ours(weights, mix, overlap=0.25, shifts=2, offsets=(7000, 20_000)), truth) > 105
