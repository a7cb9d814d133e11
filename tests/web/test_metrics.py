"""What ``/metrics`` says, figure by figure, and that it is what the rows say."""

import re
from uuid import uuid4

from sqlalchemy import text

from soundforge.db import transaction
from soundforge.tables import Kind, Status
from tests.support.house import House, add_job, finish

SAMPLE = re.compile(r"^(soundforge_[a-z_]+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


async def figures(house: House) -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = await house.visitors["anonymous"].get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = re.findall(r"^# TYPE (\S+) gauge$", answer.text, re.MULTILINE)
    assert families == re.findall(r"^# HELP (\S+) \S", answer.text, re.MULTILINE)
    found = {f"{name} {labels}".strip(): float(value) for name, labels, value in SAMPLE.findall(answer.text)}
    assert {sample.split()[0] for sample in found} <= {*families}
    assert len(answer.text.splitlines()) == 2 * len(families) + len(found), "nothing else stands there"
    return found


async def execute(statement: str, **values: object) -> None:
    async with transaction() as session:
        await session.execute(text(statement), values)


async def test_an_idle_studio_has_one_figure_the_feeds(house: House) -> None:
    assert await figures(house) == {"soundforge_feeds": 0}
    with house.studio.listener.subscribe(house.users["ann"]), house.studio.listener.subscribe(house.users["ben"]):
        assert await figures(house) == {"soundforge_feeds": 2}


async def test_queues_are_told_by_state_and_how_long_the_oldest_could_have_begun(house: House) -> None:
    async with transaction() as session:
        for kind in (Kind.IMPORT, Kind.IMPORT, Kind.ANALYSIS):
            await add_job(session, house.users["ann"], kind)
    await execute("UPDATE oban_jobs SET state = 'executing' WHERE queue = 'analysis'")
    await execute(
        "UPDATE oban_jobs SET scheduled_at = timezone('UTC', now()) - interval '1 hour'"
        " WHERE id = (SELECT min(id) FROM oban_jobs WHERE queue = 'imports')"
    )
    found = await figures(house)
    assert found.pop('soundforge_queue_waiting_seconds queue="imports"') // 600 == 6  # an hour, and what this test took
    assert found == {
        'soundforge_queue_jobs queue="imports",state="available"': 2,
        'soundforge_queue_jobs queue="analysis",state="executing"': 1,
        "soundforge_feeds": 0,
    }


async def test_what_has_ended_is_told_by_kind_how_long_it_ran_and_why_it_failed(house: House) -> None:
    async with transaction() as session:
        for seconds in (10, 20, 60):
            job = await add_job(session, house.users["ann"], Kind.SEPARATION)
            await finish(session, job, Status.COMPLETED, {})
            took = text("UPDATE jobs SET started_at = finished_at - make_interval(secs => :took) WHERE id = :id")
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            await session.execute(took, {"took": seconds, "id": job.id})
            await session.execute(text("SET LOCAL session_replication_role = origin"))
        for _ in range(2):
            await finish(session, await add_job(session, house.users["ann"], Kind.IMPORT), Status.FAILED, {})
    found = await figures(house)
    assert found['soundforge_run_median_seconds kind="separation"'] == 20
    assert found['soundforge_failed_jobs kind="import",code="engine_crashed"'] == 2


async def test_a_node_that_is_silent_is_told_with_its_queue(house: House) -> None:
    await execute(
        "INSERT INTO oban_producers (uuid, node, queue, updated_at)"
        " VALUES (:uuid, :node, 'imports', timezone('UTC', now()) - interval '1 hour')",
        uuid=uuid4(),
        node='a "node"',
    )
    found = await figures(house)
    assert found['soundforge_node_silent_seconds node="a \\"node\\"",queue="imports"'] // 600 == 6
