"""A song becomes a playing track, whatever its sources do."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from soundforge import jobs, library, pipeline
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.errors import Conflict, Forbidden, Invalid
from soundforge.sources import Candidate
from soundforge.tables import Job, Kind
from tests.support.downloads import download_of, found_for, rest_of, track_of
from tests.support.fake_spotify import FakeSpotify
from tests.support.fake_spotify_world import World
from tests.support.fake_spotify_world import track as spotify_track
from tests.support.fakes_decoder import FakeDecoder
from tests.support.fakes_downloader import FakeDownloader
from tests.support.fakes_separator import FakeSeparator
from tests.support.sound_shelf import FATES, LENGTH_S, Place, video
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
async def opened(workshop: Workshop) -> Workshop:
    await workshop.allow()
    return workshop


async def test_a_line_of_text_becomes_a_playing_track(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    assert (done.status, done.error) == ("completed", None)
    assert done.result["source"] == "https://www.youtube.com/watch?v=shelf000001"
    track = await track_of(opened, done)
    assert (track.title, track.artist, track.format, track.is_doubtful) == ("Harbour", "Ann Lee", "m4a", False)
    assert abs((track.duration_ms or 0) - LENGTH_S * 1000) < 200
    made = await rest_of(opened, track.id)
    assert {kind: job.status for kind, job in made.items()} == {
        "download": "completed",
        "separation": "completed",
        "analysis": "completed",
    }
    assert {job.parent_id for job in made.values()} == {done.parent_id}
    assert len(await found_for(opened, track)) == 5
    assert await found_for(opened, track) == [(f"shelf{n:06d}", n == 1) for n in range(1, 6)]
    assert await opened.left_over() == []


async def test_a_download_moves_from_queued_over_downloading_and_processing(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    told = [event["status"] for event in opened.wire.heard if event.get("job_id") == str(done.id)]
    assert list(dict.fromkeys(told)) == ["queued", "downloading", "processing", "completed"]


async def test_a_doubtful_match_is_marked_until_somebody_says_that_it_is_right(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Lantern"))
    track = await track_of(opened, done)
    assert (done.status, track.is_doubtful) == ("completed", True)
    async with transaction() as session:
        await library.confirm_track(session, opened.owner_id, track.id)
    assert not (await track_of(opened, done)).is_doubtful
    await rest_of(opened, track.id)


@pytest.mark.parametrize("fate", [fate for fate in FATES if fate != "rate_limited"])
async def test_every_way_to_fail_says_why_and_leaves_nothing(opened: Workshop, fate: str) -> None:
    tries = 3 if fate == "network" else 1
    if fate == "source_forbidden":  # would be tried again too
        await opened.let_jobs_try_once("download")
    done = await download_of(opened, await opened.paste(f"Ann Lee - {fate}"))
    assert (done.status, done.error_code, done.run) == ("failed", fate, tries)
    assert str(done.error).endswith(".")
    track = await track_of(opened, done)
    assert (track.audio_file_id, opened.storage.objects, await opened.left_over()) == (None, {}, [])
    refused = {"source_gone", "source_blocked", "age_restricted", "geo_blocked"}
    refused |= {"source_not_finished", "source_not_audio"}
    assert bool(await found_for(opened, track)) == (fate in refused)


@pytest.mark.parametrize(("title", "code", "kept"), [("Elsewhere", "no_match", 1), ("Nowhere", "no_match", 0)])
async def test_what_was_found_but_is_not_surely_the_song_is_offered(
    opened: Workshop, title: str, code: str, kept: int
) -> None:
    done = await download_of(opened, await opened.paste(f"Ann Lee - {title}"))
    assert (done.status, done.error_code) == ("failed", code)
    assert len(await found_for(opened, await track_of(opened, done))) == kept


async def test_a_site_that_asks_to_wait_postpones_the_download(opened: Workshop) -> None:
    row = await download_of(
        opened, await opened.paste("Ann Lee - rate_limited"), lambda job: job.status == "queued" and job.run == 1
    )
    assert (row.error_code, row.attempt, bool(row.next_attempt_at)) == ("rate_limited", 1, True)


async def test_a_song_that_plays_much_longer_than_it_should_is_refused_whatever_the_site_said(
    database: Database, settings: Settings
) -> None:
    world = World()
    wanted = spotify_track(20)
    place = Place(video(wanted.title, 1, seconds=wanted.duration_ms / 1000))  # it says 140 s and plays 12
    shelf = {wanted.title: (place,)}

    class Believing(FakeDownloader):
        async def fetch(self, song: Any, **more: Any) -> Any:
            return await super().fetch(type(song)(song.title), **more)

    ports: dict[str, Any] = {"spotify": FakeSpotify(world, None), "downloader": Believing(shelf=shelf)}
    async with open_workshop(settings, database, **ports) as workshop:
        await workshop.allow(world)
        done = await download_of(workshop, await workshop.paste(f"https://open.spotify.com/track/{wanted.id}"))
        assert (done.status, done.error_code) == ("failed", "wrong_length")
        assert len(await found_for(workshop, await track_of(workshop, done))) == 1
        assert (await workshop.left_over(), workshop.storage.objects) == ([], {})


async def test_a_chosen_source_takes_the_place_of_the_audio_and_of_all_that_was_made_of_it(opened: Workshop) -> None:
    first = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    track = await track_of(opened, first)
    await rest_of(opened, track.id)
    before = set(opened.storage.objects)
    async with reading() as session:
        second_best = (await library.list_candidates(session, opened.owner_id, track.id))[1]
    async with transaction() as session:
        asked = await pipeline.request_source(session, opened.owner_id, track.id, candidate_id=second_best.id)
    done = await opened.ended(asked)
    assert (done.status, done.error) == ("completed", None)
    after = await track_of(opened, done)
    assert (after.source_url, after.audio_sha256 != track.audio_sha256) == (second_best.url, True)
    made = await rest_of(opened, track.id)
    assert {job.status for job in made.values()} == {"completed"}
    async with reading() as session:
        stems = await library.list_stems(session, opened.owner_id, [track.id])
    assert {stem.job_id for stem in stems} == {made["separation"].id}
    async with transaction() as session:
        purge = await pipeline.request_purge(session, opened.owner_id)
    await opened.ended(purge)
    assert not before & set(opened.storage.objects)
    assert await opened.left_over() == []


async def test_new_audio_waits_until_nobody_works_on_the_old(database: Database, settings: Settings) -> None:
    gate = asyncio.Event()
    gate.set()
    async with open_workshop(settings, database, separators={"fake": FakeSeparator(gate)}) as workshop:
        await workshop.allow()
        await new_audio_waits(workshop, gate)


async def new_audio_waits(opened: Workshop, gate: asyncio.Event) -> None:
    first = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    await rest_of(opened, first.track_id)
    gate.clear()
    async with transaction() as session:
        busy = await pipeline.request_separation(session, opened.owner_id, first.track_id or UUID(int=0))
    await opened.wire.until(busy, "processing")
    link = "https://youtu.be/shelf000002"
    async with transaction() as session:
        asked = await pipeline.request_source(session, opened.owner_id, first.track_id or UUID(int=0), link=link)
    waiting = await opened.seen(asked, lambda job: job.error_code == "track_busy")
    assert waiting.status == "queued"
    gate.set()
    assert (await opened.ended(asked)).status == "completed"
    made = await rest_of(opened, first.track_id)
    async with reading() as session:
        stems = await library.list_stems(session, opened.owner_id, [first.track_id or UUID(int=0)])
    assert {stem.job_id for stem in stems} == {made["separation"].id}
    assert made["separation"].id != busy.id
    assert await opened.left_over() == []


async def test_cover_and_isrc_come_from_spotify(database: Database, settings: Settings) -> None:
    world = World()
    wanted = spotify_track(20)
    place = Place(video(wanted.title, 1, seconds=140.0), sound_s=wanted.duration_ms / 1000)
    ports: dict[str, Any] = {
        "spotify": FakeSpotify(world, None),
        "downloader": FakeDownloader(shelf={wanted.title: (place,)}),
    }
    async with open_workshop(settings, database, **ports) as workshop:
        await workshop.allow(world)
        album = next(album for album in world.albums.values() if wanted in album.rows and album.title == "Fifty")
        world.albums = {album.id: type(album)(album.id, "One", album.artists, (wanted,), cover=album.cover)}
        done = await download_of(workshop, await workshop.paste(f"https://open.spotify.com/album/{album.id}"))
        assert (done.status, done.error) == ("completed", None)
        track = await track_of(workshop, done)
        assert track.isrc == wanted.isrc
        assert track.cover_file_id
        ((song, _link),) = workshop.downloader.fetched
        assert (song.isrc, song.artists, song.album) == (wanted.isrc, wanted.artists, "One")
        assert song.cover
        await rest_of(workshop, track.id)


async def test_a_download_that_was_switched_off_meanwhile_says_so(opened: Workshop) -> None:
    opened.downloader.gate = asyncio.Event()
    first = await opened.paste("Ann Lee - Harbour")
    await opened.ended(first)
    async with asyncio.timeout(10):
        await opened.downloader.started.wait()
    await opened.set("allow_audio_download", "off")
    second = await opened.paste_anyway("Ann Lee - Lantern")
    opened.downloader.gate.set()
    done = await download_of(opened, second)
    assert (done.status, done.error_code) == ("failed", "downloads_off")
    await rest_of(opened, (await download_of(opened, first)).track_id)


async def test_cancelling_an_import_ends_its_downloads_too(opened: Workshop) -> None:
    opened.downloader.gate = asyncio.Event()
    job = await opened.ended(await opened.paste("\n".join(f"Ann Lee - Song {n}" for n in range(6))))
    async with asyncio.timeout(10):
        await opened.downloader.started.wait()
    async with transaction() as session:
        stopped = await pipeline.request_cancel(session, opened.owner_id, job.id)
    for one in stopped:
        await jobs.wake_cancelled(one)
    async with reading() as session:
        children = (await session.scalars(select(Job).where(Job.parent_id == job.id))).all()
    ended = [await opened.ended(child) for child in children]
    assert {(one.status, one.error_code) for one in ended} == {("failed", "cancelled")}
    assert len(ended) == 6
    with pytest.raises(Conflict):
        async with transaction() as session:
            await pipeline.request_cancel(session, opened.owner_id, job.id)
    assert await opened.left_over() == []


async def test_all_that_failed_is_tried_again_at_once_and_nothing_else(opened: Workshop) -> None:
    text = "Ann Lee - source_gone\nAnn Lee - geo_blocked\nAnn Lee - Harbour\nAnn Lee - Lantern"
    job = await opened.ended(await opened.paste(text))
    async with reading() as session:
        children = (await session.scalars(select(Job).where(Job.parent_id == job.id))).all()
    first = [await opened.ended(child) for child in children if child.kind == Kind.DOWNLOAD]
    gone = next(one for one in first if one.error_code == "source_gone")
    async with transaction() as session:
        chosen = await pipeline.request_source(
            session, opened.owner_id, gone.track_id or UUID(int=0), link="https://youtu.be/shelf000042"
        )
    await opened.ended(chosen)
    async with transaction() as session:
        assert await pipeline.request_retry_failed(session, opened.owner_id, job.id) == 1
    blocked = next(one for one in first if one.error_code == "geo_blocked")
    again = await opened.seen(blocked, lambda row: row.status == "failed" and row.run == 2)
    assert again.error_code == "geo_blocked"
    for one in (*first, chosen):
        await rest_of(opened, one.track_id)


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1/x", "file:///etc/passwd", "--exec=id", "https://evil.example/watch?v=shelf000001", ""]
)
async def test_a_source_of_ones_own_must_be_a_link_that_is_known(opened: Workshop, link: str) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Nowhere"))
    with pytest.raises(Invalid):
        async with transaction() as session:
            await pipeline.request_source(session, opened.owner_id, done.track_id or UUID(int=0), link=link)


@pytest.mark.parametrize(
    ("line", "url"),
    [("Ann Lee - Nowhere", None), ("https://youtu.be/shelf000098", "https://www.youtube.com/watch?v=shelf000098")],
)
async def test_fetching_anew_forgets_a_source_that_came_to_nothing(
    opened: Workshop, line: str, url: str | None
) -> None:
    done = await download_of(opened, await opened.paste(line))
    track_id = done.track_id or UUID(int=0)
    async with transaction() as session:
        link = "https://youtu.be/shelf000099"
        chosen = await pipeline.request_source(session, opened.owner_id, track_id, link=link)
    assert (await opened.ended(chosen)).status == "failed"
    async with transaction() as session:
        anew = await pipeline.request_fetch(session, opened.owner_id, track_id)
    assert anew.params.get("url") == url


async def test_what_a_site_says_is_kept_as_one_plain_line(database: Database, settings: Settings) -> None:
    nasty = Candidate(video("x", 1).link, "A\x00B\u202eC\n" + "d" * 900, "<script>", 1e9, 20.0)
    downloader = FakeDownloader(shelf={"Nasty": (Place(nasty),)})
    async with open_workshop(settings, database, downloader=downloader) as workshop:
        await workshop.allow()
        done = await download_of(workshop, await workshop.paste("Ann Lee - Nasty"))
        assert done.error_code == "no_match"
        async with reading() as session:
            (kept,) = await library.list_candidates(session, workshop.owner_id, done.track_id or UUID(int=0))
    assert len(kept.title) == 300
    assert not set(kept.title) & set("\x00\u202e\n")
    assert kept.duration_ms is None


async def test_nobody_may_choose_for_somebody_elses_track(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Elsewhere"))
    async with reading() as session:
        (kept,) = await library.list_candidates(session, opened.owner_id, done.track_id or UUID(int=0))
    await opened.set("allow_audio_download", "off")
    with pytest.raises(Forbidden):
        async with transaction() as session:
            await pipeline.request_source(session, opened.owner_id, done.track_id or UUID(int=0), candidate_id=kept.id)


async def test_a_crashing_decoder_fails_the_download_and_not_the_track(database: Database, settings: Settings) -> None:
    decoder = FakeDecoder(fault=Invalid("This is not an audio file.", code="not_audio"))
    async with open_workshop(settings, database, decoder=decoder) as workshop:
        await workshop.allow()
        done = await download_of(workshop, await workshop.paste("Ann Lee - Harbour"))
        assert (done.status, done.error_code) == ("failed", "not_audio")
        assert (await workshop.left_over(), workshop.storage.objects) == ([], {})
