"""Pastes of many lines and exported lists: each line is a link, a song, or says why it is neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.errors import Invalid
from soundforge.sources import (
    Link,
    Wanted,
    is_exported_list,
    parse_link,
    read_exported_list,
    read_line,
    split_paste,
)

HEAD = "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Explicit,Added By,Added At"
OLD = '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album URI","Album Name","Track Duration (ms)","ISRC"'
ID = "4cOdK2wGLETKBW3PvgPWqT"
LINK = f"https://open.spotify.com/track/{ID}"


def code_of(read: object, text: object) -> str:
    with pytest.raises(Invalid) as refused:
        read(text)  # type: ignore[operator]  # any of the readers
    assert refused.value.sentence.endswith(".")
    return refused.value.code


@pytest.mark.parametrize(
    ("line", "artist", "title"),
    [
        ("Ann - Sea", "Ann", "Sea"),
        ("  Ann \u2013 Sea  ", "Ann", "Sea"),
        ("Ann \u2014 Sea", "Ann", "Sea"),
        ("Ann\tSea", "Ann", "Sea"),
        ("Ann - Sea - Live", "Ann", "Sea - Live"),
        ("Jay-Z - Song", "Jay-Z", "Song"),
        ("AC/DC - T.N.T.", "AC/DC", "T.N.T."),
        ("1. Ann - Sea", "Ann", "Sea"),
        ("• Ann - Sea", "Ann", "Sea"),
        ("- Ann - Sea", "Ann", "Sea"),
        ("99 Ways - Sea", "99 Ways", "Sea"),
        ("will.i.am - Song", "will.i.am", "Song"),
        ("שיר - לילה", "שיר", "לילה"),
        ("Ann\u202e - S\x00ea", "Ann", "Sea"),
        ("--exec rm -rf - ../../etc/passwd", "--exec rm -rf", "../../etc/passwd"),
        ("A" * 400 + " - B", "A" * 300, "B"),
    ],
)
def test_a_line_names_a_song(line: str, artist: str, title: str) -> None:
    assert read_line(line) == Wanted(title=title, artist=artist)


@pytest.mark.parametrize("line", ["", "Sea", "Ann-Sea", "Ann -", " - Sea", "--- - ---", "javascript:alert(1)"])
def test_a_line_without_artist_or_title_says_how_to_write_it(line: str) -> None:
    assert code_of(read_line, line) == "no_title"


def test_a_line_that_goes_on_and_on_is_refused() -> None:
    assert code_of(read_line, "a" * 3000 + " - b") == "too_long"


def test_a_line_with_a_link_is_read_as_one() -> None:
    text = "https://youtu.be/dQw4w9WgXcQ"
    assert read_line(text) == parse_link(text)
    assert code_of(read_line, "https://evil.example/x") == "unknown_site"


@given(st.text())
def test_any_line_is_read_or_refused_with_a_sentence(line: str) -> None:
    try:
        read = read_line(line)
    except Invalid as refused:
        text = refused.sentence
    else:
        text = read.url if isinstance(read, Link) else f"{read.artist}{read.title}"
    assert text
    assert "\n" not in text


def test_a_paste_is_split_into_its_lines_with_their_numbers() -> None:
    pasted = split_paste("\n Ann - Sea \r\n\r\nhttps://youtu.be/dQw4w9WgXcQ\n")
    assert [(line.number, line.text) for line in pasted] == [(2, "Ann - Sea"), (4, "https://youtu.be/dQw4w9WgXcQ")]


def test_a_hundred_lines_are_taken_and_no_more() -> None:
    assert len(split_paste("a - b\n\n" * 100)) == 100
    assert code_of(split_paste, "a - b\n" * 101) == "too_many_lines"
    assert code_of(split_paste, "a" * 3_000_000) == "too_many_lines"
    assert code_of(split_paste, " \n ") == "empty"
    assert code_of(split_paste, None) == "not_text"


def test_a_list_of_exportify_is_read() -> None:
    text = f'\ufeff{HEAD}\r\nspotify:track:{ID},"Sea, the",Waves,"Ann;Bob",2001,215000,7,false,me,2020\r\n'
    assert is_exported_list(text)
    listed = read_exported_list(text)
    assert listed.songs == (Wanted("Sea, the", "Ann, Bob", "Waves", 215_000, "", LINK),)
    assert listed.unread == ()


def test_a_list_of_an_older_exportify_is_read() -> None:
    row = f'"spotify:track:{ID}","Sea","x","Tyler\\, The Creator, Ann","y","Waves","1000","gbaye0601498"'
    assert read_exported_list(f"{OLD}\n{row}\n").songs == (
        Wanted("Sea", "Tyler, The Creator, Ann", "Waves", 1000, "GBAYE0601498", LINK),
    )


def test_a_row_that_names_no_song_is_told_with_its_line() -> None:
    text = f"{HEAD}\nspotify:track:{ID},,Waves,Ann\n\nspotify:local:a::b:1,Sea,,Ann,,soon\nshort\n"
    listed = read_exported_list(text)
    assert [(row.number, row.code) for row in listed.unread] == [(2, "no_title"), (5, "no_title")]
    assert listed.songs == (Wanted("Sea", "Ann"),)


def test_what_is_no_such_list_is_refused() -> None:
    assert code_of(read_exported_list, "") == "csv_columns"
    assert code_of(read_exported_list, "a,b\n1,2\n") == "csv_columns"
    assert code_of(read_exported_list, f"{HEAD}\n" + "x" * 200_000) == "csv_unreadable"
    assert code_of(read_exported_list, f"{HEAD}\n" + ",a,b,c\n" * 2001) == "list_too_long"
    assert code_of(read_exported_list, f"{HEAD}\n" + "x,\n" * 1_000_000) == "list_too_long"


@pytest.mark.parametrize(
    "text", ["", "Ann - Sea", "Track Name", "\ufeff\r\n", '"', "Track Name\rArtist Name(s)", "\x00,"]
)
def test_another_text_is_no_list(text: str) -> None:
    assert not is_exported_list(text)


@given(st.text())
def test_any_text_below_a_good_head_is_read_or_refused(text: str) -> None:
    try:
        listed = read_exported_list(f"{HEAD}\n{text}")
    except Invalid:
        return  # a quote that is never closed, a line break in a bare field
    else:
        assert all(song.title and song.artist for song in listed.songs)
