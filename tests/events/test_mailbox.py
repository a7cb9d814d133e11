"""A slow reader gets the latest of each thing, in order, and never too much."""

from uuid import UUID, uuid4

from soundforge.events import AnalysisReady, Event, JobChanged, Resync, TrackAdded, TrackChanged, TrackRemoved
from soundforge.events._mailbox import Mailbox

OWNER = uuid4()


def job(job_id: UUID, progress: int) -> JobChanged:
    return JobChanged(OWNER, job_id, None, None, "analysis", "processing", progress, "", 1, None, None)


def taken(*events: Event | Resync, largest: int = 100) -> list[Event | Resync]:
    mailbox = Mailbox(largest=largest)
    for event in events:
        mailbox.put(event)
    return [*mailbox.take()]


def test_of_one_job_only_the_latest_is_told() -> None:
    first, second = uuid4(), uuid4()
    assert taken(job(first, 1), job(second, 5), job(first, 2)) == [job(second, 5), job(first, 2)]


def test_a_track_that_came_and_went_is_told_in_that_order() -> None:
    track = uuid4()
    added, removed = TrackAdded(OWNER, track), TrackRemoved(OWNER, track)
    assert taken(added, removed) == [added, removed]
    assert taken(removed, added, removed, added) == [removed, added]


def test_changes_of_a_track_add_up() -> None:
    track = uuid4()
    changed = taken(TrackChanged(OWNER, track, ("title",)), TrackChanged(OWNER, track, ("artist", "title")))
    assert changed == [TrackChanged(OWNER, track, ("title", "artist"))]


def test_each_stage_of_an_analysis_is_news() -> None:
    track, analysis = uuid4(), uuid4()
    stages = [AnalysisReady(OWNER, track, analysis, stage) for stage in ("peaks", "loudness")]
    assert taken(*stages) == stages


def test_too_many_events_become_one_call_to_read_anew() -> None:
    assert taken(*(TrackAdded(OWNER, uuid4()) for _ in range(6)), largest=5) == [Resync()]
    assert taken(Resync(), TrackAdded(OWNER, uuid4())) == [Resync()]


def test_a_mailbox_is_empty_after_taking() -> None:
    mailbox = Mailbox()
    mailbox.put(TrackAdded(OWNER, uuid4()))
    mailbox.take()
    mailbox.put(last := TrackAdded(OWNER, uuid4()))
    assert mailbox.take() == (last,)
