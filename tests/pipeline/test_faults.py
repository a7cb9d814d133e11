"""Rules 8 and 9 of the pipeline: a fault between every two writes leaves nothing, and rows and files agree."""

from collections.abc import Awaitable, Callable
from itertools import count

from sqlalchemy import func, select
from structlog.testing import capture_logs

from soundforge import pipeline
from soundforge.db import Database, reading, transaction
from soundforge.tables import AnalysisPart, File, Job, Stem, Track
from tests.support.faults import fault_before
from tests.support.workshop import Workshop, wav


async def rows() -> dict[str, int]:
    async with reading() as session:
        return {
            table.__tablename__: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (File, Track, Stem, AnalysisPart, Job)
        }


async def break_everywhere(workshop: Workshop, database: Database, start: Callable[[], Awaitable[Job]]) -> int:
    """Break a job before each of its writes in turn, trying again until it is through; gives how often it broke."""
    with capture_logs() as log:
        ended = await _break_once(workshop, database, 1, start)
        for number in count(2):
            before, failed = await rows(), ended
            ended = await _break_once(workshop, database, number, lambda failed=failed: workshop.retry(failed))
            if ended.status == "completed":
                told = [(line["run"], line["error_type"]) for line in log if line["event"] == "job.failed"]
                assert told == [(run, "Fault") for run in range(1, number)]
                return number - 1
            kept = {"analysis_parts": 0, "files": 0} if ended.kind == "analysis" else {}
            assert {**await rows(), **kept} == {**before, **kept}
    raise AssertionError


async def _break_once(workshop: Workshop, database: Database, number: int, start: Callable[[], Awaitable[Job]]) -> Job:
    with fault_before(database, number) as broken:
        ended = await workshop.ended(await start())
    assert await workshop.left_over() == [], broken
    assert (ended.status, ended.error_code) == (("failed", "bug") if broken else ("completed", None))
    return ended


async def test_a_broken_import_leaves_no_row_and_no_file(workshop: Workshop, database: Database) -> None:
    started: list[Job] = []

    async def start() -> Job:
        started.append(await workshop.receive(wav()))
        return started[0]

    assert await break_everywhere(workshop, database, start) >= 7
    assert (await rows())["tracks"] == 1
    await workshop.children_of(started[0])
    assert workshop.received() == []


async def test_a_broken_separation_leaves_no_stem_and_no_file(workshop: Workshop, database: Database) -> None:
    track_id, _ = await workshop.forge()

    async def start() -> Job:
        async with transaction() as session:
            return await pipeline.request_separation(session, workshop.owner_id, track_id)

    assert await break_everywhere(workshop, database, start) >= 10
    assert (await rows())["stems"] == 8


async def test_a_broken_analysis_keeps_whole_stages_or_none(workshop: Workshop, database: Database) -> None:
    track_id, _ = await workshop.forge()

    async def start() -> Job:
        async with transaction() as session:
            return await pipeline.request_analysis(session, workshop.owner_id, track_id)

    assert await break_everywhere(workshop, database, start) >= 10
    assert (await rows())["analysis_parts"] == 2 * 8 + 1  # and where somebody sings, from the separation


async def test_a_broken_export_leaves_no_zip(workshop: Workshop, database: Database) -> None:
    track_id, made = await workshop.forge()

    async def start() -> Job:
        async with transaction() as session:
            stems = made["separation"].id
            return await pipeline.request_export(session, workshop.owner_id, track_id, stems_job_id=stems)

    assert await break_everywhere(workshop, database, start) >= 2
