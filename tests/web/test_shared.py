"""A shared mix: what a link lends, to whom, and until when."""

from uuid import UUID

import httpx2
import pytest

from tests.support.house import House, Song

STATE = {"strips": {"vocals": {"db": -3, "pan": 0.5, "mutes": [[1, 2]]}}, "tempo": 0.8, "semitones": 2}


async def shared(house: House, song: Song) -> tuple[str, str]:
    """Ann saves a mix and shares it: its id and link."""
    ann = house.visitors["ann"]
    saved = await ann.put(f"/api/v1/tracks/{song.track_id}/mixes", json={"name": "Slow", "state": STATE})
    assert saved.status_code == 200, saved.text
    answer = await ann.post(f"/api/v1/mixes/{saved.json()['id']}/link")
    return saved.json()["id"], answer.json()["link"]


async def pcm(browser: httpx2.AsyncClient, link: str, file_id: UUID | str) -> int:
    return (await browser.get(f"{link}/audio/{file_id}/pcm", params={"from": 0, "frames": 10})).status_code


async def test_another_member_hears_and_sees_the_track_of_a_shared_mix_and_changes_nothing(house: House) -> None:
    song = await house.add_song()
    _, link = await shared(house, song)
    ben = house.visitors["ben"]
    page = await ben.get(link, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "Shared by" in page.text
    assert "&#34;semitones&#34;: 2" in page.text
    for part in ('id="search"', 'id="import"', "Account of"):  # it leads into the studio by links that keep the frame
        assert part in page.text
    for act in ("Delete", "Edit", "Download", "Separate", "sf-mixes id"):
        assert act not in page.text
    assert [await pcm(ben, link, file_id) for file_id in (song.mix_id, song.stem_id)] == [200, 200]
    assert await pcm(ben, link, f"{song.mix_id},{song.stem_id}") == 200
    assert (await ben.get(f"{link}/files/{song.peaks_id}/peaks")).status_code == 200
    assert (await ben.get(f"/tracks/{song.track_id}")).status_code == 404
    assert (await ben.get(f"/api/v1/tracks/{song.track_id}/mixes")).status_code == 404


async def test_a_link_lends_what_plays_of_its_own_track_and_no_other_file(house: House) -> None:
    song, other = await house.add_song(), await house.add_song()
    _, link = await shared(house, song)
    ben = house.visitors["ben"]
    assert [await pcm(ben, link, each) for each in (other.mix_id, other.stem_id, song.cover_id)] == [404, 404, 404]
    assert await pcm(ben, link, f"{song.mix_id},{other.stem_id}") == 404
    assert (await ben.get(f"{link}/files/{other.peaks_id}/peaks")).status_code == 404
    assert (await ben.get(f"{link}/files/{song.cover_id}/peaks")).status_code == 404


async def test_what_a_link_lends_is_kept_by_no_browser(house: House) -> None:
    song = await house.add_song()
    _, link = await shared(house, song)
    answer = await house.visitors["ben"].get(f"{link}/audio/{song.mix_id}/pcm", params={"from": 0, "frames": 10})
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("how", ["taken back", "mix deleted", "track deleted"])
async def test_a_link_leads_nowhere_once_it_was_taken_back_or_what_it_shows_is_gone(house: House, how: str) -> None:
    song = await house.add_song()
    mix_id, link = await shared(house, song)
    path = {"taken back": f"mixes/{mix_id}/link", "mix deleted": f"mixes/{mix_id}"}
    await house.visitors["ann"].delete(f"/api/v1/{path.get(how, f'tracks/{song.track_id}')}")
    for visitor in ("ann", "ben", "eve"):
        assert (await house.visitors[visitor].get(link)).status_code == 404
        assert await pcm(house.visitors[visitor], link, song.mix_id) == 404


async def test_a_mix_comes_back_as_it_was_saved_and_its_name_is_kept_once(house: House) -> None:
    song = await house.add_song()
    ann, path = house.visitors["ann"], f"/api/v1/tracks/{song.track_id}/mixes"
    for tempo in (0.8, 0.9):
        await ann.put(path, json={"name": " Slow ", "state": {**STATE, "tempo": tempo}})
    await ann.put(path, json={"state": {}})
    found = (await ann.get(path)).json()
    assert [(mix["name"], mix["state"]["tempo"]) for mix in found] == [("", 1), ("Slow", 0.9)]
    assert found[1]["state"]["strips"]["vocals"]["mutes"] == [[1, 2]]


@pytest.mark.parametrize(
    "state",
    [
        {"tempo": 0.4},
        {"semitones": 13},
        {"strips": {"vocals": {"db": 7}}},
        {"strips": {"vocals": {"pan": 2}}},
        {"strips": {"<b>": {}}},
        {"strips": {"vocals": {"mutes": [[2, 1]]}}},
        {"strips": {"vocals": {"mutes": [[0, 2], [1, 3]]}}},
        {"region": {"start_s": 3, "end_s": 3}},
        {"anything": "else"},
        {"version": 2},
    ],
)
async def test_a_mix_that_cannot_be_is_refused_and_not_kept(house: House, state: dict[str, object]) -> None:
    song = await house.add_song()
    path = f"/api/v1/tracks/{song.track_id}/mixes"
    answer = await house.visitors["ann"].put(path, json={"name": "Bad", "state": state})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "malformed")
    assert (await house.visitors["ann"].get(path)).json() == []


async def test_a_mix_at_another_tempo_or_pitch_is_rendered_to_a_file_of_its_own(house: House) -> None:
    song = await house.add_song()
    path = f"/api/v1/tracks/{song.track_id}/renders"
    states = [{}, {"tempo": 0.8}, {"semitones": 3}, {"tempo": 0.8, "click": True}]
    answers = [await house.visitors["ann"].post(path, json={"state": state}) for state in states]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 409]  # a click is not rendered
    assert len({answer.json()["id"] for answer in answers[:3]}) == 3
