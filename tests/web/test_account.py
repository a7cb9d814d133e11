"""Logging in and choosing passwords, by the pages' forms."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from soundforge import accounts
from soundforge.accounts import _passwords
from soundforge.db import Database, reading, transaction
from tests.support.accounts import PASSWORD, set_password
from tests.support.house import House

DEADLINE_S = 20.0


@contextmanager
def hashing_stands_still() -> Iterator[None]:
    """Keep both threads of the hasher busy."""
    go_on = threading.Event()
    for _ in range(2):
        _passwords._threads.submit(go_on.wait, DEADLINE_S)
    try:
        yield
    finally:
        go_on.set()


async def until_waiting(count: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while _passwords._threads._work_queue.qsize() < count:
            await asyncio.sleep(0.01)


async def give_password(house: House, name: str = "ann") -> None:
    async with transaction() as session:
        await set_password(session, await accounts.get_user(session, house.users[name]), PASSWORD)


async def test_while_passwords_are_hashed_the_database_is_free(house: House, database: Database) -> None:
    await give_password(house)
    async with transaction() as session:
        token = await accounts.start_session(session, house.users["ann"])
        link = await accounts.new_link(session, await accounts.get_user(session, house.users["ben"]))
    visitor = house.visitors["anonymous"]
    browser = {"Cookie": f"sfa_session={token}", "Sec-Fetch-Site": "same-origin"}
    with hashing_stands_still():
        asked = [
            asyncio.create_task(visitor.post("/login", data={"name": f"user{number}", "password": "x"}))
            for number in range(20)
        ]
        asked.append(asyncio.create_task(visitor.post(f"/link/{link}", data={"password": PASSWORD})))
        change = {"old": PASSWORD, "new": "another password"}
        asked.append(asyncio.create_task(visitor.post("/settings/password", data=change, headers=browser)))
        try:
            await until_waiting(22)
            assert database.engine.pool.checkedout() == 0
        finally:
            for task in asked[20:]:
                task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [answer.status_code for answer in answers[:20]] == [403] * 20


async def test_the_right_password_opens_the_studio_and_a_wrong_one_does_not(house: House) -> None:
    await give_password(house)
    visitor = house.visitors["anonymous"]
    wrong = await visitor.post("/login", data={"name": "ann", "password": "wrong"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)
    right = await visitor.post("/login", data={"name": "Ann", "password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert "sfa_session=" in right.headers["set-cookie"]


async def test_a_weak_password_is_refused_and_the_link_stays_good(house: House) -> None:
    async with transaction() as session:
        link = await accounts.new_link(session, await accounts.get_user(session, house.users["ann"]))
    visitor = house.visitors["anonymous"]
    weak = await visitor.post(f"/link/{link}", data={"password": "short"})
    assert (weak.status_code, "has 8 to 1000 characters" in weak.text) == (422, True)
    good = await visitor.post(f"/link/{link}", data={"password": PASSWORD})
    assert (good.status_code, good.headers["location"]) == (303, "/")
    again = await visitor.post(f"/link/{link}", data={"password": PASSWORD}, headers={"Sec-Fetch-Site": "none"})
    assert (again.status_code, again.json()["error"]["code"]) == (404, "link_void")


async def test_a_changed_password_ends_the_other_logins_and_keeps_this_one(house: House) -> None:
    await give_password(house)
    async with transaction() as session:
        here, there = [await accounts.start_session(session, house.users["ann"]) for _ in range(2)]
    browser = {"Cookie": f"sfa_session={here}", "Sec-Fetch-Site": "same-origin"}
    visitor, change = house.visitors["anonymous"], {"old": PASSWORD, "new": "another password"}
    refused = await visitor.post("/settings/password", data={**change, "old": "wrong"}, headers=browser)
    weak = await visitor.post("/settings/password", data={**change, "new": "short"}, headers=browser)
    done = await visitor.post("/settings/password", data=change, headers=browser)
    assert [refused.status_code, weak.status_code, done.status_code] == [403, 422, 303]
    async with reading() as session:
        assert await accounts.find_session(session, here) is not None
        assert await accounts.find_session(session, there) is None


@pytest.mark.parametrize("names", [["ann", "ANN", " ann ", "Ann", "aNN", "ann"], [f"user{n}" for n in range(31)]])
async def test_too_many_attempts_from_one_address_wait(house: House, names: list[str]) -> None:
    visitor = house.visitors["anonymous"]
    asked = [visitor.post("/login", data={"name": name, "password": "x" * 1001}) for name in names]
    answers = [await one for one in asked]
    assert [answer.status_code for answer in answers] == [403] * (len(names) - 1) + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
