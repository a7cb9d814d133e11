"""Two people, two tabs each: nobody receives a byte of what happens to the other, nor of anything once they are out."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import text

from soundforge import accounts, jobs, library
from soundforge.db import transaction
from soundforge.events import TrackAdded, publish
from soundforge.tables import Kind, User
from soundforge.web._stream import PING_S
from tests.browser.conftest import cookie_of, new_person
from tests.browser.test_studio import add_track
from tests.support.browser import Studio, Visit, settled, visit
from tests.support.wire import Wire

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("chromium"),
    pytest.mark.browser,
    pytest.mark.timeout(180),
]

_LISTEN = """
(address) => fetch(address.url, { headers: { Authorization: `Bearer ${address.token}` }, credentials: "omit" })
  .then(async (answer) => { for await (const bytes of answer.body) window.last = bytes.length; window.ended = true; })
"""


@dataclass
class Tab:
    """A page and what came over its streams."""

    page: Page
    wire: Wire

    @classmethod
    async def of(cls, visiting: Visit, path: str) -> "Tab":
        page = await visiting.context.new_page()
        wire = await Wire.of(page)
        await page.goto(visiting.studio.url + path)
        await page.wait_for_selector("#link[data-state='live']")
        return cls(page, wire)

    async def heard(self, words: str) -> bool:
        return any(words in message for message in await self.page.evaluate("window.heard"))


@dataclass
class Person:
    """Somebody with a job that waits, and their tabs."""

    user: User
    job_id: UUID
    tabs: list[Tab]

    async def stir(self) -> str:
        """Change what they have: a track comes and goes, then their job waits for something else; gives for what."""
        track_id, why = await add_track(self.user, "Here and gone"), uuid4().hex
        async with transaction() as session:
            await publish(session, TrackAdded(owner_id=self.user.id, track_id=track_id))
            await library.remove_track(session, self.user.id, track_id)
            change = text("UPDATE jobs SET wait_reason = :why WHERE id = :id")
            await session.execute(change, {"id": self.job_id, "why": why})
        return why

    async def hear(self) -> None:
        """Stir, and wait until every tab has heard the last of it."""
        why = await self.stir()
        for tab in self.tabs:
            await settled(lambda tab=tab: tab.heard(why))

    async def told(self) -> list[int]:
        """Bytes that came to each tab."""
        return [await tab.wire.told() for tab in self.tabs]

    async def pings(self) -> list[int]:
        """Signs of life that came to each tab."""
        return [await tab.wire.pings() for tab in self.tabs]


@asynccontextmanager
async def somebody(house: Studio, browser: Browser) -> AsyncIterator[Person]:
    user = await new_person()
    async with transaction() as session:
        job = await jobs.add_job(session, kind=Kind.EXPORT, owner_id=user.id, unique_key=str(user.id))
        later = "UPDATE oban_jobs SET state = 'scheduled', scheduled_at = now() + interval '1 hour' WHERE id = :id"
        await session.execute(text(later), {"id": job.oban_job_id})
    async with visit(browser, house, await cookie_of(user)) as visiting:
        visiting.expected += ["401"]
        tabs = [await Tab.of(visiting, ""), await Tab.of(visiting, "jobs")]
        yield Person(user, job.id, tabs)


async def log_out(person: Person) -> None:
    await person.tabs[0].page.evaluate("fetch('/logout', { method: 'POST', redirect: 'manual' }).then(() => null)")


async def disable(person: Person) -> None:
    async with transaction() as session:
        await accounts.disable_user(session, person.user.id)


async def test_not_a_byte_of_one_person_comes_to_the_other(house: Studio, browser: Browser, rows: object) -> None:
    async with somebody(house, browser) as ann, somebody(house, browser) as ben:
        await ben.hear()
        told = await ben.told()
        assert min(told) > 0
        pings, began = await ben.pings(), time.monotonic()
        for _ in range(8):
            await ann.hear()
        assert await ben.told() == told
        by_the_clock = 1 + (time.monotonic() - began) / PING_S  # not one more because of her
        assert all(new - old <= by_the_clock for old, new in zip(pings, await ben.pings(), strict=True))
        await ben.hear()  # and Ben's tabs did listen all the time, on the streams they had
        assert [tab.wire.begun for tab in ben.tabs] == [1, 1]
        for tab in ben.tabs:
            assert not await tab.heard(str(ann.job_id))


@pytest.mark.parametrize("end", [log_out, disable])
async def test_not_a_byte_comes_to_somebody_who_is_out(
    house: Studio, browser: Browser, rows: object, end: Callable[[Person], Awaitable[None]]
) -> None:
    async with somebody(house, browser) as ann, somebody(house, browser) as ben:
        await ann.hear()
        for tab in ann.tabs:
            await tab.page.route("**/login", lambda route: route.fulfill(status=204))  # her pages stay
        await end(ann)
        for tab in ann.tabs:
            await settled(lambda tab=tab: _ended(tab.wire))
        told = await ann.told()
        for _ in range(3):
            await ann.stir()
            await ben.hear()
        assert await ann.told() == told
        assert all([await _ended(tab.wire) for tab in ann.tabs])
        assert await ann.tabs[0].page.evaluate("fetch('/events/library').then((answer) => answer.status)") == 401


async def test_not_a_byte_comes_over_a_token_that_was_revoked(house: Studio, browser: Browser, rows: object) -> None:
    async with somebody(house, browser) as ann, somebody(house, browser) as ben:
        async with transaction() as session:
            token, shown = await accounts.add_token(session, ann.user.id, "program", ["read"])
        wires = []
        for tab in ann.tabs:
            page = await tab.page.context.new_page()
            wires.append(await Wire.of(page))
            await page.goto(f"{house.url}nowhere")
            url = f"{house.url}api/v1/jobs/{ann.job_id}/events"
            await page.evaluate(f"(address) => void ({_LISTEN})(address)", {"url": url, "token": shown})
        for wire in wires:
            await settled(lambda wire=wire: _has(wire, str(ann.job_id), 1))  # how it is now: from here on it listens
        await ann.stir()
        for wire in wires:
            await settled(lambda wire=wire: _has(wire, str(ann.job_id), 2))
        async with transaction() as session:
            await accounts.revoke_token(session, ann.user.id, token.id)
        for wire in wires:
            await settled(lambda wire=wire: _ended(wire))
        received = [wire.received for wire in wires]
        for _ in range(3):
            await ann.hear()  # her own tabs, which are logged in, still hear it
            await ben.hear()
        assert [wire.received for wire in wires] == received
        assert [wire.begun for wire in wires] == [1, 1]


async def _has(wire: Wire, words: str, times: int) -> bool:
    heard = await wire.page.evaluate("window.heard")
    return len([message for message in heard if words in message]) >= times


async def _ended(wire: Wire) -> bool:
    return wire.begun == 1 and wire.open == set()
