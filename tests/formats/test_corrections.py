"""What a person put right: laid over the analysis, both values told, and never past the song."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.errors import Conflict, Invalid
from soundforge.formats import (
    AnalysisSource,
    AnalysisStage,
    Correction,
    analysis_document,
    corrected,
    found_value,
    read_correction,
)
from soundforge.formats._sections import joined, moved, parted, renamed

DURATION_S = 20.0
SOURCE = AnalysisSource("ab" * 32, DURATION_S, 44100, 2)
BEATS = [0.5 + i for i in range(19)]  # 60 BPM
RHYTHM: dict[str, Any] = {
    "tempo": {
        "bpm": 60.0,
        "confidence": 0.4,
        "stable": True,
        "alternatives": [{"bpm": 120.0, "score": 0.3}],
        "curve": [{"t_s": 0.5, "bpm": 60.0}],
    },
    "meter": {"beats_per_bar": 4, "signature": "4/4", "confidence": 0.8},
    "beats": {"times_s": BEATS, "confidence": 0.9},
    "downbeats": {"beat_indices": [1, 5, 9, 13, 17], "confidence": 0.7},
}
KEY = {"tonic": "A", "mode": "minor", "camelot": "8A", "confidence": 0.6}
HARMONY = {"key": {**KEY, "alternatives": [], "changes": [], "tuning_cents": 3.0}}
SECTIONS = [
    {"start_s": 0.0, "end_s": 9.5, "group": "A", "label": "intro", "confidence": 0.5, "energy": 0.2},
    {"start_s": 9.5, "end_s": 20.0, "group": "B", "label": None, "confidence": 0.6, "energy": 0.8},
]
STRUCTURE = {
    "sections": SECTIONS,
    "energy": {"value_0_1": 0.5, "curve_hz": 1, "curve": [0.25] * 10 + [0.75] * 10},
    "cues": [
        {"t_s": 1.5, "kind": "first_downbeat", "bar": 0, "confidence": 0.7},
        {"t_s": 9.5, "kind": "section", "bar": 2, "confidence": 0.7},
        {"t_s": 18.0, "kind": "fade_out", "bar": 4, "confidence": 0.7},
    ],
}


def found(**changes: Any) -> dict[str, Any]:
    stages = [AnalysisStage("any", "1", {**RHYTHM, **HARMONY, **STRUCTURE, **changes})]
    return analysis_document(SOURCE, stages)


def put_right(document: dict[str, Any], **values: dict[str, Any]) -> dict[str, Any]:
    """The document after corrections as a person gives them."""
    read = {field: read_correction(field, raw, document) for field, raw in values.items()}
    return corrected(
        document, [Correction(field, value, "2026-11-25T00:00:00Z", "ann") for field, value in read.items()]
    )


def downbeats(document: dict[str, Any]) -> list[float]:
    return [document["beats"]["times_s"][i] for i in document["downbeats"]["beat_indices"]]


def test_without_corrections_the_document_is_the_one_that_was_found() -> None:
    assert corrected(found(), []) == found()


def test_both_values_are_told_and_the_persons_is_the_one_that_counts() -> None:
    document = put_right(found(), tempo={"bpm": "120"}, key={"key": "C major"})
    assert (document["tempo"]["bpm"], document["tempo"]["confidence"]) == (120.0, 1.0)
    assert (document["key"]["camelot"], document["key"]["tuning_cents"]) == ("8B", 3.0)
    assert document["corrections"]["tempo"] == {
        "value": {"bpm": 120.0},
        "found": {"bpm": 60.0, "confidence": 0.4},
        "corrected_at": "2026-11-25T00:00:00Z",
        "by": "ann",
        "steps": 0,
    }
    assert document["corrections"]["key"]["found"] == KEY
    assert document["tempo"]["alternatives"] == [{"bpm": 60.0, "score": 0.4}]  # what was found; 120 is no alternative


def test_twice_the_tempo_puts_a_beat_between_every_two_and_half_of_it_takes_them_away() -> None:
    twice = put_right(found(), tempo={"bpm": 120})
    assert twice["beats"]["times_s"][:4] == [0.5, 1.0, 1.5, 2.0]
    assert downbeats(twice)[:3] == [1.5, 3.5, 5.5]
    assert twice["tempo"]["curve"] == [{"t_s": 0.5, "bpm": 120.0}]
    assert [cue["bar"] for cue in twice["cues"]] == [0, 4, 8]
    half = put_right(found(), tempo={"bpm": 30})
    assert half["beats"]["times_s"] == BEATS[1::2]
    assert downbeats(half) == [1.5, 9.5, 17.5]


def test_the_tempo_that_was_found_leaves_the_grid_as_it_was_found() -> None:
    document = put_right(found(), tempo={"bpm": 60})
    assert document["beats"] == RHYTHM["beats"]
    assert document["downbeats"] == RHYTHM["downbeats"]


def test_another_tempo_makes_an_even_grid_on_the_first_bar() -> None:
    document = put_right(found(), tempo={"bpm": 75})
    beats = document["beats"]["times_s"]
    assert {round(b - a, 3) for a, b in pairwise(beats)} == {0.8}
    assert 1.5 in downbeats(document)
    assert (document["tempo"]["stable"], beats[0]) == (True, 0.7)


def test_on_a_song_that_drifts_a_tempo_nearby_keeps_the_beats_that_were_followed() -> None:
    drifting = found(tempo={**RHYTHM["tempo"], "stable": False})
    assert put_right(drifting, tempo={"bpm": 61})["beats"] == RHYTHM["beats"]
    assert put_right(drifting, tempo={"bpm": 122})["beats"]["times_s"][:3] == [0.5, 1.0, 1.5]


def test_a_bar_begins_where_the_person_says_and_the_rest_follows() -> None:
    document = put_right(found(), downbeat={"t_s": 2.0})
    assert document["beats"]["times_s"][:3] == [0.0, 1.0, 2.0]
    assert downbeats(document) == [2.0, 6.0, 10.0, 14.0, 18.0]
    assert [(cue["t_s"], cue["bar"]) for cue in document["cues"]] == [(2.0, 0), (10.0, 2), (18.0, 4)]
    assert [section["start_s"] for section in document["sections"]] == [0.0, 10.0]
    assert document["sections"][0]["end_s"] == 10.0
    assert document["corrections"]["downbeat"]["found"] == {"t_s": 1.5, "confidence": 0.7}


def test_another_metre_counts_the_same_beats_in_other_bars() -> None:
    document = put_right(found(), meter={"signature": "3/4"})
    assert document["meter"] == {"beats_per_bar": 3, "signature": "3/4", "confidence": 1.0}
    assert document["beats"]["times_s"] == BEATS
    assert downbeats(document)[:3] == [1.5, 4.5, 7.5]


def test_a_song_without_a_beat_gets_a_grid_from_a_tempo_and_a_bar() -> None:
    nothing = found(tempo=None, meter=None, beats=None, downbeats=None, cues=None)
    named = put_right(nothing, tempo={"bpm": 120})
    assert (named["tempo"]["bpm"], named["beats"]) == (120.0, None)
    both = put_right(nothing, tempo={"bpm": 120}, downbeat={"t_s": 1.25})
    assert both["beats"]["times_s"][:3] == [0.25, 0.75, 1.25]
    assert downbeats(both)[0] == 1.25
    assert both["corrections"]["tempo"]["found"] is None


def test_sections_are_the_persons_whatever_is_found_later() -> None:
    mine = renamed(parted(SECTIONS, 14.0), 0.0, " Slow   start ")
    document = put_right(found(), sections={"sections": mine}, downbeat={"t_s": 2.0})
    assert [(one["start_s"], one["label"], one["energy"]) for one in document["sections"]] == [
        (0.0, "Slow start", 0.25),
        (9.5, None, 0.65),
        (14.0, None, 0.75),
    ]
    assert document["corrections"]["sections"]["found"] == {"sections": SECTIONS}


MOVES_WITH_SECTIONS = [
    {"t_s": 1.5, "kind": "first_downbeat", "bar": 0, "confidence": 0.7},
    {"t_s": 1.5, "kind": "mix_in", "bar": 0, "confidence": 0.7},
    {"t_s": 9.5, "kind": "drop", "bar": 2, "confidence": 0.6},
    {"t_s": 9.5, "kind": "mix_out", "bar": 2, "confidence": 0.5},
    {"t_s": 18.0, "kind": "fade_out", "bar": 4, "confidence": 0.7},
]


def cues_of(document: dict[str, Any]) -> list[tuple[float, str, int]]:
    return [(cue["t_s"], cue["kind"], cue["bar"]) for cue in document["cues"]]


def test_a_section_that_moves_takes_its_cue_along_and_mixing_out() -> None:
    document = put_right(found(cues=MOVES_WITH_SECTIONS), sections={"move": 9.5, "to_s": 13.5})
    assert cues_of(document) == [
        (1.5, "first_downbeat", 0),
        (1.5, "mix_in", 0),
        (13.5, "drop", 3),
        (13.5, "mix_out", 3),
        (18.0, "fade_out", 4),
    ]
    assert [cue["confidence"] for cue in document["cues"] if cue["kind"] == "drop"] == [1.0]


def test_sections_as_they_were_found_have_the_cues_that_were_found() -> None:
    document = put_right(found(cues=MOVES_WITH_SECTIONS), sections={"rename": 9.5, "label": "chorus"})
    assert cues_of(document) == [(cue["t_s"], cue["kind"], cue["bar"]) for cue in MOVES_WITH_SECTIONS]


def test_a_new_section_has_a_cue_and_one_that_is_joined_has_none() -> None:
    parted_ = put_right(found(cues=MOVES_WITH_SECTIONS), sections={"part": 13.5})
    assert {(9.5, "drop", 2), (13.5, "section", 3)} < {*cues_of(parted_)}
    joined_ = put_right(found(cues=MOVES_WITH_SECTIONS), sections={"join": 9.5})
    assert cues_of(joined_) == [
        (1.5, "first_downbeat", 0),
        (1.5, "mix_in", 0),
        (9.5, "mix_out", 2),
        (18.0, "fade_out", 4),
    ]


def test_a_section_that_its_user_calls_a_drop_is_one() -> None:
    document = put_right(found(), sections={"rename": 9.5, "label": "drop"})
    assert (9.5, "drop", 2) in cues_of(document)


def test_the_cues_of_edited_sections_stay_with_them_where_the_bars_move() -> None:
    moved_ = renamed(moved(SECTIONS, 9.5, 13.5), 13.5, "drop")
    document = put_right(found(cues=MOVES_WITH_SECTIONS), sections={"sections": moved_}, downbeat={"t_s": 2.0})
    assert {(2.0, "first_downbeat", 0), (13.5, "drop", 2), (13.5, "mix_out", 2)} < {*cues_of(document)}


def test_singing_adds_cues_where_it_begins_and_ends_whichever_stage_came_first() -> None:
    rhythm = AnalysisStage(
        "rhythm", "1", {"beats": {"times_s": [0.5, 1.5, 2.5, 3.5]}, "downbeats": {"beat_indices": [0, 2]}}
    )
    cues = AnalysisStage("cues", "1", {"cues": [{"t_s": 2.0, "kind": "mix_in", "bar": 0, "confidence": 0.5}]})
    # The first is too short to be more than a shout, the last is as likely none.
    spans = [(0.2, 0.5, 0.9), (1.0, 2.0, 0.8), (3.0, 5.0, 0.6), (6.0, 9.0, 0.5)]
    sung = [{"start_s": start, "end_s": end, "confidence": sure} for start, end, sure in spans]
    vocals = AnalysisStage("vocals", "1", {"vocals": {"share": 0.4, "spans": sung}})
    for stages in ([rhythm, cues, vocals], [vocals, cues, rhythm]):
        assert corrected(analysis_document(SOURCE, stages), [])["cues"] == [
            {"t_s": 1.0, "kind": "vocals_in", "bar": 0, "confidence": 0.8},
            {"t_s": 2.0, "kind": "mix_in", "bar": 0, "confidence": 0.5},
            {"t_s": 5.0, "kind": "vocals_out", "bar": 1, "confidence": 0.6},
        ]
    assert corrected(analysis_document(SOURCE, [vocals]), [])["cues"] is None


def test_a_song_that_gets_its_bars_from_its_user_gets_a_first_cue() -> None:
    nothing = found(tempo=None, meter=None, beats=None, downbeats=None, cues=None, sections=None)
    document = put_right(nothing, tempo={"bpm": 120}, downbeat={"t_s": 1.25})
    assert cues_of(document) == [(1.25, "first_downbeat", 0)]


def test_a_key_for_the_whole_song_has_no_changes_and_what_was_found_beside_it() -> None:
    change = {"t_s": 9.5, "tonic": "B", "mode": "minor", "camelot": "10A", "confidence": 0.5}
    others = [{"tonic": "C", "mode": "major", "camelot": "8B", "score": 0.3}]
    key = {**HARMONY["key"], "changes": [change], "alternatives": others}
    other = put_right(found(key=key), key={"key": "8B"})["key"]
    assert other["changes"] == []
    assert other["alternatives"] == [{"tonic": "A", "mode": "minor", "camelot": "8A", "score": 0.6}]
    same = put_right(found(key=key), key={"key": "8A"})["key"]
    assert (same["changes"], same["alternatives"]) == ([change], others)


def test_sections_are_renamed_moved_parted_and_joined() -> None:
    assert [one["label"] for one in renamed(SECTIONS, 9.5, "drop")] == ["intro", "drop"]
    assert [one["end_s"] for one in moved(SECTIONS, 9.5, 8.0)] == [8.0, 20.0]
    assert [one["start_s"] for one in parted(SECTIONS, 4.0)] == [0.0, 4.0, 9.5]
    assert [(one["start_s"], one["end_s"]) for one in joined(parted(SECTIONS, 4.0), 4.0)] == [(0.0, 9.5), (9.5, 20.0)]


@pytest.mark.parametrize(
    ("edit", "arguments"),
    [
        (moved, (9.5, 19.9)),
        (moved, (0.0, 3.0)),
        (joined, (0.0,)),
        (parted, (9.6,)),
        (parted, (40.0,)),
        (renamed, (0.0, "x" * 41)),
    ],
)
def test_an_edit_that_leaves_no_room_or_no_sense_is_refused(edit: Callable[..., Any], arguments: tuple[Any]) -> None:
    with pytest.raises(Invalid) as refused:
        edit(SECTIONS, *arguments)
    assert refused.value.code == "invalid_correction"


def test_an_edit_of_a_section_that_is_not_there_any_more_is_told_so() -> None:
    with pytest.raises(Conflict):
        moved(SECTIONS, 8.0, 7.0)


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("tempo", {"bpm": "fast"}),
        ("tempo", {"bpm": "nan"}),
        ("tempo", {"bpm": 19.9}),
        ("tempo", {"bpm": 1e308}),
        ("tempo", {}),
        ("tempo", {"times": 9}),
        ("downbeat", {"t_s": DURATION_S}),
        ("downbeat", {}),
        ("downbeat", {"by_s": 99}),
        ("downbeat", {"near_s": "here"}),
        ("downbeat", {"t_s": -0.1}),
        ("meter", {"signature": "9/13"}),
        ("key", {"key": "H"}),
        ("sections", {}),
        ("sections", {"sections": []}),
        ("sections", {"sections": "AABA"}),
        ("sections", {"sections": [{"start_s": 0, "end_s": 99}]}),
        ("sections", {"sections": [{"start_s": 0, "end_s": "soon"}]}),
        ("sections", {"sections": [{"start_s": 0, "end_s": 4}, {"start_s": 5, "end_s": 9}]}),
        ("colour", {"colour": "red"}),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(field: str, raw: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        read_correction(field, raw, found())
    assert refused.value.code == "invalid_correction"
    assert "\n" not in refused.value.sentence


def test_what_is_asked_for_relatively_is_kept_as_what_it_came_to() -> None:
    document = put_right(found(), downbeat={"t_s": 2.5})
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("tempo", {"times": "2"}, {"bpm": 120.0}),
        ("downbeat", {"near_s": 6.1}, {"t_s": 6.5}),
        ("downbeat", {"by_beats": 0.5}, {"t_s": 3.0}),
        ("downbeat", {"by_s": -0.01}, {"t_s": 2.49}),
        ("downbeat", {"by_s": -3}, {"t_s": 3.5}),  # the first bar that stays in the song
    ]
    for field, wish, value in asked:
        assert read_correction(field, wish, document) == value


def test_half_a_beat_later_twice_is_a_beat_later() -> None:
    once = put_right(found(), downbeat={"by_beats": 0.5})
    twice = put_right(found(), downbeat=read_correction("downbeat", {"by_beats": 0.5}, once))
    assert (downbeats(once)[0], downbeats(twice)[0]) == (2.0, 2.5)
    assert twice["beats"]["times_s"] == BEATS


def test_sections_are_edited_by_a_word_and_snap_to_bars_if_asked() -> None:
    edits: list[tuple[dict[str, Any], list[tuple[float, str | None]]]] = [
        ({"rename": 9.5, "label": "drop"}, [(0.0, "intro"), (9.5, "drop")]),
        ({"move": 9.5, "to_s": 13.0, "snap": "1"}, [(0.0, "intro"), (13.5, None)]),
        ({"move": 9.5, "to_s": 13.0}, [(0.0, "intro"), (13.0, None)]),
        ({"part": 5.4, "snap": True}, [(0.0, "intro"), (5.5, None), (9.5, None)]),
        ({"join": 9.5}, [(0.0, "intro")]),
    ]
    for wish, sections in edits:
        value = read_correction("sections", wish, found())
        assert [(one["start_s"], one["label"]) for one in value["sections"]] == sections
    whole = read_correction("sections", {"rename": 0, "label": "all"}, found(sections=None))
    assert [(one["start_s"], one["end_s"], one["label"]) for one in whole["sections"]] == [(0.0, DURATION_S, "all")]


def test_without_beats_or_tempo_nothing_relative_can_be_asked_for() -> None:
    nothing = found(tempo=None, beats=None, downbeats=None)
    for field, wish in (("tempo", {"times": 2}), ("downbeat", {"near_s": 3}), ("downbeat", {"by_beats": 0.5})):
        with pytest.raises(Invalid):
            read_correction(field, wish, nothing)


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "tempo": st.floats(20, 400).map(lambda bpm: {"bpm": bpm}),
        "downbeat": st.floats(0, DURATION_S - 0.01).map(lambda t_s: {"t_s": t_s}),
        "meter": st.sampled_from(["4/4", "3/4", "6/8", "5/4", "7/4"]).map(lambda signature: {"signature": signature}),
    },
)


@given(values=VALUES, stable=st.booleans())
def test_whatever_is_corrected_beats_stay_in_order_and_in_the_song(values: dict[str, Any], *, stable: bool) -> None:
    document = put_right(found(tempo={**RHYTHM["tempo"], "stable": stable}), **values)
    beats, downs = document["beats"]["times_s"], document["downbeats"]["beat_indices"]
    assert all(a < b for a, b in pairwise(beats))
    assert all(0 <= beat <= DURATION_S for beat in beats)
    assert all(a < b for a, b in pairwise(downs))
    assert all(0 <= down < len(beats) for down in downs)
    for before, after in pairwise(document["sections"]):
        assert before["start_s"] < before["end_s"] == after["start_s"]
    if "downbeat" in values:
        assert min(abs(t_s - values["downbeat"]["t_s"]) for t_s in downbeats(document)) < 0.002
    assert {field: found_value(field, found()) for field in values} == {
        field: one["found"] for field, one in document["corrections"].items()
    }
