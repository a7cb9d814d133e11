"""Accounts by page and API: whom an admin may look after, and that a link lets in once."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from soundforge import accounts
from soundforge.db import reading
from soundforge.tables import User
from tests.support.house import House

LINK = re.compile(r"http://localhost:8723(/link/[\w-]+)")


async def person(house: House, name: str) -> User:
    async with reading() as session:
        return await accounts.get_user(session, house.users[name])


async def act(house: House, who: str, on: str, what: str) -> int:
    answer = await house.visitors[who].post(f"/admin/people/{house.users[on]}", data={"act": what})
    return answer.status_code


async def test_an_invited_person_comes_in_by_a_link_that_is_shown_once(house: House) -> None:
    answer = await house.visitors["eve"].post("/admin/people", data={"name": "Fay"})
    (link,) = LINK.findall(answer.text)
    assert link not in (await house.visitors["eve"].get("/admin/people")).text
    entered = await house.visitors["anonymous"].post(link, data={"password": "a long enough password"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    again = await house.visitors["anonymous"].get(link, headers={"Sec-Fetch-Site": "none"})
    assert again.status_code == 404


@pytest.mark.parametrize(("name", "sentence"), [("ann", "already a user"), ("", "A name has"), ("<b>", "A name has")])
async def test_a_name_that_cannot_be_is_refused_in_words(house: House, name: str, sentence: str) -> None:
    answer = await house.visitors["eve"].post("/api/v1/users", json={"name": name or " "})
    page = await house.visitors["eve"].post("/admin/people", data={"name": name or " "})
    assert answer.status_code in (409, 422)
    assert (page.status_code, sentence in page.text) == (422, True)
    assert not LINK.findall(page.text)


async def test_an_admin_looks_after_members_and_the_owner_after_admins(house: House) -> None:
    for what in ("link", "disable", "member"):
        assert await act(house, "eve", "owner", what) == 403
        assert await act(house, "eve", "eve", what) == 403
    assert await act(house, "eve", "ann", "admin") == 403
    assert (await house.visitors["eve"].post("/admin/people", data={"name": "fay", "role": "admin"})).status_code == 403
    assert await act(house, "owner", "ann", "admin") == 303
    assert (await person(house, "ann")).role == "admin"
    assert await act(house, "owner", "eve", "member") == 303
    assert (await house.visitors["eve"].get("/admin")).status_code == 403
    assert (await house.visitors["admin's token"].get("/api/v1/queues")).status_code == 403
    assert await act(house, "owner", "owner", "disable") == 409


async def test_whom_an_admin_disables_is_out_at_once_and_may_be_let_in_again(house: House) -> None:
    assert (await house.visitors["ben"].get("/api/v1/me")).status_code == 200
    assert await act(house, "eve", "ben", "disable") == 303
    assert (await house.visitors["ben"].get("/api/v1/me")).status_code == 401
    assert "disabled" in (await house.visitors["eve"].get("/admin/people")).text
    assert await act(house, "eve", "ben", "link") == 409
    assert await act(house, "eve", "ben", "enable") == 303
    assert await act(house, "eve", "ben", "link") == 200


async def test_a_token_of_the_page_runs_out_and_has_the_scopes_that_were_asked_for(house: House) -> None:
    made = await house.visitors["eve"].post("/settings/tokens", data={"name": "x", "scope": "admin", "days": "30"})
    assert made.status_code == 200
    refused = await house.visitors["ann"].post("/settings/tokens", data={"name": "x", "scope": "admin"})
    assert refused.status_code == 403
    async with reading() as session:
        token = (await accounts.list_tokens(session, house.users["eve"]))[-1]
    assert token.scopes == ["read", "write", "admin"]
    assert token.expires_at is not None


async def test_a_token_by_the_api_may_run_out_and_says_when(house: House) -> None:
    until = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    api = house.visitors["ann"]
    made = (await api.post("/api/v1/tokens", json={"name": "x", "expires_at": until.isoformat()})).json()
    shown = {token["id"]: token["expires_at"] for token in (await api.get("/api/v1/tokens")).json()}
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(shown[made["id"]]) == until
    assert (await api.post("/api/v1/tokens", json={"name": "y"})).json()["expires_at"] is None
    for past in ("2020-01-01T00:00:00Z", "2120-01-01T00:00:00"):  # over before it is made; no zone
        assert (await api.post("/api/v1/tokens", json={"name": "z", "expires_at": past})).status_code == 422
