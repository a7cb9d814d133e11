"""What the server does for the page: how long it takes beside an empty page and bare SQL, and for 200 listeners."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import psycopg
from sqlalchemy import create_engine

from bench.web_jobs import Ticks, ticking
from soundforge import accounts, library
from soundforge.config import Settings
from soundforge.db import transaction
from soundforge.events import open_listener
from soundforge.web import Studio, create_app
from soundforge.web._feeds import MOST
from tests.support.db import counted_queries
from tests.support.fakes_storage import MemoryStorage

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.web import Bench

TIMES = 20
LISTENERS = 200
LISTEN_S = 10.0
QUIET_S = 2.0
MOST_QUERIES = 6
# No hit: unknown letters, short and long; known words that never stand together; fields; runs of letters that are
# everywhere, in an order that is nowhere.
NO_HITS = (
    *("q", "qx", "zzzyx", "nothingofthekind", "amber 100001", "the the thethe", "ethe", "artist:qqq", "-artist:the"),
    *('title:="amber"', "bpm:300-400", "year:1890-1900", "key:12A bpm:300..", "is:running", "has:guitar amber qx"),
)


def p95(times: list[float]) -> float:
    """The 95th of a hundred."""
    return sorted(times)[round(0.95 * (len(times) - 1))]


async def page(bench: Bench) -> None:
    """The library's page, a page of rows from the middle, and an empty page; how much the library's page asks."""
    bench.note("library page: queries", await _queries(bench), MOST_QUERIES)
    async with client(bench) as visitor:
        for name, path in (
            ("empty page (login), ms p95", "/login"),
            ("library page, ms p95", "/"),
            ("library page by title, ms p95", "/?sort=title&dir=asc"),
            ("page of rows, ms p95", "/library/rows?sort=title&dir=asc"),
        ):
            await _time(visitor, path)  # the first one after a start reads everything into memory
            bench.note(name, p95([await _time(visitor, path) for _ in range(TIMES)]))


async def _queries(bench: Bench) -> int:
    """How many statements the page sends, counted where the same page is drawn in this process."""
    settings = Settings(_env_file=None, queues="none")
    headers = {"Cookie": f"sfa_session={bench.cookie}"}
    with (
        tempfile.TemporaryDirectory() as folder,
        accounts.open_settings({}, accounts.open_keyring(Path(folder) / "key")),
    ):
        async with open_listener() as listener:
            transport = httpx2.ASGITransport(app=create_app(Studio(settings, MemoryStorage(), listener)))
            async with httpx2.AsyncClient(transport=transport, base_url=bench.studio.url, headers=headers) as visitor:
                with counted_queries(bench.database) as sent:
                    (await visitor.get("/")).raise_for_status()
    return sum(not statement.startswith(("BEGIN", "SET", "SHOW")) for statement in sent)


async def search(bench: Bench) -> None:
    """Searches that find nothing, as the page's box asks for them and as a bare statement; the worst counts."""
    found = []
    async with client(bench) as visitor, await psycopg.AsyncConnection.connect(bench.studio.dsn) as bare:
        empty = p95([await _time(visitor, "/login") for _ in range(TIMES)])
        for words in NO_HITS:
            asked = p95([await _time(visitor, "/", q=words) for _ in range(TIMES)])
            statement = _statement(bench, words)
            found.append((asked, p95([await _run(bare, statement) for _ in range(TIMES)]), words))
    asked, alone, words = max(found)
    bench.note("search without a hit, the worst, ms p95", asked, 150)
    bench.note("  its statement alone, ms p95", alone)
    bench.note("  the search for each of its statement", asked / alone, 2)
    bench.note("  an empty page (login), ms p95", empty)
    print("  " + ", ".join(f"{words!r} {asked:.0f}/{alone:.0f}" for asked, alone, words in sorted(found, reverse=True)))


async def listeners(bench: Bench) -> None:
    """How much of a core the server takes while 200 feeds hear 250 changes a second."""
    heard = [0] * LISTENERS
    async with transaction() as session:  # a login may have so many, and no more
        logins = [await accounts.start_session(session, bench.owner_id) for _ in range(ceil(LISTENERS / MOST))]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_listen(bench, logins[number // MOST], heard, number)) for number in range(LISTENERS)
        ]
        await _until(lambda: all(heard))
        each, before = [*heard], sum(heard)
        began, cpu = time.monotonic(), _cpu_s(bench)
        async with ticking(bench.studio.dsn, bench.owner_id) as ticks:
            await _until(lambda: all(now > then for now, then in zip(heard, each, strict=True)))
            await _quiet(heard)
            bench.note("200 listeners: CPU s to tell them of fifty jobs that begin", _cpu_s(bench) - cpu)
            bench.note("  kB told to each", (sum(heard) - before) / LISTENERS / 1e3)
            bench.note("  s until all were told", time.monotonic() - began - QUIET_S)
            ticks.begin.set()
            await asyncio.sleep(2)
            await _steady(bench, ticks, heard)
        for task in tasks:
            task.cancel()


async def _steady(bench: Bench, ticks: Ticks, heard: list[int]) -> None:
    """Watch while nothing but bars moves."""
    each, count, cpu, began = [*heard], ticks.count, _cpu_s(bench), time.monotonic()
    await asyncio.sleep(LISTEN_S)
    spent = time.monotonic() - began
    bench.note("200 listeners: changes a second", (ticks.count - count) / spent)
    bench.note("200 listeners: MB a second", (sum(heard) - sum(each)) / spent / 1e6)
    bench.note(
        "200 listeners: bytes of a change, to each", (sum(heard) - sum(each)) / (ticks.count - count) / LISTENERS
    )
    bench.note("200 listeners: per cent of a core", 100 * (_cpu_s(bench) - cpu) / spent, 40)
    bench.note("200 listeners: who heard nothing", sum(now == then for now, then in zip(heard, each, strict=True)), 0)


async def _until(is_so: Callable[[], bool], *, within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - what others count
            await asyncio.sleep(0.05)


async def _quiet(heard: list[int]) -> None:
    """Wait until nobody has been told anything for a second."""
    told, since = sum(heard), time.monotonic()
    async with asyncio.timeout(60):
        while time.monotonic() < since + QUIET_S:
            await asyncio.sleep(0.05)
            if sum(heard) != told:
                told, since = sum(heard), time.monotonic()


async def _listen(bench: Bench, cookie: str, heard: list[int], number: int) -> None:
    """Read a feed as it comes, without looking at it."""
    host, _, port = bench.studio.url.strip("/").rpartition("/")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        lines = ("GET /events/library HTTP/1.1", f"Host: {host}:{port}", f"Cookie: sfa_session={cookie}", "", "")
        writer.write("\r\n".join(lines).encode())
        while data := await reader.read(1 << 16):
            if not heard[number] and b" 200 " not in data[:16]:
                raise RuntimeError(f"A feed was refused: {data[:200]!r}")
            heard[number] += len(data)
    finally:
        writer.close()


def client(bench: Bench, connections: int = 20) -> httpx2.AsyncClient:
    """A program that has the visitor's cookie."""
    limits = httpx2.Limits(max_connections=connections)
    headers = {"Cookie": f"sfa_session={bench.cookie}"}
    return httpx2.AsyncClient(base_url=bench.studio.url, headers=headers, timeout=60, limits=limits)


async def _time(visitor: httpx2.AsyncClient, path: str, **params: str) -> float:
    began = time.perf_counter()
    answer = await visitor.get(path, params=params or None)
    spent = 1000 * (time.perf_counter() - began)
    answer.raise_for_status()
    return spent


def _statement(bench: Bench, words: str) -> str:
    """The statement of a first page, as SQL with its values in it."""
    query, page = library.Query(search=words), library._tracks  # noqa: SLF001 - the very statement of the page, to run it bare
    found = page.sort_of(query).order(page.searched(bench.owner_id, query), descending=True).limit(101)
    dialect = create_engine("postgresql+psycopg://").dialect
    compiled = found.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return str(compiled).replace("%%", "%")


async def _run(connection: psycopg.AsyncConnection, statement: str) -> float:
    began = time.perf_counter()
    await (await connection.execute(statement.encode())).fetchall()
    return 1000 * (time.perf_counter() - began)


def _cpu_s(bench: Bench) -> float:
    """User and system time of the server's process, in seconds."""
    pid = bench.studio.process.pid if bench.studio.process else 0
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rpartition(")")[2].split()  # noqa: PTH123, SIM115 - /proc
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
