import numpy as np

from soundforge_runners.analysis._cues import Bars, fade_start, find_cues, mix_in, mix_out
from soundforge_runners.analysis._energy import bar_energy
from soundforge_runners.analysis._structure import Section, alike, bar_edges, name_sections, segment


def bars(*parts: tuple[int, float]) -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.concatenate([np.full((count, 18), level) + rng.normal(0, 0.1, (count, 18)) for count, level in parts])


def section(start_s: float, end_s: float, energy: float) -> Section:
    return Section(start_s, end_s, "A", None, 0.5, energy)


def test_sections_begin_where_the_sound_changes() -> None:
    assert segment(bars((4, -1.5), (8, 1.0), (8, -0.5), (4, 1.0))) == [0, 4, 12, 20]


def test_an_even_song_is_one_section() -> None:
    assert segment(bars((20, 0.0))) == [0]


def test_one_bar_is_one_section() -> None:
    assert segment(bars((1, 0.0))) == [0]


def test_parts_that_are_alike_share_a_group() -> None:
    means = np.array([[0.0] * 18, [2.0] * 18, [0.1] * 18, [2.1] * 18, [-3.0] * 18])
    assert alike(means) == [0, 1, 0, 1, 2]


def test_the_loudest_group_that_comes_back_is_the_chorus() -> None:
    labels = name_sections([0, 1, 2, 1, 3], [0.3, 0.8, 0.5, 0.8, 0.2])
    assert labels == ["intro", "chorus", None, "chorus", "outro"]


def test_a_dip_in_the_middle_is_a_break() -> None:
    assert name_sections([0, 1, 2, 1], [0.5, 0.8, 0.2, 0.8])[2] == "break"


def test_two_sections_are_not_named() -> None:
    assert name_sections([0, 1], [0.2, 0.9]) == [None, None]


def test_bars_run_from_the_first_downbeat_to_the_end() -> None:
    assert bar_edges(np.array([0.5, 2.5, 4.5]), 6.0).tolist() == [0.5, 2.5, 4.5, 6.0]
    assert bar_edges(np.empty(0), 6.0).tolist() == [0.0, 6.0]


def test_energy_of_a_bar_is_the_mean_of_its_seconds() -> None:
    assert bar_energy(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 2.0, 4.0])).tolist() == [0.5, 0.5]


def beaten(*pulse: float, confidence: float = 0.8) -> Bars:
    return Bars(0.5 + 2.0 * np.arange(len(pulse)), np.array(pulse), confidence)


def test_a_rise_into_a_loud_section_is_a_drop() -> None:
    sections = [section(0, 8.5, 0.3), section(8.5, 16.5, 0.9), section(16.5, 24.5, 0.8)]
    cues = find_cues(sections, beaten(*[1.0] * 12), np.ones(24))
    assert [(cue.t_s, cue.kind, cue.bar) for cue in cues] == [
        (0.5, "first_downbeat", 0),
        (0.5, "mix_in", 0),
        (8.5, "drop", 4),
        (16.5, "mix_out", 8),
        (16.5, "section", 8),
    ]


def test_every_cue_says_how_sure_it_is_and_none_is_surer_than_the_bars() -> None:
    sections = [section(0, 8.5, 0.3), section(8.5, 16.5, 0.9), section(16.5, 24.5, 0.8)]
    cues = find_cues(sections, beaten(*[1.0] * 12, confidence=0.6), np.ones(24))
    assert all(0 < cue.confidence <= 0.6 for cue in cues)


def test_mixing_in_begins_where_the_beat_does() -> None:
    cue = mix_in(beaten(0, 0.1, 0.1, 0.2, *[1.0] * 12))
    assert cue is not None
    assert (cue.bar, cue.t_s, cue.confidence) == (4, 8.5, 0.8)


def test_a_single_loud_bar_in_the_intro_makes_mixing_in_less_sure() -> None:
    cue = mix_in(beaten(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, *[1.0] * 12))
    assert cue is not None
    assert cue.confidence < 0.2


def test_mixing_out_leaves_eight_bars_of_beat() -> None:
    sections = [section(0, 16.5, 0.5), section(16.5, 32.5, 0.9), section(32.5, 48.5, 0.8), section(48.5, 58.5, 0.2)]
    cue = mix_out(sections, beaten(*[1.0] * 27, 0.1, 0.1))
    assert cue is not None
    assert (cue.bar, cue.t_s) == (16, 32.5)


def test_where_no_section_helps_mixing_out_is_a_guess() -> None:
    cue = mix_out([section(0, 48.5, 0.5)], beaten(*[1.0] * 24))
    assert cue is not None
    assert cue.bar == 16
    assert cue.confidence < 0.5


def test_a_handful_of_bars_has_no_place_to_mix_out() -> None:
    assert mix_out([section(0, 8, 0.5)], beaten(1, 1, 1, 1)) is None


def test_without_beats_there_are_no_cues() -> None:
    assert find_cues([], beaten(), np.ones(24)) == []


def test_a_fade_is_found_and_a_sudden_end_is_none() -> None:
    assert fade_start(np.concatenate([np.full(20, 0.8), np.linspace(0.8, 0, 10)])) is not None
    assert fade_start(np.full(30, 0.8)) is None
    assert fade_start(np.full(3, 0.8)) is None
