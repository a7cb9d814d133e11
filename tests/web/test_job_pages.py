"""The pages of jobs: what runs, waits and failed; one job with its times; trying all again; queues for admins."""

import html
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from soundforge import jobs
from soundforge.db import reading, transaction
from soundforge.tables import Job, Kind, Status
from tests.support.factories import add_song
from tests.support.feeds import LARGEST_BYTES, hearing
from tests.support.house import House, add_job, finish


async def several(house: House) -> dict[str, UUID]:
    """One job of Ann's in each state."""
    ann = house.users["ann"]
    async with transaction() as session:
        made = {
            state: (await add_job(session, ann, Kind.IMPORT, params={"name": f"{state}.wav"}))
            for state in ("waiting", "running", "failed", "cancelled", "done")
        }
        await finish(session, made["failed"], Status.FAILED, {})
        await finish(session, made["done"], Status.COMPLETED, {"duplicate": True})
        await jobs.request_cancel(session, ann, made["cancelled"].id)
    await move(made["running"].id, status="processing", run=1)
    return {state: job.id for state, job in made.items()}


async def move(job_id: UUID, **values: Any) -> None:
    async with transaction() as session:
        await session.execute(update(Job).where(Job.id == job_id).values(values))


async def page_of(house: House, path: str, *, who: str = "ann") -> str:
    answer = await house.visitors[who].get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def names(page: str) -> set[str]:
    return set(re.findall(r'class="job-title[^>]*>(\w+)\.wav<', page))


SHOWN = {
    "all": {"waiting", "running", "failed", "cancelled", "done"},
    "running": {"running"},
    "waiting": {"waiting"},
    "failed": {"failed", "cancelled"},
    "done": {"done"},
}


async def test_each_view_lists_what_it_says(house: House) -> None:
    await several(house)
    for show, wanted in SHOWN.items():
        assert names(await page_of(house, f"/jobs?show={show}")) == wanted
        assert names(await page_of(house, f"/jobs/rows?show={show}")) == wanted
    tabs = re.sub(r"<[^>]+>|\s+", " ", await page_of(house, "/jobs/tabs"))
    assert re.findall(r"(Running|Waiting|Failed)\s+(\d+)", tabs) == [
        ("Running", "1"),
        ("Waiting", "1"),
        ("Failed", "2"),
    ]
    assert "Retry all that failed" not in await page_of(house, "/jobs/tabs", who="ben")
    assert (await house.visitors["ann"].get("/jobs?show=everything")).status_code == 422


PAGES = re.compile(r'class="page-of-rows"[^>]* data-page="([^"]+)"')
GAP = re.compile(r'class="page-gap" data-rows="(\d+)" hx-get="([^"]+)"')
JOBS = re.compile(r'id="job-([0-9a-f-]{36})"')


async def test_a_page_of_jobs_that_grew_leads_to_all_of_them_and_keeps_both_its_ends(house: House) -> None:
    for _ in range(60):
        await add_jobs(house, 1)
    (address,) = PAGES.findall(await page_of(house, "/jobs"))
    await add_jobs(house, 205)
    seen: list[str] = []
    sizes: list[int] = []
    while address:
        shown = await page_of(house, html.unescape(address))
        rows = JOBS.findall(shown)
        seen += rows
        sizes.append(len(rows))
        (again,) = PAGES.findall(shown)
        assert JOBS.findall(await page_of(house, html.unescape(again))) == rows, "and again exactly the same jobs"
        assert ('id="newest-jobs"' in shown) == (len(sizes) == 1), "new ones come on top of the first page"
        gap = GAP.search(shown)
        assert gap is None or int(gap[1]) == 255 - len(seen)
        address = gap[2] if gap else ""
    assert sizes == [200, 55]
    assert len(set(seen)) == 255


async def add_jobs(house: House, count: int) -> None:
    async with transaction() as session:
        for number in range(count):
            await add_job(session, house.users["ann"], Kind.IMPORT, params={"name": f"{number}.wav"})


async def test_a_job_that_made_a_file_leads_to_it_in_every_list(house: House) -> None:
    song = await house.add_song()
    for path in ("/jobs", f"/jobs/{song.export_job}", "/jobs/dock"):
        shown = await page_of(house, path)
        assert re.findall(r'href="(/jobs/[0-9a-f-]+/file)" download', shown) == [f"/jobs/{song.export_job}/file"]


async def test_a_job_tells_why_it_failed_and_how_long_each_stage_took(house: House) -> None:
    made = await several(house)
    async with transaction() as session:
        await add_job(
            session, house.users["ann"], Kind.DOWNLOAD, parent_id=made["failed"], params={"name": "child.wav"}
        )
    told = await page_of(house, f"/jobs/{made['failed']}")
    assert "The engine crashed." in told
    assert "engine_crashed" in told
    assert "child" in names(told)
    await move(made["running"], status="completed", stages_s=[["decoding", 61.0], ["storing", 2.5]])
    told = re.sub(r"<[^>]+>|\s+", " ", await page_of(house, f"/jobs/{made['running']}"))
    assert re.search(r"Decoding\s+1 min 01 s", told)
    assert re.search(r"Storing\s+2\.5 s", told)
    assert "no worker runs this queue" in await page_of(house, f"/jobs/{made['waiting']}")
    assert "was in your library already" in await page_of(house, f"/jobs/{made['done']}")


async def test_everything_that_failed_is_tried_again_but_not_what_was_cancelled_or_replaced(house: House) -> None:
    made, ann = await several(house), house.users["ann"]
    async with transaction() as session:
        track = await add_song(session, ann, "Song", "Ann")
        same = {"kind": Kind.ANALYSIS, "owner_id": ann, "unique_key": str(track.id), "track_id": track.id}
        replaced = await jobs.add_job(session, **same)
        await finish(session, replaced, Status.FAILED, {})
    async with transaction() as session:
        await finish(session, await jobs.add_job(session, **same), Status.COMPLETED, {})
        gone = await add_job(session, ann, Kind.IMPORT, params={"name": "gone.wav", "upload_gone": True})
        await finish(session, gone, Status.FAILED, {})
    answer = await house.visitors["ann"].post("/api/v1/jobs/retry-failed")
    assert (answer.status_code, answer.json()) == (202, {"jobs": 1})
    async with reading() as session:
        statuses = {job.id: job.status for job in (await jobs.list_jobs(session, ann)).rows}
    assert statuses[made["failed"]] == "queued"
    assert {statuses[one] for one in (made["cancelled"], replaced.id, gone.id)} == {"failed"}
    again = await house.visitors["ann"].post("/api/v1/jobs/retry-failed")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "nothing_failed")


@pytest.mark.parametrize("letters", ["a" * 300, "東" * 300, "<&\"'>" * 60, "🎧" * 300], ids=range(4))
async def test_a_row_with_every_button_and_the_longest_words_stays_small(house: House, letters: str) -> None:
    ann = house.users["ann"]
    async with transaction() as session:
        job = await add_job(session, ann, Kind.IMPORT, params={"what": "paste", "name": letters, "lines": []})
        tracks = [await add_song(session, ann, f"{letters[:200]}{number}", letters) for number in range(2)]
        asked = [await add_job(session, ann, Kind.DOWNLOAD, track_id=one.id, parent_id=job.id) for one in tracks]
        await finish(session, asked[0], Status.FAILED, {})
    async with hearing(house, "ann") as ear:
        await move(job.id, status="failed", error_code="x", error=letters)
        told = (await ear.until_told("Retry failed (1)")).decode()
        assert all(button in told for button in ('data-act="retry"', 'data-act="cancel"', "/retry-failed"))
        assert max(len(piece) for piece in ear.pieces()) < LARGEST_BYTES


async def test_an_admin_pauses_and_limits_queues_by_the_page(house: House) -> None:
    eve = house.visitors["eve"]
    assert (await eve.post("/admin/queues/processing", data={"act": "pause"})).status_code == 303
    assert (await eve.post("/admin/queues/processing", data={"limit": "7"})).status_code == 303
    page = await page_of(house, "/admin", who="eve")
    assert "Resume processing" in page
    assert 'value="7"' in page
    (queue,) = [one for one in (await eve.get("/api/v1/queues")).json() if one["queue"] == "processing"]
    assert (queue["paused"], queue["limit"]) == (True, 7)
    assert (await eve.post("/admin/queues/processing", data={"limit": ""})).status_code == 303
    assert 'value="7"' not in await page_of(house, "/admin", who="eve")
    assert (await eve.post("/admin/queues/lunch", data={"act": "pause"})).status_code == 404
    assert (await eve.post("/admin/queues/processing", data={"limit": "-1"})).status_code == 422
    assert (await eve.get(f"/jobs/{uuid4()}")).status_code == 404
