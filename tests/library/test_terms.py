"""What is typed to search becomes terms; everything else is a word or one sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.errors import Invalid
from soundforge.library import FIELDS
from soundforge.library._terms import Term, is_about, read_terms

JUST = pytest.approx
READ: dict[str, list[Term]] = {
    "blue monday": [Term("", ("blue",)), Term("", ("monday",))],
    '"blue monday" x': [Term("", ("blue monday",)), Term("", ("x",))],
    'artist:"new ""wave"" order"': [Term("artist", ('new "wave" order',))],
    'artist:="ABBA"': [Term("artist", ("ABBA",), is_whole=True)],
    "Title:-ing": [Term("title", ("-ing",))],
    "-has:stems,chords": [Term("has", ("stems", "chords"), is_not=True)],
    "re:zero 12:30 c:\\s": [Term("", ("re:zero",)), Term("", ("12:30",)), Term("", ("c:\\s",))],
    '12" mix': [Term("", ('12"',)), Term("", ("mix",))],
    "-273 --": [Term("", ("-273",)), Term("", ("--",))],
    "key:8A,Am,c#": [Term("key", ("8A", "3B"))],
    "key:8": [Term("key", ("8A", "8B"))],
    'key:"Bb minor"': [Term("key", ("3A",))],
    "is:FAILED": [Term("is", ("failed",))],
    "length:3:00-4:30": [Term("length", low=180_000.0, high=270_999.0)],
    "length:1:02:03": [Term("length", low=3_723_000.0, high=3_723_999.0)],
    "year:1990-1999": [Term("year", low=1990.0, high=1999.0)],
    "year:2000..": [Term("year", low=2000.0)],
    "loudness:-14..-8": [Term("loudness", low=-14.0, high=-8.0)],
    "": [],
}
SPANS = {
    "bpm:128": (127.5, 128.5),
    "bpm:128.4": (128.35, 128.45),
    "bpm:120-128": (120, 128),
    "bpm:120..": (120, None),
    "bpm:..128": (None, 128),
    "bpm:>120": (120, None),
    "bpm:<=128.5": (None, 128.5),
    "loudness:-9": (-9.5, -8.5),
    "added:2026-12": (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    "added:2028-02-28..2028-02": (
        datetime(2028, 2, 28, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    ),
    "added:2026": (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    "added:<2026-03-01": (None, datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)),
}
REFUSED = [
    *("bpm:", "bpm:fast", "bpm:..", "bpm:1e9", "bpm:nan", "bpm:12..x", "key:H", "key:13A", "key:", "has:everything"),
    *("has:stems,", "is:good", "length:3:99", "year:99", "year:abcd", "added:2026-13", "added:yesterday", "artist:"),
    *('title:""', "loudness:-14--8", "added:0000"),
]


@pytest.mark.parametrize("typed", READ)
def test_what_was_typed_is_read(typed: str) -> None:
    assert [*read_terms(typed)] == READ[typed]


@pytest.mark.parametrize("typed", SPANS)
def test_a_range_goes_as_far_as_it_says(typed: str) -> None:
    (term,) = read_terms(typed)
    bounds: list[Any] = [JUST(bound) if isinstance(bound, int | float) else bound for bound in SPANS[typed]]
    assert [term.low, term.high] == bounds


def test_a_bound_that_is_not_meant_is_left_out() -> None:
    above, below = read_terms("bpm:>120 bpm:<128")
    assert isinstance(above.low, float)
    assert isinstance(below.high, float)
    assert above.low > 120
    assert below.high < 128


@pytest.mark.parametrize("typed", REFUSED)
def test_a_field_that_makes_no_sense_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_terms(typed)
    field = FIELDS[typed.partition(":")[0]]
    assert refused.value.code == "bad_search"
    assert refused.value.sentence.endswith(f"write it like {field.name}:{field.example}.")


def test_the_example_of_every_field_can_be_read() -> None:
    for field in FIELDS.values():
        (term,) = read_terms(f"{field.name}:{field.example}")
        assert term.field == field.name


def test_a_search_tells_what_it_is_about() -> None:
    assert is_about("blue -has:stems", "has", "is")
    assert not is_about("blue bpm:120", "has", "is")
    assert not is_about("has:", "has")


@given(st.text())
def test_any_text_is_read_or_refused_in_one_sentence(typed: str) -> None:
    try:
        read_terms(typed)
    except Invalid as error:
        assert error.code == "bad_search"  # noqa: PT017 - either is right; a failure is not


@given(st.sampled_from([*FIELDS]), st.text(max_size=12), st.booleans())
def test_any_value_of_a_field_is_read_or_refused(name: str, value: str, is_quoted: bool) -> None:  # noqa: FBT001 - drawn
    try:
        read_terms(f'{name}:"{value}"' if is_quoted else f"{name}:{value}")
    except Invalid as error:
        assert error.code == "bad_search"  # noqa: PT017 - as above
