"""The analysis as one document."""

import json
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from soundforge.formats import DOCUMENT_KEYS, AnalysisSource, AnalysisStage, analysis_document, analysis_json

SOURCE = AnalysisSource("ab" * 32, 215.3, 44100, 2, title="Déjà Vu", artist="Beyoncé")
RHYTHM = AnalysisStage("rhythm", "2026.11-a", {"tempo": {"bpm": 128.0}, "beats": {"times_s": [0.5, 0.969]}})
HARMONY = AnalysisStage("harmony", "2026.11-b", {"key": {"tonic": "A", "camelot": "8A"}})


def test_stages_come_together_and_what_is_missing_is_null() -> None:
    document = analysis_document(SOURCE, [RHYTHM, HARMONY])
    assert document["schema"] == 1
    assert document["tempo"] == {"bpm": 128.0}
    assert document["key"] == {"tonic": "A", "camelot": "8A"}
    assert document["chords"] is None
    assert document["source"]["title"] == "Déjà Vu"
    assert document["source"]["duration_s"] == 215.3


def test_each_stage_says_its_version_and_the_document_the_newest() -> None:
    document = analysis_document(SOURCE, [RHYTHM, HARMONY])
    assert document["stages"] == {"rhythm": "2026.11-a", "harmony": "2026.11-b"}
    assert document["algorithm_version"] == "2026.11-b"


def test_the_keys_are_the_same_whatever_was_found() -> None:
    empty, full = analysis_document(SOURCE, []), analysis_document(SOURCE, [HARMONY, RHYTHM])
    assert list(empty) == list(full)
    assert [*DOCUMENT_KEYS] == [key for key in empty if key in DOCUMENT_KEYS]
    assert empty["algorithm_version"] is None


def test_cost_is_not_in_the_document() -> None:
    assert "cost" not in analysis_document(SOURCE, [RHYTHM])


def test_a_later_stage_counts_and_keys_of_tomorrow_are_kept() -> None:
    later = AnalysisStage("drums", "2027", {"tempo": {"bpm": 64.0}, "swing": 0.6})
    document = analysis_document(SOURCE, [RHYTHM, later])
    assert (document["tempo"], document["swing"]) == ({"bpm": 64.0}, 0.6)


def test_a_stage_that_found_nothing_hides_no_other() -> None:
    old = AnalysisStage("structure", "2", {"tempo": None})
    assert analysis_document(SOURCE, [RHYTHM, old])["tempo"] == {"bpm": 128.0}


def test_warnings_of_stages_and_of_the_run_stand_together() -> None:
    short = AnalysisStage("structure", "1", {"warnings": [{"code": "too_short", "sentence": "Too short."}]})
    mono = {"code": "mono", "sentence": "Mono."}
    assert analysis_document(SOURCE, [short], [mono])["warnings"] == [*short.document["warnings"], mono]


def test_every_stage_is_heard_with_its_warnings_and_each_of_them_once() -> None:
    silence, short = ({"code": code, "sentence": f"{code}."} for code in ("silence", "too_short"))
    stages = [
        AnalysisStage("loudness", "1", {"warnings": [silence]}),
        AnalysisStage("rhythm", "1", {"warnings": [silence, short]}),
        AnalysisStage("cues", "1", {"warnings": []}),
    ]
    assert analysis_document(SOURCE, stages)["warnings"] == [silence, short]


def test_the_text_is_valid_json_in_utf_8_with_a_line_for_each_key() -> None:
    text = analysis_json(analysis_document(SOURCE, [RHYTHM, HARMONY])).decode()
    assert json.loads(text) == analysis_document(SOURCE, [RHYTHM, HARMONY])
    assert "Beyoncé" in text
    assert text.count("\n") == len(analysis_document(SOURCE, [])) + 2


def test_numbers_that_json_cannot_hold_become_null() -> None:
    silent = AnalysisStage("loudness", "1", {"loudness": {"integrated_lufs": -inf, "curve": (nan, 1.5)}})
    assert json.loads(analysis_json(analysis_document(SOURCE, [silent])))["loudness"] == {
        "integrated_lufs": None,
        "curve": [None, 1.5],
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(DOCUMENT_KEYS), VALUES))
def test_any_result_makes_strict_json(document: dict[str, object]) -> None:
    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    text = analysis_json(analysis_document(SOURCE, [AnalysisStage("any", "1", document)])).decode()
    assert json.loads(text, parse_constant=refuse)["schema"] == 1
