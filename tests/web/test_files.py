"""What browsers may keep of somebody's sound."""

from soundforge import formats
from soundforge.db import transaction
from tests.support.factories import add_song, new_file
from tests.support.house import House


async def test_a_file_to_take_away_is_asked_for_every_time_and_sent_once(house: House) -> None:
    song = await house.add_song()
    ann = house.visitors["ann"]
    for path in (
        f"/tracks/{song.track_id}/stems/{song.stem_id}",
        f"/api/v1/tracks/{song.track_id}/stems/{song.stem_id}",
        f"/jobs/{song.export_job}/file",
        f"/api/v1/jobs/{song.export_job}/file",
        f"/tracks/{song.track_id}/cover",
        f"/api/v1/tracks/{song.track_id}/cover",
    ):
        first = await ann.get(path)
        assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', f'"other",W/{tag}'):
            again = await ann.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await ann.get(path, headers={"If-None-Match": '"other"'})).content == first.content
        assert (await house.visitors["ben"].get(path, headers={"If-None-Match": tag})).status_code == 404


async def test_after_a_title_is_corrected_the_file_has_its_new_name(house: House) -> None:
    song = await house.add_song()
    ann, path = house.visitors["ann"], f"/tracks/{song.track_id}/stems/{song.stem_id}"
    before = await ann.get(path)
    await ann.post(f"/tracks/{song.track_id}", data={"title": "Corrected", "artist": "Ann"})
    after = await ann.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.content) == (200, before.content)
    name = formats.attachment(formats.file_name("Ann", "Corrected", "vocals", ".flac"))
    assert after.headers["content-disposition"] == name


async def test_what_plays_is_kept_by_one_browser_alone(house: House) -> None:
    song = await house.add_song()
    for path in (f"/audio/{song.mix_id}/pcm?from=0&frames=10", f"/files/{song.peaks_id}/peaks"):
        answer = await house.visitors["ann"].get(path)
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


async def test_a_cover_is_a_picture_and_nothing_else(house: House) -> None:
    song, ann, program = await house.add_song(), house.visitors["ann"], house.visitors["reading token"]
    for answer in (
        await ann.get(f"/tracks/{song.track_id}/cover"),
        await program.get(f"/api/v1/tracks/{song.track_id}/cover"),
    ):
        assert (answer.content, answer.headers["content-type"]) == (b"\xff\xd8\xff", "image/jpeg")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert formats.file_name("Ann", "Song", "cover", ".jpg") in answer.headers["content-disposition"]
    async with transaction() as session:
        plain = await add_song(session, house.users["ann"])
        drawn = await add_song(session, house.users["ann"], cover=new_file("cover.svg", "image/svg+xml"))
    for track in (plain, drawn):
        refused = await program.get(f"/api/v1/tracks/{track.id}/cover")
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, "This track has no cover.")
