"""The tools beside the studio, by page and by API."""

from soundforge import accounts, jobs
from soundforge.db import reading
from soundforge.tables import Kind
from tests.support.house import House


async def test_an_admin_sees_the_tools_and_asks_for_one(house: House) -> None:
    owner = house.visitors["owner"]
    assert "not installed" in (await owner.get("/settings")).text
    assert (await owner.post("/settings/tools/downloader", data={})).status_code == 303
    page = (await owner.get("/settings")).text
    assert "being installed" in page
    async with reading() as session:
        (job,) = (await jobs.list_jobs(session, house.users["owner"], kinds=[Kind.MAINTENANCE])).rows
    assert job.params == {"what": "tool:downloader", "upgrade": False}


async def test_a_member_sees_none_and_may_ask_for_none(house: House) -> None:
    member = house.visitors["ann"]
    assert 'id="tools"' not in (await member.get("/settings")).text
    assert (await member.post("/settings/tools/downloader", data={})).status_code == 403
    assert (await member.post("/api/v1/tools/downloader/install")).status_code == 403


async def test_the_api_lists_tools_and_takes_an_upgrade(house: House) -> None:
    owner = house.visitors["owner"]
    (tool, *_) = (await owner.get("/api/v1/tools")).json()
    assert (tool["name"], tool["is_installed"], tool["version"]) == ("downloader", False, "")
    answer = await owner.post("/api/v1/tools/downloader/upgrade")
    assert (answer.status_code, answer.json()["title"]) == (202, "tool:downloader")
    assert (await owner.get("/api/v1/tools")).json()[0]["job_id"] == answer.json()["id"]
    assert (await owner.post("/api/v1/tools/nothing/install")).status_code == 404


async def test_cookies_are_set_by_an_admin_and_never_shown(house: House) -> None:
    row = ".youtube.com\tTRUE\t/\tTRUE\t1999999999\tSID\tsecret-value"
    where, form = "/settings/values/downloader_cookies", {"value": f"# Netscape HTTP Cookie File\r\n{row}\r\n"}
    assert (await house.visitors["ann"].post(where, data=form)).status_code == 403
    owner = house.visitors["owner"]
    assert (await owner.post(where, data={"value": "SID=x"})).status_code == 422
    keyring = accounts.open_keyring(house.scratch / "key")
    with accounts.open_settings({}, keyring):
        assert (await owner.post(where, data=form)).status_code == 303
        page = (await owner.get("/settings")).text
        assert "secret-value" not in page
        assert "set; paste to replace it" in page
        async with reading() as session:
            assert row in str(await accounts.get_setting(session, None, "downloader_cookies"))
