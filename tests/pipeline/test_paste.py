import pytest

from soundforge import pipeline
from soundforge.db import Database, reading, transaction
from soundforge.errors import Forbidden, Invalid
from soundforge.tables import Job
from tests.support.fake_spotify_world import identity
from tests.support.workshop import Workshop

TRACK, PLAYLIST = identity("track 1"), identity("playlist x")
CSV = '"Track Name","Artist Name(s)","Track URI"\n"Sea","Ann",""\n"","",""\n"Sky","Bob","spotify:track:' + TRACK + '"\n'


def test_every_line_says_what_it_is_or_why_it_is_refused() -> None:
    text = "\n".join(
        [
            f"https://open.spotify.com/intl-de/track/{TRACK}?si=1",
            "",
            f"open.spotify.com/playlist/{PLAYLIST}",
            "https://youtu.be/dQw4w9WgXcQ",
            "Ann - Sea",
            "spotify:track:4cOdK2wGLETKBW3PvgPWqT",
            "http://127.0.0.1/song.mp3",
            "file:///etc/passwd",
            "https://open.spotify.com@evil.example/track/4cOdK2wGLETKBW3PvgPWqT",
            "just words",
        ]
    )
    told = pipeline.recognise(text)
    assert [(line.number, line.name, line.code) for line in told.lines] == [
        (1, "Spotify track", ""),
        (3, "Spotify playlist", ""),
        (4, "YouTube link", ""),
        (5, "Song", ""),
        (6, "Refused", "uri_not_url"),
        (7, "Refused", "unknown_site"),
        (8, "Refused", "unknown_site"),
        (9, "Refused", "invalid_url"),
        (10, "Refused", "no_title"),
    ]
    assert told.orders == [
        {"kind": "track", "id": TRACK},
        {"kind": "playlist", "id": PLAYLIST},
        {"kind": "link", "url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
        {"kind": "song", "title": "Sea", "artist": "Ann"},
    ]
    assert told.count == 4
    assert all(line.sentence.endswith(".") for line in told.lines if line.code)


def test_a_pasted_list_says_how_many_songs_it_holds_and_which_rows_hold_none() -> None:
    told = pipeline.recognise(CSV)
    assert (told.count, told.orders) == (2, [])


def test_text_that_turns_or_hides_is_shown_as_one_plain_line() -> None:
    told = pipeline.recognise("Ann\u202e - \u2066Sea\x00\x07" + "a" * 500)
    (line,) = told.lines
    assert len(line.text) <= 120
    assert not set(line.text) & set("\u202e\u2066\x00\x07")


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n \n", "empty"), ("a - b\n" * 101, "too_many_lines"), (None, "not_text")]
)
def test_a_paste_that_cannot_be_read_at_all_says_why(text: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        pipeline.recognise(text)
    assert refused.value.code == code


async def test_nothing_is_asked_for_before_somebody_allowed_it(workshop: Workshop) -> None:
    recognised = pipeline.recognise("Ann - Sea")
    with pytest.raises(Forbidden) as refused:
        async with transaction() as session:
            await pipeline.request_paste(session, workshop.owner_id, recognised)
    assert refused.value.code == "downloads_off"
    with pytest.raises(Forbidden) as refused:
        await workshop.receive(CSV.encode(), "list.csv")
    assert (refused.value.code, workshop.received()) == ("downloads_off", [])


async def test_a_paste_without_a_single_good_line_starts_nothing(database: Database, workshop: Workshop) -> None:
    await workshop.allow()
    for text, word in (("spotify:track:1", "Spotify URI"), ("spotify:track:1\nfile:///x", "None of these lines")):
        with pytest.raises(Invalid) as refused:
            await workshop.paste(text)
        assert (refused.value.code, word in refused.value.sentence) == ("nothing_recognised", True)
    async with reading() as session:
        assert await session.get(Job, workshop.owner_id) is None
