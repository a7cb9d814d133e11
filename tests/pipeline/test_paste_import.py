"""Links, lines and lists become tracks and playlists, whatever happens on the way."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select

from soundforge import jobs, library, pipeline, views
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.errors import Conflict, NotFound, Unavailable
from soundforge.http import Client, Service, client
from soundforge.library import Query
from soundforge.spotify import Skip, open_spotify
from soundforge.tables import Job, Kind, Playlist, Track
from tests.support.factories import add_song
from tests.support.fake_spotify import FakeSpotify
from tests.support.fake_spotify_clock import QuickClock
from tests.support.fake_spotify_server import FakeSpotifyWire, transport_to
from tests.support.fake_spotify_world import World, identity, track
from tests.support.lists import DISTINCT, count, downloads, entries, titles, url, wanted
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def opened(database: Database, settings: Settings, world: World) -> AsyncIterator[Workshop]:
    async with open_workshop(settings, database, spotify=FakeSpotify(world, None), downloads=0) as workshop:
        await workshop.allow(world)
        yield workshop


async def test_a_playlist_of_512_comes_in_whole_and_in_order(opened: Workshop, world: World) -> None:
    job = await opened.ended(await opened.paste(url("playlist", world.large.id)))
    assert (job.status, job.error) == ("completed", None)
    assert job.result == {"tracks": DISTINCT, "known": 12, "skipped": 16, "problems": []}
    rows = await entries()
    assert [row.position for row in rows] == list(range(512))
    assert await titles(rows) == wanted(world.large.rows)
    assert Counter(row.skip for row in rows) == {None: 496, "removed": 5, "local": 7, "episode": 4}
    assert (await count(Track), await downloads()) == (DISTINCT, DISTINCT)
    async with reading() as session:
        parents = set(await session.scalars(select(Job.parent_id).where(Job.kind == Kind.DOWNLOAD)))
        (playlist,) = await session.scalars(select(Playlist))
    assert parents == {job.id}
    assert (playlist.title, playlist.total, playlist.notice) == (world.large.title, 512, None)
    assert playlist.read_at


async def test_a_list_that_changed_while_it_was_read_is_read_once_more(opened: Workshop, world: World) -> None:
    world.large.change_after(5, lambda rows: rows.insert(0, rows.pop(300)))
    world.large.change_after(5, lambda rows: rows.pop(20))
    job = await opened.ended(await opened.paste(url("playlist", world.large.id)))
    assert job.status == "completed"
    assert await titles(await entries()) == wanted(world.large.rows)
    assert len(world.large.rows) == 511
    songs = [row for row in world.large.rows if not isinstance(row, Skip)]
    assert job.result["tracks"] + job.result["known"] == len(songs), (
        "each entry is counted once, in the walk that counts"
    )
    assert job.result["tracks"] == await count(Track)
    assert job.result["skipped"] == 511 - len(songs)


@pytest.mark.parametrize(("changes", "most"), [(False, 13), (True, 25)])
async def test_512_entries_cost_13_requests_and_25_when_they_changed(
    database: Database, settings: Settings, world: World, *, changes: bool, most: int
) -> None:
    wire = FakeSpotifyWire(world)
    if changes:
        world.large.change_after(5, lambda rows: rows.insert(0, rows.pop(300)))

    def connect(service: Service) -> Client:
        return client(service, transport=transport_to(wire))

    async with AsyncExitStack() as stack:
        spotify = await stack.enter_async_context(open_spotify(None, clock=QuickClock(), connect=connect))
        opening = open_workshop(settings, database, spotify=spotify, downloads=0)
        workshop = await stack.enter_async_context(opening)
        await workshop.allow(world)
        job = await workshop.ended(await workshop.paste(url("playlist", world.large.id)))
        assert (job.status, job.error) == ("completed", None)
        assert await titles(await entries()) == wanted(world.large.rows)
        assert (await count(Track), await downloads()) == (DISTINCT, DISTINCT)
    assert wire.other_requests == most


async def test_importing_again_adds_what_is_new_marks_what_is_gone_and_links_the_rest(
    opened: Workshop, world: World
) -> None:
    small = world.add_playlist("Small", [track(1), track(2), Skip.LOCAL, track(1), track(3)])
    await opened.ended(await opened.paste(url("playlist", small.id)))
    before = {row.entry_id: row.added_at for row in await entries()}
    small.rows[:] = [track(3), track(4), track(1)]
    small.version += 1
    job = await opened.ended(await opened.paste(url("playlist", small.id)))
    assert job.result == {"tracks": 1, "known": 2, "skipped": 0, "problems": []}
    rows = await entries()
    assert await titles(rows) == [track(3).id, track(4).id, track(1).id]
    gone = Counter(row.entry_id for row in rows if row.gone_at)
    assert gone == {track(2).id: 1, track(1).id: 1, "local:A file of mine": 1}
    assert all(row.added_at == before.get(row.entry_id, row.added_at) for row in rows)
    assert (await count(Track), await count(Playlist)) == (4, 1)
    small.rows[:] = [track(2)]
    small.version += 1
    await opened.ended(await opened.paste(url("playlist", small.id)))
    assert await titles(await entries()) == [track(2).id]  # it is back, as the same entry
    assert len(await entries()) == len(rows)


async def test_a_song_that_is_there_already_is_linked_and_not_fetched(opened: Workshop, world: World) -> None:
    async with transaction() as session:
        uploaded = (await add_song(session, opened.owner_id, "Quite another", isrc=track(22).isrc)).id
    small = world.add_playlist("Small", [track(22), track(23)])
    job = await opened.ended(await opened.paste(url("playlist", small.id)))
    assert job.result == {"tracks": 1, "known": 1, "skipped": 0, "problems": []}
    assert (await entries())[0].track_id == uploaded
    assert (await count(Track), await downloads()) == (2, 1)


async def test_an_album_a_track_a_link_and_a_line_come_in_by_one_paste(opened: Workshop, world: World) -> None:
    album = world.album("Long")
    lines = [
        url("album", album.id),
        url("track", track(200).id),
        "https://soundcloud.com/ann/sea",
        "Bob - Sky",
        url("track", identity("nobody's")),
        "Bob - Sky",
    ]
    job = await opened.ended(await opened.paste("\n".join(lines)))
    assert job.status == "completed", job.error
    problem = {"line": 5, "code": "spotify_track_not_found", "sentence": "There is no such track."}
    assert job.result == {"tracks": 126, "known": 1, "skipped": 0, "problems": [problem]}
    assert await titles(await entries("album")) == [row.id for row in album.rows]
    async with reading() as session:
        others = await session.scalars(select(Track).where(Track.spotify_id.is_(None)).order_by(Track.source))
        found = [(one.source, one.source_url, one.artist) for one in others]
    assert found == [("soundcloud", "https://soundcloud.com/ann/sea", ""), ("text", None, "Bob")]
    assert await downloads() == 126


async def test_what_spotify_told_is_kept_and_not_asked_again(opened: Workshop, world: World) -> None:
    lines = "\n".join([url("album", world.album("Long").id), url("track", track(200).id)])
    for _ in range(2):
        await opened.ended(await opened.paste(lines))
    assert opened.spotify.calls == [f"album {world.album('Long').id}", f"track {track(200).id}"]


async def test_a_single_link_that_comes_to_nothing_fails_the_import_with_its_reason(opened: Workshop) -> None:
    job = await opened.ended(await opened.paste(url("track", identity("nobody's"))))
    assert (job.status, job.error_code) == ("failed", "spotify_track_not_found")
    assert await count(Track) == 0


async def test_a_paste_of_which_nothing_came_is_tried_again_from_its_first_line(opened: Workshop, world: World) -> None:
    opened.spotify.failures = [NotFound("Not yet.", code="spotify_track_not_found") for _ in range(3)]
    job = await opened.ended(await opened.paste("\n".join(url("track", track(n).id) for n in range(3))))
    assert (job.status, job.error_code) == ("failed", "spotify_track_not_found")
    async with transaction() as session:
        again = await jobs.retry_job(session, opened.owner_id, job.id)
    ended = await opened.ended(again)
    assert ended.result == {"tracks": 3, "known": 0, "skipped": 0, "problems": []}
    assert (await count(Track), await downloads()) == (3, 3)


async def test_a_closed_playlist_comes_by_its_page_and_says_how_much_is_missing(opened: Workshop, world: World) -> None:
    link = url("playlist", world.closed.id)
    refused = await opened.ended(await opened.paste(link))
    assert (refused.status, refused.error_code) == ("failed", "spotify_playlist_closed")
    await opened.set("spotify_pages", "on")
    job = await opened.ended(await opened.paste(link))
    assert (job.status, job.result["tracks"]) == ("completed", 96)
    async with reading() as session:
        (playlist,) = await session.scalars(select(Playlist))
    assert "100 of 512" in str(playlist.notice)
    assert not [row for row in await entries() if row.gone_at]


async def test_a_busy_spotify_postpones_the_import_and_no_worker_sleeps(opened: Workshop, world: World) -> None:
    opened.spotify.failures = [Unavailable("Wait.", code="spotify_busy", retry_after_s=3600)]
    job = await opened.paste(url("track", track(1).id))
    waiting = await opened.seen(job, lambda row: row.status == "queued" and row.run == 1)
    assert (waiting.error_code, waiting.attempt) == ("spotify_busy", 1)
    assert waiting.next_attempt_at
    other = await opened.ended(await opened.paste("Bob - Sky"))
    assert other.status == "completed"


async def test_the_same_paste_twice_at_once_is_one_import(opened: Workshop, world: World) -> None:
    opened.spotify.failures = [Unavailable("Wait.", code="spotify_busy", retry_after_s=3600)]
    link = url("track", track(1).id)
    first = await opened.paste(link)
    await opened.seen(first, lambda row: row.status == "queued" and row.run == 1)
    with pytest.raises(Conflict) as refused:
        await opened.paste(f"  {link}?si=2\n")
    assert refused.value.fields == {"job_id": str(first.id)}


async def test_two_imports_of_the_same_songs_at_once_add_each_once(opened: Workshop, world: World) -> None:
    lists = [world.add_playlist(f"List {number}", [track(n) for n in range(120)]) for number in range(2)]
    both = [await opened.paste(url("playlist", one.id)) for one in lists]
    ended = [await opened.ended(job) for job in both]
    assert [job.status for job in ended] == ["completed", "completed"]
    assert sum(job.result["tracks"] for job in ended) == 120
    assert (await count(Track), await downloads()) == (120, 120)


async def test_the_lines_of_a_paste_that_failed_are_tried_again_once(opened: Workshop, world: World) -> None:
    opened.spotify.failures = [NotFound("Not yet.", code="spotify_track_not_found") for _ in range(2)]
    job = await opened.ended(
        await opened.paste("\n".join([*(url("track", track(n).id) for n in range(2)), "Bob - Sky"]))
    )
    assert (job.status, job.result["tracks"], len(job.result["problems"])) == ("completed", 1, 2)
    assert (await view_of(opened, job)).failed == 2
    async with transaction() as session:
        assert await pipeline.request_retry_failed(session, opened.owner_id, job.id) == 2
    async with reading() as session:
        (again,) = (await session.scalars(select(Job).where(Job.parent_id == job.id, Job.kind == Kind.IMPORT))).all()
    ended = await opened.ended(again)
    assert ended.result == {"tracks": 2, "known": 0, "skipped": 0, "problems": []}
    assert (await view_of(opened, job)).failed == 0
    with pytest.raises(Conflict):
        async with transaction() as session:
            await pipeline.request_retry_failed(session, opened.owner_id, job.id)
    assert (await count(Track), await downloads()) == (3, 3)


async def view_of(workshop: Workshop, job: Job) -> views.JobView:
    async with reading() as session:
        return await views.get_job_view(session, workshop.owner_id, job.id)


async def test_a_list_from_a_file_keeps_its_order_and_its_lengths(opened: Workshop) -> None:
    head = "Track Name,Artist Name(s),Album Name,Duration (ms),ISRC,Track URI\n"
    rows = [f"Song {n},Ann,Blue,{100_000 + n},,spotify:track:{track(n).id}\n" for n in range(120)]
    rows += ["No link,Bob,,,,\n", ",,,,,\n", "<script>,=cmd(),,,,spotify:local:x\n"]
    job = await opened.ended(await opened.receive((head + "".join(rows)).encode(), "My list.csv"))
    assert job.status == "completed", job.error
    assert job.result == {"tracks": 122, "known": 0, "skipped": 0, "problems": []}
    assert opened.received() == []
    found = await entries("list")
    assert [row.title for row in found] == [*(f"Song {n}" for n in range(120)), "No link", "<script>"]
    async with reading() as session:
        page = await library.list_tracks(session, opened.owner_id, Query(search="Song 7"))
    assert 100_007 in [row.duration_ms for row in page.rows]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a,b\n1,2\n", "csv_columns"),
        (b"\xff\xfe\x00Track Name", "csv_unreadable"),
        (b"x" * 3_000_000, "list_too_long"),
    ],
)
async def test_a_list_that_cannot_be_read_says_why_and_leaves_nothing(
    opened: Workshop, content: bytes, code: str
) -> None:
    job = await opened.ended(await opened.receive(content, "list.csv"))
    assert (job.status, job.error_code) == ("failed", code)
    assert (opened.received(), await opened.left_over(), await count(Playlist)) == ([], [], 0)
