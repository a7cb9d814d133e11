from sqlalchemy import func, select

from soundforge import jobs
from soundforge.db import Database, reading, transaction
from soundforge.pipeline._housekeeping import ask_for_purge, open_housekeeping
from soundforge.tables import Job, Status
from tests.support.jobs import Wire, open_wire


async def purges(*statuses: Status) -> int:
    async with reading() as session:
        wanted = Job.status.in_(statuses or list(Status))
        return await session.scalar(select(func.count()).select_from(Job).where(wanted)) or 0


async def test_the_purge_is_asked_for_once_however_many_ask(database: Database) -> None:
    assert [await ask_for_purge() for _ in range(3)] == [True, False, False]
    assert await purges() == 1


async def test_the_purge_is_asked_for_at_the_start_and_again_and_again(database: Database) -> None:
    async with open_wire(database.dsn) as wire, open_housekeeping(every_s=0.01):
        for number in range(1, 4):
            await wire.until_event(lambda _event, number=number: len(queued(wire)) == number)
            async with transaction() as session:
                job = (await session.scalars(select(Job).where(Job.id == queued(wire)[-1]))).one()
                await jobs.request_cancel(session, job.owner_id, job.id)
            assert await purges(Status.FAILED) == number


def queued(wire: Wire) -> list[str]:
    return [event["job_id"] for event in wire.heard if event["status"] == "queued"]
