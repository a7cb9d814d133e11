"""The real engines on the whole demo song, whose truth is known. Slow: `make test-engines`."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundforge.engines import ANALYZER, DECODER, SEPARATORS, DemoSong, Pcm, encode_flac, render_demo

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

STEP = 1 / (1 << 23)


@pytest.fixture
async def song(tmp_path: Path) -> DemoSong:
    """The demo song, rendered."""
    return await render_demo(tmp_path / "song")


@pytest.fixture
async def pcm(song: DemoSong, tmp_path: Path) -> Pcm:
    """The same, decoded."""
    decoded = await DECODER.decode(song.path, tmp_path / "song.f32", folder=tmp_path / "decode", max_duration_s=600)
    return decoded.pcm


async def test_tempo_key_sections_and_loudness_of_the_demo_song_are_found(
    song: DemoSong, pcm: Pcm, tmp_path: Path
) -> None:
    heard: list[str] = []
    analyzed = await ANALYZER.analyze(
        pcm, folder=tmp_path / "analyze", threads=1, on_part=lambda part: heard.append(part.stage)
    )
    found = {name: value for part in analyzed.parts for name, value in part.document.items()}
    assert heard[0] == "peaks"
    assert found["tempo"]["bpm"] == pytest.approx(song.truth["bpm"], rel=0.002)
    assert f"{found['key']['tonic']} {found['key']['mode']}" == song.truth["key"]
    starts = [section["start_s"] for section in found["sections"]]
    for start_s, _end_s, _label in song.truth["sections"]:
        assert min(abs(start_s - one) for one in starts) < 3
    beats = np.array(found["beats"]["times_s"])
    true = np.array(song.truth["beats_s"])
    hit = np.array([np.min(np.abs(beats - one)) < 0.07 for one in true])
    assert hit.mean() > 0.9


async def test_the_stems_of_the_demo_song_sum_to_it_and_each_is_nearest_to_its_own(
    song: DemoSong, pcm: Pcm, tmp_path: Path
) -> None:
    separated = await SEPARATORS["dsp"].separate(pcm, model="dsp", folder=tmp_path / "stems", threads=2)
    stems = {stem.name: soundfile.read(stem.path, always_2d=True)[0] for stem in separated.stems}
    mix = soundfile.read(song.path, always_2d=True)[0] * 10 ** (separated.gain_db / 20)
    assert np.max(np.abs(sum(stems.values()) - mix)) <= 2 * STEP
    for name, path in song.truth["stems"].items():
        true = soundfile.read(path, always_2d=True)[0]
        likeness = {other: _correlation(stem, true) for other, stem in stems.items()}
        assert max(likeness, key=lambda other: likeness[other]) == name, (name, likeness)


async def test_the_mix_that_plays_is_the_song_to_the_last_step(song: DemoSong, pcm: Pcm, tmp_path: Path) -> None:
    clipped = await encode_flac(pcm, tmp_path / "mix.flac", folder=tmp_path / "encode")
    assert clipped == 0
    played, rate = soundfile.read(tmp_path / "mix.flac", always_2d=True)
    true, true_rate = soundfile.read(song.path, always_2d=True)
    assert rate == true_rate
    assert np.array_equal(played, true)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.vdot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-12))
