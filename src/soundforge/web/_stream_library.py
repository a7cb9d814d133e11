"""What the library view loads for each event, so that its template can say what changed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import library, views
from soundforge.events import AnalysisReady, Event, JobChanged, StemsReady, TrackAdded, TrackChanged
from soundforge.tables import RUNNING, Kind
from soundforge.views import TrackRow
from soundforge.web._render import row_job
from soundforge.web._stream import Feed, Loader

# Which columns move a row when the list is sorted by them.
_JUST_NOW = timedelta(seconds=10)  # a job older than that, when the page opened, stands on it already
_MOVES = {"title": "title", "artist": "artist", "bpm": "bpm", "key": "key"}


@dataclass(frozen=True)
class Stream:
    """What happens to one row of a list: ``update``, ``insert`` (before a row, or last), ``remove``, ``move``."""

    act: str
    before: UUID | None = None


async def track_added(session: AsyncSession, feed: Feed, event: TrackAdded) -> dict[str, Any] | None:
    """Insert the row at its sorted place, if the page's search finds it."""
    return await _insert(session, feed, event.track_id, "insert")


async def track_changed(session: AsyncSession, feed: Feed, event: TrackChanged) -> dict[str, Any] | None:
    """Update the row; move it when the list is sorted by what changed; drop it when the search lost it."""
    if feed.query.search and not await library.is_in(session, feed.owner_id, feed.query, event.track_id):
        return {"stream": Stream("remove"), "row": None}
    if _MOVES.get(feed.query.sort) in event.fields or feed.query.search:
        return await _insert(session, feed, event.track_id, "move")
    return await _update(session, feed, event.track_id)


async def track_removed(_session: AsyncSession, _feed: Feed, _event: Event) -> dict[str, Any] | None:
    """Remove the row."""
    return {"stream": Stream("remove"), "row": None}


async def results_ready(session: AsyncSession, feed: Feed, event: StemsReady | AnalysisReady) -> dict[str, Any] | None:
    """Update the row; the open track asks for its own part."""
    return await _update(session, feed, event.track_id)


async def job_changed(session: AsyncSession, feed: Feed, event: JobChanged) -> dict[str, Any] | None:
    """A tick moves bars alone; any other change sends the job, and the row of its track."""
    if event.kind == Kind.MAINTENANCE:
        return None  # nobody's music: the lists leave it out too
    state = (event.status, event.run, event.wait_reason, event.error_code)
    known = feed.seen.get(event.job_id)
    feed.seen[event.job_id] = state
    if known == state and event.status in RUNNING:
        return {
            "tick": True,
            "in_row": feed.seen.get(event.track_id) == event.job_id,
            "first": False,
            "job": None,
            "row": None,
        }
    row = await _news(session, feed, event.track_id) if event.track_id else None
    job = await views.get_job_view(session, feed.owner_id, event.job_id)
    is_new = known is None and job.created_at > feed.opened_at - _JUST_NOW
    return {"tick": False, "in_row": False, "first": is_new, "job": job, "row": row}


async def _insert(session: AsyncSession, feed: Feed, track_id: UUID, act: str) -> dict[str, Any] | None:
    if not await library.is_in(session, feed.owner_id, feed.query, track_id):
        return None
    before = await library.find_next_track(session, feed.owner_id, feed.query, track_id)
    return {"stream": Stream(act, before), "row": await _row(session, feed, track_id)}


async def _update(session: AsyncSession, feed: Feed, track_id: UUID) -> dict[str, Any]:
    return {"stream": Stream("update"), "row": await _news(session, feed, track_id)}


async def _news(session: AsyncSession, feed: Feed, track_id: UUID) -> TrackRow | None:
    """The row, unless the message that is being written has it already."""
    return None if track_id in feed.rows_sent else await _row(session, feed, track_id)


async def _row(session: AsyncSession, feed: Feed, track_id: UUID) -> TrackRow:
    row = await views.get_track_row(session, feed.owner_id, track_id)
    feed.rows_sent.add(track_id)
    shown = row_job(row)
    feed.seen[track_id] = shown.id if shown else None
    return row


LOADERS: dict[str, Loader] = {
    "track_added": track_added,
    "track_changed": track_changed,
    "track_removed": track_removed,
    "stems_ready": results_ready,
    "analysis_ready": results_ready,
    "job_changed": job_changed,
}
