import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library
from soundforge.config import Settings
from soundforge.db import reading, transaction
from soundforge.library import NewEntry, NewPlaylist, NewSong
from soundforge.sources import EXTENSIONS
from soundforge.tables import Job, Kind, Status
from soundforge.web._render import most_taken
from tests.support.house import House, add_job, finish


async def test_a_paste_says_what_it_is_before_it_starts(house: House) -> None:
    text = "Ann - Sea\n<script>alert(1)</script> - x\nspotify:track:1"
    answer = await house.visitors["ann"].post("/import/preview", data={"text": text})
    assert "2 of 3 lines can be imported." in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text
    async with reading() as session:
        assert not (await session.scalars(select(Job))).all()


async def test_a_refused_paste_comes_back_with_its_reason_and_its_text(house: House) -> None:
    answer = await house.visitors["ann"].post("/import/text", data={"text": "file:///etc/passwd"})
    assert answer.status_code == 422
    assert "other files can be uploaded." in answer.text
    assert "file:///etc/passwd</textarea>" in answer.text


async def test_before_anybody_allowed_it_the_box_tells_what_it_means_and_only_an_admin_may(house: House) -> None:
    async with transaction() as session:
        await accounts.change_setting(session, None, "allow_audio_download", "off")
    ann, eve = house.visitors["ann"], house.visitors["eve"]
    assert "Their terms forbid it" in (await ann.get("/import/paste")).text
    assert "I have read this" not in (await ann.get("/import/paste")).text
    refused = await ann.post("/api/v1/imports/text", json={"text": "Ann - Sea"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "downloads_off")
    assert "I have read this" in (await eve.get("/import/paste")).text
    assert "<textarea" in (await eve.post("/import/allow")).text
    assert (await ann.post("/api/v1/imports/text", json={"text": "Ann - Sea"})).status_code == 202


async def test_a_pasted_list_becomes_an_import_of_a_file(house: House) -> None:
    text = "Track Name,Artist Name(s)\n" + "\n".join(f"Song {n},Ann" for n in range(200))
    answer = await house.visitors["ann"].post("/api/v1/imports/text", json={"text": text})
    assert (answer.status_code, answer.json()["title"]) == (202, "Pasted list.csv")
    assert len(list(house.studio.settings.incoming_folder.iterdir())) == 1


async def test_a_list_of_512_is_read_by_key_in_its_order(house: House) -> None:
    playlist_id = await add_list(house.users["ann"], 512)
    ann = house.visitors["ann"]
    seen, after = [], ""
    while True:
        more = {"after": after} if after else {}
        page = (await ann.get(f"/api/v1/playlists/{playlist_id}/entries", params={"limit": 100, **more})).json()
        seen += [row["position"] for row in page["rows"]]
        after = page["next"]
        if not after:
            break
    assert seen == list(range(512))
    first = (await ann.get(f"/playlists/{playlist_id}")).text
    assert first.count('class="entry"') == 100
    assert "sentinel" in first


async def test_an_import_tells_how_many_of_its_songs_came(house: House) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        parent = await add_job(session, ann, Kind.IMPORT, params={"what": "paste", "name": "3 songs", "lines": []})
        songs = await library.add_songs(session, ann, [NewSong(f"Song {n}", "Ann") for n in range(3)])
        children = [
            await add_job(session, ann, Kind.DOWNLOAD, track_id=song.track_id, parent_id=parent.id) for song in songs
        ]
        failing = update(Job).where(Job.id == children[0].id)
        await session.execute(failing.values(status="failed", error_code="no_match", error="None."))
    job = (await house.visitors["ann"].get(f"/api/v1/jobs/{parent.id}")).json()
    assert job["songs"] == {"total": 3, "done": 0, "failed": 1, "active": 2}
    page = (await house.visitors["ann"].get("/jobs")).text
    assert "0 of 3 songs, 1 failed" in page
    assert "Retry failed (1)" in page
    assert page.count('class="job"') == 1  # its downloads have no rows of their own


async def test_while_no_machine_has_the_downloader_box_import_and_track_say_so(house: House) -> None:
    ann, visitor = house.users["ann"], house.visitors["ann"]
    async with transaction() as session:
        job = await add_job(session, ann, Kind.IMPORT, params={"what": "paste", "name": "A list", "lines": []})
        (song,) = await library.add_songs(session, ann, [NewSong("Sea", "Ann")])
        await add_job(session, ann, Kind.DOWNLOAD, track_id=song.track_id, parent_id=job.id)
        await finish(session, job, Status.COMPLETED, {})
        await add_producer(session, paused=True)
    pages = ("/import/paste", "/jobs", f"/tracks/{song.track_id}")
    told = [(await visitor.get(page)).text for page in pages]
    assert ["The downloader is not installed" in page for page in told] == [True] * 3
    assert 'href="/settings"' in told[2]
    view = (await visitor.get(f"/api/v1/jobs/{job.id}")).json()
    assert view["waiting"].startswith("The downloader is not installed")
    async with transaction() as session:
        await add_producer(session, paused=False)
    told = [(await visitor.get(page)).text for page in pages]
    assert ["The downloader is not installed" in page for page in told] == [False] * 3


async def add_producer(session: AsyncSession, *, paused: bool) -> None:
    """A node that works downloads, or leaves them to others."""
    adding = text(
        "INSERT INTO oban_producers (uuid, node, queue, meta) VALUES (:id, 'a-1', 'download', CAST(:meta AS jsonb))"
    )
    meta = json.dumps({"paused": paused, "local_limit": 3})
    await session.execute(adding, {"id": uuid4(), "meta": meta})


async def test_a_list_made_by_hand_is_never_said_to_be_read_in_part(house: House) -> None:
    async with transaction() as session:
        made = (await library.add_own_playlist(session, house.users["ann"], "Mine")).id
    assert "broke off" not in (await house.visitors["ann"].get(f"/playlists/{made}")).text


async def test_an_import_offers_to_try_its_failed_lines_again_until_somebody_did(house: House) -> None:
    ann, visitor = house.users["ann"], house.visitors["ann"]
    lines = [{"kind": "song", "title": title, "artist": "Ann"} for title in ("Sea", "Sky")]
    problems = [{"line": 2, "code": "x", "sentence": "No such song."}]
    async with transaction() as session:
        job = await add_job(session, ann, Kind.IMPORT, params={"what": "paste", "name": "2 songs", "lines": lines})
        await finish(session, job, Status.COMPLETED, {"problems": problems})
    assert "Retry failed (1)" in (await visitor.get("/jobs")).text
    answer = await visitor.post(f"/jobs/{job.id}/retry-failed")
    assert (answer.status_code, "Trying 1 again." in answer.text) == (200, True)
    page = (await visitor.get("/jobs")).text
    assert "Retry failed" not in page
    assert "2 songs: 1 again" in page
    async with reading() as session:
        (again,) = await session.scalars(select(Job).where(Job.parent_id == job.id))
    assert again.params["lines"] == lines[1:]


@pytest.mark.parametrize("text", ["", " ", "a - b\n" * 101])
async def test_what_cannot_be_read_at_all_is_refused_in_one_sentence(house: House, text: str) -> None:
    answer = await house.visitors["ann"].post("/api/v1/imports/preview", json={"text": text})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].endswith(".")


async def add_list(owner_id: UUID, how_many: int) -> UUID:
    walk_id = UUID(int=1)
    async with transaction() as session:
        listed = NewPlaylist("playlist", "0" * 22, "Long", total=how_many)
        playlist_id = await library.add_playlist(session, owner_id, listed, walk_id)
        entries = [NewEntry(n, f"local:{n}", f"Song {n}", skip="local") for n in range(how_many)]
        await library.add_entries(session, owner_id, playlist_id, walk_id, entries)
        await library.end_walk(session, owner_id, playlist_id, notice=None, is_cut=False)
    return playlist_id


async def test_the_dialog_says_what_is_taken(house: House) -> None:
    settings = house.studio.settings
    shown = (await house.visitors["ann"].get("/")).text
    assert f"Up to {most_taken(settings)} each" in shown
    accepted = shown.split('id="upload-files"')[1].split('accept="')[1].split('"')[0].split(",")
    assert {*accepted} == {*EXTENSIONS, "audio/*", ".csv"}


@pytest.mark.parametrize(
    ("most_mb", "most_s", "words"),
    [
        (2048, 10_800, "2 GB and 3 hours"),
        (500, 3600, "500 MB and 1 hour"),
        (1536, 5400, "1536 MB and 90 minutes"),
        (1, 61, "1 MB and 61 seconds"),
    ],
)
def test_what_is_taken_is_said_as_it_is_set(settings: Settings, most_mb: int, most_s: int, words: str) -> None:
    assert most_taken(settings.model_copy(update={"max_upload_mb": most_mb, "max_duration_s": most_s})) == words
