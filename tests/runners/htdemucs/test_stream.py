"""A song in segments is the whole song: against the same rules written down for a song that lies in memory."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soundforge_runners._protocol import Refused
from soundforge_runners._stems import Source
from soundforge_runners.htdemucs import Network, Plan, Track, separate
from tests.support.audio import sweep
from tests.support.networks import SMALLEST, write_network

type Sound = NDArray[np.float32]

RATE, SEGMENT = 44_100, 4410


class Bent:
    """Stands for a network: what it makes of a sample depends on its place in the segment and on the segment."""

    stems = ("low", "high")

    def run(self, segments: Iterator[Sound]) -> Iterator[Sound]:
        for segment in segments:
            yield self.one(segment)

    def one(self, segment: Sound) -> Sound:
        slope = np.linspace(-1, 1, segment.shape[1], dtype=np.float32)
        return np.stack([np.tanh(segment) * slope, segment[::-1] * slope**2 + segment.std()]).astype(np.float32)


def write_source(folder: Path, sound: Sound, rate: int = RATE) -> Source:
    path = folder / "mix.f32"
    sound.astype("<f4").tofile(path)
    return Source(path, rate, sound.shape[1], len(sound))


def stream(source: Source, network: Any, *, rate: int = RATE, segment: int = SEGMENT, **plan: Any) -> dict[str, Sound]:
    """All stems [samples, channels] by name, through the blocks."""
    with Track(source, rate, source.path.parent) as track:
        planned = Plan.of(track.frames, segment, rate, **{"overlap": 0.25, "shifts": 0, **plan})
        back = track.way_back(network.stems)
        blocks = [back.add(stems) for stems, _share in separate(track, network, planned)] + [back.finish()]
    return {name: np.concatenate([block[name] for block in blocks if name in block]) for name in network.stems}


def whole(sound: Sound, network: Bent, overlap: float, offsets: list[int]) -> Sound:
    """The rules for a song in memory: [stems, 2, samples]."""
    mix = np.broadcast_to(sound.T, (2, len(sound))).astype(np.float64)
    mono = mix.mean(axis=0)
    mean, scale = mono.mean(), (mono.std(ddof=1) if len(mono) > 1 else 0) + 1e-8
    mix = (mix - mean) / scale
    most = RATE // 2
    runs = []
    for offset in offsets or [None]:
        move = 0 if offset is None else most - offset
        runs.append(_one_shift(mix, network, overlap, move))
    return (np.mean(runs, axis=0) * scale + mean).astype(np.float32)


def _one_shift(mix: NDArray[np.float64], network: Bent, overlap: float, move: int) -> NDArray[np.float64]:
    around = np.pad(mix, ((0, 0), (move + SEGMENT, 2 * SEGMENT + RATE)))  # place 0 of the shift lies at SEGMENT
    length = mix.shape[1] + move
    out, weights = np.zeros((2, 2, length)), np.zeros(length)
    triangle = np.minimum(np.arange(1, SEGMENT + 1), np.arange(SEGMENT, 0, -1)) / ((SEGMENT + 1) // 2)
    for start in range(0, length, int((1 - overlap) * SEGMENT)):
        count = min(SEGMENT, length - start)
        before = (SEGMENT - count) // 2
        found = network.one(around[:, SEGMENT + start - before :][:, :SEGMENT].astype(np.float32))
        out[:, :, start : start + count] += triangle[:count] * found[:, :, before : before + count]
        weights[start : start + count] += triangle[:count]
    return (out / weights)[:, :, move:]


@settings(max_examples=40)
@given(
    frames=st.integers(1, 40_000),
    channels=st.integers(1, 2),
    overlap=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]),
    offsets=st.lists(st.integers(0, RATE // 2), max_size=3),
    seed=st.integers(0, 9),
)
def test_a_song_in_segments_is_the_whole_song(
    frames: int, channels: int, overlap: float, offsets: list[int], seed: int
) -> None:
    sound = (0.3 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)
    with TemporaryDirectory() as folder:
        source = write_source(Path(folder), sound)
        found = stream(source, Bent(), overlap=overlap, shifts=len(offsets), offsets=offsets)
    truth = whole(sound, Bent(), overlap, offsets)
    truth = truth if channels == 2 else truth.mean(axis=1, keepdims=True)
    for number, name in enumerate(Bent.stems):
        assert found[name].shape == sound.shape
        np.testing.assert_allclose(found[name], truth[number].T, atol=1e-5)


def test_shifts_without_offsets_are_the_same_today_and_tomorrow(tmp_path: Path) -> None:
    source = write_source(tmp_path, sweep(0.5))
    one, two = (stream(source, Bent(), shifts=2) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in Bent.stems)
    assert not np.array_equal(one["low"], stream(source, Bent(), shifts=1)["low"])


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_another_rate_keeps_length_and_alignment(tmp_path: Path, rate: int, channels: int) -> None:
    """A network that changes nothing gives the song back, below half of the lower rate and away from its ends."""

    class Same(Bent):
        stems = ("mix",)

        def one(self, segment: Sound) -> Sound:
            return segment[None]

    sound = sweep(1.37, rate=rate, channels=channels)
    found = stream(write_source(tmp_path, sound, rate), Same())["mix"]
    assert found.shape == sound.shape
    inner = slice(rate // 20, -rate // 20)
    assert np.abs(found[inner] - sound[inner]).max() < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["mix.f32"], "the scratch file goes"


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    network = Network(write_network(tmp_path / "small.safetensors", options=SMALLEST), streams=2, threads=2)

    form = network.architecture

    def peak(seconds: float) -> int:
        source = write_source(tmp_path, sweep(seconds, rate=48_000), 48_000)
        tracemalloc.start()
        with Track(source, form.rate_hz, tmp_path) as track:
            plan = Plan.of(track.frames, form.segment_frames, form.rate_hz, overlap=0.25, shifts=2)
            back = track.way_back(network.stems)
            for stems, _share in separate(track, network, plan):
                back.add(stems)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(1)
    short, long = peak(10), peak(50)  # both longer than a block of the resampler
    assert long < 1.05 * short, (short, long)


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        Track(write_source(tmp_path, np.zeros((10, 6), np.float32)), RATE, tmp_path)
    assert refusal.value.code == "unsupported_format"
