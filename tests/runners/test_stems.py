"""The stem writer: whatever an engine says, the files are faithful."""

import errno
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soundforge_runners._protocol import Refused
from soundforge_runners._stems import Source, StemWriter
from tests.support.waveforms import levels_in

type Sound = NDArray[np.float32]

STEMS = ("vocals", "drums", "bass", "other")
STEP = 2.0**-23


def write_source(folder: Path, sound: Sound, rate: int = 44_100) -> Source:
    path = folder / "mix.f32"
    sound.astype("<f4").tofile(path)
    return Source(path, rate, sound.shape[1], len(sound))


def noise(frames: int, channels: int = 2, seed: int = 1, level: float = 0.3) -> Sound:
    return (level * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def write_stems(
    source: Source,
    folder: Path,
    stems: dict[str, Sound],
    *,
    block: int = 10_000,
    names: Sequence[str] = STEMS,
    closing: str | None = "other",
) -> tuple[dict[str, NDArray[np.float64]], float]:
    with StemWriter(source, folder, names, closing=closing) as writer:
        for start in range(0, source.frames, block):
            writer.add({name: stem[start : start + block] for name, stem in stems.items()})
        result = writer.finish()
    files = {one["name"]: soundfile.read(one["path"], always_2d=True)[0] for one in result["stems"]}
    return files, result["gain_db"]


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 30_000),
    channels=st.integers(1, 2),
    rate=st.sampled_from([8_000, 22_050, 44_100, 96_000, 192_000]),
    level=st.sampled_from([0.0, 1e-6, 0.05, 0.5, 3.0]),
    block=st.integers(500, 40_000),
)
def test_the_files_sum_to_the_input_and_keep_rate_length_and_channels(
    frames: int, channels: int, rate: int, level: float, block: int
) -> None:
    with TemporaryDirectory() as folder:
        mix = np.clip(noise(frames, channels, level=level), -1, 1)
        source = write_source(Path(folder), mix, rate)
        stems = {name: noise(frames, channels, seed, level) for seed, name in enumerate(STEMS[:3])}
        files, gain_db = write_stems(source, Path(folder), stems, block=block)
        total = np.sum(list(files.values()), axis=0) / 10 ** (gain_db / 20)
        assert total.shape == mix.shape
        assert np.abs(total - mix).max() <= 2 * STEP / 10 ** (gain_db / 20)
        info = soundfile.info(Path(folder, "other.flac"))
        assert (info.samplerate, info.channels, info.frames, info.subtype) == (rate, channels, frames, "PCM_24")


def test_each_stem_is_the_engines_own_to_half_a_step(tmp_path: Path) -> None:
    mix, stems = noise(5000, level=1), {name: noise(5000, seed=seed, level=0.1) for seed, name in enumerate(STEMS[:3])}
    files, gain_db = write_stems(write_source(tmp_path, mix), tmp_path, stems)
    assert gain_db < 0, "noise of that level passes full scale"
    for name, stem in stems.items():
        assert np.abs(files[name] - stem * 10 ** (gain_db / 20)).max() <= 0.51 * STEP


def test_without_a_peak_over_full_scale_the_level_is_kept(tmp_path: Path) -> None:
    mix = np.clip(noise(5000, level=0.1), -0.5, 0.5)
    files, gain_db = write_stems(write_source(tmp_path, mix), tmp_path, dict.fromkeys(STEMS[:3], mix / 4))
    assert gain_db == 0
    assert np.abs(files["other"] - mix / 4).max() <= 3 * STEP


def test_one_common_gain_keeps_every_stem_below_full_scale(tmp_path: Path) -> None:
    mix = np.ones((3000, 1), np.float32)
    stems = {"vocals": -2.5 * mix, "drums": 0.1 * mix, "bass": 0 * mix}  # so other is 3.4
    files, gain_db = write_stems(write_source(tmp_path, mix), tmp_path, stems)
    assert gain_db == pytest.approx(-20 * np.log10(3.4), abs=0.02)
    assert 0.99 < files["other"].max() < 1
    assert np.abs(np.sum(list(files.values()), axis=0) - mix * 10 ** (gain_db / 20)).max() <= 2 * STEP


def test_without_a_closing_stem_every_stem_is_the_engines_own(tmp_path: Path) -> None:
    mix, own = noise(4000, level=0.05), {name: noise(4000, seed=seed, level=0.05) for seed, name in enumerate(STEMS)}
    files, gain_db = write_stems(write_source(tmp_path, mix), tmp_path, own, closing=None)
    assert gain_db == 0
    assert np.abs(files["other"] - own["other"]).max() <= 0.51 * STEP


def test_what_an_engine_says_of_the_closing_stem_is_passed_over(tmp_path: Path) -> None:
    mix = noise(4000, level=0.05)
    files, _gain = write_stems(
        write_source(tmp_path, mix),
        tmp_path,
        {"vocals": mix / 2, "no_vocals": mix},
        names=("vocals", "no_vocals"),
        closing="no_vocals",
    )
    assert np.abs(files["vocals"] + files["no_vocals"] - mix).max() <= 2 * STEP


def test_every_stem_has_its_peaks_and_nothing_else_stays(tmp_path: Path) -> None:
    mix = noise(1000, level=0.05)
    write_stems(write_source(tmp_path, mix), tmp_path / "out", dict.fromkeys(STEMS[:3], mix / 4))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{n}.{e}" for n in STEMS for e in ("flac", "dat")}
    levels = levels_in((tmp_path / "out/vocals.dat").read_bytes())
    assert {width: len(pixels) for width, pixels in levels.items()} == {256: 4, 1024: 1, 4096: 1, 16384: 1}
    assert max(-levels[1024][0][0], levels[1024][0][1]) == int(128 * np.abs(mix / 4).max())


def test_scratch_goes_when_the_engine_fails(tmp_path: Path) -> None:
    mix = noise(1000)
    bad = {name: mix.copy() for name in STEMS[:3]}
    bad["bass"][500, 1] = np.nan
    with pytest.raises(Refused) as refusal:
        write_stems(write_source(tmp_path, mix), tmp_path / "out", bad)
    assert (refusal.value.code, refusal.value.family) == ("not_finite", "broken")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["vocals.f32", "bass.flac", "other.flac", "drums.dat"])
def test_a_disk_that_is_full_says_so_wherever_it_fills_and_no_scratch_stays(tmp_path: Path, name: str) -> None:
    """Linux has a device that is always full; libsndfile by itself calls it a fault of its decoder."""
    mix, folder = noise(300_000, level=0.1), tmp_path / "out"
    folder.mkdir()
    (folder / name).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        write_stems(write_source(tmp_path, mix), folder, dict.fromkeys(STEMS[:3], mix / 4))
    assert full.value.errno == errno.ENOSPC
    assert not list(folder.glob("*.f32"))


def test_a_missing_block_is_a_fault_of_the_engine(tmp_path: Path) -> None:
    mix = noise(1000)
    with (
        StemWriter(write_source(tmp_path, mix), tmp_path, STEMS, closing="other") as writer,
        pytest.raises(ValueError, match="of 1000 frames came"),
    ):
        writer.finish()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"frames": 0}, "no_sound"),
        ({"frames": 999}, "pcm_incomplete"),
        ({"sample_rate_hz": 700_000}, "unsupported_format"),
    ],
)
def test_what_stems_cannot_be_made_of_is_refused(tmp_path: Path, change: dict[str, int], code: str) -> None:
    source = write_source(tmp_path, noise(1000))
    request = {"pcm": str(source.path), "sample_rate_hz": 44_100, "channels": 2, "frames": 1000} | change
    with pytest.raises(Refused) as refusal:
        Source.from_request(request)
    assert refusal.value.code == code


def test_reading_outside_the_file_gives_silence(tmp_path: Path) -> None:
    mix = noise(100)
    source = write_source(tmp_path, mix)
    around = source.read(-10, 110)
    assert not around[:10].any()
    assert not around[110:].any()
    assert np.array_equal(around[10:110], mix)
    assert not source.read(200, 210).any()


def test_progress_of_encoding_rises_to_one(tmp_path: Path) -> None:
    mix = noise(300_000, 1, level=0.01)
    heard: list[float] = []
    with StemWriter(write_source(tmp_path, mix), tmp_path, ("a", "b"), closing="b") as writer:
        writer.add({"a": mix})
        writer.finish(heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1
    assert len(heard) > 2
