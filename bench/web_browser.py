"""What the page costs in a browser: scrolling far, 250 changes a second, ten tabs."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bench.web_jobs import RATE, Ticks, ticking
from soundforge import library
from soundforge.db import transaction
from tests.support.browser import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, CDPSession, Page

    from bench.web import Bench

FAR = 5000
WATCH_S = 12.0
TABS = 10
SHOWN = "[...document.querySelectorAll('.row')].map((row) => row.id)"
LAST = "[...document.querySelectorAll('.row')].at(-1).id"
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
}
"""
LONG = """
() => {
  window.long = [];
  new PerformanceObserver((list) => window.long.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
}
"""


@asynccontextmanager
async def windows(bench: Bench) -> AsyncIterator[BrowserContext]:
    """Windows of one browser that share what such share; logged in."""
    context = await bench.browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": "sfa_session", "value": bench.cookie, "url": bench.studio.url}])
    yield context
    await context.close()


async def live(bench: Bench, context: BrowserContext, path: str = "") -> Page:
    """Open a page and wait until it hears the server."""
    page = await context.new_page()
    await page.goto(bench.studio.url + path)
    await until(page, "document.getElementById('link')?.dataset.state === 'live'", within_s=30)
    return page


async def scroll(bench: Bench) -> None:
    """Scroll to row 5,000: every row once and in order, memory as at row 1,000."""
    async with windows(bench) as context:
        page = await live(bench, context, "?sort=title&dir=asc")
        cdp = await context.new_cdp_session(page)
        seen: dict[str, None] = {}
        sizes: list[tuple[float, float]] = []
        most = 0
        began = time.monotonic()
        while len(seen) < FAR:
            rows = await page.evaluate(SHOWN)
            seen |= dict.fromkeys(rows)
            most = max(most, len(rows))
            if len(seen) >= 1000 * (len(sizes) + 1):
                sizes.append(await _sizes(cdp))
            await page.evaluate("document.getElementById('library').scrollTop = 1e9")
            await until(page, f"{LAST} !== {rows[-1]!r}", within_s=30)
        bench.note("scroll to row 5,000: s", time.monotonic() - began)
        bench.note("scroll: rows skipped or out of order", await _gaps(bench, [*seen][:FAR]), 0)
        (heap, nodes), (last_heap, last_nodes) = sizes[0], sizes[-1]
        bench.note("scroll: heap at row 1,000, MB", heap)
        bench.note("scroll: heap at row 5,000 for each of that", last_heap / heap, 1.2)
        bench.note("scroll: DOM nodes at row 1,000", nodes)
        bench.note("scroll: nodes at row 5,000 for each of that", last_nodes / nodes, 1.2)
        bench.note("scroll: most rows in the page", most, 1000)


async def _sizes(cdp: CDPSession) -> tuple[float, float]:
    """The page's heap in MB, what the DOM keeps included, and its nodes, those that wait for collection too."""
    for _ in range(2):  # what only falls away with the first
        await cdp.send("HeapProfiler.collectGarbage")
    found = await cdp.send("Runtime.getHeapUsage")
    nodes = await cdp.send("Memory.getDOMCounters")
    return float(found["usedSize"] + found.get("embedderHeapUsedSize", 0)) / 1e6, float(nodes["nodes"])


async def _gaps(bench: Bench, seen: list[str]) -> int:
    """How many of the rows seen differ from what the database says stands at their place."""
    async with transaction() as session:
        query = library.Query(sort="title", descending=False)
        page = await library.list_tracks(session, bench.owner_id, query, limit=len(seen))
    return sum(f"track-{track.id}" != row for track, row in zip(page.rows, seen, strict=True))


async def feed(bench: Bench) -> None:
    """Look at a page on which fifty jobs begin and then move 250 times a second, each in its row and in the dock."""
    async with windows(bench) as context:
        page = await live(bench, context)
        await page.evaluate(LONG)
        async with ticking(bench.studio.dsn, bench.owner_id) as ticks:
            await until(page, "document.querySelectorAll('.row progress').length >= 50", within_s=30)
            await asyncio.sleep(1)
            bench.note("feed: longest task while fifty jobs begin, ms", await _longest(page))
            ticks.begin.set()
            await asyncio.sleep(1)
            await _watch(bench, page, ticks)


async def _watch(bench: Bench, page: Page, ticks: Ticks) -> None:
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Performance.enable")
    await page.evaluate(PAINTS)
    before, count, began = await _busy_s(cdp), ticks.count, time.monotonic()
    await asyncio.sleep(WATCH_S)
    spent = time.monotonic() - began
    busy = 100 * (await _busy_s(cdp) - before) / spent
    changes = (ticks.count - count) / spent
    bench.note("feed: changes a second", changes)
    waits = _waits(await page.evaluate("window.painted.splice(0)"), ticks)
    bench.note("feed: paints of bars a second", len(waits) / spent)
    bench.note("feed: commit to paint, ms median", statistics.median(waits))
    bench.note("feed: commit to paint, ms p95", sorted(waits)[round(0.95 * (len(waits) - 1))], 150)
    bench.note("feed: main thread, per cent", busy, 25)
    bench.note("feed: longest task, ms (below 50: none is told)", await _longest(page), 200)
    if changes < 0.95 * RATE * len(ticks.tracks):
        raise RuntimeError("The database was too slow for what is to be measured.")


def _waits(painted: list[Any], ticks: Ticks) -> list[float]:
    """Milliseconds from a change to its paint in the dock and in its row; what was passed over is not painted."""
    found = []
    for element, value, at in painted:
        name = element.removeprefix("progress-")
        job = ticks.tracks.get(name.removeprefix("row-"), name)
        if told := ticks.at.get((job, int(value))):
            found.append(at - 1000 * told)
    return found


async def _longest(page: Page) -> float:
    return float(max(await page.evaluate("window.long.splice(0)"), default=0))


async def _busy_s(cdp: CDPSession) -> float:
    found = await cdp.send("Performance.getMetrics")
    return next(float(one["value"]) for one in found["metrics"] if one["name"] == "TaskDuration")


async def tabs(bench: Bench) -> None:
    """Ten tabs that are all on show: each opens, none is stuck, each shows a change."""
    async with windows(bench) as context:
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
    rows = await page.evaluate(SHOWN)
    await page.evaluate("document.getElementById('library').scrollTop = 1e9")
    title = await rename(bench, UUID(rows[0].removeprefix("track-")))
    try:
        await until(page, f"{LAST} !== {rows[-1]!r}", within_s=5)
        await until(page, f"document.querySelector('#{rows[0]} a').textContent === {title!r}", within_s=5)
    except Exception as error:  # noqa: BLE001 - whatever keeps it from showing
        print(f"  a tab did not hear: {error}")
        return False
    return True


async def rename(bench: Bench, track_id: UUID) -> str:
    """Change a track's title and give it; the rest stays, or a search without a hit would have one from then on."""
    title = f"Changed {time.monotonic()}"
    async with transaction() as session:
        track = await library.get_track(session, bench.owner_id, track_id)
        words = {"artist": track.artist, "album": track.album}
        await library.change_track(session, bench.owner_id, track_id, title=title, **words)
    return title
