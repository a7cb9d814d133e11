"""Reading Spotify's JSON: what may be missing or odd, and what may not."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge.errors import Broken
from soundforge.spotify import Skip
from soundforge.spotify._read import (
    one_line,
    read_album_head,
    read_items,
    read_playlist_entries,
    read_playlist_head,
    read_track,
    widest,
)

ID = "4cOdK2wGLETKBW3PvgPWqT"
BARE: dict[str, Any] = {"id": ID, "name": "Sea", "duration_ms": 1000, "artists": [{"name": "Ann"}]}


def image(letter: str, width: object) -> dict[str, Any]:
    return {"url": f"https://i.scdn.co/image/{letter * 40}", "width": width}


def test_a_track_needs_an_id_a_name_and_an_artist_and_nothing_else() -> None:
    track = read_track(BARE)
    assert (track.id, track.title, track.artists, track.duration_ms) == (ID, "Sea", ("Ann",), 1000)
    assert (track.album, track.isrc, track.cover, track.explicit, track.playable) == ("", "", None, None, True)


@pytest.mark.parametrize("field", ["id", "name", "artists"])
@pytest.mark.parametrize("value", [None, "", 7, [], {}, [{"name": None}], [None]])
def test_a_track_without_one_of_them_cannot_be_read(field: str, value: object) -> None:
    with pytest.raises(Broken) as broken:
        read_track(BARE | {field: value})
    assert broken.value.code == "spotify_unreadable"


@pytest.mark.parametrize("odd", [None, "text", 7, -1, True, 1e300, [], [[]], {}, {"name": []}, {"isrc": 7}])
@pytest.mark.parametrize(
    "field",
    [
        *("duration_ms", "album", "external_ids", "track_number", "disc_number", "explicit", "is_playable"),
        *("restrictions", "linked_from", "available_markets", "popularity"),
    ],
)
def test_what_is_odd_and_optional_costs_only_itself(field: str, odd: object) -> None:
    track = read_track(BARE | {field: odd})
    assert (track.title, track.artists) == ("Sea", ("Ann",))
    assert 0 <= track.duration_ms <= 86_400_000


@pytest.mark.parametrize(
    ("isrc", "read"),
    [("GBAYE0601498", "GBAYE0601498"), ("gb-aye-06-01498", "GBAYE0601498"), ("GBAYE", ""), ("x" * 99, "")],
)
def test_an_isrc_is_one_or_is_left_out(isrc: str, read: str) -> None:
    assert read_track(BARE | {"external_ids": {"isrc": isrc}}).isrc == read


@pytest.mark.parametrize("gone", [{"is_playable": False}, {"restrictions": {"reason": "market"}}])
def test_a_track_that_spotify_does_not_play_is_still_a_track(gone: dict[str, Any]) -> None:
    assert not read_track(BARE | gone).playable


def test_the_widest_picture_is_taken_and_the_first_among_equals() -> None:
    found = widest([image("a", 64), image("b", 640), image("c", 640), image("d", None)])
    assert found
    assert found.id == "b" * 40
    assert widest([image("e", None), image("f", None)]) == widest([image("e", 1)])


@pytest.mark.parametrize("images", [None, [], {}, "x", [None], [{"url": None}], [{"width": 1}]])
def test_there_may_be_no_picture(images: object) -> None:
    assert widest(images) is None


@pytest.mark.parametrize(
    ("entry", "skip"),
    [
        ({"item": None}, Skip.REMOVED),
        ({"item": None, "track": None}, Skip.REMOVED),
        ({}, Skip.REMOVED),
        (None, Skip.REMOVED),
        ({"is_local": True, "item": BARE | {"id": None, "type": "track"}}, Skip.LOCAL),
        ({"item": BARE | {"id": None, "uri": "spotify:local:a::b:1"}}, Skip.LOCAL),
        ({"item": BARE | {"is_local": True}}, Skip.LOCAL),
        ({"item": BARE | {"type": "episode", "album": {"name": "in a track's clothes"}}}, Skip.EPISODE),
        ({"item": BARE | {"id": "x"}}, Skip.UNREADABLE),
        ({"item": "text"}, Skip.UNREADABLE),
        ({"item": BARE}, None),
        ({"track": BARE}, None),
        ({"item": None, "track": BARE}, None),
        ({"item": BARE, "track": {"name": "the old one"}}, None),
    ],
)
def test_an_entry_is_a_track_or_says_why_not(entry: object, skip: Skip | None) -> None:
    first, second = read_playlist_entries([entry, {"item": BARE}], 50)
    assert (first.position, first.skip, first.track is None) == (50, skip, skip is not None)
    assert second.position == 51


def test_a_page_on_which_nothing_can_be_read_is_refused() -> None:
    with pytest.raises(Broken):
        read_playlist_entries([{"item": {"name": "new shape"}}] * 3, 0)


def test_a_page_without_items_is_refused() -> None:
    odds: list[dict[str, Any]] = [{}, {"items": None}, {"items": {}}]
    for odd in odds:
        with pytest.raises(Broken):
            read_items(odd, 0, 50)


@pytest.mark.parametrize(
    ("page", "following"),
    [
        ({"items": [1] * 50}, None),
        ({"items": [1] * 50, "next": "x"}, 150),
        ({"items": [], "next": "x"}, 150),
        ({"items": [1] * 7, "next": "x", "limit": 20}, 120),
        ({"items": [1] * 50, "next": "x", "limit": 20}, 150),
        ({"items": [], "next": "x", "limit": -1}, 150),
        ({"items": [], "next": "x", "limit": 10**9}, 150),
        ({"items": [], "next": None, "limit": 50}, None),
    ],
)
def test_the_next_page_begins_behind_the_places_of_this_one(page: dict[str, Any], following: int | None) -> None:
    assert read_items(page, 100, 50) == (page["items"], following)


@pytest.mark.parametrize("field", ["items", "tracks"])
def test_a_playlist_counts_its_entries_under_either_name(field: str) -> None:
    assert read_playlist_head({"id": ID, field: {"total": 7}}).total == 7


def test_a_playlist_and_an_album_need_an_id_alone() -> None:
    head, album = read_playlist_head({"id": ID}), read_album_head({"id": ID})
    assert (head.title, head.total, head.owner, head.snapshot_id) == ("Untitled", None, "", "")
    assert (album.title, album.artists, album.entries) == ("Untitled", (), ())


@given(st.text())
def test_any_text_becomes_one_line_fit_to_store(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 500
    assert line == line.strip()
    assert line.encode("utf-8").count(b"\0") == 0
    assert "\n" not in line


def test_what_hides_or_turns_text_is_taken_out_and_joined_emoji_stay() -> None:
    assert one_line("a\u202eb\x00c\ud800d\u200be\r\n f") == "abcde f"
    assert one_line("👩‍👩‍👧") == "👩‍👩‍👧"
    assert one_line("e\u0301") == "é"
    assert len(one_line("x" * 99_999)) == 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*BARE, "album", "external_ids", "images", "is_playable"]), JSON))
def test_no_json_gives_another_failure_than_ours(odd: dict[str, Any]) -> None:
    for read in (read_track, read_album_head, read_playlist_head):
        with suppress(Broken):
            read(BARE | odd)
