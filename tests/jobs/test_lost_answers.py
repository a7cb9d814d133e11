"""Answers that never come, of the database to a claim, an ending, a fetch; and a disk that is full."""

import asyncio
import errno
from collections.abc import Callable
from typing import Any
from uuid import UUID

import oban
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from soundforge import jobs
from soundforge.config import Settings
from soundforge.db import Database, transaction
from soundforge.errors import Unavailable
from soundforge.jobs import _claim, _endings, _keeper, _work
from soundforge.jobs._rescue import rescue_node
from soundforge.tables import Job, Kind
from tests.support.jobs import DEADLINE_S, Script, Wire, oban_of

AWAY = Unavailable("The database is away.", code="database_away")


def once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, lost: str) -> list[str]:
    """The first call of a step fails as when the database goes away, before or after it did its work."""
    step, broken = getattr(module, name), []

    async def breaking(*args: Any, **named: Any) -> Any:
        if broken:
            return await step(*args, **named)
        broken.append(name)
        if lost == "the answer":
            await step(*args, **named)
        raise AWAY

    monkeypatch.setattr(module, name, breaking)
    return broken


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await is_so():
            await asyncio.sleep(0.02)


async def nothing(_run: jobs.Run) -> None:
    pass


@pytest.mark.parametrize("lost", ["the question", "the answer"])
async def test_a_claim_without_an_answer_is_made_again_and_costs_no_attempt(
    node: jobs.Node, script: Script, wire: Wire, swept: list[str], monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    assert once(monkeypatch, _claim, "_take", lost) == []
    with capture_logs() as lines:
        job = await script.add(nothing)
        await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.run, row.attempt) == (2 if lost == "the answer" else 1, 1)
    assert swept == ([f"jobs/{job.id}/1/"] if lost == "the answer" else []), (
        "what the lost run may have stored is looked after"
    )
    (told,) = [line for line in lines if line["event"] == "job.put_back"]
    assert (told["job_id"], told["error_code"]) == (str(job.id), "database_away")


@pytest.mark.parametrize("lost", ["the question", "the answer"])
async def test_an_ending_without_an_answer_is_written_again(
    node: jobs.Node, script: Script, wire: Wire, swept: list[str], monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            raise Unavailable("Later.", code="later")

    once(monkeypatch, _endings, "_write", lost)
    with capture_logs() as lines:
        job = await script.add(body)
        await wire.until(job, "completed")
    row = await script.get(job)
    assert row.run == 2, "the run that ended was never taken for one that was lost"
    assert swept == [f"jobs/{job.id}/1/"]
    assert [line["error_code"] for line in lines if line["event"] == "job.ending_waits"] == ["database_away"]
    await until(lambda: _is(job, "completed"))


async def _is(job: Job, state: str) -> bool:
    return (await oban_of(job))[0] == state


async def test_a_fetch_without_an_answer_is_noticed_and_the_job_worked(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    queue = node.oban.check_queue("analysis")
    assert queue is not None
    async with transaction() as session:
        job = await jobs.add_job(
            session, kind=Kind.ANALYSIS, owner_id=script.owner_id, unique_key="x", params={"body": "nothing"}
        )
        taken = """
            UPDATE oban_jobs SET state = 'executing', attempt = 1, attempted_at = timezone('UTC', now()),
              attempted_by = ARRAY[CAST(:node AS text), CAST(:uuid AS text)] WHERE id = :id
        """
        await session.execute(text(taken), {"node": node.name, "uuid": queue.uuid, "id": job.oban_job_id})
    await wire.until(job, "completed")
    await until(lambda: _is(job, "completed"))
    assert await oban_of(job) == ("completed", 1), "the attempt that nobody made is given back"


async def rescued(job_id: UUID) -> None:
    """As a leader does that has not heard of this node for long; it is fetched again at once."""
    taken = "UPDATE oban_jobs SET attempted_by = '{dead,x}' WHERE args->>'job_id' = :id"
    async with transaction() as session:
        await session.execute(text(taken), {"id": str(job_id)})
    await rescue_node("dead")


async def test_a_claim_that_comes_after_the_rescue_of_its_job_leaves_the_next_run_alone(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    begun, claimed, go = asyncio.Event(), asyncio.Event(), asyncio.Event()
    asked: list[UUID] = []

    async def need(candidate: jobs.Candidate) -> None:
        asked.append(candidate.job_id)
        if len(asked) == 1:
            await rescued(candidate.job_id)
            await begun.wait()

    async def body(_run: jobs.Run) -> None:
        begun.set()
        await go.wait()

    claim = _claim.claim

    async def claiming(*args: Any) -> Any:
        answer = await claim(*args)
        if isinstance(answer, oban.Cancel):
            claimed.set()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_work, "claim", claiming)
        job = await script.add(body, need=need)
        async with asyncio.timeout(DEADLINE_S):
            await claimed.wait()
        go.set()
        await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.status, row.run, len(asked)) == ("completed", 1, 2)
    await until(lambda: _is(job, "completed"))


async def test_a_run_that_follows_a_rescued_one_in_the_same_process_is_left_alone(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    """Oban forgets the second run when the first one ends, for both have the same Oban job."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            await rescued(run.job_id)
            await asyncio.Event().wait()
        begun.set()
        await go.wait()

    beats: list[int] = []
    beat = _keeper._Keeper._settle_owed

    async def counting(keeper: Any) -> None:
        await beat(keeper)
        beats.append(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_keeper._Keeper, "_settle_owed", counting)
        job = await script.add(body)
        async with asyncio.timeout(DEADLINE_S):
            await begun.wait()
            after = len(beats) + 12  # a minute of heartbeats: time enough to be confirmed twice
            while len(beats) < after:
                await asyncio.sleep(0.02)
    go.set()
    await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.status, row.run) == ("completed", 2)


async def test_a_node_that_stops_waits_for_a_run_that_oban_has_forgotten(
    worker_settings: Settings, database: Database, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped, ended = asyncio.Event(), asyncio.Event(), []

    async def body(run: jobs.Run) -> None:
        if run.run == 2:
            begun.set()
        try:
            if run.run == 1:
                await rescued(run.job_id)
            await asyncio.Event().wait()
        finally:
            await (begun if run.run == 1 else stopped).wait()
            ended.append(run.run)

    async def keep_all(_prefix: str) -> None:
        pass

    async with jobs.open_node(worker_settings, database.dsn, on_sweep=keep_all) as node:
        stop = node.oban.stop

        async def stopping() -> None:
            await stop()
            asyncio.get_running_loop().call_later(1.0, stopped.set)

        monkeypatch.setattr(node.oban, "stop", stopping)
        job = await script.add(body)
        await begun.wait()
        await until(lambda: _is_forgotten(node))
    row = await script.get(job)
    assert (ended, row.status, row.run) == ([1, 2], "queued", 2)
    assert not (node.folder / str(job.id)).exists()


async def _is_forgotten(node: jobs.Node) -> bool:
    """The first run is over, and Oban works nothing."""
    running = [job for queue in node.oban.check_all_queues() for job in queue.running]
    return (len(node.at_work), running) == (1, [])


async def test_a_run_whose_folder_cannot_be_made_ends_and_says_so(node: jobs.Node, script: Script, wire: Wire) -> None:
    node.folder.mkdir(parents=True, exist_ok=True)
    job = await script.add(nothing, need=lambda candidate: _block(node, candidate))
    with capture_logs() as lines:
        await wire.until(job, "failed")
        await until(lambda: _is(job, "cancelled"))
    row = await script.get(job)
    assert (row.run, row.error_code) == (1, "bug")
    assert [line["error_type"] for line in lines if line["event"] == "job.failed"] == ["NotADirectoryError"]


async def _block(node: jobs.Node, candidate: jobs.Candidate) -> None:
    (node.folder / str(candidate.job_id)).write_text("in the way")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_is_told_as_one_and_tried_again(
    node: jobs.Node, script: Script, wire: Wire, number: int
) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            raise OSError(number, "it is full")

    job = await script.add(body)
    failed = await wire.until(job, "failed")
    await wire.until(job, "completed")
    assert failed["error_code"] == "disk_full"
