"""What the server does for the page: how long it takes beside an empty page and bare SQL, and for 200 listeners."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import httpx2
import psycopg
from sqlalchemy import create_engine

from bench.web_jobs import ticking
from soundforge import library

if TYPE_CHECKING:
    from bench.web import Bench

TIMES = 20
LISTENERS = 200
LISTEN_S = 10.0
# No hit: unknown letters, short and long; known words that never stand together; fields; runs of letters that are
# everywhere, in an order that is nowhere.
NO_HITS = (
    *(
        "q",
        "qx",
        "zzzyx",
        "nothingofthekind",
        "amber 100001",
        "the the thethe",
        "bpm:300-400",
        "-artist:the",
        "has:guitar amber qx",
    ),
    *(
        "artist:qqq",
        'title:="amber"',
        "year:1890-1900",
        "is:running",
        "key:12A bpm:300..",
        "ethe",
    ),
)


def p95(times: list[float]) -> float:
    """The 95th of a hundred."""
    return sorted(times)[round(0.95 * (len(times) - 1))]


async def page(bench: Bench) -> None:
    """The library's page, a page of rows from the middle, and an empty page."""
    async with _client(bench) as client:
        for name, path, limit in (
            ("empty page (login), ms p95", "/login", None),
            ("library page, ms p95", "/", None),
            ("library page by title, ms p95", "/?sort=title&dir=asc", None),
            ("page of rows, ms p95", "/library/rows?sort=title&dir=asc", None),
        ):
            bench.note(name, p95([await _time(client, path) for _ in range(TIMES)]), limit)


async def search(bench: Bench) -> None:
    """Searches that find nothing, over the wire and as a bare statement; the worst of them counts."""
    slowest = (0.0, 0.0, "")
    async with _client(bench) as client, await psycopg.AsyncConnection.connect(bench.studio.dsn) as bare:
        for words in NO_HITS:
            ours = p95([await _time(client, "/library/rows", q=words) for _ in range(TIMES)])
            statement = _statement(bench, words)
            alone = p95([await _run(bare, statement) for _ in range(TIMES)])
            slowest = max(slowest, (ours, alone, words))
    ours, alone, words = slowest
    bench.note("worst search without a hit, ms p95", ours, 150)
    bench.note("  the same as bare SQL, ms p95", alone)
    bench.note("  ours for each of bare SQL (2 or 10 ms more)", ours / max(alone, (ours - 10) / 2, alone + 0.001), 2)
    print(f"  worst: {words!r}: {ours:.0f} ms, bare {alone:.0f} ms")


async def listeners(bench: Bench) -> None:
    """How much of a core the server takes while 200 feeds hear 250 changes a second."""
    pid = bench.studio.process.pid if bench.studio.process else 0
    async with asyncio.TaskGroup() as group:
        heard = [0] * LISTENERS
        tasks = [group.create_task(_listen(bench, heard, number)) for number in range(LISTENERS)]
        await asyncio.sleep(2)
        async with ticking(bench.studio.dsn, bench.owner_id) as ticks:
            await _quiet(heard)
            began, cpu, told = time.monotonic(), _cpu_s(pid), ticks.count
            bytes_before = sum(heard)
            await asyncio.sleep(LISTEN_S)
            spent = time.monotonic() - began
            share = 100 * (_cpu_s(pid) - cpu) / spent
            bench.note("200 listeners: changes a second", (ticks.count - told) / spent)
            bench.note("200 listeners: MB a second", (sum(heard) - bytes_before) / spent / 1e6)
            bench.note("200 listeners: per cent of a core", share, 40)
        bench.note("200 listeners: who heard nothing", heard.count(0), 0)
        for task in tasks:
            task.cancel()


async def _quiet(heard: list[int]) -> None:
    """Wait until the rows of the jobs were told to everybody and bars alone move: less than 600 bytes a change."""
    for _ in range(60):
        before = sum(heard)
        await asyncio.sleep(1)
        if (sum(heard) - before) / LISTENERS < 600 * 250:
            return


async def _listen(bench: Bench, heard: list[int], number: int) -> None:
    """Read a feed as it comes, without looking at it."""
    host, _, port = bench.studio.url.strip("/").rpartition("/")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        lines = ("GET /events/library HTTP/1.1", f"Host: {host}:{port}", f"Cookie: sfa_session={bench.cookie}", "", "")
        writer.write("\r\n".join(lines).encode())
        while data := await reader.read(1 << 16):
            heard[number] += len(data)
    finally:
        writer.close()


def _client(bench: Bench) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=bench.studio.url, headers={"Cookie": f"sfa_session={bench.cookie}"}, timeout=60)


async def _time(client: httpx2.AsyncClient, path: str, **params: str) -> float:
    began = time.perf_counter()
    answer = await client.get(path, params=params or None)
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


def _cpu_s(pid: int) -> float:
    """User and system time of a process, in seconds."""
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rpartition(")")[2].split()  # noqa: PTH123, SIM115 - /proc
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
