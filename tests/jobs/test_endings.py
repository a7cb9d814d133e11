"""A run ends in one of five ways, and in each of them row, Oban job, files and log agree."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from soundforge import jobs
from soundforge.db import reading
from soundforge.errors import Broken, Invalid, Unavailable
from soundforge.tables import Job, Kind
from tests.support.jobs import DEADLINE_S, Script, Wire, endings_in


async def oban_state(job: Job) -> tuple[str, int]:
    async with reading() as session:
        statement = text("SELECT state::text, attempt FROM oban_jobs WHERE id = :id")
        row = (await session.execute(statement, {"id": job.oban_job_id})).one()
        return row[0], row[1]


async def until_oban(job: Job, *states: str) -> tuple[str, int]:
    async with asyncio.timeout(DEADLINE_S):
        while (found := await oban_state(job))[0] not in states:
            await asyncio.sleep(0.02)
    return found


def stages(wire: Wire, job: Job) -> list[str]:
    seen: list[str] = []
    for event in wire.of(job):
        if not seen or seen[-1] != event["status"]:
            seen.append(event["status"])
    return seen


async def test_a_run_that_is_through_is_completed(
    node: jobs.Node, script: Script, wire: Wire, swept: list[str]
) -> None:
    folders = []

    async def body(run: jobs.Run) -> None:
        folders.append(run.folder)
        assert run.folder.is_dir()
        (run.folder / "scratch").write_text("x")
        async with run.done({"engine": "fake"}) as session:
            assert (await session.execute(text("SELECT 1"))).scalar() == 1

    job = await script.add(body)
    await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.status, row.progress, row.run, row.result) == ("completed", 100, 1, {"engine": "fake"})
    assert await until_oban(job, "completed") == ("completed", 1)
    assert not folders[0].exists()
    assert not folders[0].parent.exists()
    assert swept == []
    assert stages(wire, job) == ["queued", "processing", "completed"]


async def test_an_unavailable_run_is_tried_again_until_it_succeeds(
    node: jobs.Node, script: Script, wire: Wire, swept: list[str]
) -> None:
    async def body(run: jobs.Run) -> None:
        if run.attempt < 3:
            raise Unavailable("The engine is busy.", code="engine_busy")

    job = await script.add(body)
    await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.run, row.attempt, row.error_code) == (3, 3, None)
    assert swept == [f"jobs/{job.id}/1/", f"jobs/{job.id}/2/"]
    assert stages(wire, job) == [
        "queued",
        "processing",
        "failed",
        "queued",
        "processing",
        "failed",
        "queued",
        "processing",
        "completed",
    ]


async def test_the_last_attempt_gives_up(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        raise Unavailable("The engine is busy.", code="engine_busy")

    job = await script.add(body)
    await wire.until(job, "failed", times=3)
    assert await until_oban(job, "cancelled") == ("cancelled", 3)
    row = await script.get(job)
    assert (row.status, row.run, row.error_code, row.error) == ("failed", 3, "engine_busy", "The engine is busy.")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Invalid("This is no audio.", code="not_audio"), "not_audio", "This is no audio."),
        (Broken("The engine is missing.", code="missing_engine"), "missing_engine", "The engine is missing."),
        (ZeroDivisionError("oops"), "bug", "Something went wrong inside Sound Forge. The log has the details."),
    ],
)
async def test_what_trying_again_cannot_mend_gives_up_at_once(
    node: jobs.Node, script: Script, wire: Wire, swept: list[str], error: Exception, code: str, sentence: str
) -> None:
    async def body(run: jobs.Run) -> None:
        raise error

    with structlog.testing.capture_logs() as lines:
        job = await script.add(body)
        await wire.until(job, "failed")
        assert await until_oban(job, "cancelled") == ("cancelled", 1)
    row = await script.get(job)
    assert (row.status, row.error_code, row.error, row.run) == ("failed", code, sentence, 1)
    assert swept == [f"jobs/{job.id}/1/"]
    (line,) = [line for line in lines if line["event"] == "job.failed"]
    expected: dict[str, Any] = {
        "job_id": str(job.id), "track_id": None, "kind": "analysis", "queue": "analysis", "attempt": "1/3", "run": 1,
        "node": node.name, "ending": "give_up", "error_code": code, "error_type": type(error).__name__,
        "log_level": "error",
    }  # fmt: skip
    assert line.items() >= expected.items()
    assert str(error) in line["error"]


@pytest.mark.parametrize(
    ("error", "ending", "code", "level"),
    [
        (Unavailable("The engine is busy.", code="engine_busy"), "try_again", "engine_busy", "warning"),
        (Unavailable("Wait.", code="rate_limited", retry_after_s=0), "postponed", "rate_limited", "warning"),
        (Unavailable("The database is away.", code="database_away"), "interrupted", "interrupted", "info"),
    ],
)
async def test_a_run_that_is_followed_by_another_is_logged_with_its_context(
    node: jobs.Node, script: Script, wire: Wire, error: Exception, ending: str, code: str, level: str
) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            raise error

    with structlog.testing.capture_logs() as lines:
        job = await script.add(body)
        await wire.until(job, "completed")
    assert endings_in(lines, job) == [(ending, code, "analysis", 1, "1/3", level)]


async def test_a_cancelled_run_is_logged_with_its_context(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(_run: jobs.Run) -> None:
        await asyncio.Event().wait()

    with structlog.testing.capture_logs() as lines:
        job = await script.add(body)
        await wire.until(job, "processing")
        await script.cancel(job)
        await until_oban(job, "cancelled")
    assert endings_in(lines, job) == [("cancelled", "cancelled", "analysis", 1, "1/3", "info")]


async def test_a_postponed_run_gives_its_attempt_back(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            raise Unavailable("Spotify asks us to wait.", code="rate_limited", retry_after_s=2)

    job = await script.add(body)
    await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.run, row.attempt) == (2, 1)
    assert await until_oban(job, "completed") == ("completed", 1)


async def test_a_job_that_must_wait_says_why_and_spends_neither_run_nor_attempt(
    node: jobs.Node, script: Script, wire: Wire
) -> None:
    asked = []

    async def need(candidate: jobs.Candidate) -> jobs.NotYet | None:
        asked.append(candidate.job_id)
        return jobs.NotYet("The queue is paused.", wait_s=1) if len(asked) < 3 else None

    async def body(run: jobs.Run) -> None:
        assert run.run == 1

    job = await script.add(body, need=need)
    waiting = await wire.until_event(lambda event: event.get("wait_reason") is not None)
    assert (waiting["status"], waiting["run"], waiting["wait_reason"]) == ("queued", 0, "The queue is paused.")
    await wire.until(job, "completed")
    row = await script.get(job)
    assert (row.run, row.attempt, row.wait_reason) == (1, 1, None)


async def test_a_run_that_takes_too_long_is_stopped_and_tried_again(
    node: jobs.Node, script: Script, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.KINDS, Kind.ANALYSIS, replace(jobs.KINDS[Kind.ANALYSIS], limit_s=0.1))

    async def body(run: jobs.Run) -> None:
        if run.run == 1:
            await asyncio.Event().wait()

    with structlog.testing.capture_logs() as lines:
        job = await script.add(body)
        failed = await wire.until(job, "failed")
        assert failed["error_code"] == "timed_out"
        await wire.until(job, "completed")
    assert endings_in(lines, job) == [("try_again", "timed_out", "analysis", 1, "1/3", "warning")]
