import numpy as np
import pytest

from soundforge_runners.analysis._loudness import Loudness, LoudnessMeter
from tests.support.signals import Sound, noise, silence, sine


def measure(sound: Sound, rate_hz: int, block: int = 1 << 19) -> Loudness:
    wide = sound[:, None] if sound.ndim == 1 else sound
    meter = LoudnessMeter(rate_hz, wide.shape[1])
    for start in range(0, len(wide), block):
        meter.add(wide[start : start + block])
    return meter.result()


def stereo(sound: Sound) -> Sound:
    return np.stack([sound, sound], axis=1)


def tone(dbfs: float, seconds: float, rate_hz: int = 48_000) -> Sound:
    return sine(1000, seconds, 10 ** (dbfs / 20), rate_hz)


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 44_100, 48_000, 96_000])
def test_a_stereo_tone_at_minus_23_dbfs_has_minus_23_lufs_at_any_rate(rate_hz: int) -> None:
    found = measure(stereo(tone(-23, 6, rate_hz)), rate_hz)
    assert found.integrated_lufs == pytest.approx(-23, abs=0.1)
    assert found.max_short_term_lufs == pytest.approx(-23, abs=0.1)


def test_one_channel_of_it_has_3_lu_less() -> None:
    assert measure(tone(-23, 5), 48_000).integrated_lufs == pytest.approx(-26, abs=0.1)


def test_quiet_ends_do_not_count() -> None:
    sound = np.concatenate([tone(-36, 5), tone(-23, 20), tone(-36, 5)])
    assert measure(stereo(sound), 48_000).integrated_lufs == pytest.approx(-23, abs=0.1)


def test_silence_between_does_not_count() -> None:
    sound = np.concatenate([tone(-23, 5), silence(10, 48_000), tone(-23, 5)])
    assert measure(stereo(sound), 48_000).integrated_lufs == pytest.approx(-23, abs=0.2)


@pytest.mark.parametrize(("first", "second", "range_lu"), [(-20, -30, 10), (-20, -15, 5), (-40, -20, 20)])
def test_the_range_of_two_levels_is_their_difference(first: float, second: float, range_lu: float) -> None:
    sound = np.concatenate([tone(first, 20), tone(second, 20)])
    assert measure(stereo(sound), 48_000).range_lu == pytest.approx(range_lu, abs=1)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_the_true_peak_lies_between_the_samples(rate_hz: int) -> None:
    found = measure(sine(rate_hz / 4, 1, 0.5, rate_hz, phase=np.pi / 4), rate_hz)
    assert found.sample_peak_dbfs == pytest.approx(-9.03, abs=0.05)
    assert found.true_peak_dbtp == pytest.approx(-6.02, abs=0.2)


def test_the_true_peak_is_never_below_the_sample_peak() -> None:
    found = measure(noise(1, 0.2, 44_100), 44_100)
    assert found.true_peak_dbtp is not None
    assert found.sample_peak_dbfs is not None
    assert found.true_peak_dbtp >= found.sample_peak_dbfs


def test_how_the_sound_is_cut_into_blocks_does_not_matter() -> None:
    sound = stereo(noise(5, 0.2, 44_100))
    whole, cut = measure(sound, 44_100), measure(sound, 44_100, block=10_007)
    assert cut.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-9)
    assert cut.true_peak_dbtp == pytest.approx(whole.true_peak_dbtp, abs=1e-6)


def test_silence_has_no_loudness() -> None:
    found = measure(silence(5), 22_050)
    assert (found.integrated_lufs, found.range_lu, found.max_short_term_lufs) == (None, None, None)
    assert (found.sample_peak_dbfs, found.true_peak_dbtp) == (None, None)


def test_what_is_quieter_than_minus_70_lufs_counts_as_silence() -> None:
    assert measure(stereo(tone(-75, 5)), 48_000).integrated_lufs is None


def test_a_fifth_of_a_second_has_only_peaks() -> None:
    found = measure(sine(440, 0.2, 0.5), 22_050)
    assert (found.integrated_lufs, found.range_lu, found.max_short_term_lufs) == (None, None, None)
    assert found.sample_peak_dbfs == pytest.approx(-6.02, abs=0.05)


def breathing(rate_hz: int) -> Sound:
    """Half a minute in stereo: noise that swells and fades over 20 dB every 8 s, another on each side, over a tone."""
    at = np.arange(30 * rate_hz) / rate_hz
    level = 0.1 * 10 ** (np.sin(2 * np.pi * at / 8) - 0.5)
    sides = np.random.default_rng(7).normal(0, 1, (2, len(at))) * level * np.array([[1.0], [0.6]])
    return np.asarray((sides + 0.1 * np.sin(2 * np.pi * 997 * at)).T, dtype=np.float32)


# What ffmpeg 5.1's `ebur128=peak=true` says of it as a WAV file of floats, at a rate: LUFS, LU, LUFS, dBTP.
FFMPEG = [
    (8_000, -12.5, 10.8, -9.1, 2.1),
    (22_050, -11.9, 11.4, -8.4, 3.2),
    (44_100, -11.7, 11.6, -8.2, 3.8),
    (48_000, -11.7, 11.7, -8.2, 4.8),
    (96_000, -11.6, 11.7, -8.2, 3.6),
    (192_000, -11.6, 11.8, -8.1, 4.4),
]


@pytest.mark.parametrize(("rate_hz", "integrated", "spread", "short_term", "peak"), FFMPEG)
def test_loudness_and_peaks_are_what_ffmpeg_measures(
    rate_hz: int, integrated: float, spread: float, short_term: float, peak: float
) -> None:
    found = measure(breathing(rate_hz), rate_hz)
    assert found.integrated_lufs == pytest.approx(integrated, abs=0.1)
    assert found.range_lu == pytest.approx(spread, abs=0.2)
    assert found.max_short_term_lufs == pytest.approx(short_term, abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(peak, abs=0.2)


def test_a_sound_that_is_cut_off_does_not_ring_at_the_cut() -> None:
    cut = sine(441, 1 + 1 / 1764, 0.5, 44_100)[25:]  # ends at full swing
    assert measure(cut, 44_100).true_peak_dbtp == pytest.approx(-6.02, abs=0.05)


@pytest.mark.parametrize("block", [1, 7, 38, 39, 1000])
def test_peaks_between_samples_are_found_in_blocks_of_any_length(block: int) -> None:
    sound = sine(11_025, 0.05, 0.5, 44_100, phase=np.pi / 4)
    assert measure(sound, 44_100, block).true_peak_dbtp == pytest.approx(-6.02, abs=0.2)
