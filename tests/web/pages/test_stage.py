"""What the stage tells of the jobs of its track."""

from uuid import UUID

from sqlalchemy import update

from soundforge.db import transaction
from soundforge.tables import Job, Kind, Status
from tests.support.feeds import hearing
from tests.support.house import House, Song, add_job, finish


async def stage_of(house: House, song: Song) -> str:
    return (await house.visitors["ann"].get(f"/tracks/{song.track_id}/stage")).text


async def fail(house: House, song: Song, kind: Kind) -> UUID:
    async with transaction() as session:
        job = await add_job(session, house.users["ann"], kind, track_id=song.track_id)
        await finish(session, job, Status.FAILED, {})
    return job.id


async def move(job_id: UUID, status: str) -> None:
    async with transaction() as session:
        await session.execute(update(Job).where(Job.id == job_id).values(status=status, run=1))


async def test_what_failed_is_told_with_its_cause_and_a_way_to_try_again_also_beside_stems(house: House) -> None:
    song = await house.add_song()
    assert "stage-failed" not in await stage_of(house, song)
    failed = {kind: await fail(house, song, kind) for kind in (Kind.ANALYSIS, Kind.SEPARATION, Kind.EXPORT)}
    shown = await stage_of(house, song)
    assert 'class="lane strip' in shown
    assert shown.count("The engine crashed.") == len(failed)
    for kind, job_id in failed.items():
        assert f'id="failed-{song.track_id}-{kind}"' in shown
        assert f"{kind} failed" in shown
        assert f'hx-post="/jobs/{job_id}/retry"' in shown


async def test_a_failure_goes_when_it_is_tried_again_or_another_job_of_its_kind_begins(house: House) -> None:
    song = await house.add_song()
    job_id = await fail(house, song, Kind.ANALYSIS)
    part = f'id="failed-{song.track_id}-analysis"'
    async with hearing(house, "ann") as ear:
        assert (await house.visitors["ann"].post(f"/jobs/{job_id}/retry")).status_code == 200
        await ear.until_told(f"/tracks/{song.track_id}/stage")
        assert part not in await stage_of(house, song)
        await move(job_id, "processing")  # a page that heard nothing of its wait
        await ear.until_told(f'{part} hx-swap-oob="delete"')
