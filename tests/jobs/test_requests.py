"""Adding, retrying and cancelling: rows and Oban jobs come and go together."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from soundforge import jobs
from soundforge.db import Database, reading, transaction
from soundforge.errors import Conflict, Invalid, NotFound
from soundforge.tables import Job, Kind, Status
from tests.support.db import counted_queries
from tests.support.jobs import Script, Wire, add_user


async def add(owner_id: UUID, key: str = "key", kind: Kind = Kind.ANALYSIS) -> Job:
    async with transaction() as session:
        return await jobs.add_job(session, kind=kind, owner_id=owner_id, unique_key=key)


async def count(table: str) -> int:
    async with reading() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


async def move(job: Job, *statuses: Status) -> None:
    async with transaction() as session:
        for status in statuses:
            claim = ", run = run + 1" if status is Status.PROCESSING else ""
            statement = text(f"UPDATE jobs SET status = :status {claim} WHERE id = :id")
            await session.execute(statement, {"status": status.value, "id": job.id})


async def no_orphans() -> bool:
    async with reading() as session:
        return await jobs.check_orphans(session) == []


async def test_a_row_and_its_oban_job_are_added_together_or_not_at_all(owner_id: UUID) -> None:
    async def add_and_fail() -> None:
        async with transaction() as session:
            await jobs.add_job(session, kind=Kind.EXPORT, owner_id=owner_id, unique_key="zip")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await add_and_fail()
    assert (await count("jobs"), await count("oban_jobs")) == (0, 0)
    job = await add(owner_id)
    assert (job.status, job.run, job.max_attempts) == ("queued", 0, 3)
    assert (await count("jobs"), await count("oban_jobs")) == (1, 1)
    assert await no_orphans()


@pytest.mark.parametrize("kind", Kind)
async def test_every_kind_waits_in_its_queue_under_its_worker(owner_id: UUID, kind: Kind) -> None:
    job = await add(owner_id, kind=kind)
    async with reading() as session:
        row = (await session.execute(text("SELECT id, queue, worker, max_attempts FROM oban_jobs"))).one()
    spec = jobs.KINDS[kind]
    assert tuple(row) == (job.oban_job_id, spec.queue, spec.worker_path, spec.attempts)


async def test_eight_requests_at_once_make_one_job(owner_id: UUID) -> None:
    answers = await asyncio.gather(*(add(owner_id) for _ in range(8)), return_exceptions=True)
    added = [answer for answer in answers if isinstance(answer, Job)]
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (len(added), len(refused)) == (1, 7)
    assert {error.code for error in refused} == {"already_running"}
    assert (await count("jobs"), await count("oban_jobs")) == (1, 1)


async def test_the_same_job_may_be_asked_for_by_another_owner_and_after_its_end(owner_id: UUID) -> None:
    first = await add(owner_id)
    await add(await add_user("other"))
    with pytest.raises(Conflict) as refused:
        await add(owner_id)
    assert refused.value.fields == {"job_id": str(first.id)}
    await move(first, Status.PROCESSING, Status.COMPLETED)
    again = await add(owner_id)
    assert again.id != first.id


async def test_a_refused_request_leaves_the_transaction_usable(owner_id: UUID) -> None:
    await add(owner_id)
    async with transaction() as session:
        with pytest.raises(Conflict):
            await jobs.add_job(session, kind=Kind.ANALYSIS, owner_id=owner_id, unique_key="key")
        await jobs.add_job(session, kind=Kind.ANALYSIS, owner_id=owner_id, unique_key="other")
    assert await count("jobs") == 2


async def test_a_failed_job_is_tried_again_under_a_new_oban_job(owner_id: UUID) -> None:
    job = await add(owner_id)
    await move(job, Status.PROCESSING, Status.FAILED)
    async with transaction() as session:
        again = await jobs.retry_job(session, owner_id, job.id)
    assert (again.id, again.status, again.run, again.attempt) == (job.id, "queued", 1, 0)
    assert again.oban_job_id not in (None, job.oban_job_id)
    assert await count("oban_jobs") == 2


@pytest.mark.parametrize("statuses", [(), (Status.PROCESSING,), (Status.PROCESSING, Status.COMPLETED)])
async def test_only_a_failed_job_can_be_tried_again(owner_id: UUID, statuses: tuple[Status, ...]) -> None:
    job = await add(owner_id)
    await move(job, *statuses)
    async with transaction() as session:
        with pytest.raises(Conflict) as refused:
            await jobs.retry_job(session, owner_id, job.id)
    assert refused.value.code == "not_failed"
    assert await count("oban_jobs") == 1


async def test_a_failed_job_is_not_tried_again_beside_a_newer_one(owner_id: UUID) -> None:
    job = await add(owner_id)
    await move(job, Status.FAILED)
    newer = await add(owner_id)
    async with transaction() as session:
        with pytest.raises(Conflict) as refused:
            await jobs.retry_job(session, owner_id, job.id)
        assert refused.value.fields == {"job_id": str(newer.id)}
    assert await count("oban_jobs") == 2


async def test_jobs_are_added_as_ever_once_the_driver_has_prepared_the_statement(owner_id: UUID) -> None:
    """The driver prepares what it sees often; PostgreSQL plans that without its parameters after a while."""
    async with transaction() as session:
        for number in range(20):
            await jobs.add_job(session, kind=Kind.EXPORT, owner_id=owner_id, unique_key=str(number))
        with pytest.raises(Conflict):
            await jobs.add_job(session, kind=Kind.EXPORT, owner_id=owner_id, unique_key="19")


async def test_nobody_touches_the_jobs_of_another_owner(owner_id: UUID) -> None:
    job = await add(owner_id)
    async with transaction() as session:
        for ask in (jobs.get_job, jobs.retry_job, jobs.request_cancel):
            with pytest.raises(NotFound):
                await ask(session, uuid4(), job.id)
        assert (await jobs.list_jobs(session, uuid4())).rows == ()


async def test_a_queued_job_is_cancelled_at_once_and_never_begins(node: jobs.Node, script: Script, wire: Wire) -> None:
    began = []

    async def never(_candidate: jobs.Candidate) -> jobs.NotYet:
        return jobs.NotYet("Not today.", wait_s=0)

    async def body(run: jobs.Run) -> None:
        began.append(run)

    job = await script.add(body, need=never)
    await wire.until_event(lambda event: event.get("wait_reason") == "Not today.")
    await script.cancel(job)
    assert [event["status"] for event in wire.of(job)][-1] in ("queued", "failed")
    row = await script.get(job)
    assert (row.status, row.error_code, row.wait_reason) == ("failed", "cancelled", None)
    other = await script.add(body)
    await wire.until(other, "completed")
    assert [run.job_id for run in began] == [other.id]


async def test_the_oban_job_of_a_queued_one_is_cancelled_in_the_same_transaction(owner_id: UUID) -> None:
    async def cancel_and_fail(job: Job) -> None:
        async with transaction() as session:
            await jobs.request_cancel(session, owner_id, job.id)
            raise ZeroDivisionError

    job = await add(owner_id)
    with pytest.raises(ZeroDivisionError):
        await cancel_and_fail(job)
    assert await no_orphans()
    async with transaction() as session:  # a command does no more: it has no node that could tell Oban
        await jobs.request_cancel(session, owner_id, job.id)
    assert await no_orphans()
    async with transaction() as session:
        again = await jobs.retry_job(session, owner_id, job.id)
    assert (again.status, await count("oban_jobs WHERE state = 'cancelled'")) == ("queued", 1)
    assert await no_orphans()


async def test_an_oban_job_that_a_worker_has_fetched_is_left_to_it(owner_id: UUID) -> None:
    job = await add(owner_id)
    async with transaction() as session:
        await session.execute(text("UPDATE oban_jobs SET state = 'executing'"))
    async with transaction() as session:
        await jobs.request_cancel(session, owner_id, job.id)
    assert await count("oban_jobs WHERE state = 'executing'") == 1


async def test_a_finished_job_cannot_be_cancelled(owner_id: UUID) -> None:
    job = await add(owner_id)
    await move(job, Status.PROCESSING, Status.COMPLETED)
    async with transaction() as session:
        with pytest.raises(Conflict) as refused:
            await jobs.request_cancel(session, owner_id, job.id)
    assert refused.value.code == "already_finished"


async def test_jobs_are_listed_newest_first_page_by_page(owner_id: UUID) -> None:
    added = [await add(owner_id, key=str(number)) for number in range(5)]
    seen, after = [], None
    async with reading() as session:
        for _ in range(3):
            page = await jobs.list_jobs(session, owner_id, after=after, limit=2)
            seen += [job.id for job in page.rows]
            after = page.next
        assert after is None
        assert seen == [job.id for job in reversed(added)]
        assert len((await jobs.list_jobs(session, owner_id, kinds=[Kind.EXPORT])).rows) == 0
        assert len((await jobs.list_jobs(session, None, statuses=[Status.QUEUED])).rows) == 5
        with pytest.raises(Invalid):
            await jobs.list_jobs(session, owner_id, after="nonsense")


async def test_a_page_of_jobs_seen_before_is_read_again_with_what_came_on_top(owner_id: UUID) -> None:
    added = [await add(owner_id, key=str(number)) for number in range(4)]
    async with reading() as session:
        first = await jobs.list_jobs(session, owner_id, limit=2)
    added += [await add(owner_id, key=str(number)) for number in range(4, 6)]
    async with reading() as session:
        again = await jobs.list_jobs(session, owner_id, until=first.next)
        behind = await jobs.list_jobs(session, owner_id, after=first.next)
    newest_first = [job.id for job in reversed(added)]
    assert [job.id for job in again.rows] == newest_first[:4]
    assert [job.id for job in behind.rows] == newest_first[4:]
    assert (again.next, again.rest) == (None, 0)


async def test_a_waiting_job_knows_what_is_before_it(owner_id: UUID, database: Database) -> None:
    added = [await add(owner_id, key=str(number)) for number in range(4)]
    await move(added[0], Status.PROCESSING)
    async with reading() as session:
        assert await jobs.count_ahead(session, added[3]) == 2
        assert (await jobs.estimate_wait(session, added[3])).text == "waiting: no worker runs this queue"
    done = await add(owner_id, key="done")
    await move(done, Status.PROCESSING)
    async with transaction() as session:
        await session.execute(
            text(
                "UPDATE jobs SET status = 'completed', started_at = now() - interval '4 minutes', finished_at = now()"
                " WHERE id = :id"
            ),
            {"id": done.id},
        )
        await session.execute(
            text(
                "INSERT INTO oban_producers (uuid, node, queue, meta)"
                " VALUES (gen_random_uuid(), 'n', 'analysis', '{\"local_limit\": 2}')"
            )
        )
    async with reading() as session:
        wait = await jobs.estimate_wait(session, added[3])
        assert wait.text == "waiting: 2 ahead, about 5 min"
        assert (await jobs.estimate_wait(session, added[1])).about_s == 0


async def test_rows_and_oban_jobs_that_do_not_belong_together_are_found(owner_id: UUID) -> None:
    lost, over = await add(owner_id, key="lost"), await add(owner_id, key="over")
    assert await no_orphans()
    await move(over, Status.FAILED)
    async with transaction() as session:
        await session.execute(text("DELETE FROM oban_jobs WHERE id = :id"), {"id": lost.oban_job_id})
    async with reading() as session:
        found = {(orphan.code, orphan.job_id) for orphan in await jobs.check_orphans(session)}
    assert found == {("row_without_oban_job", lost.id), ("oban_job_without_row", over.id)}


async def test_figures_say_what_waits_runs_and_failed(node: jobs.Node, script: Script, wire: Wire) -> None:
    async def succeed(run: jobs.Run) -> None:
        run.report(50)

    async def fail(run: jobs.Run) -> None:
        raise Invalid("No.", code="not_audio")

    await wire.until(await script.add(succeed), "completed")
    await wire.until(await script.add(fail), "failed")
    async with reading() as session:
        figures = await jobs.queue_figures(session)
    assert [(times.kind, times.count) for times in figures.run_times] == [("analysis", 1)]
    assert [(failed.kind, failed.error_code, failed.count) for failed in figures.failures] == [
        ("analysis", "not_audio", 1)
    ]
    assert {(queue.node, queue.queue): queue.limit for queue in figures.nodes}[node.name, "download"] == 3
    assert max(queue.silent_s for queue in figures.nodes) < 5
    assert sum(depth.count for depth in figures.depths) == 2


async def test_many_jobs_on_one_connection_are_added_and_refused_alike(owner_id: UUID) -> None:
    async with transaction() as session:
        for number in range(15):  # the driver prepares a statement at its sixth time, the server plans it at the 11th
            kind = Kind.ANALYSIS
            await jobs.add_job(session, kind=kind, owner_id=owner_id, unique_key=f"{number}")
            with pytest.raises(Conflict):
                await jobs.add_job(session, kind=kind, owner_id=owner_id, unique_key=f"{number}")
    assert (await count("jobs"), await count("oban_jobs")) == (15, 15)


async def test_the_waits_of_many_jobs_take_as_many_queries_as_of_one(owner_id: UUID, database: Database) -> None:
    kinds = (Kind.ANALYSIS, Kind.EXPORT, Kind.SEPARATION)
    added = [await add(owner_id, key=f"{number}", kind=kind) for kind in kinds for number in range(4)]
    await move(added[0], Status.PROCESSING)
    queued = added[1:]
    async with reading() as session:
        with counted_queries(database) as queries:
            waits = await jobs.estimate_waits(session, queued)
        assert len(queries) == 4
        assert [waits[job.id].ahead for job in queued] == [0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3]
        assert {await jobs.estimate_wait(session, job) == waits[job.id] for job in queued} == {True}
        with counted_queries(database) as queries:
            assert await jobs.estimate_waits(session, []) == {}
        assert queries == []
