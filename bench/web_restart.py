"""The server goes and comes under 200 listeners and five pages: how long until each is live and right again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import statistics
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import UUID

import httpx2

from bench.web_browser import SHOWN, live, rename, windows
from bench.web_server import LISTENERS, client, p95
from tests.support.browser import until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.async_api import Page

    from bench.web import Bench

PAGES = 5
DOWN_S = 3.0
PATIENCE_S = 60.0
# How a page connects anew: see feed() in components/status.html and the extension's own delays.
FIRST_DELAY_S, LONGEST_DELAY_S, JITTER = 0.5, 1.0, 0.3
ROWS = re.compile(r'class="page-of-rows"[^>]* data-page="([^"]+)"')
FEED = re.compile(r'hx-sse:connect="([^"]+)"')


async def restart(bench: Bench) -> None:
    """Stop the server, change a title that nobody is told of, start it, and time until everybody shows it."""
    async with AsyncExitStack() as stack:
        pages = [await live(bench, await stack.enter_async_context(windows(bench))) for _ in range(PAGES)]
        first = (await pages[0].evaluate(SHOWN))[0]
        async with client(bench, LISTENERS + 50) as visitor, asyncio.TaskGroup() as group:
            addresses = await _addresses(visitor)
            listeners = [_Listener(visitor, *addresses) for _ in range(LISTENERS)]
            tasks = [group.create_task(one.listen()) for one in listeners]
            await _all(one.live for one in listeners)
            await bench.studio.stop()
            title = await rename(bench, UUID(first.removeprefix("track-")))
            for one in listeners:
                one.lose(title)
            await asyncio.sleep(DOWN_S)
            await bench.studio.start()
            began = time.monotonic()
            shown = [group.create_task(_shows(page, first, title, began)) for page in pages]
            await _all(one.right for one in listeners)
            _told(bench, [one.right_at - began for one in listeners], [await task for task in shown])
            for task in tasks:
                task.cancel()


async def _addresses(visitor: httpx2.AsyncClient) -> tuple[str, str]:
    """What a page listens to, and where it asks for its rows anew."""
    drawn = (await visitor.get("/")).text
    found = [pattern.findall(drawn)[0].replace("&amp;", "&") for pattern in (FEED, ROWS)]
    return found[0], found[1]


def _told(bench: Bench, listeners: list[float], pages: list[float]) -> None:
    bench.note("restart: s until 200 listeners are live and right, median", statistics.median(listeners))
    bench.note("restart: the same, p95", p95(listeners))
    bench.note("restart: the same, the last", max(listeners), 5)
    bench.note("restart: s until the last of five pages is live and right", max(pages), 5)


async def _all(events: Iterable[asyncio.Event]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(event.wait() for event in events))


async def _shows(page: Page, row: str, title: str, began: float) -> float:
    """Seconds until a page is live again and shows the title."""
    await until(page, "document.getElementById('link').dataset.state === 'live'", within_s=PATIENCE_S)
    await until(page, f"document.querySelector('#{row} a').textContent === {title!r}", within_s=PATIENCE_S)
    return time.monotonic() - began


class _Listener:
    """One page without a browser: hears its feed, connects anew as the page does, asks for what the page asks for."""

    def __init__(self, visitor: httpx2.AsyncClient, feed: str, rows: str) -> None:
        self.live, self.right = asyncio.Event(), asyncio.Event()
        self.right_at = 0.0
        self._visitor, self._feed, self._rows = visitor, feed, rows
        self._title = ""

    def lose(self, title: str) -> None:
        """From here on it is right when it has this title."""
        self._title = title

    async def listen(self) -> None:
        """Hear until cancelled."""
        attempt = 0
        while True:
            with contextlib.suppress(httpx2.HTTPError):  # the server is away, or busy
                async with self._visitor.stream("GET", self._feed) as answer:
                    answer.raise_for_status()
                    attempt = 0
                    await self._hear(answer)
            attempt += 1
            await asyncio.sleep(_delay_s(attempt))

    async def _hear(self, answer: httpx2.Response) -> None:
        async for line in answer.aiter_lines():
            self.live.set()
            if line == "event: resync":
                await self._read_anew()

    async def _read_anew(self) -> None:
        """Ask for rows and dock one after the other, as resync.js does."""
        rows = (await self._visitor.get(self._rows)).raise_for_status()
        (await self._visitor.get("/jobs/dock")).raise_for_status()
        if self._title and self._title in rows.text:
            self.right_at = time.monotonic()
            self.right.set()


def _delay_s(attempt: int) -> float:
    delay: float = min(FIRST_DELAY_S * 2 ** (attempt - 1), LONGEST_DELAY_S)
    return delay * (1 + JITTER * random.uniform(-1, 1))  # noqa: S311 - nobody guesses it
