from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from soundforge_runners.analysis._chords import viterbi
from soundforge_runners.analysis._chroma import tuned_chroma
from soundforge_runners.analysis._harmony import Harmony, find_harmony, half_beat_grid
from soundforge_runners.analysis._key import CAMELOT, camelot
from soundforge_runners.analysis._spectrum import Spectra, read_spectra
from tests.support.signals import RATE_HZ, Sound, progression, write

C_G_AM_F = [(0, "maj"), (7, "maj"), (9, "min"), (5, "maj")]


def spectra_of(sound: Sound) -> Spectra:
    with TemporaryDirectory() as folder:
        return read_spectra(write(sound, Path(folder, "pcm.f32")), -20, lambda _: None)


@cache
def harmony_of(tuning_cents: float) -> tuple[Harmony, float]:
    sound = progression(C_G_AM_F * 3, bpm=120, beats_each=4, lead_in_s=0.0, tuning_cents=tuning_cents)
    spectra = spectra_of(sound)
    return find_harmony(tuned_chroma(spectra), np.arange(0, 24, 0.5), len(sound) / RATE_HZ), spectra.tuning_cents


@pytest.mark.parametrize("tuning_cents", [0.0, 35.0, -28.0])
def test_the_tuning_is_found_within_three_cents(tuning_cents: float) -> None:
    assert harmony_of(tuning_cents)[1] == pytest.approx(tuning_cents, abs=3)


@pytest.mark.parametrize("tuning_cents", [0.0, 35.0, -28.0])
def test_the_key_is_found_in_any_tuning(tuning_cents: float) -> None:
    key = harmony_of(tuning_cents)[0].key
    assert (key.tonic, key.mode) == (0, "major")
    assert 0.5 < key.confidence <= 1


def test_chroma_follows_the_songs_own_tuning() -> None:
    plain, sharp = (
        tuned_chroma(spectra_of(progression(C_G_AM_F, bpm=120, beats_each=4, tuning_cents=cents))).whole.mean(axis=1)
        for cents in (0.0, 45.0)
    )
    assert plain @ sharp / np.linalg.norm(plain) / np.linalg.norm(sharp) > 0.99


def test_alternatives_of_the_key_come_best_first_and_with_less_than_it() -> None:
    key = harmony_of(0.0)[0].key
    chances = [key.confidence, *(chance for _, _, chance in key.alternatives)]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) <= 1


def test_chords_are_named_and_cut_where_they_change() -> None:
    chords = [chord for chord in harmony_of(0.0)[0].chords if chord.label != "N"]
    assert [chord.label for chord in chords] == ["C:maj", "G:maj", "A:min", "F:maj"] * 3
    assert [chord.start_s for chord in chords] == pytest.approx(np.arange(0, 24, 2), abs=0.26)


def test_every_chord_begins_where_the_one_before_ends() -> None:
    chords = harmony_of(0.0)[0].chords
    assert all(left.end_s == right.start_s for left, right in pairwise(chords))
    assert chords[0].start_s == 0
    assert all(0 <= chord.confidence <= 1 for chord in chords)


def test_without_beats_the_grid_is_half_a_second_wide() -> None:
    assert half_beat_grid(None, 2.0).tolist() == [0, 0.5, 1.0, 1.5, 2.0]


def test_the_grid_covers_the_whole_song_and_rises() -> None:
    edges = half_beat_grid(np.array([1.0, 1.5, 2.0]), 3.9)
    assert (edges[0], edges[-1]) == (0.0, 3.9)
    assert (np.diff(edges) > 0).all()
    assert {1.0, 1.25, 1.5, 1.75, 2.0} <= set(edges.tolist())


def test_the_camelot_wheel_is_complete() -> None:
    assert set(CAMELOT["major"]) == {f"{hour}B" for hour in range(1, 13)}
    assert set(CAMELOT["minor"]) == {f"{hour}A" for hour in range(1, 13)}
    assert (camelot(0, "major"), camelot(9, "minor"), camelot(6, "minor")) == ("8B", "8A", "11A")


def test_on_the_camelot_wheel_a_fifth_is_one_hour_and_relatives_share_one() -> None:
    for tonic in range(12):
        hour = int(camelot(tonic, "major")[:-1])
        assert int(camelot((tonic + 7) % 12, "major")[:-1]) == hour % 12 + 1
        assert int(camelot((tonic + 9) % 12, "minor")[:-1]) == hour


def test_the_path_does_not_follow_a_single_doubtful_slot() -> None:
    emission = np.zeros((25, 9))
    emission[3] = 1.0
    emission[5, 4] = 1.5
    assert viterbi(emission, 0.8).tolist() == [3] * 9
