"""The page for embedding: read as it is known, refused loudly when it is another."""

import json
from typing import Any

import pytest

from soundforge.errors import Broken, NotFound
from soundforge.spotify import Skip
from soundforge.spotify._pages import read_album_page, read_playlist_page, read_track_page
from soundforge.spotify._wire import Reply

ID = "4cOdK2wGLETKBW3PvgPWqT"
ROW: dict[str, Any] = {"uri": f"spotify:track:{ID}", "title": "Sea", "subtitle": "Ann", "duration": 1000}


def page(props: object) -> Reply:
    data = json.dumps({"props": {"pageProps": props}})
    return Reply(200, body=f'<html><script id="__NEXT_DATA__" type="application/json">{data}</script>'.encode())


def entity(found: object) -> Reply:
    return page({"state": {"data": {"entity": found}}})


def test_artists_are_divided_by_a_hard_space_alone() -> None:
    row = ROW | {"subtitle": "Tyler, The Creator,\u00a0Ann"}
    (entry,) = read_playlist_page(entity({"title": "L", "trackList": [row]}), ID, None).entries
    assert entry.track
    assert entry.track.artists == ("Tyler, The Creator", "Ann")


def test_named_artists_count_more_than_the_line_of_them() -> None:
    assert read_track_page(entity(ROW | {"artists": [{"name": "B, C"}]}), ID).artists == ("B, C",)


def test_a_picture_may_stand_in_either_of_two_places() -> None:
    url = f"https://image-cdn-fa.spotifycdn.com/image/{'d' * 40}"
    for art in (
        {"coverArt": {"sources": [{"url": url}]}},
        {"visualIdentity": {"image": [{"url": url, "maxWidth": 1}]}},
    ):
        cover = read_track_page(entity(ROW | art), ID).cover
        assert cover
        assert cover.id == "d" * 40


@pytest.mark.parametrize(
    ("row", "skip"),
    [
        (ROW | {"entityType": "episode"}, Skip.EPISODE),
        (ROW | {"uri": f"spotify:episode:{ID}"}, Skip.EPISODE),
        (ROW | {"uri": "spotify:local:a::b:1"}, Skip.LOCAL),
        (ROW | {"uri": "spotify:track:short"}, Skip.UNREADABLE),
        (ROW | {"title": ""}, Skip.UNREADABLE),
        (None, Skip.UNREADABLE),
    ],
)
def test_a_row_that_is_no_track_keeps_its_place(row: object, skip: Skip) -> None:
    first, second = read_playlist_page(entity({"trackList": [row, ROW]}), ID, None).entries
    assert (first.skip, first.position, second.position) == (skip, 0, 1)


def test_a_hundred_of_who_knows_how_many_is_said() -> None:
    whole = read_album_page(entity({"title": "A", "trackList": [ROW] * 99}), ID)
    cut = read_album_page(entity({"title": "A", "trackList": [ROW] * 100}), ID)
    assert whole.notice is None
    assert cut.notice
    assert cut.notice.code == "first_only"


@pytest.mark.parametrize("reply", [Reply(404), page({"status": 404, "title": "Page not found"})])
def test_a_page_that_is_not_there_is_not_found_though_it_may_come_with_200(reply: Reply) -> None:
    for read in (read_track_page, read_album_page):
        with pytest.raises(NotFound):
            read(reply, ID)
    with pytest.raises(NotFound) as hidden:
        read_playlist_page(reply, ID, None)
    assert hidden.value.code == "spotify_playlist_hidden"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200),
        Reply(200, body=b"<html>sign in</html>"),
        Reply(200, body=b'<script id="__NEXT_DATA__">{"props": </script>'),
        Reply(200, body=b'<script id="__NEXT_DATA__">' + b"[" * 100_000 + b"</script>"),
        Reply(200, body=b'<script id="__NEXT_DATA__">[]</script>'),
        Reply(302),
        Reply(403),
        page(None),
        page({}),
        page({"state": {"data": {}}}),
        entity({"trackList": {}}),
        entity({"title": "L", "trackList": [{"name": "new shape"}] * 5}),
    ],
)
def test_a_page_of_another_shape_is_refused_loudly(reply: Reply) -> None:
    with pytest.raises(Broken) as changed:
        read_playlist_page(reply, ID, None)
    assert changed.value.code == "spotify_page_changed"


def test_a_track_page_without_a_title_is_refused() -> None:
    with pytest.raises(Broken) as changed:
        read_track_page(entity({"subtitle": "Ann"}), ID)
    assert changed.value.code == "spotify_page_changed"
