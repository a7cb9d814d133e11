"""Names of downloads: readable, and legal wherever they land."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.formats import attachment, file_name

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇩🇪"


@pytest.mark.parametrize(
    ("artist", "title", "name"),
    [
        ("Artist", "Title", "Artist - Title (vocals).flac"),
        ("", "Title", "Title (vocals).flac"),
        ("Artist", "", "Artist - Untitled (vocals).flac"),
        ("", "", "Untitled (vocals).flac"),
        ("AC/DC", "T.N.T.", "AC-DC - T.N.T (vocals).flac"),
        ('The "Q" <Band>', "What? *Why*: a\\b|c", "The 'Q' (Band) - What Why- a-b-c (vocals).flac"),
        ("../../etc", "passwd", "etc - passwd (vocals).flac"),
        ("", "...And Justice for All", "And Justice for All (vocals).flac"),
        ("", "--help", "help (vocals).flac"),
        ("Sigur  Rós\n", "\tSvefn\u00a0g\u2028englar", "Sigur Rós - Svefn g englar (vocals).flac"),
        ("Beyonce\u0301", "Déjà Vu", "Beyoncé - Déjà Vu (vocals).flac"),
        ("فيروز", "نسّم علينا الهوى", "فيروز - نسّم علينا الهوى (vocals).flac"),
        ("משינה", "רכבת לילה", "משינה - רכבת לילה (vocals).flac"),
        ("椎名林檎", "丸の内サディスティック", "椎名林檎 - 丸の内サディスティック (vocals).flac"),
        (FAMILY, "👍🏽" + FLAG, f"{FAMILY} - 👍🏽{FLAG} (vocals).flac"),
        ("x\x00\x07\x7f\x9b", "a\u200bb\ufeffc\u00ad", "x - abc (vocals).flac"),
        ("", "photo\u202egnp.exe", "photognp.exe (vocals).flac"),
        ("", "\ud800 half", "half (vocals).flac"),
    ],
)
def test_a_name_says_what_it_is(artist: str, title: str, name: str) -> None:
    assert file_name(artist, title, "vocals", ".flac") == name


@pytest.mark.parametrize("title", ["CON", "nul", "Com1", "LPT9", "aux.wav", "PRN .x", "COM¹", "CONIN$"])
def test_no_name_is_a_device_of_windows(title: str) -> None:
    assert file_name("", title, "", ".flac").startswith("_")
    assert file_name("", title, "vocals", ".flac").startswith("_")


def test_a_name_that_only_begins_like_a_device_stays() -> None:
    assert file_name("", "Console", "", ".flac") == "Console.flac"


def test_a_long_title_is_cut_and_what_it_is_stays() -> None:
    name = file_name("Artist", "t" * 300, "vocals", ".flac")
    assert len(name) == 200
    assert name.startswith("Artist - ttt")
    assert name.endswith("t (vocals).flac")


def test_a_long_artist_leaves_room_for_the_title() -> None:
    name = file_name("a" * 300, "Title", "no_vocals", ".flac")
    assert name.endswith("a - Title (no_vocals).flac")
    assert len(name) == 200


@pytest.mark.parametrize("sign", [FAMILY, FLAG, "👍🏽", "e\u0323\u0302", "ก็"])
def test_a_cut_never_splits_what_is_read_as_one_sign(sign: str) -> None:
    whole = unicodedata.normalize("NFC", sign)
    for start in ("", "a", "ab", "abc"):
        name = file_name("", start + sign * 100, "", "").removeprefix(start)
        assert name == whole * (len(name) // len(whole))


ANY = st.text(max_size=400) | st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=400)


@given(ANY, ANY, st.sampled_from(["", "vocals", "no_vocals"]), st.sampled_from([".flac", ".zip", ".json"]))
def test_any_text_makes_a_name_that_every_system_takes(artist: str, title: str, part: str, extension: str) -> None:
    name = file_name(artist, title, part, extension)
    assert name.endswith(f"({part}){extension}" if part else extension)
    assert len(name.encode()) <= 200
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]', name)
    assert name[0] not in " .-~"
    assert name[-1] not in " ."
    assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)", name, re.IGNORECASE)
    assert Path(name).name == name
    assert unicodedata.is_normalized("NFC", name)
    assert file_name(artist, title, part, extension) == name


@given(ANY)
def test_a_header_carries_the_whole_name_and_nothing_else(title: str) -> None:
    name = file_name("", title, "vocals", ".flac")
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    parts = re.fullmatch(r"attachment; filename=\"([^\"\\]*)\"; filename\*=UTF-8''(\S+)", header)
    assert parts
    plain, whole = parts.groups()
    assert plain.endswith(".flac")
    assert unquote(whole) == name
    assert re.fullmatch(r"([A-Za-z0-9_.~-]|%[0-9A-F]{2})+", whole)
