"""The library's page: search, columns, many tracks at once, artists, albums and the trash."""

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from soundforge import accounts, jobs, library
from soundforge.db import Database, reading, transaction
from soundforge.library import Figures, Query, Selection
from soundforge.tables import Kind, Track
from tests.support.db import counted_queries
from tests.support.factories import add_many_songs, add_song, new_file, new_stems
from tests.support.feeds import LARGEST_BYTES, hearing
from tests.support.house import House, add_job

PAGE = {"Accept": "text/html"}
TOKEN = re.compile(r"/library/undo\?removed_at=([^\"]+)")
MOST_QUERIES = 6
PAGES = re.compile(r'class="page-of-rows"[^>]* data-page="([^"]+)"')
ROWS = re.compile(r'<div class="row" role="row" id="([^"]+)"')
GAP = re.compile(r'class="page-gap" data-rows="(\d+)" hx-get="([^"]+)"')


async def song(house: House, title: str, owner: str = "ann", **more: Any) -> UUID:
    async with transaction() as session:
        return (await add_song(session, house.users[owner], title, **more)).id


async def page(house: House, path: str, who: str = "ann", status: int = 200) -> str:
    answer = await house.visitors[who].get(path, headers=PAGE)
    assert answer.status_code == status, answer.text
    return answer.text


async def test_a_search_that_is_not_understood_is_answered_in_the_place_of_the_list(house: House) -> None:
    await song(house, "Blue")
    shown = await page(house, "/?q=blue+bpm:fast", status=422)
    assert "“bpm:fast” cannot be searched for; write it like bpm:120-128." in shown
    assert "/library/rows" not in shown, "no rows are asked for again, to be refused again"
    assert 'id="library"' in shown
    assert "/events/page" in shown  # and hears nothing of a list that it does not show
    assert (await house.visitors["ann"].get("/events/library?q=bpm:fast", headers=PAGE)).status_code == 422
    program = await house.visitors["reading token"].get("/api/v1/tracks?q=bpm:fast")
    assert (program.status_code, program.json()["error"]["code"]) == (422, "bad_search")


async def test_page_and_api_search_alike(house: House) -> None:
    await song(house, "Blue")
    await song(house, "Red")
    assert "Blue" in (shown := await page(house, '/?q=title:"blue"'))
    assert "Red" not in shown
    found = (await house.visitors["reading token"].get('/api/v1/tracks?q=-title:"blue"')).json()
    assert [row["title"] for row in found["rows"]] == ["Red"]


async def test_the_columns_are_remembered_for_each_account(house: House) -> None:
    await song(house, "Blue", album="Movement")
    assert "Movement" not in await page(house, "/")
    chosen = {"column": ["album", "bpm", "year"], "back": "/?q=blue"}
    answer = await house.visitors["ann"].post("/library/columns", data=chosen)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?q=blue")
    shown = await page(house, "/")
    assert "Movement" in shown
    assert shown.count('class="column-key"') == 0
    assert "columns=bpm%2Calbum%2Cyear" in shown  # rows that follow, and rows that are sent, look alike
    assert 'class="column-key"' in await page(house, "/", "ben")
    async with reading() as session:
        assert await accounts.get_setting(session, house.users["ann"], "library_columns") == "bpm,album,year"


async def test_a_list_without_any_column_is_title_and_artist(house: House) -> None:
    await song(house, "Blue", artist="Ann")
    await house.visitors["ann"].post("/library/columns", data={"back": "/"})
    shown = await page(house, "/")
    assert "columns=none" in shown
    assert shown.count('class="row-name"') == 2
    assert 'role="gridcell" class="column-bpm"' not in shown + await page(house, "/library/rows?columns=none")


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
async def test_choosing_columns_leads_nowhere_else(house: House, back: str) -> None:
    answer = await house.visitors["ann"].post("/library/columns", data={"column": ["bpm"], "back": back})
    assert answer.headers["location"] == "/"


async def test_an_unknown_column_is_refused(house: House) -> None:
    answer = await house.visitors["ann"].post("/library/columns", data={"column": ["owner"]})
    assert answer.status_code == 422
    assert "There is no column owner" in answer.text


@pytest.mark.parametrize(
    "words", ["a" * 300, "東" * 300, "<&\"'>" * 60, "🎧" * 300], ids=["a", "wide", "markup", "faces"]
)
async def test_a_row_with_every_column_stays_small(house: House, words: str) -> None:
    ann = house.users["ann"]
    track_id = await song(house, words, artist=words, album=words, cover=new_file("cover.jpg", "image/jpeg"))
    by_title, by_age = Query(sort="title", descending=False), Query()
    every = {"columns": accounts.COLUMNS}
    async with hearing(house, "ann", by_title, **every) as ear, hearing(house, "ann", by_age, **every) as other:
        async with transaction() as session:
            await library.set_figures(session, ann, track_id, Figures(123.45, "A minor", "8A", -12.3))
            await session.execute(update(Track).where(Track.id == track_id).values(year=1983, is_doubtful=True))
            job = await add_job(session, ann, Kind.SEPARATION, track_id=track_id)
            await session.execute(update(type(job)).where(type(job).id == job.id).values(status="processing", run=1))
            await library.change_track(session, ann, track_id, title=f"b{words[:299]}", artist=words, album=words)
        told = await ear.until_told("separating")
        assert b"beforebegin:#rows-end" in told  # taken out and put in at another place, the largest there is
        assert b"1983" in told
        async with transaction() as session:
            await session.execute(update(type(job)).where(type(job).id == job.id).values(status="completed", run=1))
        await other.until_told("no stems")
        async with transaction() as session:
            stems = new_stems("vocals", "drums", "bass", "other", "guitar", "piano")
            await library.add_stems(session, ann, track_id, job.id, stems)
        told = await other.until_told('data-stem="piano"')
        assert b"data-play data-cover data-file" in told
        await other.until_told(f"/tracks/{track_id}/stage")  # what tells of the row tells also the page of its track
        assert max(len(piece) for piece in (*ear.pieces(), *other.pieces())) < LARGEST_BYTES


async def test_a_page_of_rows_that_grew_leads_to_all_of_them_and_keeps_both_its_ends(house: House) -> None:
    async with transaction() as session:
        await add_many_songs(session, house.users["ann"], 150)
    (address,) = PAGES.findall(await page(house, "/"))
    for number in range(220):
        await song(house, f"new {number}")
    sizes: list[int] = []
    seen: list[str] = []
    while address:
        shown = await page(house, html.unescape(address))
        rows = ROWS.findall(shown)
        seen += rows
        sizes.append(len(rows))
        (again,) = PAGES.findall(shown)
        assert "until=" in again
        assert ROWS.findall(await page(house, html.unescape(again))) == rows, "and again exactly the same rows"
        gap = GAP.search(shown)
        assert gap is None or int(gap[1]) == 320 - len(seen)
        address = gap[2] if gap else ""
    assert sizes == [200, 120]
    assert len(set(seen)) == 320


async def test_the_page_takes_six_queries_however_large_the_library_is(house: House, database: Database) -> None:
    async with transaction() as session:
        await add_many_songs(session, house.users["ann"], 500)
    await house.add_song()  # with jobs that wait, failed and are done
    await page(house, "/")
    for path in ("/", "/?q=song+1&sort=bpm&dir=asc", "/?q=zebra"):
        with counted_queries(database) as sent:
            await page(house, path)
        asked = [statement for statement in sent if not statement.startswith(("BEGIN", "SET", "SHOW"))]
        assert len(asked) <= MOST_QUERIES, "\n\n".join(asked)


async def test_many_pages_that_ask_for_the_same_rows_at_once_cost_hardly_more_than_one(
    house: House, database: Database
) -> None:
    await house.add_song()
    with counted_queries(database) as sent:
        shown = await asyncio.gather(*(page(house, path) for path in ("/library/rows", "/jobs/dock") * 20))
    assert (len(set(shown)), shown[0] == shown[2], shown[0] == shown[1]) == (2, True, False)
    assert sum(" FROM tracks" in statement and "LIMIT" in statement for statement in sent) <= 3
    assert "Song" not in await page(house, "/library/rows", who="ben")


async def test_a_search_for_what_a_track_has_finds_it_as_soon_as_it_has_it(house: House) -> None:
    ann = house.users["ann"]
    track_id = await song(house, "Blue")
    async with (
        hearing(house, "ann", Query(search="-has:stems")) as without,
        hearing(house, "ann", Query(search="has:stems")) as having,
    ):
        async with transaction() as session:
            job = await add_job(session, ann, Kind.SEPARATION, track_id=track_id)
            await library.add_stems(session, ann, track_id, job.id, new_stems())
        await without.until_told(f'<div id="track-{track_id}" hx-swap-oob="delete">')
        assert b"Blue" in await having.until_told("Blue")


async def test_a_search_for_what_failed_loses_what_is_tried_again(house: House) -> None:
    ann = house.users["ann"]
    track_id = await song(house, "Blue")
    async with hearing(house, "ann", Query(search="is:waiting")) as ear:
        async with transaction() as session:
            job = await add_job(session, ann, Kind.ANALYSIS, track_id=track_id)
        await ear.until_told("Blue")
        async with transaction() as session:
            await jobs.request_cancel(session, ann, job.id)
        await ear.until(lambda: f'<div id="track-{track_id}" hx-swap-oob="delete">'.encode() in ear.heard[-1])


async def titles(house: House, search: str = "") -> list[str]:
    async with reading() as session:
        query = Query(search=search, sort="title", descending=False)
        return [track.title for track in (await library.list_tracks(session, house.users["ann"], query)).rows]


async def test_many_are_deleted_at_once_and_come_back(house: House) -> None:
    ids = [await song(house, title) for title in "abc"]
    theirs = await song(house, "x", "ben")
    ann = house.visitors["ann"]
    form = {"action": "delete", "ids": f"{ids[0]},{ids[1]},{theirs}"}
    answer = await ann.post("/library/batch", data=form, headers=PAGE)
    assert (answer.status_code, await titles(house)) == (200, ["c"])
    assert "Deleted: 2 tracks." in answer.text
    assert "sf:batched" in answer.headers["hx-trigger"]
    address = TOKEN.search(answer.text)
    assert address
    back = await ann.post(f"/library/undo?removed_at={address[1]}", headers=PAGE)
    assert "Back again: 2 tracks." in back.text
    assert await titles(house) == ["a", "b", "c"]


async def test_all_that_a_search_finds_is_acted_on_but_what_was_left_out(house: House) -> None:
    ids = {title: await song(house, title) for title in ("blue a", "blue b", "red")}
    ann = house.visitors["ann"]
    form = {"action": "analyze", "all": "true", "ids": f"{ids['blue b']}"}
    answer = await ann.post("/library/batch?q=blue", data=form, headers=PAGE)
    assert "Analysis asked for: 1 track." in answer.text
    again = await ann.post("/library/batch?q=blue", data={"action": "analyze", "all": "true"}, headers=PAGE)
    assert "Analysis asked for: 1 track, 1 under way already." in again.text
    assert await titles(house, "is:waiting") == ["blue a", "blue b"]


async def test_all_that_a_search_finds_is_never_more_than_what_was_told(house: House) -> None:
    ids = {title: await song(house, title) for title in ("blue a", "blue b", "red")}
    ann = house.visitors["ann"]
    assert (await ann.get("/library/count?q=blue")).json() == {"count": 2}
    await song(house, "blue c")
    form = {"action": "delete", "all": "true", "ids": f"{ids['blue b']}", "told": "1"}
    answer = await ann.post("/library/batch?q=blue", data=form, headers=PAGE)
    assert answer.status_code == 409
    assert "Chosen were 1, and by now it would be 2. Nothing was done" in answer.text
    assert await titles(house, "blue") == ["blue a", "blue b", "blue c"]
    assert (await ann.get("/library/count?q=blue")).json() == {"count": 3}
    done = await ann.post("/library/batch?q=blue", data={**form, "told": "2"}, headers=PAGE)
    assert "Deleted: 2 tracks." in done.text
    assert await titles(house) == ["blue b", "red"]


async def test_what_makes_no_sense_is_refused_and_nothing_is_done(house: House) -> None:
    track_id = await song(house, "a")
    ann = house.visitors["ann"]
    for form, sentence in (
        ({"action": "sing", "ids": f"{track_id}"}, "With tracks one can do"),
        ({"action": "delete", "ids": "x"}, "These are no tracks."),
        ({"action": "delete"}, "No track of yours was chosen."),
        ({"action": "add", "ids": f"{track_id}", "playlist": "x"}, "Choose the list to add to."),
        ({"action": "add", "ids": f"{track_id}", "playlist": "new"}, "A list has a title"),
        ({"action": "download:midi", "ids": f"{track_id}"}, "A zip of tracks holds one of"),
        ({"action": "download:stems", "ids": f"{track_id}"}, "None of these tracks has stems yet."),
    ):
        answer = await ann.post("/library/batch", data=form, headers=PAGE)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert await titles(house) == ["a"]
    async with reading() as session:
        assert (await library.list_playlists(session, house.users["ann"])).rows == ()
        assert (await jobs.list_jobs(session, house.users["ann"])).rows == ()


async def test_a_new_list_is_made_of_what_was_chosen(house: House) -> None:
    ids = [await song(house, title) for title in "ab"]
    form = {"action": "add", "ids": f"{ids[1]},{ids[0]}", "playlist": "new", "title": "Mine"}
    answer = await house.visitors["ann"].post("/library/batch", data=form, headers=PAGE)
    assert "Added: 2 tracks." in answer.text
    async with reading() as session:
        (made,) = (await library.list_playlists(session, house.users["ann"])).rows
        entries = (await library.list_entries(session, made.id)).rows
    assert (made.title, [entry.title for entry in entries]) == ("Mine", ["b", "a"])


async def test_programs_do_the_same(house: House) -> None:
    ids = [await song(house, title) for title in ("blue", "red")]
    program = house.visitors["writing token"]
    body = {"action": "delete", "search": "title:blue"}
    done = (await program.post("/api/v1/tracks/batch", json=body)).json()
    assert (done["count"], await titles(house)) == (1, ["red"])
    back = await program.post("/api/v1/tracks/batch/undo", params={"removed_at": done["removed_at"]})
    assert back.json() == {"count": 1}
    packed = (await program.post("/api/v1/tracks/batch", json={"action": "download", "ids": [str(ids[0])]})).json()
    async with reading() as session:
        job = await jobs.get_job(session, house.users["ann"], UUID(packed["job_id"]))
    assert (job.kind, job.params["tracks"]) == ("export", [str(ids[0])])


async def test_a_zip_of_many_tracks_is_offered_when_it_is_packed(house: House) -> None:
    ann = house.users["ann"]
    track_id = await song(house, "Blue")
    async with hearing(house, "ann") as ear:
        form = {"action": "download:audio", "ids": f"{track_id}"}
        assert (await house.visitors["ann"].post("/library/batch", data=form, headers=PAGE)).status_code == 200
        await ear.until_told("1 track (audio)")
        async with transaction() as session:
            (job,) = (await jobs.list_jobs(session, ann)).rows
            for status in ("processing", "completed"):
                moved = update(type(job)).where(type(job).id == job.id)
                await session.execute(moved.values(status=status, run=1, result={"file_id": "x", "name": "x.zip"}))
        told = await ear.until_told(f"/jobs/{job.id}/file")
        assert b"1 track (audio) is packed." in told
        assert max(len(piece) for piece in ear.pieces()) < LARGEST_BYTES


async def test_the_trash_tells_the_days_left_restores_and_deletes_for_good(house: House) -> None:
    ids = {title: await song(house, title) for title in ("old", "new")}
    async with transaction() as session:
        for title, days in (("old", 6.5), ("new", 0)):
            moment = datetime.now(UTC) - timedelta(days=days)
            await session.execute(update(Track).where(Track.id == ids[title]).values(deleted_at=moment))
    shown = await page(house, "/trash")
    assert shown.index("new") < shown.index("1 day left")
    assert "7 days left" in shown
    assert "Empty the trash (2)" in shown
    assert "Restore" not in await page(house, "/trash", "ben")
    ann = house.visitors["ann"]
    assert (await ann.post(f"/trash/{ids['new']}/restore")).status_code == 303
    assert await titles(house) == ["new"]
    assert (await ann.post(f"/trash/{ids['old']}/delete")).status_code == 303
    assert "The trash is empty" in await page(house, "/trash")
    async with reading() as session:
        (job,) = (await jobs.list_jobs(session, house.users["ann"], kinds=[Kind.MAINTENANCE])).rows
    assert job.params == {"what": "purge"}


async def test_the_trash_is_emptied_of_as_many_tracks_as_were_told_and_no_other_number(house: House) -> None:
    ann = house.visitors["ann"]
    ids = [await song(house, title) for title in "abc"]
    async with transaction() as session:
        await library.remove_tracks(session, house.users["ann"], Selection((ids[0], ids[1])))
    shown = await page(house, "/trash")
    assert "Delete all 2 tracks in the trash for good" in shown
    assert 'name="told" value="2"' in shown
    assert "Delete “a” for good" in shown
    async with transaction() as session:
        await library.remove_track(session, house.users["ann"], ids[2])
    refused = await ann.post("/trash/empty", data={"told": "2"}, headers=PAGE)
    assert refused.status_code == 409
    assert "By now 3 are in the trash, not 2. Nothing was deleted" in refused.text
    assert "Empty the trash (3)" in await page(house, "/trash")
    assert (await ann.post("/trash/empty", data={"told": "3"})).status_code == 303
    assert "The trash is empty" in await page(house, "/trash")


async def test_artists_and_albums_lead_to_their_tracks(house: House) -> None:
    await song(house, "One", artist='The "X" & Co', album="Blue")
    await song(house, "Two", artist="The X", album="Blue")
    shown = await page(house, "/artists")
    (address,) = re.findall(r'href="(/\?q=artist[^"]+%22%22X[^"]+)"', shown)
    tracks = await page(house, address.replace("&amp;", "&"))
    assert "One" in tracks
    assert "Two" not in tracks
    assert "Various artists" in await page(house, "/albums")
    assert "Blue" not in await page(house, "/albums", "ben")
    rows = await page(house, "/artists/rows?after=the%20%22x%22%20%26%20co")
    assert rows.count("<li") == 1
