"""What the page costs in a browser: scrolling far, 250 changes a second, a server that restarts, ten tabs."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bench.web_jobs import ticking
from soundforge import library
from soundforge.db import open_database, transaction
from tests.support.browser import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, CDPSession, Page

    from bench.web import Bench

FAR = 5000
WATCH_S = 12.0
TABS = 10
VISITED = "[...document.querySelectorAll('.row')].map((row) => row.id)"
PAINTS = """
() => {
  window.painted = [];
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => {
    const now = performance.timeOrigin + performance.now();
    for (const [id, value] of waiting.splice(0)) window.painted.push([id, value, now]);
  };
  new MutationObserver((changes) => {
    const first = waiting.length === 0;
    for (const { target: bar } of changes)
      if (bar instanceof HTMLProgressElement && bar.id.startsWith("progress-")) waiting.push([bar.id, bar.value]);
    if (first && waiting.length) requestAnimationFrame(() => channel.port2.postMessage(0));
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["value"] });
  window.long = [];
  new PerformanceObserver((list) => window.long.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
}
"""


@asynccontextmanager
async def _context(bench: Bench) -> AsyncIterator[BrowserContext]:
    context = await bench.browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": "sfa_session", "value": bench.cookie, "url": bench.studio.url}])
    yield context
    await context.close()


async def _live(bench: Bench, context: BrowserContext, path: str = "") -> Page:
    page = await context.new_page()
    await page.goto(bench.studio.url + path)
    await until(page, "document.getElementById('link')?.dataset.state === 'live'", within_s=30)
    return page


async def _heap_mb(cdp: CDPSession) -> float:
    await cdp.send("HeapProfiler.collectGarbage")
    found = await cdp.send("Runtime.getHeapUsage")
    return float(found["usedSize"]) / 1e6


async def scroll(bench: Bench) -> None:
    """Scroll to row 5,000: every row once and in order, memory as at row 1,000."""
    async with _context(bench) as context:
        page = await _live(bench, context, "?sort=title&dir=asc")
        cdp = await context.new_cdp_session(page)
        seen: dict[str, None] = {}
        heaps: list[float] = []
        began = time.monotonic()
        while len(seen) < FAR:
            seen |= dict.fromkeys(await page.evaluate(VISITED))
            if len(seen) >= 1000 * (len(heaps) + 1):
                heaps.append(await _heap_mb(cdp))
            last = await page.evaluate("[...document.querySelectorAll('.row')].at(-1).id")
            await page.evaluate("document.getElementById('library').scrollTop = 1e9")
            await until(page, f"[...document.querySelectorAll('.row')].at(-1).id !== {last!r}", within_s=30)
        bench.note("scroll to row 5,000: s", time.monotonic() - began)
        bench.note("scroll: rows that were skipped or double", await _gaps(bench, [*seen][:FAR]), 0)
        bench.note("scroll: heap at row 1,000, MB", heaps[0])
        bench.note("scroll: heap at row 5,000 for each of that", heaps[-1] / heaps[0], 1.2)
        bench.note("scroll: rows in the page", await page.evaluate("document.querySelectorAll('.row').length"), 1000)


async def _gaps(bench: Bench, seen: list[str]) -> int:
    """How many of the rows seen differ from what the database says stands at their place."""
    async with open_database(bench.studio.dsn), transaction() as session:
        query = library.Query(sort="title", descending=False)
        page = await library.list_tracks(session, bench.owner_id, query, limit=len(seen))
    return sum(f"track-{track.id}" != row for track, row in zip(page.rows, seen, strict=True))


async def feed(bench: Bench) -> None:
    """Look at a page that hears 250 changes a second."""
    async with _context(bench) as context, ticking(bench.studio.dsn, bench.owner_id) as ticks:
        page = await _live(bench, context)
        cdp = await context.new_cdp_session(page)
        await cdp.send("Performance.enable")
        await asyncio.sleep(1)
        await page.evaluate(PAINTS)
        before, count, began = await _busy_s(cdp), ticks.count, time.monotonic()
        await asyncio.sleep(WATCH_S)
        spent = time.monotonic() - began
        busy = 100 * (await _busy_s(cdp) - before) / spent
        bench.note("feed: changes a second", (ticks.count - count) / spent)
        painted: list[Any] = await page.evaluate("window.painted")
        waits = sorted(_waits(painted, ticks.at))
        bench.note("feed: paints seen", len(waits))
        bench.note("feed: commit to paint, ms median", statistics.median(waits))
        bench.note("feed: commit to paint, ms p95", waits[round(0.95 * (len(waits) - 1))], 150)
        bench.note("feed: main thread, per cent", busy, 25)
        bench.note("feed: longest task, ms", max(await page.evaluate("window.long"), default=0), 200)


def _waits(painted: list[Any], told: dict[tuple[str, int], float]) -> list[float]:
    """Milliseconds from a commit to its paint; a value that was passed over counts as the one painted after it."""
    ids = {job for job, _ in told}
    found = []
    for element, value, at in painted:
        job = element.removeprefix("progress-")
        if job in ids and (job, int(value)) in told:
            found.append(at - 1000 * told[job, int(value)])
    return found


async def _busy_s(cdp: CDPSession) -> float:
    found = await cdp.send("Performance.getMetrics")
    return next(float(one["value"]) for one in found["metrics"] if one["name"] == "TaskDuration")


async def tabs(bench: Bench) -> None:
    """Ten tabs that are all on show: each opens, none is stuck, each shows a change."""
    async with _context(bench) as context:
        began = time.monotonic()
        pages = [await _open(bench, context) for _ in range(TABS)]
        bench.note("ten tabs: s until the last is usable", time.monotonic() - began)
        stuck = [page for page in pages if not await _hears(bench, page)]
        bench.note("ten tabs: stuck", len(stuck), 0)


async def _open(bench: Bench, context: BrowserContext) -> Page:
    page = await context.new_page()
    await page.goto(bench.studio.url, timeout=30_000)
    await until(page, "document.querySelectorAll('.row').length > 0", within_s=30)
    return page


async def _hears(bench: Bench, page: Page) -> bool:
    """Whether a page still loads rows and shows what changes, within five seconds."""
    await page.bring_to_front()
    await page.dispatch_event("body", "pointerdown")  # whoever uses a window touches it
    title = f"Changed {time.monotonic()}"
    shown = await page.evaluate("document.querySelector('.row').id.slice('track-'.length)")
    async with open_database(bench.studio.dsn), transaction() as session:
        await library.change_track(session, bench.owner_id, shown, title=title, artist="", album="")
    try:
        await until(page, f"document.querySelector('.row a').textContent === {title!r}", within_s=5)
    except Exception as error:  # noqa: BLE001 - whatever keeps it from showing
        print(f"  a tab did not hear: {error}")
        return False
    return True


async def restart(bench: Bench) -> None:
    """The server goes and comes under five pages: how long until each is live and shows what it missed."""
    async with _context(bench) as context:
        pages = [await _live(bench, context) for _ in range(5)]
        first = await pages[0].evaluate("document.querySelector('.row').id.slice('track-'.length)")
        title = f"While nobody told {time.monotonic()}"
        await bench.studio.stop()
        async with open_database(bench.studio.dsn), transaction() as session:
            await library.change_track(session, bench.owner_id, first, title=title, artist="", album="")
        await asyncio.sleep(3)
        await bench.studio.start()
        began = time.monotonic()
        for page in pages:
            await until(page, "document.getElementById('link').dataset.state === 'live'", within_s=30)
            await until(page, f"document.querySelector('.row a').textContent === {title!r}", within_s=30)
        bench.note("server restarted: s until all five pages are live and right", time.monotonic() - began, 5)
