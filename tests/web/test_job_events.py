"""One job's events for programs: how it is, how it gets on, and always how it ended."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import update
from starlette.types import ASGIApp, Message

from soundforge.db import transaction
from soundforge.tables import Job, Kind, Status
from soundforge.web import create_app
from tests.support.house import House, add_job, add_token, client, finish

DEADLINE_S = 20.0


class Program:
    """A program that follows a job, of its own application: each chunk of the answer is seen as it comes."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ended = False
        self._changed = asyncio.Condition()

    def told(self) -> list[tuple[str, int]]:
        """What it was told: status and progress."""
        lines = [line for line in "".join(self.heard).splitlines() if line.startswith("data: ")]
        documents = [json.loads(line.removeprefix("data: ")) for line in lines]
        return [(one["status"], one["progress"]) for one in documents]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(is_so)

    async def note(self, chunk: bytes, *, ended: bool = False) -> None:
        async with self._changed:
            self.heard.append(chunk.decode())
            self.ended = self.ended or ended
            self._changed.notify_all()


@asynccontextmanager
async def following(house: House, job_id: UUID) -> AsyncIterator[Program]:
    """Follow one of Ann's jobs, with a feed of a page that may last no time at all."""
    app = create_app(replace(house.studio, longest_feed_s=0.0))
    token, program = await add_token(house.users["ann"], "read"), Program()
    request = client(app, Authorization=f"Bearer {token}").build_request("GET", f"/api/v1/jobs/{job_id}/events")
    task = asyncio.create_task(run(app, request, program))
    try:
        await program.until(lambda: bool(program.heard))
        yield program
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def run(app: ASGIApp, request: httpx2.Request, program: Program) -> None:
    """Ask the application as a server does: the client of the other tests gives an answer when it is whole."""
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # nobody hangs up
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
        else:
            await program.note(message.get("body", b""), ended=not message.get("more_body"))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.url.path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)


@pytest.fixture
async def job(house: House) -> Job:
    async with transaction() as session:
        return await add_job(session, house.users["ann"], Kind.ANALYSIS)


async def move(job: Job, **values: object) -> None:
    async with transaction() as session:
        await session.execute(update(Job).where(Job.id == job.id).values(**values))


async def test_a_program_is_told_how_a_job_is_how_it_gets_on_and_how_it_ends(house: House, job: Job) -> None:
    async with following(house, job.id) as program:
        assert program.told() == [("queued", 0)]
        await move(job, status="processing", run=1)
        await program.until(lambda: ("processing", 0) in program.told())
        await move(job, progress=42)
        await program.until(lambda: ("processing", 42) in program.told())
        assert not program.ended
        await move(job, status="completed", progress=100)
        await program.until(lambda: program.ended)
        assert program.told() == [("queued", 0), ("processing", 0), ("processing", 42), ("completed", 100)]


async def test_of_other_jobs_nothing_is_told(house: House, job: Job) -> None:
    async with transaction() as session:
        other = await add_job(session, house.users["ann"], Kind.ANALYSIS)
    async with following(house, job.id) as program:
        await move(other, status="failed", error_code="x", error="No.")
        await program.until(lambda: len(program.heard) > 1)
        assert (program.told(), program.ended) == ([("queued", 0)], False)


async def test_a_job_that_was_over_before_is_told_once(house: House, job: Job) -> None:
    await move(job, status="failed", error_code="engine_crashed", error="The engine crashed.")
    async with following(house, job.id) as program:
        await program.until(lambda: program.ended)
        assert program.told() == [("failed", 0)]
        assert '"error_code": "engine_crashed"' in program.heard[0]


async def test_an_ending_that_nobody_heard_of_is_told_when_events_are_heard_again(house: House, job: Job) -> None:
    async with following(house, job.id) as program:
        async with transaction() as session:
            await finish(session, job, Status.COMPLETED, {})  # it tells nobody
        house.studio.listener.resync()
        await program.until(lambda: program.ended)
        assert program.told() == [("queued", 0), ("completed", 0)]


async def test_after_a_gap_a_job_that_goes_on_is_told_as_it_is_and_followed_further(house: House, job: Job) -> None:
    async with following(house, job.id) as program:
        house.studio.listener.resync()
        await program.until(lambda: program.told() == [("queued", 0)] * 2)
        await move(job, status="failed", error_code="x", error="No.")
        await program.until(lambda: program.ended)
        assert program.told()[-1] == ("failed", 0)
