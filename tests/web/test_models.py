"""The separation models, by page, by API and live."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import reading, transaction
from soundforge.engines import ModelStore, open_models
from soundforge.events import JobChanged
from soundforge.library import Query
from soundforge.tables import Job, Kind, Status
from soundforge.web._reads import Reads
from soundforge.web._stream import Feed, News
from soundforge.web._stream_library import LOADERS
from tests.support.house import House, finish
from tests.support.models import put, tiny_store


@pytest.fixture(autouse=True)
def store(settings: Settings) -> Iterator[ModelStore]:
    with open_models(tiny_store(settings.models_folder)) as opened:
        yield opened


async def newest(house: House) -> Job:
    async with reading() as session:
        return (await jobs.list_jobs(session, house.users["owner"], kinds=[Kind.MAINTENANCE])).rows[0]


async def test_an_admin_sees_every_model_its_licence_and_downloads_one(house: House) -> None:
    owner = house.visitors["owner"]
    page = (await owner.get("/settings")).text
    assert "Download (1 MB)" in page
    assert "owner/tiny" in page
    assert (await owner.post("/settings/models/tiny", data={})).status_code == 303
    job = await newest(house)
    assert job.params == {"what": "model:tiny", "remove": False}
    page = (await owner.get("/settings")).text
    assert f'id="progress-{job.id}"' in page
    assert f"/jobs/{job.id}/cancel" in page


async def test_a_download_that_waits_to_be_tried_again_says_why(house: House) -> None:
    owner = house.visitors["owner"]
    await owner.post("/settings/models/tiny", data={})
    job = await newest(house)
    async with transaction() as session:
        away = {"error_code": "service_away", "error": "The model hub cannot be reached."}
        await session.execute(update(Job).where(Job.id == job.id).values(away))
    assert "The model hub cannot be reached. It is tried again by itself." in (await owner.get("/settings")).text
    async with transaction() as session:
        await jobs.request_cancel(session, house.users["owner"], job.id)
    assert "cannot be reached" not in (page := (await owner.get("/settings")).text)
    assert "Download (1 MB)" in page


async def test_a_download_that_was_given_up_says_why_when_one_comes_back_to_the_page(house: House) -> None:
    owner = house.visitors["owner"]
    await owner.post("/settings/models/tiny", data={})
    job = await newest(house)
    async with transaction() as session:
        await finish(session, job, Status.FAILED, {})
    page = (await owner.get("/settings")).text
    assert "The engine crashed." in page, "what the factory lets a failed job say"
    assert "Download (1 MB)" in page
    await owner.post("/settings/models/tiny", data={})
    assert "The engine crashed." not in (await owner.get("/settings")).text, "it is tried anew"


async def test_a_model_that_is_here_can_be_removed(house: House, store: ModelStore) -> None:
    owner = house.visitors["owner"]
    put(store, "tiny")
    assert "no engine" in (await owner.get("/settings")).text, "nothing here runs it"
    assert (await owner.post("/settings/models/tiny", data={"remove": "1"})).status_code == 303
    assert (await newest(house)).params == {"what": "model:tiny", "remove": True}


async def test_a_member_chooses_among_what_is_here_and_changes_nothing(house: House) -> None:
    member = house.visitors["ann"]
    page = (await member.get("/settings")).text
    assert 'id="models"' not in page
    assert "Basic separation (dsp)" in page
    assert (await member.post("/settings/models/tiny", data={})).status_code == 403


async def test_the_api_lists_pulls_and_removes(house: House, store: ModelStore) -> None:
    owner = house.visitors["owner"]
    tiny, dsp = (await owner.get("/api/v1/models")).json()
    assert (tiny["name"], tiny["engine"], tiny["lack"]) == ("tiny", "", "tiny is not downloaded")
    assert (dsp["engine"], dsp["lack"], dsp["may_sell"]) == ("dsp", "", True)
    assert (await owner.delete("/api/v1/models/tiny")).status_code == 409
    answer = await owner.post("/api/v1/models/tiny/pull")
    assert (answer.status_code, answer.json()["title"]) == (202, "model:tiny")
    assert (await owner.post("/api/v1/models/tiny/pull")).status_code == 409, "it is under way"
    assert (await owner.post("/api/v1/models/none/pull")).status_code == 422


async def test_the_page_hears_how_a_download_gets_on(house: House) -> None:
    owner = house.visitors["owner"]
    await owner.post("/settings/models/tiny", data={})
    job = await newest(house)

    async def allowed() -> bool:
        return True

    feed = Feed(house.users["owner"], "settings", Query(), allowed)

    async def hear(status: str, progress: int) -> dict[str, object]:
        event = JobChanged(
            owner_id=feed.owner_id,
            job_id=job.id,
            kind=Kind.MAINTENANCE,
            track_id=None,
            parent_id=None,
            status=status,
            progress=progress,
            stage="downloading",
            run=1,
            error_code=None,
            wait_reason=None,
        )
        told = await LOADERS["job_changed"](News(event, {}, Reads()), feed, event)
        assert isinstance(told, list)
        return dict(told[0])

    first = await hear("processing", 1)
    assert (first["tick"], first["job"].id) == (False, job.id)
    assert (await hear("processing", 40))["tick"], "only the bar moves"
    assert (await hear("completed", 100))["job"] is None
