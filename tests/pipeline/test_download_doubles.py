"""Audio that is there already: two tracks become one, or a replacement is refused; nothing is fetched twice."""

from uuid import UUID

import pytest
from sqlalchemy import select

from soundforge import library, pipeline
from soundforge.db import reading, transaction
from soundforge.tables import PlaylistTrack
from tests.support.downloads import download_of, found_for, rest_of, track_of
from tests.support.fake_spotify_world import track as spotify_track
from tests.support.workshop import Workshop


@pytest.fixture
async def opened(workshop: Workshop) -> Workshop:
    await workshop.allow()
    return workshop


async def test_a_link_of_ones_own_is_taken_as_it_is_and_gives_the_track_its_name(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("https://youtu.be/shelf000011"))
    track = await track_of(opened, done)
    assert (done.status, track.title, track.artist) == ("completed", "Lantern", "Ann Lee")
    assert (track.source, track.source_url) == ("youtube", "https://www.youtube.com/watch?v=shelf000011")
    await rest_of(opened, track.id)
    again = await opened.ended(await opened.paste("https://www.youtube.com/watch?v=shelf000011&t=3"))
    assert again.result["known"] == 1
    assert len(opened.downloader.fetched) == 1


async def test_audio_that_is_there_already_joins_the_two_tracks(opened: Workshop) -> None:
    first = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    await rest_of(opened, first.track_id)
    head = "Track Name,Artist Name(s),Track URI\n"
    listed = f"{head}Other name,Ann Lee,spotify:track:{spotify_track(3).id}\n"
    opened.downloader.shelf = {"Other name": opened.downloader.shelf["Harbour"]}
    second = await download_of(opened, await opened.receive(listed.encode(), "list.csv"))
    assert (second.status, second.result["duplicate"]) == ("completed", True)
    async with reading() as session:
        entry = (await session.scalars(select(PlaylistTrack))).one()
        track = await library.get_track(session, opened.owner_id, first.track_id or UUID(int=0))
        living = await library.count_tracks(session, opened.owner_id)
    assert (entry.track_id, track.spotify_id, living) == (first.track_id, spotify_track(3).id, 1)
    assert await opened.left_over() == []


async def test_a_list_that_is_read_again_finds_the_track_that_its_song_was_joined_to(opened: Workshop) -> None:
    head = "Track Name,Artist Name(s),Track URI\n"
    opened.downloader.shelf = {"Other name": opened.downloader.shelf["Harbour"], **opened.downloader.shelf}
    lists = [
        f"{head}{name},Ann Lee,spotify:track:{spotify_track(n).id}\n" for n, name in ((3, "Harbour"), (4, "Other name"))
    ]
    first = await download_of(opened, await opened.receive(lists[0].encode(), "one.csv"))
    await rest_of(opened, first.track_id)
    second = await download_of(opened, await opened.receive(lists[1].encode(), "two.csv"))
    assert second.result["duplicate"]
    again = await opened.ended(await opened.receive(lists[1].encode(), "two.csv"))
    assert again.result == {"tracks": 0, "known": 1, "skipped": 0, "problems": []}
    async with reading() as session:
        entries = (await session.scalars(select(PlaylistTrack))).all()
        living = await library.count_tracks(session, opened.owner_id)
    assert ({entry.track_id for entry in entries}, living) == ({first.track_id}, 1)
    assert len(opened.downloader.fetched) == 2


async def test_a_fetched_song_that_is_uploaded_as_a_file_is_the_same_track(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    await rest_of(opened, done.track_id)
    original = next(data for key, data in opened.storage.objects.items() if "/original" in key)
    upload = await opened.ended(await opened.receive(original, "Something.m4a"))
    assert (upload.result["track_id"], upload.result["duplicate"]) == (str(done.track_id), True)


async def test_a_replacement_that_another_track_is_made_of_is_refused_and_the_others_stay_offered(
    opened: Workshop,
) -> None:
    other = await download_of(opened, await opened.paste("Ann Lee - Harbour"))
    await rest_of(opened, other.track_id)
    doubtful = await download_of(opened, await opened.paste("Ann Lee - Lantern"))
    await rest_of(opened, doubtful.track_id)
    track = await track_of(opened, doubtful)
    offered = await found_for(opened, track)
    async with transaction() as session:
        asked = await pipeline.request_source(session, opened.owner_id, track.id, link="https://youtu.be/shelf000001")
    ended = await opened.ended(asked)
    assert (ended.status, ended.error_code, ended.run) == ("failed", "audio_of_another", 1)
    assert "“Ann Lee - Harbour”" in str(ended.error)
    after = await track_of(opened, ended)
    assert (after.audio_sha256, after.source_url, after.is_doubtful) == (track.audio_sha256, track.source_url, True)
    assert await found_for(opened, track) == offered
    assert await opened.left_over() == []


async def test_the_same_source_chosen_once_more_says_that_it_is_the_right_song(opened: Workshop) -> None:
    done = await download_of(opened, await opened.paste("Ann Lee - Lantern"))
    made = await rest_of(opened, done.track_id)
    track = await track_of(opened, done)
    assert track.is_doubtful
    async with transaction() as session:
        link = str(track.source_url)
        asked = await pipeline.request_source(session, opened.owner_id, track.id, link=link)
    ended = await opened.ended(asked)
    after = await track_of(opened, ended)
    assert (ended.status, after.is_doubtful, after.audio_file_id) == ("completed", False, track.audio_file_id)
    assert (await rest_of(opened, track.id))["separation"].id == made["separation"].id
    assert await opened.left_over() == []
