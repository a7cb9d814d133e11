"""The studio in the browser at 100,000 tracks (`make bench-web`): five rounds, each figure beside its limit.

    python -m bench.web [--rounds 5] [--tracks 100000] [--only page,search,scroll,feed,listeners,restart,tabs]

A real server in a process of its own, PostgreSQL, Debian's Chromium. Times are of this machine, whose load is printed
before and after each round; beside them stand what the same machine needs for an empty page and for the bare statement.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from playwright.async_api import Browser, async_playwright

from bench import web_browser, web_restart, web_server
from bench.seed import TRACKS, seed
from soundforge import accounts
from soundforge.db import Database, open_database, transaction
from tests.support.accounts import set_password
from tests.support.browser import FLAGS, Studio, run_studio
from tests.support.db import run_test_server
from tests.support.require import chromium


@dataclass
class Bench:
    """What the parts measure with, and what they found: name → one figure each round."""

    studio: Studio
    database: Database
    browser: Browser
    owner_id: UUID
    cookie: str
    found: dict[str, list[float]] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, value: float, limit: float | None = None) -> None:
        """Keep a figure of this round, and what it shall not pass."""
        self.found.setdefault(name, []).append(value)
        if limit is not None:
            self.limits[name] = limit


type Part = Callable[[Bench], Awaitable[None]]
PARTS: dict[str, Part] = {
    "page": web_server.page,
    "search": web_server.search,
    "scroll": web_browser.scroll,
    "feed": web_browser.feed,
    "listeners": web_server.listeners,
    "tabs": web_browser.tabs,
    "restart": web_restart.restart,
}


@asynccontextmanager
async def opened(dsn: str, how_many: int) -> AsyncIterator[Bench]:
    """A studio with a large library, and a browser."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_database(dsn) as database:
            async with transaction() as session:
                owner = await accounts.ensure_owner(session)
                await set_password(session, owner, "a long enough password")
                await seed(session, owner.id, how_many)
            async with transaction() as session:
                cookie = await accounts.start_session(session, owner.id, agent="bench")
            async with run_studio(dsn, Path(folder), queues="none") as studio, async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                yield Bench(studio, database, browser, owner.id, cookie)
                await browser.close()


def report(bench: Bench) -> None:
    """Print every figure: the median round, the worst, and its limit."""
    print(f"\n{'':62}{'median':>9}{'worst':>9}{'limit':>9}")
    for name, values in bench.found.items():
        limit = bench.limits.get(name)
        mark = "" if limit is None or statistics.median(values) <= limit else "  over"
        told = f"{limit:9g}" if limit is not None else f"{'':9}"
        print(f"{name:62}{statistics.median(values):9.1f}{max(values):9.1f}{told}{mark}", flush=True)


async def main(dsn: str, rounds: int, how_many: int, only: list[str]) -> None:
    """Measure and print."""
    async with opened(dsn, how_many) as bench:
        for number in range(rounds):
            for name in only:
                before = os.getloadavg()[0]
                await _measure(bench, name)
                print(f"round {number + 1}: {name}, load {before:.1f} to {os.getloadavg()[0]:.1f}", flush=True)
            report(bench)


async def _measure(bench: Bench, name: str) -> None:
    """Measure one part; one that fails is told, and the others go on."""
    try:
        await PARTS[name](bench)
    except Exception:  # noqa: BLE001 - whatever it is, it is printed
        traceback.print_exc()
        bench.note(f"{name}: did not end", 1, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tracks", type=int, default=TRACKS)
    parser.add_argument("--only", default=",".join(PARTS))
    arguments = parser.parse_args()
    with run_test_server() as server:
        asyncio.run(main(server.create_database(), arguments.rounds, arguments.tracks, arguments.only.split(",")))
