from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update

from soundforge import views
from soundforge.db import Database, reading, transaction
from soundforge.errors import NotFound
from soundforge.tables import Job, Kind, Status
from tests.support.db import counted_queries
from tests.support.factories import add_song
from tests.support.house import add_job, finish
from tests.support.jobs import add_user


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    return await add_user("owner")


async def test_a_job_is_titled_by_its_track_or_by_its_file(owner_id: UUID) -> None:
    async with transaction() as session:
        track = await add_song(session, owner_id, "Song")
        await add_job(session, owner_id, Kind.ANALYSIS, track_id=track.id)
        await add_job(session, owner_id, Kind.IMPORT, params={"name": "file.wav"})
    async with reading() as session:
        page = await views.list_job_views(session, owner_id)
    assert {(job.kind, job.title) for job in page.rows} == {("analysis", "Song"), ("import", "file.wav")}
    assert all(job.waiting.startswith("waiting: ") for job in page.rows)


async def test_jobs_are_chosen_by_kind_and_status_and_owner(owner_id: UUID) -> None:
    async with transaction() as session:
        waiting = await add_job(session, owner_id, Kind.IMPORT)
        failed = await add_job(session, owner_id, Kind.EXPORT)
        await finish(session, failed, Status.FAILED, {})
    async with reading() as session:
        by_kind = await views.list_job_views(session, owner_id, kinds=[Kind.IMPORT])
        by_status = await views.list_job_views(session, owner_id, statuses=[Status.FAILED])
        nobodys = await views.list_job_views(session, uuid4())
        with pytest.raises(NotFound):
            await views.get_job_view(session, uuid4(), waiting.id)
    assert [job.id for job in by_kind.rows] == [waiting.id]
    assert [(job.id, job.may_retry, job.may_cancel) for job in by_status.rows] == [(failed.id, True, False)]
    assert nobodys.rows == ()


async def test_an_import_is_not_tried_again_once_its_file_has_gone(owner_id: UUID) -> None:
    async with transaction() as session:
        late, fresh = [await add_job(session, owner_id, Kind.IMPORT) for _ in range(2)]
        await finish(session, late, Status.FAILED, {})
        await finish(session, fresh, Status.FAILED, {})
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        long_ago = text("now() - interval '25 h'")
        await session.execute(update(Job).where(Job.id == late.id).values(finished_at=long_ago))
    async with reading() as session:
        page = await views.list_job_views(session, owner_id)
    assert {job.id: job.may_retry for job in page.rows} == {late.id: False, fresh.id: True}


async def test_a_family_is_a_job_and_what_it_started(owner_id: UUID) -> None:
    async with transaction() as session:
        parent = await add_job(session, owner_id, Kind.IMPORT)
        child = await add_job(session, owner_id, Kind.ANALYSIS, parent_id=parent.id)
        await add_job(session, owner_id, Kind.IMPORT)
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(update(Job).where(Job.id == child.id).values(created_at=text("now() + interval '1 s'")))
    async with reading() as session:
        family = await views.list_family(session, owner_id, [parent.id])
        assert await views.list_family(session, uuid4(), [parent.id]) == []
        assert await views.count_active(session, owner_id) == 3
    assert [job.id for job in family] == [parent.id, child.id]


async def test_a_page_of_waiting_jobs_takes_as_many_queries_as_one_job(owner_id: UUID, database: Database) -> None:
    counts = []
    for _ in range(2):
        async with transaction() as session:
            for kind in (Kind.IMPORT, Kind.EXPORT, *(Kind.ANALYSIS for _ in range(5))):
                await add_job(session, owner_id, kind)
        async with reading() as session:
            with counted_queries(database) as queries:
                page = await views.list_job_views(session, owner_id)
        assert all(job.waiting.startswith("waiting: ") for job in page.rows)
        counts.append(len(queries))
    assert len(page.rows) == 14
    assert counts[0] == counts[1] <= 7
