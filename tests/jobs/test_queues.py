"""What an admin decides about queues: obeyed on the fly by every node, and still there after a restart."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import Database, reading, transaction
from soundforge.errors import Invalid, NotFound
from soundforge.tables import Kind
from tests.support.jobs import DEADLINE_S, Script, Wire


async def _ignore(_prefix: str) -> None:
    pass


async def _nothing(_run: jobs.Run) -> None:
    pass


async def decide(queue: str, *, obey: bool = True, **what: Any) -> None:
    async with transaction() as session:
        await jobs.change_queue(session, queue, **what)
    if obey:
        await jobs.obey_queues()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_paused_queue_begins_nothing_and_goes_on_where_it_stopped(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    await decide("analysis", paused=True)
    waiting = await script.add(_nothing)
    other = await script.add(_nothing, kind=Kind.EXPORT)
    await wire.until(other, "completed")
    assert (await script.get(waiting)).status == "queued"
    async with reading() as session:
        assert (await jobs.estimate_wait(session, waiting)).text == "waiting: this queue is paused"
    await decide("analysis", paused=False)
    await wire.until(waiting, "completed")


async def test_other_nodes_obey_by_their_heartbeat(
    database: Database, worker_settings: Settings, script: Script
) -> None:
    async with jobs.open_node(worker_settings, database.dsn, on_sweep=_ignore) as node:
        await decide("analysis", obey=False, limit=5)  # as another process would
        await until(lambda: node.oban.check_queue("analysis").limit == 5)
        assert node.oban.check_queue("exports").limit == 1


async def test_a_decision_is_kept_across_a_restart_and_of_one_node_alone(
    database: Database, worker_settings: Settings, script: Script
) -> None:
    async with jobs.open_node(worker_settings, database.dsn, on_sweep=_ignore) as node:
        name = node.name
    await decide("analysis", limit=4, paused=True)
    await decide("download", limit=7, node=name)
    await decide("exports", limit=9, node="another-0")
    async with jobs.open_node(worker_settings, database.dsn, on_sweep=_ignore) as node:
        assert node.name == name
        now = {one.queue: (one.limit, one.paused) for one in node.oban.check_all_queues()}
    assert (now["analysis"], now["download"], now["exports"]) == ((4, True), (7, False), (1, False))


async def test_a_limit_is_taken_back(database: Database, worker_settings: Settings) -> None:
    async with jobs.open_node(worker_settings, database.dsn, on_sweep=_ignore) as node:
        own = node.oban.check_queue("analysis").limit
        await decide("analysis", limit=own + 3)
        await until(lambda: node.oban.check_queue("analysis").limit == own + 3)
        await decide("analysis", limit=0)
        await until(lambda: node.oban.check_queue("analysis").limit == own)


async def test_what_makes_no_sense_is_refused(database: Database) -> None:
    with pytest.raises(NotFound) as unknown:
        await decide("lunch", paused=True)
    assert unknown.value.code == "no_queue"
    for limit in (-1, 65):
        with pytest.raises(Invalid) as refused:
            await decide("analysis", limit=limit)
        assert refused.value.code == "bad_limit"
    async with reading() as session:
        assert await jobs.list_queue_settings(session) == []


async def test_a_queue_that_nobody_works_says_so(script: Script) -> None:
    job = await script.add(_nothing)
    async with reading() as session:
        assert (await jobs.estimate_wait(session, job)).text == "waiting: no worker runs this queue"


async def test_a_run_tells_how_long_each_stage_took_also_one_that_fails(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    async def body(run: jobs.Run) -> None:
        run.report(10, "decoding")
        await asyncio.to_thread(run.folder.exists)
        run.report(50, "storing")

    async def bad_body(run: jobs.Run) -> None:
        await body(run)
        raise Invalid("No.", code="no")

    bad, good = await script.add(bad_body), await script.add(body)
    await wire.until(bad, "failed")
    await wire.until(good, "completed")
    for job in (bad, good):
        told = (await script.get(job)).stages_s
        assert [name for name, _ in told] == ["getting ready", "decoding", "storing"]
        assert all(took_s >= 0 for _, took_s in told)
