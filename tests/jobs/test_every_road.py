"""Rule 3: for each move, whoever makes it, exactly one event after the commit, and none after a rollback."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from soundforge import jobs
from soundforge.db import Database, transaction
from soundforge.errors import Invalid, Unavailable
from soundforge.jobs._rescue import rescue_node
from soundforge.tables import MOVES, RUNNING, Job, Kind, Status
from tests.support.jobs import Script, Wire


async def hear_the_end(wire: Wire) -> None:
    """Wait until everything that was committed before has been heard."""
    async with transaction() as session:
        await session.execute(text("""SELECT pg_notify('soundforge', '{"event": "the_end"}')"""))
    await wire.until_event(lambda event: event["event"] == "the_end")
    wire.heard[:] = [event for event in wire.heard if event["event"] != "the_end"]


async def write(job: Job, **values: Any) -> None:
    async with transaction() as session:
        await _write(session, job, values)


async def write_and_fail(job: Job, **values: Any) -> None:
    async with transaction() as session:
        await _write(session, job, values)
        raise ZeroDivisionError


async def _write(session: Any, job: Job, values: dict[str, Any]) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in values)
    await session.execute(text(f"UPDATE jobs SET {changes} WHERE id = :id"), {"id": job.id, **values})


def statuses(wire: Wire, job: Job) -> list[str]:
    return [event["status"] for event in wire.of(job)]


@pytest.mark.parametrize("kind", [Kind.DOWNLOAD, Kind.ANALYSIS])
async def test_each_move_by_hand_is_one_event_and_none_when_rolled_back(script: Script, wire: Wire, kind: Kind) -> None:
    for now, allowed in MOVES[kind].items():
        for then in sorted(allowed):
            job = await script.add_named("nothing", kind=kind)
            run = 0
            for step in _way_to(kind, now):
                run += int(step in RUNNING and run == 0)
                await write(job, status=step.value, run=run)
            await hear_the_end(wire)
            before = len(wire.of(job))
            claim = int(now is Status.QUEUED and then in RUNNING)
            with pytest.raises(ZeroDivisionError):
                await write_and_fail(job, status=then.value, run=run + claim)
            await hear_the_end(wire)
            assert len(wire.of(job)) == before
            await write(job, status=then.value, run=run + claim)
            await hear_the_end(wire)
            assert statuses(wire, job)[before:] == [then.value]


def _way_to(kind: Kind, status: Status) -> list[Status]:
    first = Status.DOWNLOADING if kind is Kind.DOWNLOAD else Status.PROCESSING
    ways = {
        Status.QUEUED: [],
        first: [first],
        Status.COMPLETED: [first, Status.COMPLETED],
        Status.FAILED: [Status.FAILED],
    }
    return ways.get(status, [first, status])


async def test_a_change_that_nobody_can_see_is_no_event(script: Script, wire: Wire) -> None:
    job = await script.add_named("nothing")
    await write(job, attempt=2)
    await write(job, stage="")
    await hear_the_end(wire)
    assert len(wire.of(job)) == 1
    await write(job, wait_reason="Waiting for memory.")
    await hear_the_end(wire)
    assert [event["wait_reason"] for event in wire.of(job)] == [None, "Waiting for memory."]


async def test_a_worker_tells_each_move_once(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            raise Unavailable("Later.", code="later", retry_after_s=0)

    job = await script.add(body)
    await wire.until(job, "completed")
    await hear_the_end(wire)
    assert statuses(wire, job) == ["queued", "processing", "failed", "queued", "processing", "completed"]


async def test_a_cancellation_and_a_retry_tell_each_move_once(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            await asyncio.Event().wait()

    job = await script.add(body)
    await wire.until(job, "processing")
    await script.cancel(job)
    await wire.until(job, "failed")
    await script.retry(job)
    await wire.until(job, "completed")
    await hear_the_end(wire)
    told = statuses(wire, job)
    assert told == ["queued", "processing", "processing", "failed", "queued", "processing", "completed"]


async def test_the_cancellation_of_a_queued_job_is_one_event(script: Script, wire: Wire) -> None:
    job = await script.add_named("nothing")
    await script.cancel(job)
    await hear_the_end(wire)
    assert statuses(wire, job) == ["queued", "failed"]


async def test_a_rescue_tells_each_move_once(script: Script, wire: Wire, database: Database) -> None:
    job = await script.add_named("nothing")
    async with transaction() as session:
        await session.execute(
            text(
                "UPDATE oban_jobs SET state = 'executing', attempt = 1, attempted_at = now(), attempted_by = '{dead,x}'"
            )
        )
    await write(job, status="processing", run=1)
    await rescue_node("dead")
    await hear_the_end(wire)
    assert statuses(wire, job) == ["queued", "processing", "failed", "queued"]


async def test_a_failure_tells_its_cause(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(_run: jobs.Run) -> None:
        raise Invalid("This is no audio.", code="not_audio")

    job = await script.add(body)
    failed = await wire.until(job, "failed")
    assert failed["error_code"] == "not_audio"
    assert failed["topic"] == f"jobs:{job.id}"
    assert failed["owner_id"] == str(script.owner_id)
