"""The rendered file is the sum that the mixer plays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from soundforge.engines._writers import _STRETCH
from soundforge_runners import render as runner
from soundforge_runners._protocol import Refused

RATE, FRAMES = 44100, 300_000  # over two blocks


class Silent:
    """A channel that notes how far the work is."""

    def __init__(self) -> None:
        self.told: list[float] = []

    def progress(self, percent: float, stage: str = "") -> None:
        """Note it."""
        self.told.append(percent)


def stem(folder: Path, name: str, *, loud: float = 0.3, channels: int = 2) -> tuple[Path, NDArray[np.float64]]:
    rng = np.random.default_rng(len(name))
    samples = np.rint(rng.normal(0, loud / 3, (FRAMES, channels)).clip(-loud, loud) * 2**23) / 2**23
    path = folder / f"{name}.flac"
    soundfile.write(path, samples, RATE, subtype="PCM_24")
    return path, samples


def ask(
    folder: Path, stems: list[dict[str, Any]], audio_format: str, tempo: float = 1, semitones: int = 0
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    out = folder / f"out.{audio_format[:4]}"
    channel = Silent()
    request = {"stems": stems, "fade_frames": 220, "format": audio_format, "out": str(out)}
    request |= {"tempo": tempo, "semitones": semitones, "wasm": str(_STRETCH)}
    answer = runner.render(request, channel)  # type: ignore[arg-type]  # it is asked for progress alone
    assert channel.told == sorted(channel.told)
    assert channel.told[-1] == 100
    samples, rate = soundfile.read(out, dtype="float64")
    out.unlink()
    assert rate == RATE
    return answer, samples


@pytest.mark.parametrize(("audio_format", "step"), [("flac24", 2**-23), ("wav24", 2**-23), ("wav32f", 2**-24)])
def test_a_file_is_the_sum_of_the_stems_at_their_gains_to_half_a_step(
    tmp_path: Path, audio_format: str, step: float
) -> None:
    (one, first), (two, second) = stem(tmp_path, "a"), stem(tmp_path, "bb", channels=1)
    parts = [
        {"path": str(one), "left": 0.7, "right": 0.2, "mutes": []},
        {"path": str(two), "left": 0.0, "right": 1.1, "mutes": []},
    ]
    answer, samples = ask(tmp_path, parts, audio_format)
    expected = first * [0.7, 0.2] + second * [0.0, 1.1]
    assert np.abs(samples - expected).max() <= step
    assert answer["frames"] == FRAMES
    assert answer["trim_db"] == 0


def test_a_muted_part_is_silent_with_short_ramps_inside_its_edges_also_across_blocks(tmp_path: Path) -> None:
    path, samples = stem(tmp_path, "a")
    start, end = runner.BLOCK_FRAMES - 1000, runner.BLOCK_FRAMES + 1000
    _, made = ask(tmp_path, [{"path": str(path), "left": 1, "right": 1, "mutes": [[start, end]]}], "wav32f")
    assert np.abs(made[start + 220 : end - 220]).max() == 0
    outside = np.r_[0:start, end:FRAMES]
    assert np.abs(made[outside] - samples[outside]).max() < 2**-24
    let = runner.openness([[start, end]], start - 5, 300, 220)
    assert (let[:5] == 1).all()
    assert (np.diff(let[4:225]) < 0).all()
    assert let[225] == 0


def test_what_24_bits_cannot_hold_is_made_softer_as_a_whole_and_told(tmp_path: Path) -> None:
    path, samples = stem(tmp_path, "a", loud=0.9)
    part = [{"path": str(path), "left": 2.0, "right": 2.0, "mutes": []}]
    answer, made = ask(tmp_path, part, "flac24")
    assert answer["peak"] == pytest.approx(np.abs(samples).max() * 2)
    assert answer["trim_db"] == pytest.approx(-20 * np.log10(answer["peak"]), abs=0.01)
    assert np.abs(made).max() == pytest.approx(1, abs=1e-6)
    assert np.abs(made - samples * 2 * 10 ** (answer["trim_db"] / 20)).max() < 2**-22
    whole, as_it_is = ask(tmp_path, part, "wav32f")
    assert whole["trim_db"] == 0
    assert np.abs(as_it_is).max() == pytest.approx(answer["peak"])


def test_stems_of_two_lengths_are_refused(tmp_path: Path) -> None:
    path, _ = stem(tmp_path, "a")
    short = tmp_path / "short.flac"
    soundfile.write(short, np.zeros((100, 2)), RATE, subtype="PCM_24")
    parts = [{"path": str(each), "left": 1, "right": 1, "mutes": []} for each in (path, short)]
    with pytest.raises(Refused, match="one length"):
        ask(tmp_path, parts, "flac24")


def whole(folder: Path, sound: NDArray[np.float64]) -> list[dict[str, Any]]:
    """A mono sound as the one stem of a mix."""
    path = folder / "sound.flac"
    soundfile.write(path, sound, RATE, subtype="PCM_24")
    return [{"path": str(path), "left": 1, "right": 1, "mutes": []}]


@pytest.mark.parametrize(("tempo", "semitones"), [(0.8, 0), (1.25, 0), (0.5, 0), (1.5, 0), (1, 12), (0.8, -5)])
def test_tempo_keeps_the_pitch_and_pitch_keeps_the_tempo(tmp_path: Path, tempo: float, semitones: int) -> None:
    time = np.arange(FRAMES) / RATE
    answer, made = ask(tmp_path, whole(tmp_path, 0.4 * np.sin(2 * np.pi * 165 * time)), "flac24", tempo, semitones)
    assert answer["frames"] == len(made) == round(FRAMES / tempo)
    steady = made[len(made) // 4 : -len(made) // 8, 0]
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)), 1 << 21))
    expected = 165 * 2 ** (semitones / 12)
    assert np.fft.rfftfreq(1 << 21, 1 / RATE)[np.argmax(spectrum)] == pytest.approx(expected, abs=0.5)
    assert np.abs(steady).max() == pytest.approx(0.4, rel=0.3)


@pytest.mark.parametrize(("tempo", "semitones"), [(0.8, 0), (1.25, 3)])
def test_what_is_heard_at_a_moment_is_heard_at_that_moment_of_the_new_tempo(
    tmp_path: Path, tempo: float, semitones: int
) -> None:
    marks = np.array([0.5, 2.25, 4.0, 6.5])
    sound = np.zeros(FRAMES)
    for mark in marks:
        sound[round(mark * RATE) : round(mark * RATE) + 60] = 0.8
    _, made = ask(tmp_path, whole(tmp_path, sound), "wav32f", tempo, semitones)
    for mark in marks:
        near = slice(round((mark / tempo - 0.1) * RATE), round((mark / tempo + 0.1) * RATE))
        at = near.start + int(np.argmax(np.abs(made[near, 0])))
        assert at / RATE == pytest.approx(mark / tempo, abs=0.006)


def test_a_file_is_rendered_to_the_same_samples_each_time(tmp_path: Path) -> None:
    part = whole(tmp_path, np.random.default_rng(1).normal(0, 0.1, FRAMES))
    (_, first), (_, again) = (ask(tmp_path, part, "flac24", 0.9, 2) for _ in range(2))
    assert np.array_equal(first, again)
