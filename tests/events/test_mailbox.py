"""A slow reader gets the latest of each thing, in order, and never too much."""

from uuid import UUID, uuid4

from soundforge.events import AnalysisReady, Event, JobChanged, Mailbox, Resync, TrackAdded, TrackChanged, TrackRemoved

OWNER = uuid4()


def job(job_id: UUID, progress: int) -> JobChanged:
    return JobChanged(OWNER, job_id, None, None, "analysis", "processing", progress, "", 1, None, None)


async def taken(*events: Event | Resync, largest: int = 100) -> list[Event | Resync]:
    mailbox = Mailbox(largest=largest)
    for event in events:
        mailbox.put(event)
    return await mailbox.take()


async def test_of_one_job_only_the_latest_is_told() -> None:
    first, second = uuid4(), uuid4()
    assert await taken(job(first, 1), job(second, 5), job(first, 2)) == [job(second, 5), job(first, 2)]


async def test_a_track_that_came_and_went_is_told_in_that_order() -> None:
    track = uuid4()
    added, removed = TrackAdded(OWNER, track), TrackRemoved(OWNER, track)
    assert await taken(added, removed) == [added, removed]
    assert await taken(removed, added, removed, added) == [removed, added]


async def test_changes_of_a_track_add_up() -> None:
    track = uuid4()
    changed = await taken(TrackChanged(OWNER, track, ("title",)), TrackChanged(OWNER, track, ("artist", "title")))
    assert changed == [TrackChanged(OWNER, track, ("title", "artist"))]


async def test_each_stage_of_an_analysis_is_news() -> None:
    track, analysis = uuid4(), uuid4()
    stages = [AnalysisReady(OWNER, track, analysis, stage) for stage in ("peaks", "loudness")]
    assert await taken(*stages) == stages


async def test_too_many_events_become_one_call_to_read_anew() -> None:
    assert await taken(*(TrackAdded(OWNER, uuid4()) for _ in range(6)), largest=5) == [Resync()]
    assert await taken(Resync(), TrackAdded(OWNER, uuid4())) == [Resync()]


async def test_a_mailbox_is_empty_after_taking() -> None:
    mailbox = Mailbox()
    mailbox.put(TrackAdded(OWNER, uuid4()))
    await mailbox.take()
    mailbox.put(last := TrackAdded(OWNER, uuid4()))
    assert await mailbox.take() == [last]
