from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from soundforge_runners.analysis._beats import carried_on, track_beats
from soundforge_runners.analysis._chroma import Chroma, tuned_chroma
from soundforge_runners.analysis._meter import Accents, Grid
from soundforge_runners.analysis._rhythm import Rhythm, find_rhythm, strong_half
from soundforge_runners.analysis._spectrum import HOP_S, Spectra, read_spectra
from soundforge_runners.analysis._tempo import Tempo, estimate_tempo, onset_curve
from tests.support.signals import Sound, hat, kick, place, progression, rock_song, silence, snare, write


def spectra_of(sound: Sound) -> tuple[Spectra, Chroma]:
    with TemporaryDirectory() as folder:
        spectra = read_spectra(write(sound, Path(folder, "pcm.f32")), -20, lambda _: None)
    return spectra, tuned_chroma(spectra)


def rhythm_of(sound: Sound) -> Rhythm:
    found = find_rhythm(*spectra_of(sound))
    assert found is not None
    return found


@cache
def rock() -> Rhythm:
    return rhythm_of(rock_song(bpm=123, bars=16, lead_in_s=0.7))


def test_the_tempo_is_right_within_half_a_percent() -> None:
    assert rock().bpm == pytest.approx(123, rel=0.005)


def test_beats_lie_within_20_ms_of_the_truth() -> None:
    beats = rock().grid.beats_s
    truth = 0.7 + 60 / 123 * np.arange(65)  # the last chord ends on a beat
    nearest = np.abs(beats[:, None] - truth).min(axis=1)
    assert len(beats) >= 60
    assert nearest.max() < 0.02


def test_bars_begin_where_the_harmony_changes() -> None:
    bars = rock().downbeats_s
    truth = 0.7 + 4 * 60 / 123 * np.arange(17)
    assert rock().grid.beats_per_bar == 4
    assert np.abs(bars[:, None] - truth).min(axis=1).max() < 0.02


def test_an_even_song_has_a_stable_tempo_and_one_that_speeds_up_has_not() -> None:
    assert rock().is_stable()
    beats = np.cumsum(60 / np.linspace(100, 116, 80))
    sound = silence(beats[-1] + 1)
    place(sound, list(beats), kick())
    place(sound, list(beats), snare())
    faster = rhythm_of(sound)
    assert not faster.is_stable()
    assert faster.curve()[0][1] < faster.curve()[-1][1]


def test_a_waltz_has_three_beats_to_a_bar() -> None:
    sound = progression([(0, "maj"), (5, "maj"), (7, "maj"), (0, "maj")] * 4, bpm=140, beats_each=3)
    beats = 0.4 + 60 / 140 * np.arange(48)
    place(sound, list(beats[::3]), kick())
    place(sound, [*beats[1::3], *beats[2::3]], hat())
    found = rhythm_of(sound)
    assert (found.grid.beats_per_bar, found.grid.signature) == (3, "3/4")


def test_drum_and_bass_runs_at_172_and_not_at_86() -> None:
    sound = progression([(9, "min"), (5, "maj"), (0, "maj"), (7, "maj")] * 3, bpm=172, beats_each=8)
    beat_s = 60 / 172
    bars = 0.4 + 4 * beat_s * np.arange(24)
    place(sound, [*bars, *(bars + 2.5 * beat_s)], kick())
    place(sound, [*(bars + beat_s), *(bars + 3 * beat_s)], snare())
    place(sound, list(0.4 + beat_s / 2 * np.arange(192)), hat())
    assert rhythm_of(sound).bpm == pytest.approx(172, rel=0.01)


def test_alternatives_name_half_and_double_the_tempo() -> None:
    ratios = [bpm / rock().bpm for bpm, _ in rock().alternatives()]
    assert any(ratio == pytest.approx(2, rel=0.04) for ratio in ratios)
    assert any(ratio == pytest.approx(0.5, rel=0.04) for ratio in ratios)
    assert not any(ratio == pytest.approx(1, rel=0.04) for ratio in ratios)


def test_an_intro_without_drums_has_beats_too() -> None:
    beats = carried_on(np.arange(8.0, 20, 0.5), first_s=2.1, last_s=21.0)
    assert beats[0] == pytest.approx(2.5)
    assert beats[-1] == pytest.approx(21.0)
    assert np.diff(beats) == pytest.approx(np.full(len(beats) - 1, 0.5))


def test_beats_follow_onsets_that_are_not_quite_even() -> None:
    rng = np.random.default_rng(3)
    truth = np.arange(20, 2000, 43) + rng.integers(-1, 2, len(range(20, 2000, 43)))
    curve = np.zeros(2050)
    curve[truth] = 1
    beats = track_beats(curve, 60 / 43 / HOP_S)
    assert np.abs(beats[:, None] - truth).min(axis=1).max() <= 1
    assert len(beats) >= len(truth) - 2


def test_where_nothing_happens_there_is_no_tempo() -> None:
    assert estimate_tempo(onset_curve(np.zeros((4, 3000), dtype=np.float32)), drums=1.0) is None


def test_a_curve_shorter_than_two_seconds_has_no_tempo() -> None:
    assert estimate_tempo(np.sin(np.arange(100) / 3), drums=1.0) is None


def test_a_curve_over_sixteen_beats_follows_a_song_that_speeds_up() -> None:
    truth = np.cumsum(60 / np.linspace(100, 108, 96))
    found = Rhythm(Grid(truth, 4, 0, 1.0, 1.0), Tempo(104, 0.5, ()), 104.0)
    middles = [(bpm, 100 + 8 * (16 * index + 8) / 95) for index, (_, bpm) in enumerate(found.curve())]
    assert all(bpm == pytest.approx(true, rel=0.005) for bpm, true in middles)
    assert not found.is_stable()


def accents_of(*hits: tuple[int, float, float, float], beats: int = 64) -> tuple[Accents, np.ndarray]:
    """Onsets (band, first, every, strength), counted in frames, and beats every 26 frames: 199 BPM."""
    bands = np.zeros((4, 26 * beats), dtype=np.float32)
    for band, first, every, strength in hits:
        bands[band, int(first) :: int(every)] = strength
    return Accents(bands, np.zeros((12, 26 * beats // 8), dtype=np.float32)), np.arange(beats) * 26 * HOP_S


def test_eighths_on_the_hi_hat_are_half_beats() -> None:
    accents, beats_s = accents_of((0, 0, 52, 1.0), (1, 0, 52, 1.0), (2, 0, 52, 1.0), (3, 0, 52, 1.0), (3, 26, 52, 0.5))
    strong = strong_half(beats_s, accents)
    assert strong is not None
    assert strong == pytest.approx(beats_s[::2])


def test_fast_beats_that_are_even_or_busy_stay() -> None:
    even, beats_s = accents_of(*((band, 0, 26, 1.0) for band in range(4)))
    busy, _ = accents_of(*((band, 0, 52, 1.0) for band in range(4)), *((band, 13, 26, 0.6) for band in range(4)))
    assert strong_half(beats_s, even) is None
    assert strong_half(beats_s, busy) is None


def test_slow_beats_are_never_halved() -> None:
    accents, beats_s = accents_of((0, 0, 52, 1.0))
    assert strong_half(beats_s * 2, accents) is None
