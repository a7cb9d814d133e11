"""The song in words: figures with their units, shares of what music has, passages."""

from typing import Any

import pytest

from soundforge.formats import sketch

DOCUMENT: dict[str, Any] = {
    "source": {"duration_s": 8.0},
    "features": {
        "centroid_hz": {"mean": 2000.0},
        "percussive_share": {"mean": 0.25},
        "flatness": {"mean": 0.01},
        "chroma_mean": [0.1, 0, 0, 0, 0.9, 0, 0, 0, 0, 1.0, 0, 0],
    },
    "loudness": {"integrated_lufs": -9.24, "range_lu": 6.0},
    "energy": {"value_0_1": 0.5, "curve_hz": 1, "curve": [0.2] * 4 + [0.8] * 4},
    "vocals": None,
    "sections": [
        {"start_s": 0.0, "end_s": 4.0, "label": "intro", "group": "A"},
        {"start_s": 4.0, "end_s": 8.0, "label": None, "group": "B"},
    ],
    "pictures": {
        "columns": 8,
        "column_s": 1.0,
        "steps": 99,
        "loudness_lufs": [None, None, None, None, -10.0, -8.0, -8.0, -10.0],
        "centroid_hz": [500, 500, 500, 500, 3000, 3000, 3000, 3000],
        "chroma": [[99 if row == 9 else 0] * 4 + [99 if row == 4 else 10] * 4 for row in range(12)],
    },
}


def test_figures_have_words_and_a_share_and_what_was_not_found_has_none() -> None:
    found = sketch(DOCUMENT)
    assert found
    words = {one.name: one.words for one in found.measures}
    shares = {one.name: one.share for one in found.measures}
    assert (words["Energy"], shares["Energy"]) == ("50%", 0.5)
    assert words["Loudness"] == "-9.2 LUFS"
    assert shares["Loudness"] == pytest.approx(0.865, abs=0.001)
    assert words["Brightness"] == "2,000 Hz"
    assert (words["Singing"], shares["Singing"]) == ("–", None)
    assert all(share is None or 0 <= share <= 1 for share in shares.values())
    assert found.loudness == "-9.2 LUFS on the whole, range 6.0 LU."
    assert found.brightness == "2.0 kHz on average, mostly 500 Hz to 3.0 kHz."
    assert found.tones == "Strongest on the whole: A, E, C."


@pytest.mark.parametrize(("confidence", "words"), [(0.9, "40% of the song"), (0.5, "–")])
def test_singing_is_told_where_it_is_likely_and_a_guess_is_not(confidence: float, words: str) -> None:
    spans = [{"start_s": 1.0, "end_s": 4.2, "confidence": confidence}]
    found = sketch({**DOCUMENT, "vocals": {"share": 0.4, "spans": spans}})
    assert found
    assert [one.words for one in found.measures if one.name == "Singing"] == [words]


def test_passages_are_the_sections_with_what_sounds_in_them() -> None:
    found = sketch(DOCUMENT)
    assert found
    first, second = found.passages
    assert (first.name, first.energy, first.loudness, first.brightness, first.tones) == (
        "Intro", "20%", "silent", "500 Hz", "A"
    )  # fmt: skip
    assert (second.name, second.energy, second.loudness, second.brightness) == ("B", "80%", "-9.0 LUFS", "3.0 kHz")
    assert second.tones.startswith("E, ")


def test_a_song_without_sections_is_told_in_eighths() -> None:
    found = sketch({**DOCUMENT, "sections": None})
    assert found
    assert [one.name for one in found.passages][::7] == ["1 of 8", "8 of 8"]


@pytest.mark.parametrize("name", ["features", "pictures"])
def test_before_the_stages_have_run_there_is_nothing_to_draw(name: str) -> None:
    assert sketch({**DOCUMENT, name: None}) is None
    assert sketch({}) is None
