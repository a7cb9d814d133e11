"""The contract: what every ``SpotifyApi`` does, the fake in memory like the real one."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from soundforge.errors import SoundForgeError
from soundforge.spotify import Credentials, PlaylistPage, Skip, SpotifyApi, Via
from tests.spotify.conftest import Subjects
from tests.support.fake_spotify import as_in_album
from tests.support.fake_spotify_world import AWKWARD, PICTURE, Row, World, cover, track

NOBODY = "0" * 22


async def code_of(request: object) -> tuple[str, float | None]:
    with pytest.raises(SoundForgeError) as failed:
        await request if not isinstance(request, AsyncIterator) else [page async for page in request]  # type: ignore[misc]  # any call of the API
    assert failed.value.sentence.endswith(".")
    return failed.value.code, failed.value.retry_after_s


async def pages_of(pages: AsyncIterator[PlaylistPage]) -> list[PlaylistPage]:
    return [page async for page in pages]


def rows_told(pages: list[PlaylistPage]) -> list[Row]:
    """What an importer ends with: each walk writes over what the one before it said."""
    rows: dict[int, Row] = {}
    for page in pages:
        for entry in page.entries:
            assert (entry.track is None) != (entry.skip is None)
            told = entry.track or entry.skip
            assert told
            rows[entry.position] = told
    last = pages[-1]
    return [row for place, row in sorted(rows.items()) if place < last.offset + len(last.entries)]


async def test_a_track_comes_with_all_that_is_known(api: SpotifyApi, world: World) -> None:
    for number in (0, 1, 10, 77):
        assert await api.fetch_track(track(number).id) == track(number)


async def test_an_awkward_title_is_just_a_title(api: SpotifyApi) -> None:
    told = [(await api.fetch_track(track(number).id)).title for number in range(len(AWKWARD))]
    assert tuple(told) == AWKWARD


@pytest.mark.parametrize(("title", "count"), [("Short", 3), ("Fifty", 50), ("Long", 123)])
async def test_an_album_comes_whole_and_in_order(api: SpotifyApi, world: World, title: str, count: int) -> None:
    wanted = world.album(title)
    album = await api.fetch_album(wanted.id)
    assert (album.title, album.artists, album.upc, album.cover) == (title, wanted.artists, wanted.upc, wanted.cover)
    assert [entry.position for entry in album.entries] == list(range(count))
    assert album.tracks == tuple(as_in_album(row, album) for row in wanted.rows)


async def test_a_playlist_of_512_comes_with_every_place_in_order(api: SpotifyApi, world: World) -> None:
    pages = await pages_of(api.fetch_playlist(world.large.id))
    assert [page.offset for page in pages] == list(range(0, 512, 50))
    assert [page.is_last for page in pages] == [False] * 10 + [True]
    assert rows_told(pages) == world.large.rows
    assert {page.head for page in pages} == {pages[0].head}
    head = pages[0].head
    assert (head.title, head.owner, head.total) == (world.large.title, "somebody", 512)
    assert head.cover == cover(world.large.title)
    assert {(page.via, page.walk, page.notice) for page in pages} == {(Via.API, 1, None)}


async def test_what_is_no_track_is_counted_by_its_reason(api: SpotifyApi, world: World) -> None:
    pages = await pages_of(api.fetch_playlist(world.large.id))
    entries = [entry for page in pages for entry in page.entries]
    skipped = Counter(entry.skip for entry in entries if entry.skip)
    assert skipped == {Skip.REMOVED: 5, Skip.LOCAL: 7, Skip.EPISODE: 4}
    assert {entry.title for entry in entries if entry.skip is Skip.LOCAL} == {"A file of mine"}
    tracks = Counter(entry.track.id for entry in entries if entry.track)
    assert Counter(tracks.values()) == {1: 472, 2: 12}


async def test_an_empty_playlist_is_one_empty_page(api: SpotifyApi, world: World) -> None:
    (page,) = await pages_of(api.fetch_playlist(world.empty.id))
    assert (page.entries, page.is_last) == ((), True)


async def test_a_page_that_comes_empty_in_the_middle_does_not_end_a_list(api: SpotifyApi, world: World) -> None:
    world.large.gaps = frozenset({0, 100, 150})
    pages = await pages_of(api.fetch_playlist(world.large.id))
    assert [len(page.entries) for page in pages] == [0, 50, 0, 0, *([50] * 6), 12]
    assert [page.following for page in pages] == [*range(50, 512, 50), None]
    got = [(entry.position, entry.track) for page in pages for entry in page.entries]
    kept = [place for place in range(512) if place // 50 not in (0, 2, 3)]
    rows = [(place, world.large.rows[place]) for place in kept]
    assert got == [(place, None if isinstance(row, Skip) else row) for place, row in rows]


@pytest.mark.parametrize("after", [1, 5, 11])
async def test_a_playlist_that_changes_meanwhile_is_read_once_more(api: SpotifyApi, world: World, after: int) -> None:
    world.large.change_after(after, lambda rows: rows.__delitem__(slice(20, 150)))
    pages = await pages_of(api.fetch_playlist(world.large.id))
    assert rows_told(pages) == world.large.rows
    assert [page.walk for page in pages] == [1] * sum(page.walk == 1 for page in pages) + [2] * 8
    assert [page.is_last for page in pages].index(True) == len(pages) - 1
    assert pages[-1].notice is None


async def test_a_playlist_that_never_rests_is_read_twice_and_says_so(api: SpotifyApi, world: World) -> None:
    for page in range(1, 40):
        world.large.change_after(page, lambda rows: rows.append(track(1)))
    pages = await pages_of(api.fetch_playlist(world.large.id))
    assert (pages[-1].walk, pages[-1].is_last) == (2, True)
    assert pages[-1].notice
    assert pages[-1].notice.code == "changed_meanwhile"
    assert not pages[-1].is_cut


async def test_a_reading_that_was_broken_off_goes_on_where_it_was(api: SpotifyApi, world: World) -> None:
    pages = await pages_of(api.fetch_playlist(world.large.id))
    for done in range(1, 11):
        known = pages[:done]
        start = known[-1].following or 0
        snapshot = known[-1].head.snapshot_id
        rest = await pages_of(api.fetch_playlist(world.large.id, start=start, snapshot_id=snapshot))
        assert rest == pages[done:]


async def test_a_reading_of_another_version_begins_anew(api: SpotifyApi, world: World) -> None:
    pages = await pages_of(api.fetch_playlist(world.large.id, start=200, snapshot_id="older"))
    assert pages[0].offset == 0
    assert rows_told(pages) == world.large.rows


async def test_whether_playlists_may_be_read_is_known_once_it_was_tried(api: SpotifyApi, world: World) -> None:
    told = [api.reads_playlists]
    await code_of(api.fetch_playlist(world.closed.id))
    told.append(api.reads_playlists)
    await pages_of(api.fetch_playlist(world.empty.id))
    told.append(api.reads_playlists)
    assert told == [None, False, True]


async def test_what_is_not_there_is_not_found(api: SpotifyApi, world: World) -> None:
    assert await code_of(api.fetch_track(NOBODY)) == ("spotify_track_not_found", None)
    assert await code_of(api.fetch_album(NOBODY)) == ("spotify_album_not_found", None)
    assert await code_of(api.fetch_cover(cover("nobody's"))) == ("spotify_cover_not_found", None)
    for playlist in (NOBODY, world.hidden.id):
        assert await code_of(api.fetch_playlist(playlist)) == ("spotify_playlist_hidden", None)


async def test_a_closed_playlist_says_what_else_to_do(api: SpotifyApi, world: World) -> None:
    assert await code_of(api.fetch_playlist(world.closed.id)) == ("spotify_playlist_closed", None)


async def test_a_closed_playlist_gives_its_first_hundred_where_pages_may_be_read(
    subjects: Subjects, credentials: Credentials, world: World
) -> None:
    async with subjects.open(credentials, read_pages=True) as api:
        (page,) = await pages_of(api.fetch_playlist(world.closed.id))
    assert (len(page.entries), page.via, page.is_last, page.is_cut) == (100, Via.PAGE, True, True)
    assert page.notice
    assert (page.notice.code, "100 of 512" in page.notice.sentence) == ("first_of_total", True)
    assert page.head.snapshot_id
    told = [entry.track.id if entry.track else None for entry in page.entries]
    wanted = [None if isinstance(row, Skip) else row.id for row in world.closed.rows[:100]]
    assert told == wanted
    assert {entry.skip for entry in page.entries if entry.skip} == {Skip.UNREADABLE}  # a removed row tells nothing


async def test_a_playlist_made_by_spotify_is_read_from_its_page_where_that_is_allowed(
    subjects: Subjects, credentials: Credentials, world: World
) -> None:
    async with subjects.open(credentials, read_pages=True) as api:
        (page,) = await pages_of(api.fetch_playlist(world.hidden.id))
        assert await code_of(api.fetch_playlist(NOBODY)) == ("spotify_playlist_hidden", None)
    assert (page.head.title, page.head.total, page.notice) == ("Made by Spotify", None, None)
    assert [entry.track and entry.track.id for entry in page.entries] == [track(1).id]


async def test_without_credentials_nothing_is_asked(subjects: Subjects, world: World) -> None:
    async with subjects.open(None) as api:
        for request in (api.fetch_track(NOBODY), api.fetch_album(NOBODY), api.fetch_playlist(world.large.id)):
            assert await code_of(request) == ("spotify_not_set_up", None)
    assert subjects.wire.asked == []


async def test_wrong_credentials_are_told_as_such(subjects: Subjects, world: World) -> None:
    async with subjects.open(Credentials(world.client_id, "a guess")) as api:
        assert await code_of(api.fetch_track(track(1).id)) == ("spotify_refused_credentials", None)


async def test_a_spotify_that_is_busy_says_when_to_come_back(api: SpotifyApi, world: World) -> None:
    world.busy_s = 12_677
    code, retry_after_s = await code_of(api.fetch_track(track(1).id))
    assert (code, round(retry_after_s or 0)) == ("spotify_busy", 12_677)


async def test_an_id_that_no_link_has_is_refused(api: SpotifyApi) -> None:
    for odd in ("", "../../v1/me", "a" * 23, "é" * 22, f"{'a' * 21}?"):
        assert (await code_of(api.fetch_track(odd)))[0] == "invalid_id"
        assert (await code_of(api.fetch_album(odd)))[0] == "invalid_id"
        assert (await code_of(api.fetch_playlist(odd)))[0] == "invalid_id"


async def test_a_cover_is_a_picture(api: SpotifyApi) -> None:
    picture = track(5).cover
    assert picture
    found = await api.fetch_cover(picture)
    assert (found.data, found.media_type) == (PICTURE, "image/jpeg")


async def test_checking_tells_the_cases_apart(subjects: Subjects, credentials: Credentials, world: World) -> None:
    async with subjects.open(None) as api:
        assert (await api.check()).code == "spotify_not_set_up"
    async with subjects.open(Credentials("x", "y")) as api:
        assert (await api.check()).code == "spotify_refused_credentials"
    async with subjects.open(credentials) as api:
        assert (await api.check()).works
        world.busy_s = 99
        busy = await api.check()
        assert (busy.code, round(busy.retry_after_s or 0), busy.works) == ("spotify_busy", 99, False)
