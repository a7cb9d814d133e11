"""Following jobs from a command: what is shown of them, who works them, and what is waited for."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from rich.console import Console
from sqlalchemy import text

from soundforge import app, jobs, pipeline
from soundforge.cli._follow import Show, ask, follow, patiently
from soundforge.cli._help import open_help
from soundforge.config import Settings
from soundforge.db import Database, transaction
from soundforge.errors import Conflict, Unavailable
from soundforge.storage import DiskStorage
from soundforge.tables import Job, Kind
from soundforge.views import JobView
from tests.support.factories import add_song
from tests.support.jobs import DEADLINE_S, Script, add_user, scripted_kinds

ALL_QUEUES = ",".join(f"{queue}:1" for queue in jobs.QUEUE_LIMITS)


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    """Id of a user."""
    return await add_user()


@pytest.fixture
def script(owner_id: UUID, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Workers by script, for jobs of the user."""
    with scripted_kinds(monkeypatch):
        yield Script(owner_id)


@pytest.fixture
def rooms(settings: Settings, database: Database) -> app.Rooms:
    """What a command has."""
    return app.Rooms(settings, database.dsn, DiskStorage(settings.storage_folder))


async def follow_with_help(rooms: app.Rooms, script: Script, *job_ids: UUID) -> list[tuple[str, str, int]]:
    """Follow as a command does; gives kind, status and run of each."""
    async with asyncio.timeout(DEADLINE_S), open_help(rooms) as helping:
        ended = await follow(script.owner_id, list(job_ids), Show(quiet=True), helping)
    return [(job.kind, job.status, job.run) for job in ended]


async def leave_heartbeats(node: str) -> None:
    """Leave the heartbeats of a worker that was killed a moment ago."""
    beat = "INSERT INTO oban_producers (uuid, node, queue, meta) VALUES (gen_random_uuid(), :node, :queue, '{}')"
    async with transaction() as session:
        for queue in jobs.QUEUE_LIMITS:
            await session.execute(text(beat), {"node": node, "queue": queue})


async def leave_processing(job: Job, node: str) -> None:
    """Leave a job as a worker that was killed over it does."""
    taken = "UPDATE oban_jobs SET state = 'executing', attempt = 1, attempted_at = timezone('UTC', now())"
    async with transaction() as session:
        await session.execute(text(f"{taken}, attempted_by = ARRAY[:node, 'x']"), {"node": node})
        claimed = text("UPDATE jobs SET status = 'processing', run = 1, node = :node WHERE id = :id")
        await session.execute(claimed, {"node": node, "id": job.id})


def view(progress: int, job_id: UUID, title: str = "A song") -> JobView:
    shown: dict[str, Any] = dict.fromkeys(field.name for field in fields(JobView))
    shown |= {"id": job_id, "kind": "analysis", "title": title, "status": "processing", "progress": progress}
    return JobView(**shown)


def test_a_job_has_one_bar_on_a_terminal_however_often_it_moves() -> None:
    show, job_id, other_id = Show(to=Console(file=StringIO(), force_terminal=True)), uuid4(), uuid4()
    with show.on_terminal():
        for progress in (0, 20, 40, 60, 80):
            show.update([view(progress, job_id), view(0, other_id)])
    assert show.bars is not None
    assert [(bar.description, bar.completed) for bar in show.bars.tasks] == [
        ("analysis   A song", 80),
        ("analysis   A song", 0),
    ]


@pytest.mark.parametrize("title", ["Tide [live] new", "Tide [/b] new"])
def test_a_title_on_a_bar_is_no_markup(title: str) -> None:
    to = Console(file=StringIO(), force_terminal=True, width=120)
    show = Show(to=to)
    with show.on_terminal():
        show.update([view(20, uuid4(), title)])
    assert isinstance(to.file, StringIO)
    assert f"analysis   {title}" in to.file.getvalue()


async def test_a_job_is_worked_here_once_its_worker_is_known_to_be_dead(rooms: app.Rooms, script: Script) -> None:
    job = await script.add_named("nothing")
    await leave_heartbeats("killed-0")
    assert await follow_with_help(rooms, script, job.id) == [("analysis", "completed", 1)]


async def test_a_job_is_worked_here_once_its_worker_has_left(
    rooms: app.Rooms, script: Script, database: Database
) -> None:
    begun, leave = asyncio.Event(), asyncio.Event()

    async def on_sweep(_prefix: str) -> None:
        pass

    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            begun.set()
            await asyncio.Event().wait()

    async def work_a_while() -> None:
        worker = rooms.settings.model_copy(update={"queues": ALL_QUEUES})
        async with jobs.open_node(worker, database.dsn, on_sweep=on_sweep):
            await leave.wait()

    job = await script.add(body)
    worker = asyncio.create_task(work_a_while())
    await begun.wait()
    following = asyncio.create_task(follow_with_help(rooms, script, job.id))
    leave.set()
    await worker
    assert await following == [("analysis", "completed", 2)]


async def test_what_a_killed_command_left_processing_is_taken_up_and_finished(rooms: app.Rooms, script: Script) -> None:
    left = await script.add_named("nothing", kind=Kind.MAINTENANCE, key="demo")
    await leave_processing(left, "killed-0")
    await leave_heartbeats("killed-0")
    taken_up = await ask(lambda session: pipeline.request_demo(session, script.owner_id))
    assert taken_up == left.id
    assert await follow_with_help(rooms, script, taken_up) == [("maintenance", "completed", 2)]


async def test_what_cannot_be_asked_for_is_told(database: Database) -> None:
    async def refuse(_session: object) -> Job:
        raise Conflict("Not twice.", code="not_twice", fields={"job_id": str(uuid4())})

    with pytest.raises(Conflict):
        await ask(refuse)


async def test_what_still_works_on_a_song_that_was_there_already_is_followed(rooms: app.Rooms, script: Script) -> None:
    seen = asyncio.Event()

    class Watching(Show):
        def update(self, found: list[JobView]) -> None:
            if "separation" in {job.kind for job in found}:
                seen.set()

    async def find_it_there(run: jobs.Run) -> None:
        async with run.done({"track_id": str(track.id), "duplicate": True}):
            pass

    async def separate(_run: jobs.Run) -> None:
        await seen.wait()

    again = await script.add(find_it_there, kind=Kind.IMPORT)
    stems = await script.add(separate, kind=Kind.SEPARATION)
    async with transaction() as session:
        track = await add_song(session, script.owner_id)
        of = {"track": track.id, "id": stems.id}
        await session.execute(text("UPDATE jobs SET track_id = :track WHERE id = :id"), of)
    async with asyncio.timeout(DEADLINE_S), open_help(rooms) as helping:
        ended = await follow(script.owner_id, [again.id], Watching(), helping)
    assert sorted((job.kind, job.status) for job in ended) == [("import", "completed"), ("separation", "completed")]


@pytest.mark.parametrize("code", ["database_away", "database_busy"])
async def test_a_database_that_comes_back_is_waited_for(code: str) -> None:
    answers = iter([Unavailable("Away.", code=code), Unavailable("Away.", code=code), None])

    async def read() -> str:
        if error := next(answers):
            raise error
        return "read"

    assert await patiently(read) == "read"


@pytest.mark.parametrize(("code", "limit_s"), [("database_away", 0.0), ("database_full", 30.0)])
async def test_what_does_not_pass_by_itself_is_told_at_once(code: str, limit_s: float) -> None:
    asked = []

    async def read() -> None:
        asked.append(code)
        raise Unavailable("Away.", code=code)

    with pytest.raises(Unavailable):
        await patiently(read, limit_s=limit_s)
    assert asked == [code]
