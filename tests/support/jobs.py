"""Jobs for the tests: an owner, workers whose bodies a test writes, and every event there was."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import text

from soundforge import children, jobs
from soundforge.db import reading, transaction
from soundforge.tables import Job, Kind, User
from tests.support import hostile

DEADLINE_S = 45.0  # only a failing test waits so long; a busy machine may be slow
HOSTILE = [sys.executable, str(Path(hostile.__file__))]

type Body = Callable[[jobs.Run], Awaitable[None]]
type Need = Callable[[jobs.Candidate], Awaitable[int | jobs.NotYet | None]]

_bodies: dict[str, Body] = {}
_needs: dict[str, Need] = {}


class ScriptedWorker(jobs.Worker):
    """Works jobs by the body that the test registered under ``params["body"]``."""

    async def body(self, run: jobs.Run) -> None:
        """Run the test's body."""
        name = run.params["body"]
        await (_bodies.get(name) or NAMED[name])(run)

    async def needs(self, candidate: jobs.Candidate) -> int | jobs.NotYet | None:
        """Ask the test's own needs, where it gave some."""
        need = _needs.get(candidate.params["body"])
        return await need(candidate) if need else None


async def _hang_once(run: jobs.Run) -> None:
    """Leave a file, and on the first run hang."""
    (run.folder / "scratch").write_text("x")
    if run.run == 1:
        await asyncio.Event().wait()


async def _hang_once_with(opening: Callable[..., AbstractAsyncContextManager[children.Child]], run: jobs.Run) -> None:
    """On the first run, hang with a child that does not listen; ``warm_child`` opens one that would stay."""
    if run.run == 1:
        limits = children.Limits(total_s=600, silence_s=600)
        async with opening(HOSTILE, folder=run.folder / "child", limits=limits) as child:
            run.report(1, f"child {child.pid}")
            await child.ask({"do": "family_that_hangs"})


async def _nothing(_run: jobs.Run) -> None:
    """Be through at once."""


NAMED: dict[str, Body] = {
    "hang_once": _hang_once,
    "hang_once_with_child": partial(_hang_once_with, children.open_child),
    "hang_once_with_warm_child": partial(_hang_once_with, children.warm_child),
    "nothing": _nothing,
}


class Script:
    """What a test gives to be worked, and the jobs that it asked for."""

    def __init__(self, owner_id: UUID) -> None:
        """Ask for jobs in the name of ``owner_id``."""
        self.owner_id = owner_id

    async def add(
        self, body: Body, *, kind: Kind = Kind.ANALYSIS, key: str | None = None, need: Need | None = None
    ) -> Job:
        """Queue a job that is worked by ``body``."""
        name = uuid4().hex
        _bodies[name] = body
        if need is not None:
            _needs[name] = need
        return await self.add_named(name, kind=kind, key=key)

    async def add_named(self, body: str, *, kind: Kind = Kind.ANALYSIS, key: str | None = None) -> Job:
        """Queue a job for a body that other processes know as well: see ``NAMED``."""
        async with transaction() as session:
            return await jobs.add_job(
                session, kind=kind, owner_id=self.owner_id, unique_key=key or uuid4().hex, params={"body": body}
            )

    async def get(self, job: Job) -> Job:
        """Read a job's row anew."""
        async with reading() as session:
            return await jobs.get_job(session, self.owner_id, job.id)

    async def retry(self, job: Job) -> Job:
        """Try a failed job again, as a user does."""
        async with transaction() as session:
            return await jobs.retry_job(session, self.owner_id, job.id)

    async def cancel(self, job: Job) -> Job:
        """Cancel a job, as a user does."""
        asked = await self.ask_to_cancel(job)
        await jobs.wake_cancelled(asked)
        return asked

    async def ask_to_cancel(self, job: Job) -> Job:
        """Cancel a job as a process without a node does: nobody is told, the row alone says so."""
        async with transaction() as session:
            return await jobs.request_cancel(session, self.owner_id, job.id)


@contextmanager
def scripted_kinds(monkeypatch: Any, **changes: Any) -> Iterator[None]:
    """Let every kind be worked by ``ScriptedWorker``, with ``changes`` to its specification."""
    path = f"{ScriptedWorker.__module__}.{ScriptedWorker.__qualname__}"
    for kind, spec in list(jobs.KINDS.items()):
        monkeypatch.setitem(jobs.KINDS, kind, replace(spec, worker_path=path, **changes))
    try:
        yield
    finally:
        _bodies.clear()
        _needs.clear()


async def add_user(name: str = "owner") -> UUID:
    """Add a user and give its id."""
    user = User(id=uuid4(), name=name, role="owner")
    async with transaction() as session:
        session.add(user)
    return user.id


def endings_in(lines: Sequence[Mapping[str, Any]], job: Job) -> list[tuple[str, str, str, int, str, str]]:
    """How each run of a job ended without success, as the log tells: ending, code, kind, run, attempt, level."""
    told = [line for line in lines if line["event"] in ("job.failed", "job.rescued") and line["job_id"] == str(job.id)]
    names = ("ending", "error_code", "kind", "run", "attempt", "log_level")
    return [(*(line[name] for name in names),) for line in told]


async def oban_of(job: Job) -> tuple[str, int]:
    """State and attempt of a job, as Oban has them."""
    async with reading() as session:
        row = await session.execute(
            text("SELECT state::text, attempt FROM oban_jobs WHERE id = :id"), {"id": job.oban_job_id}
        )
        state, attempt = row.one()
        return state, attempt


class Wire:
    """Everything that was notified, one by one, in order."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        """Listen on ``connection``."""
        self._connection = connection
        self.heard: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()

    async def listen(self) -> None:
        """Collect until cancelled."""
        async for notification in self._connection.notifies():
            async with self._changed:
                self.heard.append(json.loads(notification.payload))
                self._changed.notify_all()

    def of(self, job: Job) -> list[dict[str, Any]]:
        """What was heard of one job."""
        return [event for event in self.heard if event.get("job_id") == str(job.id)]

    async def until(self, job: Job, *statuses: str, times: int = 1) -> dict[str, Any]:
        """Wait until the job was in one of ``statuses`` for the n-th time; progress does not count."""
        async with asyncio.timeout(DEADLINE_S), self._changed:
            while True:
                found = [
                    now for before, now in _steps(self.of(job)) if now["status"] in statuses and _moved(before, now)
                ]
                if len(found) >= times:
                    return found[times - 1]
                await self._changed.wait()

    async def until_event(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for an event."""
        async with asyncio.timeout(DEADLINE_S), self._changed:
            while not (found := [event for event in self.heard if matches(event)]):
                await self._changed.wait()
            return found[0]


def _steps(events: list[dict[str, Any]]) -> list[tuple[dict[str, Any] | None, dict[str, Any]]]:
    return list(zip([None, *events], events, strict=False))


def _moved(before: dict[str, Any] | None, now: dict[str, Any]) -> bool:
    return before is None or before["status"] != now["status"]


@asynccontextmanager
async def open_wire(dsn: str) -> AsyncIterator[Wire]:
    """Hear every notification on a connection of its own."""
    connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    await connection.execute("LISTEN soundforge")
    wire = Wire(connection)
    task = asyncio.create_task(wire.listen())
    try:
        yield wire
    finally:
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
