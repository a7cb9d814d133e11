"""A job whose worker died goes on; one whose worker lives is left alone."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psutil
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from soundforge import children, jobs
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.jobs._rescue import rescue_node
from tests.support.jobs import DEADLINE_S, Script, Wire, endings_in, oban_of
from tests.support.processes import none_left
from tests.support.worker import run_worker


async def _ignore(_prefix: str) -> None:
    pass


@asynccontextmanager
async def another_node(settings: Settings, database: Database) -> AsyncIterator[jobs.Node]:
    async with jobs.open_node(settings, database.dsn, on_sweep=_ignore) as node:
        yield node


async def execute(statement: str, **values: Any) -> None:
    async with transaction() as session:
        await session.execute(text(statement), values)


async def nothing_is_orphaned() -> bool:
    async with reading() as session:
        return await jobs.check_orphans(session) == []


async def test_a_job_of_a_killed_worker_is_worked_by_another(
    database: Database, worker_settings: Settings, script: Script, wire: Wire, swept: list[str]
) -> None:
    async def on_sweep(prefix: str) -> None:
        swept.append(prefix)

    async with run_worker(database.dsn, worker_settings) as worker:
        job = await script.add_named("hang_once")
        first = await wire.until(job, "processing")
        async with jobs.open_node(worker_settings, database.dsn, on_sweep=on_sweep) as node:
            worker.kill()
            killed_at = time.monotonic()
            await worker.wait()
            await wire.until(job, "failed")
            assert time.monotonic() - killed_at < 60 * worker_settings.time_scale + 2
            await wire.until(job, "completed")
            row = await script.get(job)
            assert (row.run, row.attempt, row.node) == (first["run"] + 1, 2, node.name)
            assert swept == [f"jobs/{job.id}/1/"]
    assert await nothing_is_orphaned()


async def test_a_restarted_worker_takes_its_slot_and_ends_what_its_predecessor_left(
    database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    async with run_worker(database.dsn, worker_settings) as worker:
        job = await script.add_named("hang_once_with_child")
        told = await wire.until_event(lambda event: str(event.get("stage")).startswith("child"))
        left = worker_settings.work_folder.glob(f"*/{job.id}/1")
        assert len(list(left)) == 1
        worker.kill()
        await worker.wait()
    async with another_node(worker_settings, database) as node:
        assert node.name.endswith("-0")
        assert none_left([int(told["stage"].split()[1])])
        assert not list(worker_settings.work_folder.glob(f"*/{job.id}/1"))
        await wire.until(job, "completed")
        assert (await script.get(job)).run == 2


async def test_a_warm_engine_of_a_killed_worker_ends_with_the_next_start_and_leaves_no_folder(
    database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    warm = worker_settings.work_folder / f"{socket.gethostname()}-0" / "warm"
    async with run_worker(database.dsn, worker_settings) as worker:
        job = await script.add_named("hang_once_with_warm_child")
        told = await wire.until_event(lambda event: str(event.get("stage")).startswith("child"))
        leader = int(told["stage"].split()[1])
        async with asyncio.timeout(DEADLINE_S):
            while len(children.find_living(warm)) < 1 or len(psutil.Process(leader).children()) < 2:
                await asyncio.sleep(0.02)
        worker.kill()
        await worker.wait()
    left = [leader, *(child.pid for child in psutil.Process(leader).children())]
    assert all(psutil.pid_exists(pid) for pid in left), "the hostile family was to survive"
    async with another_node(worker_settings, database):
        assert none_left(left, within_s=0)
        assert not warm.exists()
        await wire.until(job, "completed")
    assert not warm.parent.exists()


async def test_a_node_that_stops_takes_what_was_its_own_along_and_leaves_what_runs_left(
    database: Database, worker_settings: Settings
) -> None:
    async with another_node(worker_settings, database) as node:
        run = node.run_folder(uuid4(), 1)
        for folder in (node.folder / "pcm", node.folder / "warm" / "1", run):
            folder.mkdir(parents=True)
            (folder / "sound.f32").write_bytes(b"x")
    assert [path.name for path in node.folder.iterdir()] == [run.parent.name]
    async with another_node(worker_settings, database):
        assert not node.folder.exists()


async def test_on_a_shared_server_files_of_dead_slots_go_but_no_row_and_nothing_of_a_living_one(
    database: Database, worker_settings: Settings, script: Script
) -> None:
    settings = worker_settings.model_copy(update={"database_url": "set", "queues": "download:1"})
    work = settings.work_folder
    async with another_node(settings, database) as living:
        for name in (living.name, "gone-0"):
            (work / f"{name}.lock").touch()
            for folder in ("pcm", f"{uuid4()}/1"):
                (work / name / folder).mkdir(parents=True)
        job = await script.add_named("nothing")
        beat = "INSERT INTO oban_producers (uuid, node, queue, updated_at)"
        beat += " VALUES (gen_random_uuid(), 'gone-0', 'analysis', timezone('UTC', now()) + interval '1 hour')"
        await execute(beat)  # a machine of that name elsewhere, at work
        executing = "UPDATE oban_jobs SET state = 'executing', attempt = 1, attempted_at = timezone('UTC', now()),"
        executing += " attempted_by = ARRAY['gone-0', (SELECT uuid::text FROM oban_producers WHERE node = 'gone-0')]"
        await execute(executing)
        await execute("UPDATE jobs SET status = 'processing', run = 1, node = 'gone-0' WHERE id = :id", id=job.id)
        async with another_node(settings, database):
            assert not (work / "gone-0").exists()
            assert len(list(living.folder.iterdir())) == 2
            assert ((await script.get(job)).status, await oban_of(job)) == ("processing", ("executing", 1))


async def test_the_boot_of_a_second_node_does_not_touch_the_first(
    node: jobs.Node, database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    let_go = asyncio.Event()

    async def body(run: jobs.Run) -> None:
        (run.folder / "scratch").write_text("x")
        await let_go.wait()
        assert (run.folder / "scratch").read_text() == "x"

    job = await script.add(body)
    await wire.until(job, "processing")
    async with another_node(worker_settings, database) as second:
        assert second.name != node.name
        let_go.set()
        await wire.until(job, "completed")
    assert (await script.get(job)).run == 1


async def test_two_nodes_share_the_queue_and_nothing_runs_twice(
    node: jobs.Node, database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    ran: list[tuple[str, object]] = []
    both = asyncio.Barrier(4)  # two of each node are needed to let anybody on

    async def body(run: jobs.Run) -> None:
        ran.append((run.node.name, run.job_id))
        async with asyncio.timeout(DEADLINE_S):
            await both.wait()

    async with another_node(worker_settings, database) as second:
        added = [await script.add(body) for _ in range(12)]
        for job in added:
            await wire.until(job, "completed")
    assert Counter(job_id for _, job_id in ran) == Counter(job.id for job in added)
    assert {name for name, _ in ran} == {node.name, second.name}


async def test_a_live_job_of_twenty_minutes_is_never_stolen(
    database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    minute_s, settings = 0.6, worker_settings.model_copy(update={"time_scale": 0.01})

    async def body(run: jobs.Run) -> None:
        until = time.monotonic() + 20 * minute_s
        while time.monotonic() < until:
            run.report(100 - 100 * (until - time.monotonic()) / (20 * minute_s))
            await asyncio.sleep(0.05)

    async with another_node(settings, database), another_node(settings, database):
        job = await script.add(body)
        await wire.until(job, "completed", "failed")
        row = await script.get(job)
        assert (row.status, row.run, row.attempt) == ("completed", 1, 1)


async def test_a_live_job_is_not_stolen_when_the_heartbeats_are_lost(
    node: jobs.Node, database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    """Oban keeps them in an unlogged table: after a crash of the server it is empty."""
    let_go = asyncio.Event()

    async def body(_run: jobs.Run) -> None:
        await let_go.wait()

    async with another_node(worker_settings, database):
        job = await script.add(body)
        await wire.until(job, "processing")
        for _ in range(6):  # at another phase of the heartbeat each time
            await execute("DELETE FROM oban_producers")
            next_at = time.monotonic() + 0.6
            while time.monotonic() < next_at:
                await asyncio.sleep(0.05)
        let_go.set()
        await wire.until(job, "completed")
    assert (await script.get(job)).run == 1


@pytest.mark.parametrize(
    ("setup", "row", "oban", "told"),
    [
        ("running", ("queued", "interrupted"), ("available", 1), "queued again"),
        ("running for the last time", ("failed", "interrupted"), ("discarded", 3), "gave up"),
        ("running and cancelled", ("failed", "cancelled"), ("cancelled", 1), "cancelled"),
        ("queued", ("queued", None), ("available", 0), None),
        ("finished", ("failed", None), ("cancelled", 1), None),
        ("under another job", ("queued", None), ("cancelled", 1), None),
        ("deleted", None, ("cancelled", 1), None),
    ],
)
async def test_the_row_of_an_orphan_decides(
    script: Script, setup: str, row: tuple[str, str | None] | None, oban: tuple[str, int], told: str | None
) -> None:
    job = await script.add_named("nothing")
    attempt = 3 if setup == "running for the last time" else 1
    await execute(
        "UPDATE oban_jobs SET state = 'executing', attempt = :attempt, attempted_at = now(), attempted_by = '{dead,x}'"
        " WHERE id = :id",
        id=job.oban_job_id,
        attempt=attempt,
    )
    if setup.startswith("running"):
        await execute("UPDATE jobs SET status = 'processing', run = 1 WHERE id = :id", id=job.id)
    changes = {
        "running and cancelled": "UPDATE jobs SET cancel_requested_at = now() WHERE id = :id",
        "finished": "UPDATE jobs SET status = 'failed' WHERE id = :id",
        "under another job": "UPDATE jobs SET oban_job_id = 999 WHERE id = :id",
        "deleted": "DELETE FROM jobs WHERE id = :id",
    }
    if setup in changes:
        await execute(changes[setup], id=job.id)
    assert await rescue_node("somebody else") == []
    with capture_logs() as lines:
        await rescue_node("dead")
    code = row[1] if row else None
    assert endings_in(lines, job) == ([(told, code, "analysis", 1, f"{attempt}/3", "warning")] if told else [])
    assert await oban_of(job) == oban
    if row is not None:
        found = await script.get(job)
        assert (found.status, found.error_code) == row


async def test_a_row_whose_oban_job_was_removed_fails_and_can_be_tried_again(
    node: jobs.Node, script: Script, wire: Wire, swept: list[str]
) -> None:
    async def never(_candidate: jobs.Candidate) -> jobs.NotYet:
        return jobs.NotYet("Not today.", wait_s=1000)

    async def body(_run: jobs.Run) -> None:
        pass

    job = await script.add(body, need=never)
    await wire.until_event(lambda event: event.get("wait_reason") == "Not today.")
    async with asyncio.timeout(DEADLINE_S):
        while (await oban_of(job))[0] != "scheduled":
            await asyncio.sleep(0.02)
    with capture_logs() as lines:
        await execute("DELETE FROM oban_jobs WHERE id = :id", id=job.oban_job_id)
        assert (await wire.until(job, "failed"))["error_code"] == "interrupted"
        async with asyncio.timeout(DEADLINE_S):
            while f"jobs/{job.id}/0/" not in swept:
                await asyncio.sleep(0.02)
    (line,) = [one for one in lines if one["event"] == "job.stray_ended"]
    assert {"job_id", "kind", "run", "attempt", "error_code"} <= line.keys()


async def test_a_node_that_lost_its_lock_takes_the_same_slot_again(
    node: jobs.Node, database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    locks = "FROM pg_locks WHERE locktype = 'advisory'"
    locks += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"

    async def held() -> int:
        async with reading() as session:
            return int(await session.scalar(text(f"SELECT count(*) {locks}")) or 0)

    async with asyncio.timeout(DEADLINE_S):
        while await held() < 2:  # slot and leadership
            await asyncio.sleep(0.02)
    await execute(f"SELECT pg_terminate_backend(pid) {locks}")
    async with another_node(worker_settings, database) as second:
        assert second.name != node.name
    async with asyncio.timeout(DEADLINE_S):
        while await held() < 2:
            await asyncio.sleep(0.02)


async def test_on_a_shared_server_a_newcomer_gives_way_to_an_owner_who_shows_up(
    database: Database, worker_settings: Settings, tmp_path: Any, script: Script
) -> None:
    """Another machine of the same name, whose lock was lost for a moment, still beats under its name."""
    settings = worker_settings.model_copy(update={"database_url": "set", "data": tmp_path / "other"})
    async with another_node(settings, database) as first:
        name = first.name
    beat = "INSERT INTO oban_producers (uuid, node, queue, updated_at)"
    beat += " VALUES (gen_random_uuid(), :node, 'analysis', timezone('UTC', now()) + interval '1 hour')"
    await execute(beat, node=name)
    async with another_node(settings, database) as second:
        assert second.name != name


async def test_a_node_clears_up_behind_dead_ones_whose_slots_nobody_takes(
    database: Database, worker_settings: Settings, script: Script, wire: Wire
) -> None:
    async with run_worker(database.dsn, worker_settings) as first, run_worker(database.dsn, worker_settings) as second:
        added = [await script.add_named("hang_once") for _ in range(4)]
        async with asyncio.timeout(DEADLINE_S):
            while len(list(worker_settings.work_folder.glob("*/*/*/scratch"))) < 4:
                await asyncio.sleep(0.02)
        for worker in (first, second):
            worker.kill()
            await worker.wait()
    async with another_node(worker_settings, database):
        assert not list(worker_settings.work_folder.glob("*/*/1"))  # second runs may have begun
        for job in added:
            await wire.until(job, "completed")
