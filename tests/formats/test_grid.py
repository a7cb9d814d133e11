"""The grid: what a person does to it keeps beats in order, inside the song, and can be undone."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.formats._grid import Grid, barred, counted, even, ratio_of, shifted

DURATION_S = 400.0


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """A grid as a tracker finds it: a tempo that may drift, bars of one length, perhaps an upbeat."""
    start, count = draw(st.floats(0, 3)), draw(st.integers(2, 60))
    steps = draw(st.lists(st.floats(0.25, 1.5), min_size=count, max_size=count))
    beats = [start]
    for step in steps[:-1]:
        beats.append(beats[-1] + step)
    length = draw(st.integers(2, 7))
    first = draw(st.integers(0, min(length, count) - 1))
    return Grid(tuple(beats), tuple(range(first, count, length)))


def in_order(grid: Grid) -> bool:
    beats, downs = grid.beats_s, grid.downbeats
    return (
        all(a < b for a, b in pairwise(beats))
        and all(a < b for a, b in pairwise(downs))
        and all(0 <= beat < DURATION_S for beat in beats)
        and all(0 <= down < len(beats) for down in downs)
    )


@given(grids(), st.sampled_from([2, 3, 4]))
def test_twice_as_fast_and_half_as_fast_again_is_the_grid_that_was_found(grid: Grid, times: int) -> None:
    faster = counted(grid, Fraction(times))
    assert len(faster.beats_s) == times * (len(grid.beats_s) - 1) + 1
    assert counted(faster, Fraction(1, times)) == grid


@given(grids(), st.sampled_from([Fraction(1, 2), Fraction(2), Fraction(3, 2), Fraction(2, 3), Fraction(4)]))
def test_however_beats_are_counted_they_stay_in_order_and_in_the_song(grid: Grid, ratio: Fraction) -> None:
    assert in_order(counted(grid, ratio))


@given(grids(), st.floats(0, DURATION_S - 0.001))
def test_a_moved_grid_has_a_beat_where_it_was_asked_for_and_keeps_its_order(grid: Grid, at_s: float) -> None:
    moved = shifted(grid, at_s, DURATION_S)
    assert in_order(moved)
    if grid.beats_s[0] <= at_s <= grid.beats_s[-1]:
        nearest = moved.nearest(at_s)
        assert moved.beats_s[nearest] == pytest.approx(at_s, abs=1e-3)


@given(grids(), st.floats(0.05, 0.95))
def test_a_grid_that_was_moved_by_a_part_of_a_beat_keeps_which_beats_begin_bars(grid: Grid, part: float) -> None:
    first = grid.downbeats[0]
    at_s = grid.beats_s[first] + part * grid.interval_at(first)
    moved = shifted(grid, at_s, DURATION_S)
    assert any(moved.beats_s[down] == pytest.approx(at_s, abs=1e-6) for down in moved.downbeats)


@given(st.floats(20, 400), st.floats(0, 59.9), st.integers(2, 7))
def test_an_even_grid_fills_the_song_at_its_tempo_with_a_bar_where_it_was_asked_for(
    bpm: float, at_s: float, beats_per_bar: int
) -> None:
    grid = even(bpm, at_s, 60.0, beats_per_bar)
    assert in_order(grid)
    assert all(b - a == pytest.approx(60 / bpm) for a, b in pairwise(grid.beats_s))
    assert grid.beats_s[0] < 60 / bpm + 1e-9
    assert grid.beats_s[-1] >= 60 - 60 / bpm - 1e-9
    assert any(grid.beats_s[down] == pytest.approx(at_s) for down in grid.downbeats)


@given(grids(), st.floats(0, 60), st.integers(2, 7))
def test_bars_are_counted_both_ways_from_the_beat_that_begins_one(grid: Grid, at_s: float, length: int) -> None:
    counted_anew = barred(grid, at_s, length)
    assert grid.nearest(at_s) in counted_anew.downbeats
    assert {b - a for a, b in pairwise(counted_anew.downbeats)} <= {length}
    assert counted_anew.downbeats[0] < length
    assert len(grid.beats_s) - counted_anew.downbeats[-1] <= length


def test_of_the_beats_that_go_the_one_that_a_bar_begins_on_stays() -> None:
    grid = Grid((0.0, 0.5, 1.0, 1.5, 2.0, 2.5), (1, 5))
    assert counted(grid, Fraction(1, 2)) == Grid((0.5, 1.5, 2.5), (0,))
    assert counted(grid, Fraction(1, 2), at_s=1.02).beats_s == (0.0, 1.0, 2.0)


def test_a_drifting_song_drifts_on_at_twice_the_tempo() -> None:
    assert counted(Grid((0.0, 1.0, 3.0), (0,)), Fraction(2)).beats_s == (0.0, 0.5, 1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("named", "drifts", "ratio"),
    [
        (170.0, False, Fraction(2)),
        (42.5, False, Fraction(1, 2)),
        (127.5, False, Fraction(3, 2)),
        (85.05, False, Fraction(1)),
        (86.0, False, None),
        (86.0, True, Fraction(1)),
        (174.0, True, Fraction(2)),
        (110.0, True, None),
    ],
)
def test_a_named_tempo_counts_the_found_beats_where_it_can(
    named: float, *, drifts: bool, ratio: Fraction | None
) -> None:
    assert ratio_of(named, 85.0, drifts=drifts) == ratio
