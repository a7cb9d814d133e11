"""Cue points and the grid; what an analysis found, as people take it over."""

from typing import Any

import pytest

from soundforge.formats import beats_on, found_cues, has_grid, on_beat

SONG: dict[str, Any] = {
    "beats": {"times_s": [1.0, 1.5, 2.0, 2.6, 3.2]},  # it slows down
    "sections": [
        {"start_s": 0.0, "label": "intro", "group": "A"},
        {"start_s": 2.0, "label": None, "group": "B"},
        {"start_s": 3.2, "label": "Hook", "group": "B"},
    ],
    "cues": [
        {"t_s": 2.0, "kind": "section"},
        {"t_s": 2.0, "kind": "drop"},
        {"t_s": 1.0, "kind": "first_downbeat"},
        {"t_s": 3.2, "kind": "section"},
        {"t_s": 3.1, "kind": "fade_out"},
    ],
}
NOTHING: dict[str, Any] = {"beats": None, "cues": None, "sections": None}


@pytest.mark.parametrize(
    ("t_s", "beats", "there"),
    [
        (1.5, 1, 2.0),
        (1.75, 1, 2.3),  # half way between two beats, also where they are farther apart
        (2.6, -2, 1.5),
        (1.0, -2, 0.0),  # before the first beat they go on as they began
        (3.2, 2, 4.4),
        (0.5, 1, 1.0),
        (3.5, -1, 2.9),
    ],
)
def test_a_moment_moves_by_beats_and_keeps_its_place_between_them(t_s: float, beats: float, there: float) -> None:
    assert beats_on(SONG, t_s, beats) == pytest.approx(there, abs=1e-4)
    assert beats_on(SONG, there, -beats) == pytest.approx(t_s, abs=1e-3)


@pytest.mark.parametrize(("t_s", "there"), [(1.7, 1.5), (1.8, 2.0), (0.7, 1.0), (0.2, 0.2), (9.0, 9.0)])
def test_the_nearest_beat_counts_only_where_beats_are(t_s: float, there: float) -> None:
    assert on_beat(SONG, t_s) == there


def test_without_beats_a_moment_stays_where_it_is() -> None:
    assert on_beat(NOTHING, 1.7) == 1.7
    assert (has_grid(NOTHING), has_grid(SONG)) == (False, True)


def test_found_cues_are_named_and_come_in_the_order_of_time() -> None:
    told = [(cue.t_s, cue.name, cue.is_section) for cue in found_cues(SONG)]
    assert told == [
        (1.0, "First bar", False),
        (2.0, "Drop", False),
        (2.0, "B", True),
        (3.1, "Fade", False),
        (3.2, "Hook", True),
    ]
    assert found_cues(NOTHING) == []
