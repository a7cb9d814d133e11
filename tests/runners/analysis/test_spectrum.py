from pathlib import Path

import numpy as np
import pytest

from soundforge_runners.analysis import _source
from soundforge_runners.analysis._pitch import PITCHES, harmonic_part
from soundforge_runners.analysis._spectrum import HOP, PITCH_HOP, mel_bands, read_spectra
from tests.support.signals import RATE_HZ, rock_song, silence, sine, write


def test_frames_are_centred_and_cover_the_whole_sound(tmp_path: Path) -> None:
    spectra = read_spectra(write(sine(440, 10), tmp_path / "pcm.f32"), -20, lambda _: None)
    assert spectra.onset_bands.shape == (4, RATE_HZ * 10 // HOP + 1)
    assert spectra.pitch.shape == (PITCHES, RATE_HZ * 10 // PITCH_HOP + 1)
    assert spectra.mfcc.shape[1] == spectra.shape.shape[1] == spectra.pitch.shape[1]


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 48_000])
def test_resampling_loses_no_frame_at_the_end(rate_hz: int, tmp_path: Path) -> None:
    sound = sine(440, 2, rate_hz=rate_hz)
    spectra = read_spectra(write(sound, tmp_path / "pcm.f32", rate_hz), -20, lambda _: None)
    assert spectra.onset_bands.shape[1] == RATE_HZ * 2 // HOP + 1


def test_how_the_sound_is_read_in_blocks_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(rock_song(bars=4), tmp_path / "pcm.f32", 44_100)
    whole = read_spectra(source, -20, lambda _: None)
    monkeypatch.setattr(_source, "BLOCK_FRAMES", 10_007)
    cut = read_spectra(source, -20, lambda _: None)
    assert cut.pitch.shape == whole.pitch.shape
    assert np.allclose(cut.pitch, whole.pitch, atol=1e-2 * whole.pitch.max())
    assert cut.tuning_cents == pytest.approx(whole.tuning_cents, abs=0.5)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    heard: list[float] = []
    read_spectra(write(silence(60), tmp_path / "pcm.f32"), -20, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_an_onset_is_where_the_sound_begins(tmp_path: Path) -> None:
    sound = np.concatenate([silence(1), sine(1000, 1)])
    spectra = read_spectra(write(sound, tmp_path / "pcm.f32"), -20, lambda _: None)
    assert int(spectra.onset_bands[2].argmax()) * HOP / RATE_HZ == pytest.approx(1, abs=0.03)


def test_a_long_tone_is_harmonic_and_a_click_is_not() -> None:
    pitch = np.zeros((PITCHES, 60), dtype=np.float32)
    pitch[100] = 1
    pitch[:, 30] = 1
    kept = harmonic_part(pitch)
    assert kept[100, 10] > 0.9
    assert kept[200, 30] < 0.1


def test_chunks_of_the_harmonic_part_join_without_a_seam() -> None:
    pitch = np.abs(np.random.default_rng(4).normal(size=(PITCHES, 2100))).astype(np.float32)
    assert np.array_equal(harmonic_part(pitch)[:, 2040:2060], harmonic_part(pitch[:, 1900:])[:, 140:160])


def test_mel_bands_rise_in_frequency_and_weigh_at_most_one() -> None:
    weights, centres = mel_bands(22_050, 2048, 81)
    assert weights.shape == (1025, 81)
    assert (np.diff(centres) > 0).all()
    assert weights.sum(axis=0).max() <= 1 + 1e-5
