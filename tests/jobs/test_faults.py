"""Rule 9: whatever breaks between two writes, all of a step happened or nothing of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, text

from soundforge import jobs
from soundforge.db import Database, reading, transaction
from soundforge.errors import Unavailable
from soundforge.jobs._rescue import rescue_node
from soundforge.tables import Job, Kind
from tests.support.jobs import DEADLINE_S, Body, Script, Wire

_WRITES = ("INSERT", "UPDATE", "DELETE")


class Fault(Exception):
    """The power went at the worst moment."""


class _Saboteur:
    def __init__(self, number: int) -> None:
        self.number = number
        self.broken: list[str] = []
        self._writes: dict[int, int] = {}

    def begin(self, connection: Any) -> None:
        self._writes[id(connection)] = 0

    def write(self, connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().startswith(_WRITES):
            self._writes[id(connection)] = self._writes.get(id(connection), 0) + 1
            self._break(connection, statement, self.number)

    def commit(self, connection: Any) -> None:
        self._break(connection, "COMMIT", self.number - 1)

    def _break(self, connection: Any, statement: str, after: int) -> None:
        if not self.broken and self._writes.get(id(connection)) == after > 0:
            self.broken.append(statement)
            raise Fault


@contextmanager
def fault_before_write(database: Database, number: int) -> Iterator[list[str]]:
    """Break once, before the n-th write of a transaction (1, 2, …); one more than it has: before its commit."""
    engine, saboteur = database.engine.sync_engine, _Saboteur(number)
    hooks = {"begin": saboteur.begin, "before_cursor_execute": saboteur.write, "commit": saboteur.commit}
    for name, hook in hooks.items():
        event.listen(engine, name, hook)
    try:
        yield saboteur.broken
    finally:
        for name, hook in hooks.items():
            event.remove(engine, name, hook)


async def everything() -> list[Any]:
    tables = ("jobs", "oban_jobs", "users")
    async with reading() as session:
        found = [await session.execute(text(f"SELECT * FROM {table} ORDER BY id")) for table in tables]
        return [[tuple(row) for row in rows] for rows in found]


async def break_everywhere(database: Database, step: Callable[[], Awaitable[object]]) -> int:
    """Break a step before each of its writes in turn, then let it through; returns how often it broke."""
    before = await everything()
    for number in count(1):
        with fault_before_write(database, number) as broken:
            try:
                await step()
            except Fault:
                pass
            else:
                assert await everything() != before
                return number - 1
        assert await everything() == before, f"half of it stayed when this broke: {broken}"
    raise AssertionError


async def test_adding_a_job_is_all_or_nothing(database: Database, owner_id: Any) -> None:
    async def step() -> None:
        async with transaction() as session:
            await jobs.add_job(session, kind=Kind.EXPORT, owner_id=owner_id, unique_key="zip")

    assert await break_everywhere(database, step) >= 3


async def test_trying_again_is_all_or_nothing(database: Database, script: Script) -> None:
    job = await script.add_named("nothing")
    await script.cancel(job)
    assert await break_everywhere(database, lambda: script.retry(job)) >= 2


@pytest.mark.parametrize("status", ["queued", "processing"])
async def test_cancelling_is_all_or_nothing(database: Database, script: Script, status: str) -> None:
    job = await script.add_named("nothing")
    if status == "processing":
        await _let_run(job)
    assert await break_everywhere(database, lambda: script.cancel(job)) >= 2


@pytest.mark.parametrize("attempt", [1, 3])
async def test_a_rescue_is_all_or_nothing(database: Database, script: Script, attempt: int) -> None:
    job = await script.add_named("nothing")
    await _let_run(job, attempt)

    async def step() -> None:
        await rescue_node("dead")

    assert await break_everywhere(database, step) >= 3


async def _let_run(job: Job, attempt: int = 1) -> None:
    async with transaction() as session:
        await session.execute(text("UPDATE jobs SET status = 'processing', run = 1 WHERE id = :id"), {"id": job.id})
        await session.execute(
            text(
                "UPDATE oban_jobs SET state = 'executing', attempt = :attempt, attempted_at = now(),"
                " attempted_by = '{dead,x}' WHERE id = :id"
            ),
            {"id": job.oban_job_id, "attempt": attempt},
        )


async def _next_and_done(run: jobs.Run) -> None:
    async with run.done({"ok": True}) as session:
        next_job = {"kind": Kind.EXPORT, "owner_id": run.owner_id, "unique_key": f"after {run.job_id}"}
        await jobs.add_job(session, params={"body": "nothing"}, **next_job)


async def _unavailable(run: jobs.Run) -> None:
    if run.run == 1:
        raise Unavailable("Later.", code="later")


async def _postponed(run: jobs.Run) -> None:
    if run.run == 1:
        raise Unavailable("Later.", code="later", retry_after_s=0)


async def _bug(run: jobs.Run) -> None:
    if run.run == 1:
        raise ZeroDivisionError


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("ending", [_next_and_done, _unavailable, _postponed, _bug])
async def test_an_ending_that_breaks_between_two_writes_neither_loses_nor_doubles_the_job(
    node: jobs.Node, database: Database, script: Script, wire: Wire, ending: Body, number: int
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def body(run: jobs.Run) -> None:
        begun.set()
        await go.wait()
        await ending(run)

    job = await script.add(body)
    async with asyncio.timeout(DEADLINE_S):
        await begun.wait()
        with fault_before_write(database, number):
            go.set()
            while not await is_over():
                await asyncio.sleep(0.02)
    async with reading() as session:
        assert await jobs.check_orphans(session) == []
        followers = text("SELECT count(*) FROM jobs WHERE unique_key = :key")
        found = await session.scalar(followers, {"key": f"after {job.id}"})
    row = await script.get(job)
    if ending is _next_and_done:  # a fault in the body's own transaction is a bug of the body
        assert (row.status, found) in (("completed", 1), ("failed", 0))
    else:
        assert row.status == "completed" or (ending is _bug and row.error_code == "bug")


async def is_over() -> bool:
    """Whether every job is through, for us and for Oban."""
    unfinished = """
        SELECT count(*) FROM jobs j JOIN oban_jobs o ON o.id = j.oban_job_id
        WHERE j.status NOT IN ('completed', 'failed') OR o.state NOT IN ('completed', 'cancelled', 'discarded')
    """
    async with reading() as session:
        return await session.scalar(text(unfinished)) == 0
