"""The built-in separation: what it finds, and that it never shows where its blocks lie."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soundforge_runners import _dsp_stream as stream
from soundforge_runners import demo_song, separate_dsp
from soundforge_runners._dsp_frames import FIRST_FRAME, Grid, Synthesis, analyse
from soundforge_runners._stems import Source
from tests.support.libraries import libraries

type Sound = NDArray[np.float32]

STEP = 2.0**-23
ROOT = Path(__file__).parents[2]


class Listener:
    """Stands for the channel to the studio: keeps what was reported."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, str]] = []

    def progress(self, percent: float, stage: str = "") -> None:
        self.heard.append((percent, stage))


def write_source(folder: Path, sound: Sound, rate: int = 44_100) -> Source:
    path = folder / "mix.f32"
    sound.astype("<f4").tofile(path)
    return Source(path, rate, sound.shape[1], len(sound))


def separate(folder: Path, sound: Sound, rate: int = 44_100) -> tuple[dict[str, NDArray[np.float64]], dict[str, Any]]:
    source = write_source(folder, sound, rate)
    request = {
        "pcm": str(source.path),
        "sample_rate_hz": rate,
        "channels": source.channels,
        "frames": source.frames,
        "folder": str(folder / "stems"),
    }
    listener = Listener()
    result = separate_dsp.separate(request, listener)  # type: ignore[arg-type] # it listens as a Channel does
    files = {one["name"]: soundfile.read(one["path"], always_2d=True)[0] for one in result["stems"]}
    return files, {**result, "progress": listener.heard}


def si_sdr(estimate: NDArray[Any], truth: NDArray[Any]) -> float:
    e, t = estimate.astype(float).ravel(), truth.astype(float).ravel()
    target = (e @ t) / (t @ t) * t
    return float(10 * np.log10((target @ target) / ((e - target) @ (e - target))))


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sound]:
    """Stems of the demo song, 15 s of it."""
    folder = tmp_path_factory.mktemp("song")
    result = demo_song.render({"folder": str(folder), "seconds": 16}, Listener())  # type: ignore[arg-type] # it listens as a Channel does
    return {
        name: soundfile.read(path, dtype="float32", always_2d=True)[0]
        for name, path in result["truth"]["stems"].items()
    }


def mix_of(stems: dict[str, Sound]) -> Sound:
    return np.sum(list(stems.values()), axis=0, dtype=np.float32)


def music(frames: int, rate: int, channels: int, level: float) -> Sound:
    """Tones, strokes and noise, panned; enough to keep every branch busy."""
    random = np.random.default_rng(frames)
    time = np.arange(frames) / rate
    tones = np.sin(2 * np.pi * 110 * time) + 0.5 * np.sin(2 * np.pi * 660 * time)
    strokes = random.standard_normal(frames) * np.exp(-(time % 0.5) * 40)
    sides = [
        tones * (1 - 0.6 * channel) + strokes + 0.05 * random.standard_normal(frames) for channel in range(channels)
    ]
    sound = np.stack(sides, axis=1)
    return np.clip(level * sound / max(np.abs(sound).max(), 1e-9), -1, 1).astype(np.float32)


@settings(max_examples=12, deadline=None)
@given(
    seconds=st.sampled_from([0.2, 0.3, 1.0, 2.5]),
    rate=st.sampled_from([8_000, 11_025, 44_100, 48_000, 192_000]),
    channels=st.integers(1, 2),
    level=st.sampled_from([0.3, 1.0, 4.0]),
)
def test_stems_sum_to_the_input_at_any_rate_length_width_and_level(
    seconds: float, rate: int, channels: int, level: float
) -> None:
    with TemporaryDirectory() as folder:
        mix = music(round(seconds * rate), rate, channels, level)
        stems, result = separate(Path(folder), mix, rate)
        gain = 10 ** (result["gain_db"] / 20)
        assert set(stems) == set(stream.STEMS)
        assert all(stem.shape == mix.shape for stem in stems.values())
        assert np.abs(np.sum(list(stems.values()), axis=0) - gain * mix).max() <= 2 * STEP
        assert result["near_mono"] == (channels == 1)


def test_every_stem_is_nearer_to_the_truth_than_the_mix(song: dict[str, Sound], tmp_path: Path) -> None:
    mix = mix_of(song)
    stems, result = separate(tmp_path, mix)
    gains = {name: si_sdr(stems[name], truth) - si_sdr(mix, truth) for name, truth in song.items()}
    assert not result["near_mono"]
    assert min(gains.values()) > 5, gains
    assert np.mean(list(gains.values())) > 7, gains


def test_a_near_mono_song_is_told_and_still_gains(song: dict[str, Sound], tmp_path: Path) -> None:
    folded = {name: np.repeat(stem.mean(axis=1, keepdims=True), 2, axis=1) for name, stem in song.items()}
    mix = mix_of(folded)
    mix[:, 1] *= np.float32(0.7)  # mono, though the sides are not equal
    stems, result = separate(tmp_path, mix)
    assert [warning["code"] for warning in result["warnings"]] == ["near_mono"]
    gains = {name: si_sdr(stems[name], truth) - si_sdr(mix, truth) for name, truth in folded.items()}
    assert min(gains["drums"], gains["bass"]) > 4, gains
    assert np.mean(list(gains.values())) > 2, gains


def test_stems_are_aligned_with_the_input_to_the_sample(song: dict[str, Sound], tmp_path: Path) -> None:
    stems, _result = separate(tmp_path, mix_of(song))
    for name, truth in song.items():
        spectrum = np.fft.rfft(stems[name][:, 0]) * np.conj(np.fft.rfft(truth[:, 0]))
        assert np.argmax(np.fft.irfft(spectrum, len(truth))) == 0, name


@pytest.mark.parametrize("near_mono", [False, True])
def test_where_blocks_begin_does_not_show(song: dict[str, Sound], tmp_path: Path, *, near_mono: bool) -> None:
    mix = mix_of(song)
    if near_mono:
        mix = np.repeat(mix[:, :1], 2, axis=1)
    source = write_source(tmp_path, mix)
    picture = stream.look(source)
    assert picture.near_mono == near_mono
    whole, *none = stream.separate(source, picture, block_s=60)
    assert not none
    blocks = list(stream.separate(source, picture, block_s=3.1))
    assert len(blocks) > 4
    for name, samples in whole.items():
        joined = np.concatenate([block[name] for block in blocks])
        assert np.abs(joined - samples).max() < 1e-5, name


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_unchanged_frames_give_back_the_sound(rate: int) -> None:
    grid = Grid.for_rate(rate)
    sound = np.zeros((rate, 1), np.float32)
    sound[:, 0] = np.sin(np.arange(rate) * 0.05) * np.hanning(rate)  # nothing above the grid's top
    end = grid.end_frame(rate)
    padded = np.zeros((grid.start_of(end - 1) + grid.size - grid.start_of(FIRST_FRAME), 1), np.float32)
    begin = -grid.start_of(FIRST_FRAME)
    padded[begin : begin + rate] = sound
    back = Synthesis(grid, 1).add(analyse(padded, grid))[begin : begin + rate]
    assert len(back) == rate
    assert np.abs(back - sound).max() < 1e-5


def test_a_constant_under_the_sound_is_no_bass(song: dict[str, Sound], tmp_path: Path) -> None:
    stems, _result = separate(tmp_path, mix_of(song) * np.float32(0.5) + np.float32(0.1))
    inner = slice(44_100, -44_100)
    assert abs(stems["bass"][inner].mean()) < 0.005
    assert abs(stems["other"][inner].mean()) > 0.05


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_gives_silent_stems(tmp_path: Path, channels: int) -> None:
    stems, result = separate(tmp_path, np.zeros((30_000, channels), np.float32))
    assert result["gain_db"] == 0
    assert all(not stem.any() for stem in stems.values())


def test_opposite_sides_and_one_silent_side_are_separated_too(tmp_path: Path) -> None:
    mono = music(60_000, 44_100, 1, 0.8)
    for number, sides in enumerate(([1, -1], [1, 0])):
        folder = tmp_path / str(number)
        folder.mkdir()
        stems, result = separate(folder, mono * np.array(sides, np.float32))
        assert result["near_mono"]
        assert np.abs(stems["drums"]).max() > 0.05
        assert np.abs(stems["bass"]).max() > 0.05


def test_progress_never_falls_and_ends_at_the_end(song: dict[str, Sound], tmp_path: Path) -> None:
    _stems, result = separate(tmp_path, np.tile(mix_of(song), (3, 1)))
    percents = [percent for percent, _stage in result["progress"]]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert {stage for _percent, stage in result["progress"]} == {"listening", "separating", "encoding"}


@pytest.mark.timeout(180)
def test_five_minutes_need_no_more_memory_than_one(tmp_path: Path) -> None:
    peaks = {}  # started by a shell, for a child counts the memory of the process that it was forked from as its own
    for minutes in (1, 5):
        folder = tmp_path / str(minutes)
        folder.mkdir()
        mix = music(minutes * 60 * 8_000, 8_000, 2, 0.5)
        source = write_source(folder, mix, 8_000)
        request = {"pcm": str(source.path), "sample_rate_hz": 8_000, "channels": 2, "frames": source.frames}
        answer = subprocess.run(
            ["/bin/sh", "-c", '"$0" -m soundforge_runners.separate_dsp; exit $?', sys.executable],
            input=json.dumps({**request, "folder": str(folder / "stems")}) + "\n",
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT / "src"), **libraries()},
        )
        result = json.loads(answer.stdout.splitlines()[-1])
        assert result["type"] == "result"
        peaks[minutes] = result["cost"]["peak_rss_mb"]
    assert peaks[5] < peaks[1] + 40, peaks
    assert peaks[5] < 500
