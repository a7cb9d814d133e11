"""How much a page is told of an import, of a list and of a download, when every name is as long as names may be."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from soundforge import library
from soundforge.db import transaction
from soundforge.library import NewEntry, NewPlaylist
from soundforge.sources import failure
from soundforge.tables import Job, Kind, Status
from tests.support.factories import add_song
from tests.support.feeds import LARGEST_BYTES, Ear, hearing
from tests.support.house import House, add_job, finish

WORDS = {"letters": "a" * 300, "wide letters": "東" * 300, "markup": "<&\"'>" * 60, "faces": "🎧" * 300}
SENTENCE = failure("source_blocked", "").sentence  # the longest of them
NOTICE = "Spotify's page shows the first 100 of 512 songs; the others are missing here."


@dataclass
class Import:
    """An import of two songs, one of which failed."""

    house: House
    words: str
    job: Job
    download: Job
    track_id: UUID


@pytest.fixture(params=WORDS.values(), ids=WORDS)
async def imported(request: pytest.FixtureRequest, house: House) -> Import:
    ann, words = house.users["ann"], request.param
    async with transaction() as session:
        track = await add_song(session, ann, words, words)
        job = await add_job(session, ann, Kind.IMPORT, params={"what": "paste", "name": words, "lines": []})
        asked = [await add_job(session, ann, Kind.DOWNLOAD, track_id=track.id, parent_id=job.id) for _ in range(2)]
        await finish(session, asked[0], Status.FAILED, {})
    return Import(house, words, job, asked[1], track.id)


async def move(job: Job, *statuses: str, **values: Any) -> None:
    """Let a job's row go through these states, each told to the pages."""
    for status in statuses:
        async with transaction() as session:
            moved = {"status": status, "run": 1, **(values if status == statuses[-1] else {})}
            await session.execute(update(Job).where(Job.id == job.id).values(moved))


def largest(ear: Ear) -> int:
    return max(len(piece) for piece in ear.pieces())


async def test_the_row_of_an_import_stays_small(imported: Import) -> None:
    problems = [{"line": number, "code": "x", "sentence": SENTENCE} for number in (1, 2)]
    async with hearing(imported.house, "ann") as ear:
        await move(imported.job, "processing", "completed", result={"tracks": 2, "problems": problems})
        told = await ear.until_told(SENTENCE)
        assert b"Retry failed (3)" in told
        assert largest(ear) < LARGEST_BYTES


async def test_a_download_that_changes_tells_little(imported: Import) -> None:
    async with hearing(imported.house, "ann") as ear:
        await move(imported.download, "downloading", "failed", error_code="source_blocked", error=SENTENCE)
        await ear.until_told('data-state="failed"')
        await ear.until_told("Retry failed (2)")
        assert any(f'id="track-{imported.track_id}"'.encode() in message for message in ear.heard)
        assert largest(ear) < LARGEST_BYTES


async def test_the_head_of_a_list_and_the_states_of_its_songs_stay_small(imported: Import) -> None:
    ann, walk_id = imported.house.users["ann"], uuid4()
    listed = NewPlaylist("playlist", "0" * 22, imported.words, imported.words, 2)
    async with transaction() as session:
        playlist_id = await library.add_playlist(session, ann, listed, walk_id)
    async with hearing(imported.house, "ann", view="playlist", list_id=playlist_id) as ear:
        async with transaction() as session:
            await library.add_entries(
                session, ann, playlist_id, walk_id, [NewEntry(0, "x", imported.words, imported.track_id)]
            )
            await library.end_walk(session, ann, playlist_id, notice=NOTICE, is_cut=True)
        told = await ear.until_told(f'id="list-{playlist_id}"')
        assert b"100 of 512" in told
        await ear.until_told(f'href="/tracks/{imported.track_id}"')
        await move(imported.download, "downloading")
        await ear.until_told(f"state-of-{imported.track_id}")
        async with transaction() as session:
            words = {"title": f"b{imported.words[:299]}", "artist": imported.words, "album": ""}
            await library.change_track(session, ann, imported.track_id, **words)
        told = await ear.until_told(f'hx-swap-oob="outerHTML:.name-of-{imported.track_id}"')
        assert b">b" in told
        assert largest(ear) < LARGEST_BYTES
