"""What happens to a run from outside: progress out, cancellation and shutdown in, a fence around all of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from soundforge import children, jobs
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.errors import Unavailable
from soundforge.jobs._rescue import rescue_node
from soundforge.tables import Kind, Status
from tests.support.jobs import DEADLINE_S, HOSTILE, Script, Wire, endings_in
from tests.support.processes import none_left

GONE_S = 2.0  # from the commit of a cancellation until no child lives


@pytest.fixture
async def unhurried(database: Database, worker_settings: Settings, swept: list[str]) -> AsyncIterator[jobs.Node]:
    """A node whose clocks run as they do for people."""

    async def on_sweep(prefix: str) -> None:
        swept.append(prefix)

    settings = worker_settings.model_copy(update={"time_scale": 1.0})
    async with jobs.open_node(settings, database.dsn, on_sweep=on_sweep) as running:
        yield running


async def forever(_run: jobs.Run) -> None:
    await asyncio.Event().wait()


async def test_progress_is_told_in_whole_percents_and_never_falls(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        for percent, stage in ((10.9, "decoding"), (5, ""), (float("nan"), "resting"), (400, "storing")):
            run.report(percent, stage)
            async with asyncio.timeout(DEADLINE_S):
                while run.has_news:
                    await asyncio.sleep(0.01)

    job = await script.add(body)
    await wire.until(job, "completed")
    told = [(event["progress"], event["stage"]) for event in wire.of(job) if event["status"] == "processing"]
    assert told == [(0, ""), (10, "decoding"), (10, "resting"), (100, "storing")]


async def test_a_download_moves_from_downloading_to_processing(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        await run.move(Status.PROCESSING)

    job = await script.add(body, kind=Kind.DOWNLOAD)
    await wire.until(job, "completed")
    assert [event["status"] for event in wire.of(job)] == ["queued", "downloading", "processing", "completed"]


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "read from the row"])
async def test_a_cancelled_run_takes_its_children_and_files_with_it(
    unhurried: jobs.Node, script: Script, wire: Wire, swept: list[str], *, is_told: bool
) -> None:
    """With clocks as people have them, and a child that ignores SIGTERM; a command cancels without telling the node."""
    children_of: dict[Path, int] = {}
    begun = asyncio.Event()

    async def body(run: jobs.Run) -> None:
        limits = children.Limits(total_s=60)
        async with children.open_child(HOSTILE, folder=run.folder / "child", limits=limits) as child:
            children_of[run.folder] = child.pid
            begun.set()
            await child.ask({"do": "ignores_sigterm"})

    job = await script.add(body)
    async with asyncio.timeout(DEADLINE_S):
        await begun.wait()
    asked_at = time.monotonic()
    await (script.cancel(job) if is_told else script.ask_to_cancel(job))
    failed = await wire.until(job, "failed")
    ((folder, pid),) = children_of.items()
    assert none_left([pid], within_s=0)
    assert time.monotonic() - asked_at < GONE_S
    assert failed["error_code"] == "cancelled"
    async with asyncio.timeout(DEADLINE_S):
        while folder.exists():
            await asyncio.sleep(0.01)
    assert swept == [f"jobs/{job.id}/1/"]


async def test_a_cancellation_whose_wake_up_was_lost_is_read_from_the_row(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    job = await script.add(forever)
    await wire.until(job, "processing")
    await script.ask_to_cancel(job)
    assert (await wire.until(job, "failed"))["error_code"] == "cancelled"


async def test_a_cancelled_job_is_not_tried_again_although_its_run_failed(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    async def body(run: jobs.Run) -> None:
        async with transaction() as session:
            await jobs.request_cancel(session, run.owner_id, run.job_id)
        raise Unavailable("The engine is busy.", code="engine_busy")

    job = await script.add(body)
    await wire.until(job, "failed")
    row = await script.get(job)
    assert (row.status, row.error_code) == ("failed", "cancelled")


async def test_a_cancelled_job_can_be_tried_again(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            await forever(run)

    job = await script.add(body)
    await wire.until(job, "processing")
    await script.cancel(job)
    await wire.until(job, "failed")
    await script.retry(job)
    await wire.until(job, "completed")
    assert (await script.get(job)).run == 2


async def test_a_node_that_stops_puts_its_running_jobs_back(
    database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    stored: list[str] = []

    async def on_sweep(prefix: str) -> None:
        stored.append(prefix)

    with capture_logs() as lines:
        async with jobs.open_node(worker_settings, database.dsn, on_sweep=on_sweep):
            job = await script.add(forever)
            await wire.until(job, "processing")
            began = time.monotonic()
        assert time.monotonic() - began < 5
    assert endings_in(lines, job) == [("interrupted", "interrupted", "analysis", 1, "1/3", "info")]
    row = await script.get(job)
    assert (row.status, row.error_code, row.run) == ("queued", "interrupted", 1)
    assert stored == [f"jobs/{job.id}/1/"]
    assert not list(worker_settings.work_folder.glob("*/*"))
    async with reading() as session:
        states = (await session.execute(text("SELECT state::text, attempt FROM oban_jobs"))).all()
        assert [tuple(state) for state in states] in ([("scheduled", 0)], [("available", 0)])
        assert await jobs.check_orphans(session) == []


async def _late(run: jobs.Run) -> None:
    """A writer of ``run`` that wakes up late: every road to the row is closed to it."""
    with pytest.raises(jobs.Superseded):
        async with run.writing():
            raise AssertionError("the fence is open")
    with pytest.raises(jobs.Superseded):
        async with run.done({"late": True}):
            raise AssertionError("the fence is open")
    with pytest.raises(jobs.Superseded):
        await run.move(Status.PROCESSING)
    run.report(99, "late")
    with pytest.raises(jobs.Superseded):
        await run.tick()


async def _everything(job_id: UUID) -> object:
    async with reading() as session:
        return tuple((await session.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": job_id})).one())


async def _leave(run: jobs.Run, how: str) -> None:
    """Lose the job in one of the ways there are."""
    if how == "snoozed":
        raise Unavailable("Wait.", code="wait", retry_after_s=0)
    if how == "retried":
        raise ZeroDivisionError
    if how == "rescued":  # somebody takes the worker for dead
        async with transaction() as session:
            await session.execute(text("UPDATE oban_jobs SET attempted_by = '{dead,x}'"))
        await rescue_node("dead")
    else:  # by hand, while it runs
        async with transaction() as session:
            await session.execute(text("UPDATE jobs SET status = 'failed' WHERE id = :id"), {"id": run.job_id})
            await session.execute(text("UPDATE jobs SET status = 'queued' WHERE id = :id"), {"id": run.job_id})
    await forever(run)


@pytest.mark.parametrize("how", ["snoozed", "retried", "rescued", "taken"])
async def test_a_writer_that_wakes_up_late_writes_nothing(
    node: jobs.Node, script: Script, wire: Wire, how: str
) -> None:
    runs: list[jobs.Run] = []
    second_is_here, let_go = asyncio.Event(), asyncio.Event()

    async def body(run: jobs.Run) -> None:
        runs.append(run)
        if run.run == 1:
            await _leave(run, how)
        second_is_here.set()
        await let_go.wait()

    job = await script.add(body)
    if how == "retried":
        await wire.until(job, "failed")
        await script.retry(job)
    async with asyncio.timeout(DEADLINE_S):
        await second_is_here.wait()
    await wire.until(job, "processing", times=2)  # its claim is heard after it was made
    before = await _everything(job.id)
    heard = len(wire.of(job))
    await _late(runs[0])
    assert await _everything(job.id) == before
    let_go.set()
    await wire.until(job, "completed")
    assert [event["stage"] for event in wire.of(job)[heard:]] == [""]
    row = await script.get(job)
    assert (row.run, row.result) == (2, {})
